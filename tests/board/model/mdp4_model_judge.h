/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge of stale translations, between what it knows (mdp4_model_judge.c) and what tells it
 * (mdp4_model_hooks.c).
 */
#ifndef __MDP4_MODEL_JUDGE_H__
#define __MDP4_MODEL_JUDGE_H__

#include <linux/types.h>

struct device;
struct mdp4_judge;
struct sg_table;

/* A slot of the judge's table, for an operation between its begin and its end; or this: */
#define MDP4_JUDGE_NO_SLOT	(-1)

/* In any context, interrupts included */
int mdp4_judge_map_begin(struct mdp4_judge *j, u64 iova, u64 bytes, struct sg_table *sgt);
void mdp4_judge_map_end(struct mdp4_judge *j, int slot, bool mapped);
int mdp4_judge_unmap_begin(struct mdp4_judge *j, u64 iova, u64 bytes);
void mdp4_judge_unmap_end(struct mdp4_judge *j, int slot);
void mdp4_judge_unmap_deferred(struct mdp4_judge *j, int slot);
void mdp4_judge_flushed(struct mdp4_judge *j);

/* The driver is there, or is about to go; its device is locked */
void mdp4_judge_bound(struct mdp4_judge *j);
void mdp4_judge_unbinding(struct mdp4_judge *j);

/* mdp4_model_hooks.c */
int mdp4_hooks_init(struct mdp4_judge *j, struct device *display);
void mdp4_hooks_exit(void);
int mdp4_hooks_enable(bool on);
u64 mdp4_hooks_missed(void);

#endif
