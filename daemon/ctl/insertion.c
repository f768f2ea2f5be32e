// SPDX-License-Identifier: MIT
#include "insertion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One insertion by bip in so many is by lru; how much past counts; a lead that is no accident. */
#define THROTTLE_BITS 5
#define LEAD_MAX 256
#define LEAD_WINS 8
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

int insertion_init(struct insertion *insertion, size_t buffers)
{
	memset(insertion, 0, sizeof(*insertion));
	insertion->policy = CACHE_INSERTION_LRU;
	insertion->known = calloc(buffers ? buffers : 1, sizeof(*insertion->known));
	for (size_t i = 0; insertion->known && i < buffers; i++)
		insertion->known[i].expected = SOME_DAY;
	if (insertion->known && !order_init(&insertion->shadow[SHADOW_LRU], buffers) &&
	    !order_init(&insertion->shadow[SHADOW_FORECAST], buffers))
		return 0;
	insertion_release(insertion);
	return -ENOMEM;
}

void insertion_release(struct insertion *insertion)
{
	for (unsigned int i = 0; i < SHADOWS; i++)
		order_release(&insertion->shadow[i]);
	free(insertion->known);
	insertion->known = NULL;
}

/* Not every 32nd: a pool may have just as many buffers. */
static bool throttled(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> (32 - THROTTLE_BITS);
}

static bool is_overdue(const struct insertion *insertion, uint32_t buffer)
{
	const struct insertion_known *known = &insertion->known[buffer];
	uint64_t interval = known->interval < MIN_INTERVAL ? MIN_INTERVAL : known->interval;

	return known->expected < insertion->clock &&
	       insertion->clock - known->expected > LATE_INTERVALS * interval;
}

/*
 * Before the first that is expected no later; given up in the middle of many.  What is overdue is
 * found at the far end, and becomes the next victim.
 */
static size_t find_place(const struct insertion *insertion, struct order *order, uint32_t buffer)
{
	const struct insertion_known *known = insertion->known;
	uint64_t due = known[buffer].expected;
	size_t first = 0, end = order->count;

	for (unsigned int i = 0; i < SEARCH_STEPS && first != end; i++) {
		uint32_t last = order->list[end - 1];

		if (is_overdue(insertion, last)) {
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
		    !is_overdue(insertion, order->list[first]))
			return first;
		first++;
	}
	return end;
}

static void insert_by_forecast(struct insertion *insertion, struct order *order, uint32_t buffer,
			       uint64_t bytes)
{
	insert_at(order, find_place(insertion, order, buffer), buffer, bytes);
}

static void learn(struct insertion *insertion, uint32_t buffer)
{
	struct insertion_known *known = &insertion->known[buffer];

	insertion->clock++;
	if (known->used) {
		known->interval = insertion->clock - known->used;
		known->expected = insertion->clock + known->interval;
	}
	known->used = insertion->clock;
}

void insertion_lookup(struct insertion *insertion, uint32_t buffer, uint64_t bytes)
{
	bool had[SHADOWS];

	if (insertion->policy != CACHE_INSERTION_DIP)
		return;
	learn(insertion, buffer);
	for (unsigned int i = 0; i < SHADOWS; i++)
		had[i] = order_remove(&insertion->shadow[i], buffer, bytes);
	if (had[SHADOW_FORECAST] && !had[SHADOW_LRU] && insertion->lead < LEAD_MAX)
		insertion->lead++;
	else if (had[SHADOW_LRU] && !had[SHADOW_FORECAST] && insertion->lead > -LEAD_MAX)
		insertion->lead--;
}

void insertion_insert(struct insertion *insertion, struct order *order, uint32_t buffer,
		      uint64_t bytes, bool missed)
{
	if (insertion->policy == CACHE_INSERTION_DIP)
		insert_by_forecast(insertion, order, buffer, bytes);
	else if (insertion->policy == CACHE_INSERTION_BIP && missed &&
		 throttled(&insertion->random))
		insert_at(order, 0, buffer, bytes);
	else
		insert_at(order, order->count, buffer, bytes);
}

void insertion_idle(struct insertion *insertion, uint32_t buffer,
		    const struct insertion_limits *limits)
{
	uint64_t bytes = limits->bytes_of(limits->context, buffer);

	if (insertion->policy != CACHE_INSERTION_DIP)
		return;
	insertion_forget(insertion, buffer, bytes);
	if (bytes > limits->max_bytes)
		return;
	for (unsigned int i = 0; i < SHADOWS; i++) {
		struct order *shadow = &insertion->shadow[i];

		if (i == SHADOW_FORECAST)
			insert_by_forecast(insertion, shadow, buffer, bytes);
		else
			insert_at(shadow, shadow->count, buffer, bytes);
		while (shadow->bytes > limits->max_bytes || shadow->count > limits->max_entries) {
			uint32_t victim = shadow->list[0];

			order_remove(shadow, victim, limits->bytes_of(limits->context, victim));
		}
	}
}

void insertion_forget(struct insertion *insertion, uint32_t buffer, uint64_t bytes)
{
	for (unsigned int i = 0; i < SHADOWS; i++)
		order_remove(&insertion->shadow[i], buffer, bytes);
}

void insertion_gone(struct insertion *insertion, uint32_t buffer, uint64_t bytes)
{
	insertion_forget(insertion, buffer, bytes);
	insertion->known[buffer] = (struct insertion_known){ .expected = SOME_DAY };
}

void insertion_set(struct insertion *insertion, enum cache_insertion policy,
		   const struct order *idle, const struct insertion_limits *limits)
{
	for (unsigned int i = 0; i < SHADOWS; i++) {
		insertion->shadow[i].count = 0;
		insertion->shadow[i].bytes = 0;
	}
	insertion->lead = 0;
	insertion->policy = policy;
	for (size_t i = 0; i < idle->count; i++) {
		insertion->known[idle->list[i]].expected = SOME_DAY;
		insertion_idle(insertion, idle->list[i], limits);
	}
}

bool insertion_evicts_oldest(const struct insertion *insertion)
{
	return insertion->policy == CACHE_INSERTION_DIP && insertion->lead <= LEAD_WINS;
}
