// SPDX-License-Identifier: MIT
#include "insertion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One insertion by bip in so many is by lru; how much past counts; a lead that is no accident. */
#define THROTTLE_BITS 5
#define LEAD_MAX 256
#define LEAD_WINS 8

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

void order_insert(struct order *order, uint32_t buffer, uint64_t bytes, bool first)
{
	if (first)
		memmove(&order->list[1], &order->list[0], order->count * sizeof(*order->list));
	order->list[first ? 0 : order->count] = buffer;
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
	insertion->missed = calloc(buffers ? buffers : 1, sizeof(*insertion->missed));
	if (insertion->missed && !order_init(&insertion->shadow[RIVAL_LRU], buffers) &&
	    !order_init(&insertion->shadow[RIVAL_BIP], buffers))
		return 0;
	insertion_release(insertion);
	return -ENOMEM;
}

void insertion_release(struct insertion *insertion)
{
	for (unsigned int i = 0; i < RIVALS; i++)
		order_release(&insertion->shadow[i]);
	free(insertion->missed);
	insertion->missed = NULL;
}

void insertion_set(struct insertion *insertion, enum cache_insertion policy)
{
	for (unsigned int i = 0; i < RIVALS; i++) {
		insertion->shadow[i].count = 0;
		insertion->shadow[i].bytes = 0;
	}
	insertion->lead = 0;
	insertion->policy = policy;
}

/* Not every 32nd: a pool may have just as many buffers. */
static bool throttled(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> (32 - THROTTLE_BITS);
}

void insertion_lookup(struct insertion *insertion, uint32_t buffer, uint64_t bytes)
{
	unsigned int missed = 0;

	if (insertion->policy != CACHE_INSERTION_DIP)
		return;
	for (unsigned int i = 0; i < RIVALS; i++)
		if (!order_remove(&insertion->shadow[i], buffer, bytes))
			missed |= 1U << i;
	insertion->missed[buffer] = (uint8_t)missed;
	if (missed == 1U << RIVAL_LRU && insertion->lead < LEAD_MAX)
		insertion->lead++;
	else if (missed == 1U << RIVAL_BIP && insertion->lead > -LEAD_MAX)
		insertion->lead--;
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
	for (unsigned int i = 0; i < RIVALS; i++) {
		struct order *shadow = &insertion->shadow[i];
		bool first = i == RIVAL_BIP && insertion->missed[buffer] >> i & 1 &&
			     throttled(&shadow->random);

		order_insert(shadow, buffer, bytes, first);
		while (shadow->bytes > limits->max_bytes || shadow->count > limits->max_entries) {
			uint32_t victim = shadow->list[0];

			order_remove(shadow, victim, limits->bytes_of(limits->context, victim));
		}
	}
}

void insertion_forget(struct insertion *insertion, uint32_t buffer, uint64_t bytes)
{
	for (unsigned int i = 0; i < RIVALS; i++)
		order_remove(&insertion->shadow[i], buffer, bytes);
}

bool insertion_evict_first(struct insertion *insertion, bool missed)
{
	bool bip = insertion->policy == CACHE_INSERTION_BIP ||
		   (insertion->policy == CACHE_INSERTION_DIP && insertion->lead > LEAD_WINS);

	return missed && bip && throttled(&insertion->random);
}
