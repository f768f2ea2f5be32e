// SPDX-License-Identifier: GPL-2.0-only

#include <linux/math64.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "core_ops.h"
#include "instant_display.h"

#define ROUNDS		2000
/* Operations in a round; at most half of the fewest entries that are measured. */
#define BATCH		8
#define BUFFER_BYTES	SZ_64K
#define WINDOW_START	0x100000000ull
#define WINDOW_BYTES	SZ_8G

struct core_bench {
	struct instant_display display;
	struct msm_scanout_entry *entries;
	struct rnd_state random;
	u64 (*clock)(void);
	/* Where the ring goes on. */
	unsigned int next;
	u64 get[ROUNDS];
	u64 put[ROUNDS];
	u64 reap[ROUNDS];
};

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static u64 mean(u64 *rounds)
{
	unsigned int kept = ROUNDS - ROUNDS / 100;
	u64 sum = 0;

	sort(rounds, ROUNDS, sizeof(*rounds), compare, NULL);
	for (unsigned int i = 0; i < kept; i++)
		sum += rounds[i];

	return div_u64(1000 * sum, kept * BATCH);
}

/* The next BATCH of the ring, or any that are not among those chosen yet. */
static void choose(struct core_bench *bench, unsigned int count, bool any, unsigned int *chosen)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		bool again;

		if (!any) {
			chosen[i] = bench->next;
			bench->next = (bench->next + 1) % count;
			continue;
		}
		do {
			chosen[i] = prandom_u32_state(&bench->random) % count;
			again = false;
			for (unsigned int j = 0; j < i; j++)
				again |= chosen[i] == chosen[j];
		} while (again);
	}
}

static int play(struct core_bench *bench, unsigned int count, bool any)
{
	unsigned int chosen[BATCH];
	u64 begin, iova;
	int ret = 0;

	/* As many more before, for the reuse histograms to be in their usual state. */
	for (int round = -ROUNDS / 2; round < ROUNDS; round++) {
		unsigned int slot = max(round, 0);

		choose(bench, count, any, chosen);
		begin = bench->clock();
		for (unsigned int i = 0; i < BATCH; i++)
			ret |= msm_scanout_cache_get(&bench->entries[chosen[i]], &iova);
		bench->get[slot] = bench->clock() - begin;
		if (ret)
			return ret;

		begin = bench->clock();
		for (unsigned int i = 0; i < BATCH; i++)
			msm_scanout_cache_put(&bench->entries[chosen[i]]);
		bench->put[slot] = bench->clock() - begin;

		begin = bench->clock();
		msm_scanout_cache_reap(&bench->display.cache);
		bench->reap[slot] = bench->clock() - begin;
	}

	return 0;
}

static int measure(struct core_bench *bench, unsigned int entries, struct core_costs *costs)
{
	struct msm_scanout_cache *cache = &bench->display.cache;
	u64 hits, misses, iova;
	int ret;

	ret = msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_BYTES_LIMIT, WINDOW_BYTES);
	if (!ret)
		ret = msm_scanout_cache_set_limit(cache, MSM_SCANOUT_MAX_ENTRIES_LIMIT, entries);
	if (!ret)
		ret = msm_scanout_cache_set_limit(cache, MSM_SCANOUT_IDLE_TIMEOUT_LIMIT, 0);
	for (unsigned int i = 0; !ret && i < entries; i++) {
		ret = msm_scanout_cache_get(&bench->entries[i], &iova);
		if (!ret)
			msm_scanout_cache_put(&bench->entries[i]);
	}
	if (ret)
		return ret;

	/* All of them fit, so each lookup hits. */
	hits = cache->counters.hits;
	ret = play(bench, entries, false);
	costs->ring_get = mean(bench->get);
	costs->ring_put = mean(bench->put);
	if (!ret)
		ret = play(bench, entries, true);
	costs->random_get = mean(bench->get);
	costs->random_put = mean(bench->put);
	if (!ret && cache->counters.hits - hits != 2 * BATCH * (ROUNDS + ROUNDS / 2))
		return -EINVAL;

	/* Under LRU, what a ring that does not fit by BATCH wants next is what went. */
	msm_scanout_cache_set_policy(cache, MSM_SCANOUT_LRU);
	bench->next = 0;
	for (unsigned int i = 0; !ret && i < entries + BATCH; i++) {
		ret = msm_scanout_cache_get(&bench->entries[i], &iova);
		if (!ret)
			msm_scanout_cache_put(&bench->entries[i]);
	}
	msm_scanout_cache_reap(cache);
	misses = cache->counters.misses;
	if (!ret)
		ret = play(bench, entries + BATCH, false);
	costs->miss = mean(bench->get);
	costs->evict = mean(bench->put);
	costs->reap = mean(bench->reap);
	if (!ret && cache->counters.misses - misses != BATCH * (ROUNDS + ROUNDS / 2))
		return -EINVAL;

	return ret;
}

/**
 * core_ops_measure() - time the operations of a cache of some size
 * @entries: idle mappings in it
 * @clock: any clock
 * @costs: the result
 *
 * Return: 0, or a negative error; -EINVAL if the lookups were not the hits and
 * misses that they ought to be.
 */
int core_ops_measure(unsigned int entries, u64 (*clock)(void), struct core_costs *costs)
{
	struct core_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);
	struct msm_scanout_cache *cache;
	int ret = -ENOMEM;

	if (!bench)
		return -ENOMEM;

	cache = &bench->display.cache;
	bench->clock = clock;
	prandom_seed_state(&bench->random, 1);
	bench->entries = kvcalloc(entries + BATCH, sizeof(*bench->entries), GFP_KERNEL);
	if (bench->entries) {
		msm_scanout_cache_init(cache, &instant_display_ops, WINDOW_START, WINDOW_BYTES);
		for (unsigned int i = 0; i < entries + BATCH; i++)
			msm_scanout_entry_init(cache, &bench->entries[i], BUFFER_BYTES, false);
		ret = measure(bench, entries, costs);
		for (unsigned int i = 0; i < entries + BATCH; i++)
			msm_scanout_cache_remove(&bench->entries[i]);
		msm_scanout_cache_drain(cache);
		msm_scanout_cache_fini(cache);
	}
	kvfree(bench->entries);
	kvfree(bench);

	return ret;
}
