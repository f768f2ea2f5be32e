/* SPDX-License-Identifier: MIT */
/*
 * The limits of one cache: asks the tuner, writes what it decides, and notices what others write.
 * All that happens to limits happens here.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include "manager.h"

/* Change the state, and tell the bus. */
void limit_set_state(struct managed *managed, enum managed_state state);

/* The first look at a cache: unless they are somebody else's, its limits are the tuner's now. */
void limit_take_over(struct managed *managed, const struct cache_snapshot *snapshot);

/* Switched off is switched off: only its owner, or who says resume, switches it on. */
void limit_respect_off(struct managed *managed, const struct cache_snapshot *snapshot);

/* Did somebody else set a limit?  Then it is theirs. */
bool limit_notice_foreign_write(struct managed *managed, const struct cache_snapshot *snapshot);

/* Ask the tuner, with what happened since the previous sample. */
void limit_decide(struct managed *managed, struct cache_snapshot *snapshot, uint64_t now_us);

/*
 * Write what was decided, if it is to be written; brings the limits in @snapshot up to date.
 * Returns the kernel's error.
 */
int limit_act(struct managed *managed, struct cache_snapshot *snapshot);

/* At the end: leave the whole budget in force.  Not what others set. */
void limit_hand_back(struct managed *managed);

#endif
