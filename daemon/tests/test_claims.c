// SPDX-License-Identifier: MIT
/* Who may want how much of the cache, and how often. */
#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "claims.h"

static struct claims claims;
static struct config config;

static int setup(void **state)
{
	(void)state;
	memset(&claims, 0, sizeof(claims));
	config = config_defaults;
	return 0;
}

static void the_largest_hold_counts(void **state)
{
	int64_t large;

	(void)state;
	assert_true(claims_hold(&claims, &config, ":1.1", 1000, 10 * MIB, "a") > 0);
	large = claims_hold(&claims, &config, ":1.2", 1000, 50 * MIB, "b");
	assert_true(large > 0);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 0), 50 * MIB);
	/* Nor does a report take away from it. */
	claims_report(&claims, &config, ":1.3",
		      &(struct output_report){ .name = "x", .buffers = 2, .buffer_bytes = MIB }, 1,
		      0);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 0), 50 * MIB);
	assert_int_equal(claims_release(&claims, (uint32_t)large, 1000), 0);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 0), 10 * MIB);
}

static void holds_are_capped_per_user_and_in_all(void **state)
{
	(void)state;
	for (unsigned int user = 1; user <= 8; user++)
		for (unsigned int i = 0; i < 8; i++)
			assert_true(claims_hold(&claims, &config, ":1.1", user, MIB, "") > 0);
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 8, MIB, ""), -EDQUOT);
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 9, MIB, ""), -ENOSPC);
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 9, 129 * MIB, ""), -ERANGE);
}

static void a_hold_may_be_as_large_as_is_said(void **state)
{
	(void)state;
	assert_true(claims_hold(&claims, &config, ":1.1", 9, config.hold_max_bytes, "") > 0);
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 9, config.hold_max_bytes + 1, ""),
			 -ERANGE);
}

static void outputs_are_capped_per_user(void **state)
{
	struct output_report outputs[CLAIMS_OUTPUTS_PER_CLIENT] = { 0 };
	unsigned int taken = 0;

	(void)state;
	for (unsigned int i = 0; i < CLAIMS_OUTPUTS_PER_CLIENT; i++)
		snprintf(outputs[i].name, sizeof(outputs[i].name), "%u", i);
	for (unsigned int i = 0; i < 5; i++) {
		char owner[8];

		snprintf(owner, sizeof(owner), ":1.%u", i);
		/* Of different sizes, so that the last that fits is one of several. */
		taken += claims_report(&claims, &config, owner, outputs, 7, 0);
	}
	assert_int_equal(taken, CLAIMS_OUTPUTS_PER_USER);
	/* Another user has room of his own; so has this one when they timed out. */
	outputs[0].uid = 1;
	assert_int_equal(claims_report(&claims, &config, ":1.8", outputs, 1, 1), 1);
	outputs[0].uid = 0;
	assert_int_equal(claims_report(&claims, &config, ":1.9", outputs, 7, config.report_ms), 7);
}

static void only_the_user_or_root_releases(void **state)
{
	int64_t cookie = claims_hold(&claims, &config, ":1.1", 1000, MIB, "");

	(void)state;
	assert_int_equal(claims_release(&claims, (uint32_t)cookie, 1001), -EPERM);
	assert_int_equal(claims_release(&claims, 0, 0), -ENOENT);
	assert_int_equal(claims_release(&claims, (uint32_t)cookie, 0), 0);
	assert_int_equal(claims_release(&claims, (uint32_t)cookie, 0), -ENOENT);
}

static void cookies_are_never_zero(void **state)
{
	(void)state;
	claims.last_cookie = UINT32_MAX;
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 1000, MIB, ""), 1);
}

static void reasons_are_made_printable_and_cut_between_characters(void **state)
{
	char reason[400];

	(void)state;
	claims_hold(&claims, &config, ":1.1", 1000, MIB, "a\nb\033[2Jc");
	assert_string_equal(claims.holds[0].reason, "a?b?[2Jc");
	/* C1, as UTF-8 and bare; directions; lines; what is too long for what it says; half of one.
	 */
	claims_hold(&claims, &config, ":1.1", 1000, MIB,
		    "a\xc2\x9b"
		    "b\x9b"
		    "c\xe2\x80\xae"
		    "d\xe2\x81\xa6"
		    "e\xd8\x9c"
		    "f\xe2\x80\xa8"
		    "g\xc0\x9b"
		    "h\xed\xa0\x80"
		    "i\xe2\x80");
	assert_string_equal(claims.holds[1].reason, "a?b?c?d?e?f?g??h???i??");
	claims_hold(&claims, &config, ":1.1", 1000, MIB, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xac");
	assert_string_equal(claims.holds[2].reason, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xac");
	for (size_t lead = 0; lead < 3; lead++) {
		memset(&claims, 0, sizeof(claims));
		memset(reason, 'x', lead);
		reason[lead] = '\0';
		while (strlen(reason) + 4 < sizeof(reason))
			strcat(reason, "\xe2\x82\xac");
		claims_hold(&claims, &config, ":1.1", 1000, MIB, reason);
		assert_int_equal((strlen(claims.holds[0].reason) - lead) % 3, 0);
		assert_in_range(strlen(claims.holds[0].reason), CLAIMS_REASON - 4,
				CLAIMS_REASON - 1);
	}
}

static void reports_replace_their_predecessors_and_time_out(void **state)
{
	struct output_report output = {
		.name = "DSI-1",
		.planes = 2,
		.buffers = 12,
		.buffer_bytes = 4 * MIB,
	};

	(void)state;
	assert_int_equal(claims_report(&claims, &config, ":1.1", &output, 1, 1000), 1);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 2000), 40 * MIB);
	output.buffers = 3;
	claims_report(&claims, &config, ":1.1", &output, 1, 2000);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 2000), 4 * MIB);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 7000), 0);
	claims_report(&claims, &config, ":1.1", NULL, 0, 8000);
	assert_false(claims_has(&claims, ":1.1"));
}

static void absurd_reports_want_no_more_than_a_hold_may(void **state)
{
	struct output_report output = {
		.name = "x",
		.buffers = UINT32_MAX,
		.buffer_bytes = UINT64_MAX,
	};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		char owner[8];

		snprintf(owner, sizeof(owner), ":1.%u", i);
		claims_report(&claims, &config, owner, &output, 1, 0);
	}
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), config.hold_max_bytes);
	/* A product that would be nothing. */
	output.buffers = 2;
	output.buffer_bytes = UINT64_C(1) << 63;
	claims_report(&claims, &config, ":1.0", &output, 1, 0);
	for (unsigned int i = 1; i < 4; i++) {
		char owner[8];

		snprintf(owner, sizeof(owner), ":1.%u", i);
		claims_report(&claims, &config, owner, NULL, 0, 0);
	}
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), config.hold_max_bytes);
	output.planes = 5;
	for (unsigned int i = 0; i < 4; i++) {
		char owner[8];

		snprintf(owner, sizeof(owner), ":1.%u", i);
		claims_report(&claims, &config, owner, &output, 1, 0);
	}
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), 0);
}

static void what_is_announced_counts_once_and_times_out(void **state)
{
	struct output_report output = {
		.name = "DSI-1",
		.planes = 1,
		.buffers = 3,
		.buffer_bytes = 8 * MIB,
		.event = EVENT_FULLSCREEN_VIDEO,
		.event_buffers = 20,
		.event_bytes = 3 * MIB,
	};
	struct coming coming;

	(void)state;
	claims_report(&claims, &config, ":1.1", &output, 1, 1000);
	coming = claims_coming(&claims, &config, "card0", 1001);
	assert_int_equal(coming.bytes, 60 * MIB);
	assert_int_equal(coming.entries, 20);
	assert_int_equal(coming.event, EVENT_FULLSCREEN_VIDEO);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1001), 16 * MIB);

	/* Said again and again, it still ends when it would have. */
	for (uint64_t ms = 2000; ms < 1000 + config.event_ms; ms += 1000) {
		claims_report(&claims, &config, ":1.1", &output, 1, ms);
		assert_int_equal(claims_coming(&claims, &config, "card0", ms).bytes, 60 * MIB);
	}
	claims_report(&claims, &config, ":1.1", &output, 1, 1000 + config.event_ms);
	assert_int_equal(claims_coming(&claims, &config, "card0", 1000 + config.event_ms).bytes, 0);

	/* After a report without it, it is news. */
	output.event = EVENT_NONE;
	claims_report(&claims, &config, ":1.1", &output, 1, 8000);
	output.event = EVENT_VT_SWITCH;
	claims_report(&claims, &config, ":1.1", &output, 1, 9000);
	assert_int_equal(claims_coming(&claims, &config, "card0", 9001).bytes, 60 * MIB);
	claims_forget(&claims, ":1.1");
	assert_int_equal(claims_coming(&claims, &config, "card0", 9001).bytes, 0);
}

static void an_output_that_goes_off_wants_nothing(void **state)
{
	struct output_report outputs[2] = {
		{ .name = "a", .buffers = 3, .planes = 1, .buffer_bytes = MIB },
		{ .name = "b", .buffers = 5, .planes = 1, .buffer_bytes = MIB },
	};

	(void)state;
	outputs[0].event = EVENT_OUTPUT_OFF;
	outputs[0].event_buffers = 9;
	outputs[0].event_bytes = MIB;
	claims_report(&claims, &config, ":1.1", outputs, 2, 0);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), 4 * MIB);
	assert_int_equal(claims_coming(&claims, &config, "card0", 1).bytes, 0);
	outputs[1].event = EVENT_OUTPUT_OFF;
	claims_report(&claims, &config, ":1.1", outputs, 2, 1);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 2), 0);
}

static void absurd_announcements_get_no_more_than_a_hold_may(void **state)
{
	struct output_report outputs[3] = {
		{ .name = "a", .event = EVENT_FULLSCREEN_VIDEO },
		{ .name = "b", .event = EVENT_OUTPUT_ADDED },
		{ .name = "c", .event = EVENT_VT_SWITCH },
	};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		outputs[i].event_buffers = UINT32_MAX;
		outputs[i].event_bytes = UINT64_MAX - i;
	}
	claims_report(&claims, &config, ":1.1", outputs, 3, 0);
	assert_int_equal(claims_coming(&claims, &config, "card0", 1).bytes, config.hold_max_bytes);
}

static void a_claim_is_on_the_card_of_its_output(void **state)
{
	struct output_report outputs[] = {
		{ .name = "DSI-1", .card = "card0", .buffers = 5, .buffer_bytes = MIB },
		{ .name = "HDMI-A-1", .card = "card1", .buffers = 7, .buffer_bytes = MIB },
		{ .name = "WL-1", .buffers = 1, .buffer_bytes = MIB },
	};

	(void)state;
	outputs[1].event = EVENT_FULLSCREEN_VIDEO;
	outputs[1].event_buffers = 20;
	outputs[1].event_bytes = MIB;
	claims_report(&claims, &config, ":1.1", outputs, 3, 0);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), 6 * MIB);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card1", 1), 8 * MIB);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card10", 1), MIB);
	assert_int_equal(claims_coming(&claims, &config, "card0", 1).bytes, 0);
	assert_int_equal(claims_coming(&claims, &config, "card1", 1).bytes, 20 * MIB);
	/* Off is who has no output that is on. */
	outputs[1].event = EVENT_OUTPUT_OFF;
	claims_report(&claims, &config, ":1.1", outputs, 2, 1);
	/* Several come together. */
	outputs[0].event = outputs[1].event = EVENT_OUTPUT_ADDED;
	outputs[0].event_buffers = 3;
	outputs[0].event_bytes = MIB;
	outputs[1].card[0] = '\0';
	claims_report(&claims, &config, ":1.1", outputs, 2, 2);
	assert_int_equal(claims_coming(&claims, &config, "card0", 3).bytes, 23 * MIB);
	assert_int_equal(claims_coming(&claims, &config, "card0", 3).entries, 23);
	claims_report(&claims, &config, ":1.1", NULL, 0, 3);
	/* Holds are for all. */
	claims_hold(&claims, &config, ":1.2", 1000, 9 * MIB, "");
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 2), 9 * MIB);
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card1", 2), 9 * MIB);
}

static void events_have_names(void **state)
{
	(void)state;
	for (unsigned int i = 1; i < EVENTS; i++)
		assert_int_equal(claims_event(claims_event_name(i)), i);
	assert_int_equal(claims_event("none"), EVENT_NONE);
	assert_int_equal(claims_event("earthquake"), EVENT_NONE);
}

static void who_leaves_is_forgotten(void **state)
{
	struct output_report output = { .name = "x", .buffers = 2, .buffer_bytes = MIB };

	(void)state;
	claims_hold(&claims, &config, ":1.1", 1000, 9 * MIB, "");
	claims_hold(&claims, &config, ":1.10", 1000, 3 * MIB, "");
	claims_report(&claims, &config, ":1.1", &output, 1, 0);
	assert_true(claims_forget(&claims, ":1.1"));
	assert_false(claims_forget(&claims, ":1.1"));
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), 3 * MIB);
}

static void names_of_an_earlier_bus_mean_nothing(void **state)
{
	struct output_report output = { .name = "x", .buffers = 2, .buffer_bytes = MIB };
	unsigned int admitted = 0;
	bool is_new;
	int64_t cookie;

	(void)state;
	claims_client(&claims, &config, ":1.1", 0, &is_new)->uid = 0;
	cookie = claims_hold(&claims, &config, ":1.1", 0, 9 * MIB, "");
	claims_report(&claims, &config, ":1.1", &output, 1, 0);
	while (claims_user_may_call(&claims, &config, 1000, 0))
		admitted++;
	assert_true(admitted > 0);
	claims_forget_clients(&claims);
	assert_int_equal(claims_client(&claims, &config, ":1.1", 0, &is_new)->uid, (uid_t)-1);
	assert_true(is_new);
	assert_false(claims_has(&claims, ":1.1"));
	assert_int_equal(claims_wanted_bytes(&claims, &config, "card0", 1), 0);
	/* What is known of users stays; and no cookie comes twice. */
	assert_false(claims_user_may_call(&claims, &config, 1000, 0));
	assert_int_equal(claims_hold(&claims, &config, ":1.1", 1000, MIB, ""), cookie + 1);
}

static void calls_are_limited_at_once_and_lastingly(void **state)
{
	struct client *client;
	unsigned int admitted = 0;
	bool is_new;

	(void)state;
	client = claims_client(&claims, &config, ":1.1", 0, &is_new);
	assert_true(is_new);
	for (uint64_t ms = 0; ms < 10000; ms++)
		admitted += claims_may_call(client, &config, ms);
	assert_in_range(admitted, 28, 30);
	/* What was not called for a day is not saved up. */
	admitted = 0;
	for (unsigned int i = 0; i < 100; i++)
		admitted += claims_may_call(client, &config, 86400000);
	assert_int_equal(admitted, config.calls_burst);
	assert_ptr_equal(claims_client(&claims, &config, ":1.1", 0, &is_new), client);
	assert_false(is_new);
}

static void many_clients_replace_the_quietest(void **state)
{
	struct client *busy;
	bool is_new;

	(void)state;
	busy = claims_client(&claims, &config, ":1.0", 0, &is_new);
	for (unsigned int i = 1; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), ":1.%u", i);
		claims_client(&claims, &config, name, 2 * i, &is_new);
		claims_may_call(busy, &config, 2 * i + 1);
	}
	assert_string_equal(busy->name, ":1.0");
}

#define FRESH(_test) cmocka_unit_test_setup(_test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(the_largest_hold_counts),
		FRESH(holds_are_capped_per_user_and_in_all),
		FRESH(a_hold_may_be_as_large_as_is_said),
		FRESH(outputs_are_capped_per_user),
		FRESH(only_the_user_or_root_releases),
		FRESH(cookies_are_never_zero),
		FRESH(reasons_are_made_printable_and_cut_between_characters),
		FRESH(reports_replace_their_predecessors_and_time_out),
		FRESH(absurd_reports_want_no_more_than_a_hold_may),
		FRESH(what_is_announced_counts_once_and_times_out),
		FRESH(an_output_that_goes_off_wants_nothing),
		FRESH(absurd_announcements_get_no_more_than_a_hold_may),
		FRESH(a_claim_is_on_the_card_of_its_output),
		FRESH(events_have_names),
		FRESH(who_leaves_is_forgotten),
		FRESH(names_of_an_earlier_bus_mean_nothing),
		FRESH(calls_are_limited_at_once_and_lastingly),
		FRESH(many_clients_replace_the_quietest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
