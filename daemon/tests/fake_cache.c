// SPDX-License-Identifier: MIT
#include "fake_cache.h"

#include <inttypes.h>

#include "fake_sysfs.h"

static void make_folders(const char *path)
{
	char part[128];

	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdir(part, 0755);
	}
	mkdir(path, 0755);
}

void fake_cache_open(struct fake_cache *fake, const char *root, const char *name, size_t buffers)
{
	memset(fake, 0, sizeof(*fake));
	snprintf(fake->dir, sizeof(fake->dir), "%s/class/drm/%s/device/scanout_cache", root, name);
	make_folders(fake->dir);
	fake_fill(fake->dir);
	if (model_init(&fake->model, buffers))
		abort();
	fake_cache_obey(fake);
	fake_cache_publish(fake);
}

void fake_cache_set_policy(struct fake_cache *fake, const char *shown, enum cache_policy policy)
{
	fake_write(fake->dir, "policy", shown);
	model_set_policy(&fake->model, policy);
}

void fake_cache_close(struct fake_cache *fake)
{
	model_release(&fake->model);
}

void fake_cache_flip(struct fake_cache *fake, struct fake_stream *stream)
{
	uint32_t step = stream->flips++;

	fake->flips++;
	model_use(&fake->model, stream->first + step % stream->pool, stream->bytes);
	if (step)
		model_leave(&fake->model, stream->first + (step - 1) % stream->pool, MODEL_NEVER);
}

static void publish_number(const struct fake_cache *fake, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
	fake_write(fake->dir, name, text);
}

static void publish_histogram(const struct fake_cache *fake, const char *name,
			      const uint64_t *counts, unsigned int buckets)
{
	char text[2048] = "";

	for (unsigned int i = 0; i < buckets; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%" PRIu64,
			 i ? " " : "", counts[i]);
	strcat(text, "\n");
	fake_write(fake->dir, name, text);
}

void fake_cache_publish(struct fake_cache *fake)
{
	const struct model *model = &fake->model;

	publish_number(fake, "active_bytes", model->active_bytes);
	publish_number(fake, "active_entries", model->active_entries);
	publish_number(fake, "idle_bytes", model->idle.bytes);
	publish_number(fake, "idle_entries", model->idle.count);
	publish_number(fake, "flips", fake->flips);
	publish_number(fake, "hits", model->hits);
	publish_number(fake, "misses", model->misses);
	publish_number(fake, "inserts", model->misses);
	publish_number(fake, "evictions", model->evictions);
	publish_number(fake, "evictions_age", model->evictions_age);
	publish_histogram(fake, "reuse_depth", model->reuse.depth, DEPTH_BUCKETS);
	publish_histogram(fake, "reuse_bytes", model->reuse.bytes, BYTES_BUCKETS);
}

static uint64_t obeyed_number(const struct fake_cache *fake, const char *name)
{
	char path[256];
	uint64_t value;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fake->dir, name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%" SCNu64, &value) != 1)
		abort();
	fclose(file);
	return value;
}

void fake_cache_obey(struct fake_cache *fake)
{
	struct model *model = &fake->model;
	uint64_t max_bytes = obeyed_number(fake, "max_bytes");
	uint64_t max_entries = obeyed_number(fake, "max_entries");

	model->idle_timeout_ms = obeyed_number(fake, "idle_timeout_ms");
	if (max_bytes == model->max_bytes && max_entries == model->max_entries)
		return;
	model_set_limits(model, max_bytes, max_entries);
	publish_number(fake, "generation", ++fake->generation);
}
