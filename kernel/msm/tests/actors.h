/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of which one runs at a time, and which give way to each other only at
 * known points: before each critical section of the core, inside the display's
 * operations, and where they sleep.  So what happens is decided by the order in
 * which they get their turns, and all orders can be tried.
 */

#ifndef __ACTORS_H__
#define __ACTORS_H__

#include <linux/completion.h>
#include <linux/types.h>

#include <kunit/test.h>

#define ACTORS_MAX		4
#define ACTORS_MAX_TURNS	512

struct actors;

/**
 * struct actor - one of the threads
 */
struct actor {
	/** @actors: all of them */
	struct actors *actors;
	/** @id: its place among them */
	unsigned int id;
	/** @name: for the report, set by who plays */
	const char *name;
	/** @task: the thread */
	struct task_struct *task;
	/** @go: it is its turn */
	struct completion go;
	/** @done: it has nothing more to do */
	bool done;
	/** @asleep: until somebody wakes all that are */
	bool asleep;
	/** @began: its next critical section belongs to the turn that it has already */
	bool began;
	/** @blocked_by: it can't go on while this is true; optional */
	const bool *blocked_by;
	/** @at: where it gave way */
	const char *at;
};

/**
 * struct actors_play - what they do
 */
struct actors_play {
	/** @setup: before each order */
	void (*setup)(void *arg);
	/** @act: the part of one actor */
	void (*act)(struct actor *actor, void *arg);
	/** @check: whenever nobody runs; returns what is wrong, or NULL */
	const char *(*check)(void *arg);
	/** @finish: after each order, when all are done */
	void (*finish)(void *arg);
	/** @arg: for all of these */
	void *arg;
};

/**
 * struct actors - the threads, and what is known of the orders
 */
struct actors {
	/** @test: that runs */
	struct kunit *test;
	/** @count: how many there are */
	unsigned int count;
	/** @actor: they */
	struct actor actor[ACTORS_MAX];
	/** @parked: the one that ran gave way */
	struct completion parked;
	/** @play: what they do */
	const struct actors_play *play;
	/** @stop: the threads are to end */
	bool stop;
	/** @broken: something went wrong, and they are left where they are */
	bool broken;

	/** @turns: how many there were in this order */
	unsigned int turns;
	/** @turn: whose, and where it went on; for the report */
	struct {
		u8 actor;
		const char *at;
	} turn[ACTORS_MAX_TURNS];
	/** @choices: how many of these turns could have been another's */
	unsigned int choices;
	/** @choice: which of those that could go on did, and how many they were */
	struct {
		u8 taken;
		u8 options;
	} choice[ACTORS_MAX_TURNS];
};

struct actors *actors_new(struct kunit *test);
u64 actors_play(struct actors *actors, unsigned int count, const struct actors_play *play);
void actors_free(struct actors *actors);
void actors_begin(struct actor *actor, const char *what, const bool *blocked_by);

#endif /* __ACTORS_H__ */
