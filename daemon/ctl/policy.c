// SPDX-License-Identifier: MIT
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How much past counts; a lead that is no accident; what a hit counts that only lru has. */
#define LEAD_MAX 256
#define LEAD_WINS 8
#define LRU_WEIGHT 2
/* How far from either end of an order a place is searched. */
#define SEARCH_STEPS 16
/* Who is late by so many intervals is not expected any more; the shortest interval there is. */
#define LATE_INTERVALS 2
#define MIN_INTERVAL 2
/* When a buffer is expected that was seen once. */
#define SOME_DAY UINT64_MAX

int order_init(struct order *order, size_t buffers)
{
	memset(order, 0, sizeof(*order));
	order->list = calloc(buffers ? buffers : 1, sizeof(*order->list));
	return order->list ? 0 : -ENOMEM;
}

void order_release(struct order *order)
{
	free(order->list);
	memset(order, 0, sizeof(*order));
}

static void insert_at(struct order *order, size_t at, uint32_t buffer, uint64_t bytes)
{
	memmove(&order->list[at + 1], &order->list[at], (order->count - at) * sizeof(*order->list));
	order->list[at] = buffer;
	order->count++;
	order->bytes += bytes;
}

bool order_remove(struct order *order, uint32_t buffer, uint64_t bytes)
{
	for (size_t i = 0; i < order->count; i++) {
		if (order->list[i] != buffer)
			continue;
		memmove(&order->list[i], &order->list[i + 1],
			(order->count - i - 1) * sizeof(*order->list));
		order->count--;
		order->bytes -= bytes;
		return true;
	}
	return false;
}

int policy_init(struct policy *policy, size_t buffers)
{
	memset(policy, 0, sizeof(*policy));
	policy->kind = CACHE_POLICY_LRU;
	policy->known = calloc(buffers ? buffers : 1, sizeof(*policy->known));
	for (size_t i = 0; policy->known && i < buffers; i++)
		policy->known[i].expected = SOME_DAY;
	if (policy->known && !order_init(&policy->shadow[SHADOW_LRU], buffers) &&
	    !order_init(&policy->shadow[SHADOW_FORECAST], buffers))
		return 0;
	policy_release(policy);
	return -ENOMEM;
}

void policy_release(struct policy *policy)
{
	for (unsigned int i = 0; i < SHADOWS; i++)
		order_release(&policy->shadow[i]);
	free(policy->known);
	policy->known = NULL;
}

static bool is_overdue(const struct policy *policy, uint32_t buffer)
{
	const struct policy_known *known = &policy->known[buffer];
	uint64_t interval = known->interval < MIN_INTERVAL ? MIN_INTERVAL : known->interval;

	return known->expected < policy->clock &&
	       policy->clock - known->expected > LATE_INTERVALS * interval;
}

/*
 * Before the first that is expected no later; given up in the middle of many.  What is overdue is
 * found at the far end, and becomes the next victim.
 */
static size_t find_place(const struct policy *policy, struct order *order, uint32_t buffer)
{
	const struct policy_known *known = policy->known;
	uint64_t due = known[buffer].expected;
	size_t first = 0, end = order->count;

	for (unsigned int i = 0; i < SEARCH_STEPS && first != end; i++) {
		uint32_t last = order->list[end - 1];

		if (is_overdue(policy, last)) {
			memmove(&order->list[1], &order->list[0], (end - 1) * sizeof(*order->list));
			order->list[0] = last;
			first++;
		} else if (known[last].expected > due) {
			break;
		} else {
			end--;
		}
		if (first == end)
			break;
		if (known[order->list[first]].expected <= due &&
		    !is_overdue(policy, order->list[first]))
			return first;
		first++;
	}
	return end;
}

static void insert_by_forecast(struct policy *policy, struct order *order, uint32_t buffer,
			       uint64_t bytes)
{
	insert_at(order, find_place(policy, order, buffer), buffer, bytes);
}

static void learn(struct policy *policy, uint32_t buffer)
{
	struct policy_known *known = &policy->known[buffer];

	policy->clock++;
	if (known->used) {
		known->interval = policy->clock - known->used;
		known->expected = policy->clock + known->interval;
	}
	known->used = policy->clock;
}

void policy_lookup(struct policy *policy, uint32_t buffer, uint64_t bytes)
{
	bool had[SHADOWS];

	if (policy->kind != CACHE_POLICY_ADAPTIVE)
		return;
	learn(policy, buffer);
	for (unsigned int i = 0; i < SHADOWS; i++)
		had[i] = order_remove(&policy->shadow[i], buffer, bytes);
	if (had[SHADOW_FORECAST] && !had[SHADOW_LRU] && policy->lead < LEAD_MAX)
		policy->lead++;
	else if (had[SHADOW_LRU] && !had[SHADOW_FORECAST] && policy->lead > -LEAD_MAX)
		policy->lead -= LRU_WEIGHT;
}

void policy_insert(struct policy *policy, struct order *order, uint32_t buffer, uint64_t bytes)
{
	if (policy->kind == CACHE_POLICY_ADAPTIVE)
		insert_by_forecast(policy, order, buffer, bytes);
	else
		insert_at(order, order->count, buffer, bytes);
}

void policy_idle(struct policy *policy, uint32_t buffer, const struct policy_limits *limits)
{
	uint64_t bytes = limits->bytes_of(limits->context, buffer);

	if (policy->kind != CACHE_POLICY_ADAPTIVE)
		return;
	policy_forget(policy, buffer, bytes);
	if (bytes > limits->max_bytes)
		return;
	for (unsigned int i = 0; i < SHADOWS; i++) {
		struct order *shadow = &policy->shadow[i];

		if (i == SHADOW_FORECAST)
			insert_by_forecast(policy, shadow, buffer, bytes);
		else
			insert_at(shadow, shadow->count, buffer, bytes);
		while (shadow->bytes > limits->max_bytes || shadow->count > limits->max_entries) {
			uint32_t victim = shadow->list[0];

			order_remove(shadow, victim, limits->bytes_of(limits->context, victim));
		}
	}
}

void policy_forget(struct policy *policy, uint32_t buffer, uint64_t bytes)
{
	for (unsigned int i = 0; i < SHADOWS; i++)
		order_remove(&policy->shadow[i], buffer, bytes);
}

void policy_gone(struct policy *policy, uint32_t buffer, uint64_t bytes)
{
	policy_forget(policy, buffer, bytes);
	policy->known[buffer] = (struct policy_known){ .expected = SOME_DAY };
}

void policy_set(struct policy *policy, enum cache_policy kind, const struct order *idle,
		const struct policy_limits *limits)
{
	for (unsigned int i = 0; i < SHADOWS; i++) {
		policy->shadow[i].count = 0;
		policy->shadow[i].bytes = 0;
	}
	policy->lead = 0;
	policy->kind = kind;
	for (size_t i = 0; i < idle->count; i++) {
		policy->known[idle->list[i]].expected = SOME_DAY;
		policy_idle(policy, idle->list[i], limits);
	}
}

bool policy_evicts_oldest(const struct policy *policy)
{
	return policy->kind == CACHE_POLICY_ADAPTIVE && policy->lead <= LEAD_WINS;
}
