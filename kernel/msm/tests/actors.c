// SPDX-License-Identifier: GPL-2.0-only

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "actors.h"
#include "hooks.h"

/* Whose turn it is, NULL if nobody's. */
static struct actor *acting;

/*
 * Called by who runs
 */

bool hook_in_actor(void)
{
	struct actor *actor = READ_ONCE(acting);

	return actor && actor->task == current;
}

static void give_way(struct actor *actor, const char *at)
{
	actor->at = at;
	complete(&actor->actors->parked);
	wait_for_completion(&actor->go);
}

/* Others may come in between. */
void hook_point(const char *at)
{
	if (hook_in_actor())
		give_way(acting, at);
}

/* The core is about to enter a critical section. */
void hook_section(void)
{
	if (!hook_in_actor())
		return;

	if (acting->began)
		acting->began = false;
	else
		give_way(acting, "section");
}

/*
 * Waiting: who is no actor does it as anybody does in the kernel.  Look at the
 * condition only after the first of these.
 */
void hook_wait_begin(struct hook_wait *wait, struct wait_queue_head *head)
{
	might_sleep();
	wait->head = head;
	init_wait(&wait->entry);
	if (!hook_in_actor())
		prepare_to_wait(head, &wait->entry, TASK_UNINTERRUPTIBLE);
}

/* Until hook_wake(), which may also be called for another reason. */
void hook_wait_sleep(struct hook_wait *wait)
{
	if (hook_in_actor()) {
		acting->asleep = true;
		give_way(acting, "woken");
	} else {
		schedule();
		prepare_to_wait(wait->head, &wait->entry, TASK_UNINTERRUPTIBLE);
	}
}

void hook_wait_end(struct hook_wait *wait)
{
	finish_wait(wait->head, &wait->entry);
}

void hook_wake(void)
{
	if (!hook_in_actor())
		return;

	for (unsigned int i = 0; i < acting->actors->count; i++)
		acting->actors->actor[i].asleep = false;
}

/*
 * An actor is about to do something.  What it does before its first critical
 * section, and that section, are one turn.
 */
void actors_begin(struct actor *actor, const char *what, const bool *blocked_by)
{
	actor->blocked_by = blocked_by;
	actor->began = false;
	give_way(actor, what);
	actor->began = true;
	actor->blocked_by = NULL;
}

/*
 * Called by who directs
 */

static int actor_thread(void *arg)
{
	struct actor *actor = arg;
	struct actors *actors = actor->actors;

	for (;;) {
		wait_for_completion(&actor->go);
		if (actors->stop)
			break;
		actors->play->act(actor, actors->play->arg);
		actor->done = true;
		complete(&actors->parked);
	}
	complete(&actors->parked);

	return 0;
}

static void let_go(struct actors *actors, struct actor *actor)
{
	WRITE_ONCE(acting, actor);
	complete(&actor->go);
	wait_for_completion(&actors->parked);
	WRITE_ONCE(acting, NULL);
}

static struct actor *choose(struct actors *actors)
{
	struct actor *options[ACTORS_MAX];
	unsigned int n = 0, taken = 0;

	for (unsigned int i = 0; i < actors->count; i++) {
		struct actor *actor = &actors->actor[i];

		if (!actor->done && !actor->asleep &&
		    !(actor->blocked_by && *actor->blocked_by))
			options[n++] = actor;
	}

	if (!n)
		return NULL;
	if (n == 1)
		return options[0];

	taken = actors->choice[actors->choices].taken;
	actors->choice[actors->choices++].options = n;

	return options[taken];
}

/* Returns what went wrong, or NULL. */
static const char *play_once(struct actors *actors)
{
	actors->turns = 0;
	actors->choices = 0;

	/* Up to where each begins. */
	for (unsigned int i = 0; i < actors->count; i++) {
		actors->actor[i].done = false;
		actors->actor[i].asleep = false;
		let_go(actors, &actors->actor[i]);
	}

	for (;;) {
		const char *wrong = actors->play->check(actors->play->arg);
		struct actor *next;

		if (wrong)
			return wrong;

		next = choose(actors);
		if (!next)
			break;
		if (actors->turns == ACTORS_MAX_TURNS)
			return "it does not end";
		actors->turn[actors->turns].actor = next->id;
		actors->turn[actors->turns++].at = next->at;
		let_go(actors, next);
	}

	for (unsigned int i = 0; i < actors->count; i++) {
		if (!actors->actor[i].done)
			return "who is left waits for ever";
	}

	return NULL;
}

/* The next order in which something is chosen differently, from the end. */
static bool next_order(struct actors *actors)
{
	while (actors->choices) {
		unsigned int last = actors->choices - 1;

		if (++actors->choice[last].taken < actors->choice[last].options)
			return true;
		actors->choice[last].taken = 0;
		actors->choices = last;
	}

	return false;
}

static void report(struct actors *actors, const char *wrong)
{
	struct kunit *test = actors->test;

	kunit_err(test, "the turns, each with what it went on from:");
	for (unsigned int i = 0; i < actors->turns; i++)
		kunit_err(test, "%4u: %s, from %s", i,
			  actors->actor[actors->turn[i].actor].name, actors->turn[i].at);
	for (unsigned int i = 0; i < actors->count; i++)
		kunit_err(test, "%s is %s at %s", actors->actor[i].name,
			  actors->actor[i].done ? "done" :
			  actors->actor[i].asleep ? "asleep" : "ready",
			  actors->actor[i].at);
	KUNIT_FAIL_AND_ABORT(test, "%s", wrong);
}

/**
 * actors_play() - try all orders
 * @actors: who play
 * @count: so many of them
 * @play: what they do
 *
 * Return: how many orders there are.
 */
u64 actors_play(struct actors *actors, unsigned int count, const struct actors_play *play)
{
	u64 orders = 0;

	actors->play = play;
	actors->count = count;
	memset(actors->choice, 0, sizeof(actors->choice));

	do {
		const char *wrong;

		play->setup(play->arg);
		wrong = play_once(actors);
		if (wrong) {
			actors->broken = true;
			report(actors, wrong);
		}
		play->finish(play->arg);
		orders++;
		cond_resched();
	} while (next_order(actors));

	return orders;
}

struct actors *actors_new(struct kunit *test)
{
	struct actors *actors = kunit_kzalloc(test, sizeof(*actors), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, actors);
	actors->test = test;
	init_completion(&actors->parked);

	/* All on one CPU, this thread too: nobody has to be woken elsewhere. */
	set_cpus_allowed_ptr(current, cpumask_of(0));

	for (unsigned int i = 0; i < ACTORS_MAX; i++) {
		struct actor *actor = &actors->actor[i];

		actor->actors = actors;
		actor->id = i;
		actor->at = "start";
		init_completion(&actor->go);
		actor->task = kthread_create_on_cpu(actor_thread, actor, 0, "scanout_actor%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, actor->task);
		wake_up_process(actor->task);
	}

	return actors;
}

/* Actors that were left in the middle of something stay there. */
void actors_free(struct actors *actors)
{
	actors->stop = true;
	for (unsigned int i = 0; i < ACTORS_MAX && !actors->broken; i++)
		let_go(actors, &actors->actor[i]);
}
