// SPDX-License-Identifier: MIT
/* Reading configuration, also bad configuration. */
#include "cmocka_all.h"

#include <stdbool.h>

#include "config.h"
#include "fake_sysfs.h"

static char root[64];
static char complaints[8192];
static unsigned int complaint_count;

static void complain(void *context, const char *text)
{
	(void)context;
	strncat(complaints, text, sizeof(complaints) - strlen(complaints) - 2);
	strcat(complaints, "\n");
	complaint_count++;
}

static void forget(void)
{
	complaints[0] = '\0';
	complaint_count = 0;
}

static void make_dirs(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "%s%s", root, path);
	for (char *slash = command + strlen(root) + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		mkdir(command, 0755);
		*slash = '/';
	}
	mkdir(command, 0755);
}

static int setup(void **state)
{
	static const char *const dirs[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib" };

	(void)state;
	strcpy(root, "/tmp/scanout-config-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (unsigned int i = 0; i < 4; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/scanoutd.conf.d", dirs[i]);
		make_dirs(path);
	}
	forget();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(root);
	return 0;
}

/* Read @text as the main file over the defaults. */
static struct config read_text(const char *text)
{
	struct config config = config_defaults;

	forget();
	fake_write(root, "etc/scanoutd.conf", text);
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	return config;
}

static void no_file_means_defaults(void **state)
{
	struct config config = config_defaults;

	(void)state;
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_memory_equal(&config, &config_defaults, sizeof(config));
	assert_int_equal(complaint_count, 0);
}

static void every_type_is_understood(void **state)
{
	struct config config = read_text("# comment\n"
					 "; another\n"
					 "[Tuner]\n"
					 "Enabled=no\n"
					 "MaxBytes = 256M ; with a comment\n"
					 "MaxEntries=99\n"
					 "CostPerMiB=7\n"
					 "\n"
					 "[Pressure]\n"
					 "StallSec=100ms\n"
					 "WindowSec=4s\n"
					 "HoldSec=2min\n"
					 "[Poll]\n"
					 "IntervalSec=1500ms\n");

	(void)state;
	assert_string_equal(complaints, "");
	assert_false(config.enabled);
	assert_int_equal(config.tuner.max_bytes, 256 * MIB);
	assert_int_equal(config.tuner.max_entries, 99);
	assert_int_equal(config.tuner.cost_ppm_per_mib, 7);
	assert_int_equal(config.pressure_stall_us, 100000);
	assert_int_equal(config.pressure_window_us, 4000000);
	assert_int_equal(config.poll_ms, 1500);
	assert_int_equal(config.tuner.pressure_hold_ms, 120000);
}

static void a_bad_value_names_line_value_and_what_is_accepted(void **state)
{
	struct config config = read_text("[Tuner]\n"
					 "MaxBytes=64M\n"
					 "\n"
					 "# a comment counts as a line too\n"
					 "MaxBytes=lots\n"
					 "DecayPercent=100\n"
					 "Enabled=perhaps\n"
					 "[Pressure]\n"
					 "HoldSec=1.5\n"
					 "WindowSec=3s\n");

	(void)state;
	assert_int_equal(complaint_count, 5);
	assert_non_null(strstr(complaints, "etc/scanoutd.conf:5: MaxBytes=lots: accepted is 1M"));
	assert_non_null(strstr(complaints, "etc/scanoutd.conf:6: DecayPercent=100"));
	assert_non_null(strstr(complaints, "etc/scanoutd.conf:7: Enabled=perhaps"));
	assert_non_null(strstr(complaints, "etc/scanoutd.conf:9: HoldSec=1.5"));
	assert_non_null(strstr(complaints, "etc/scanoutd.conf:10: WindowSec=3s"));
	/* The value before the bad one stays, not the default. */
	assert_int_equal(config.tuner.max_bytes, 64 * MIB);
	assert_int_equal(config.tuner.decay_percent, config_defaults.tuner.decay_percent);
}

static void the_ends_of_a_range_are_accepted_and_nothing_beyond(void **state)
{
	struct config config = read_text("[Tuner]\nMaxBytes=1G\nMinBytes=1M\n"
					 "[Pressure]\nStallSec=1ms\nWindowSec=10s\n"
					 "[Poll]\nIntervalSec=1min\n");

	(void)state;
	assert_string_equal(complaints, "");
	assert_int_equal(config.tuner.max_bytes, GIB);
	assert_int_equal(config.tuner.min_bytes, MIB);
	assert_int_equal(config.pressure_stall_us, 1000);
	assert_int_equal(config.pressure_window_us, 10000000);
	assert_int_equal(config.poll_ms, 60000);

	/* A comment needs a blank before it. */
	config = read_text("[Tuner]\nMaxBytes=64M;\n");
	assert_int_equal(complaint_count, 1);
	assert_int_equal(config.tuner.max_bytes, config_defaults.tuner.max_bytes);

	/* The last but one is less than half a second, if it is cut off at 64 bits. */
	config = read_text("[Tuner]\nMaxBytes=1025M\nMinBytes=1023K\n"
			   "[Pressure]\nStallSec=18446744073710s\nStallSec=10001ms\n"
			   "HoldSec=1500us\n");
	assert_int_equal(complaint_count, 5);
	assert_int_equal(config.tuner.max_bytes, config_defaults.tuner.max_bytes);
	assert_int_equal(config.tuner.min_bytes, config_defaults.tuner.min_bytes);
	assert_int_equal(config.pressure_stall_us, config_defaults.pressure_stall_us);
}

static void unknown_names_are_ignored_but_said(void **state)
{
	struct config config = read_text("MaxBytes=1M\n"
					 "[Tuner]\n"
					 "MaxByte=2M\n"
					 "[Toner]\n"
					 "MaxBytes=3M\n"
					 "[Tuner]\n"
					 "what is this\n"
					 "MaxBytes=4M\n"
					 "MinBytes=1M\n");

	(void)state;
	assert_int_equal(complaint_count, 4);
	assert_non_null(strstr(complaints, ":1: MaxBytes=1M: stands before any section"));
	assert_non_null(strstr(complaints, ":3: unknown option MaxByte in section [Tuner]"));
	assert_non_null(strstr(complaints, ":4: unknown section [Toner]"));
	assert_non_null(strstr(complaints, ":7: 'what is this': expected"));
	assert_int_equal(config.tuner.max_bytes, 4 * MIB);
}

static void a_section_that_is_not_closed_ends_the_one_before(void **state)
{
	static const char *const odd[] = { "[Pressure", "[Pressure ; ]", "[", "[Pressure] x" };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char text[256];
		struct config config;

		snprintf(text, sizeof(text),
			 "[Tuner]\nMaxEntries=77\n%s\nEnabled=no\n[Poll]\nIntervalSec=2\n"
			 "SlowIntervalSec=x\n",
			 odd[i]);
		config = read_text(text);
		assert_int_equal(complaint_count, 2);
		assert_non_null(strstr(complaints, "etc/scanoutd.conf:3: '["));
		assert_non_null(strstr(complaints, "expected [SECTION]"));
		assert_non_null(strstr(complaints, "etc/scanoutd.conf:7: SlowIntervalSec=x"));
		assert_true(config.enabled);
		assert_true(config.pressure);
		assert_int_equal(config.tuner.max_entries, 77);
		assert_int_equal(config.poll_ms, 2000);
	}
}

static void every_mistake_of_a_file_is_reported_at_its_line(void **state)
{
	(void)state;
	read_text("what\n[Tuner\n[Poll]\n=5\nIntervalSec\n[]\n[Tuner] ; fine\nMaxBytes=\n");
	assert_int_equal(complaint_count, 6);
	assert_non_null(strstr(complaints, ":1: 'what': expected"));
	assert_non_null(strstr(complaints, ":2: '[Tuner': expected"));
	assert_non_null(strstr(complaints, ":4: unknown option  in"));
	assert_non_null(strstr(complaints, ":5: 'IntervalSec': expected"));
	assert_non_null(strstr(complaints, ":6: unknown section []"));
	assert_non_null(strstr(complaints, ":8: MaxBytes=: accepted is"));
}

static void a_nul_byte_does_not_hide_the_rest_of_its_line(void **state)
{
	static const char text[] = "[Tuner]\nMaxBytes=64M\0M\nMaxEntries=77\n";
	struct config config = config_defaults;
	char path[128];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/scanoutd.conf", root);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, sizeof(text) - 1, file), sizeof(text) - 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_int_equal(complaint_count, 1);
	assert_non_null(strstr(complaints, ":2: 'MaxBytes=64M': contains a NUL byte"));
	assert_int_equal(config.tuner.max_bytes, config_defaults.tuner.max_bytes);
	assert_int_equal(config.tuner.max_entries, 77);
}

static void what_is_no_file_is_not_waited_for(void **state)
{
	struct config config = config_defaults;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/scanoutd.conf", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_int_equal(complaint_count, 1);
	assert_non_null(strstr(complaints, "etc/scanoutd.conf: "));
}

static void a_long_line_does_not_spill_into_the_next(void **state)
{
	char text[4096];
	struct config config;

	(void)state;
	for (unsigned int length = 150; length < 1200; length += 7) {
		snprintf(text, sizeof(text), "[Tuner]\nMaxEntries=4%0*d\nMaxBytes=32M\nOdd=1\n",
			 (int)length, 0);
		config = read_text(text);
		assert_int_equal(config.tuner.max_bytes, 32 * MIB);
		assert_int_equal(config.tuner.max_entries, config_defaults.tuner.max_entries);
		assert_non_null(strstr(complaints, ".conf:2: "));
		assert_non_null(strstr(complaints, ".conf:4: unknown option Odd"));
		assert_int_equal(complaint_count, 2);
	}
}

static void a_long_comment_is_just_a_comment(void **state)
{
	char text[2048];
	struct config config;

	(void)state;
	snprintf(text, sizeof(text), "[Tuner]\n#%0*d\nMaxBytes=32M\n", 900, 0);
	config = read_text(text);
	assert_string_equal(complaints, "");
	assert_int_equal(config.tuner.max_bytes, 32 * MIB);
}

static void an_indented_line_is_a_line_of_its_own(void **state)
{
	struct config config = read_text("[Tuner]\n"
					 "MaxBytes=32M\n"
					 "   MaxEntries=77\n"
					 "\tCostPerMiB=5\n");

	(void)state;
	assert_string_equal(complaints, "");
	assert_int_equal(config.tuner.max_bytes, 32 * MIB);
	assert_int_equal(config.tuner.max_entries, 77);
	assert_int_equal(config.tuner.cost_ppm_per_mib, 5);
}

static void a_last_line_without_newline_counts(void **state)
{
	struct config config = read_text("[Tuner]\nMaxBytes=32M");

	(void)state;
	assert_int_equal(config.tuner.max_bytes, 32 * MIB);
}

static void etc_hides_usr_lib_and_dropins_come_in_order_of_name(void **state)
{
	struct config config = config_defaults;

	(void)state;
	fake_write(root, "usr/lib/scanoutd.conf", "[Tuner]\nMaxBytes=1M\nMaxEntries=11\n");
	fake_write(root, "etc/scanoutd.conf", "[Tuner]\nMaxBytes=2M\n");
	fake_write(root, "usr/lib/scanoutd.conf.d/20-a.conf", "[Tuner]\nMaxBytes=20M\n");
	fake_write(root, "etc/scanoutd.conf.d/10-b.conf", "[Tuner]\nMaxBytes=10M\nMinBytes=5M\n");
	fake_write(root, "run/scanoutd.conf.d/30-c.conf", "[Tuner]\nMaxBytes=30M\n");
	fake_write(root, "usr/local/lib/scanoutd.conf.d/30-c.conf", "[Tuner]\nMinBytes=30M\n");
	fake_write(root, "etc/scanoutd.conf.d/40-d.conf.bak", "[Tuner]\nMaxBytes=40M\n");
	fake_write(root, "etc/scanoutd.conf.d/.50-e.conf", "[Tuner]\nMaxBytes=50M\n");
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_string_equal(complaints, "");
	assert_int_equal(config.tuner.max_bytes, 30 * MIB);
	assert_int_equal(config.tuner.min_bytes, 5 * MIB);
	assert_int_equal(config.tuner.max_entries, config_defaults.tuner.max_entries);
}

static void a_link_to_dev_null_masks_a_dropin(void **state)
{
	struct config config = config_defaults;
	char path[128];

	(void)state;
	fake_write(root, "usr/lib/scanoutd.conf.d/20-a.conf", "[Tuner]\nMaxBytes=20M\n");
	snprintf(path, sizeof(path), "%s/etc/scanoutd.conf.d/20-a.conf", root);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_string_equal(complaints, "");
	assert_int_equal(config.tuner.max_bytes, config_defaults.tuner.max_bytes);
}

static void a_directory_in_place_of_a_file_is_said(void **state)
{
	struct config config = config_defaults;

	(void)state;
	make_dirs("/etc/scanoutd.conf.d/60-x.conf");
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_non_null(strstr(complaints, "60-x.conf: Is a directory"));
}

static void a_reload_keeps_what_is_in_force_in_place_of_a_bad_value(void **state)
{
	struct config config = read_text("[Tuner]\nMaxBytes=64M\nMaxEntries=77\n");

	(void)state;
	fake_write(root, "etc/scanoutd.conf", "[Tuner]\nMaxBytes=64Q\n");
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_int_equal(complaint_count, 1);
	assert_int_equal(config.tuner.max_bytes, 64 * MIB);
	/* What is not mentioned any more is the default again. */
	assert_int_equal(config.tuner.max_entries, config_defaults.tuner.max_entries);
}

static void contradictions_are_settled(void **state)
{
	struct config config = read_text("[Tuner]\nMinBytes=64M\nMaxBytes=32M\n");

	(void)state;
	assert_int_equal(complaint_count, 1);
	assert_int_equal(config.tuner.min_bytes, 32 * MIB);
	config = read_text("[Pressure]\nStallSec=3s\nWindowSec=2s\n");
	assert_int_equal(complaint_count, 1);
	assert_int_equal(config.pressure_stall_us, 2000000);
}

static void the_shipped_file_shows_the_defaults(void **state)
{
	struct config config = config_defaults;
	char line[256], text[16384] = "";
	FILE *file = fopen(SHIPPED_CONFIG, "re");
	unsigned int uncommented = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		/* "#Name=value" are options, "# text" is text. */
		bool option = line[0] == '#' && line[1] != ' ' && line[1] != '\n';

		assert_true(line[0] == '#' || line[0] == '[' || line[0] == '\n');
		uncommented += option;
		strncat(text, option ? line + 1 : line, sizeof(text) - strlen(text) - 1);
	}
	fclose(file);
	/* Values that differ, to see that each option sets its default again. */
	memset(&config, 0xff, sizeof(config));
	fake_write(root, "etc/scanoutd.conf", text);
	assert_int_equal(config_read(&config, root, complain, NULL), 0);
	assert_string_equal(complaints, "");
	assert_memory_equal(&config.tuner.min_bytes, &config_defaults.tuner.min_bytes,
			    3 * sizeof(uint64_t));
	assert_int_equal(config.tuner.cost_ppm_per_mib, config_defaults.tuner.cost_ppm_per_mib);
	assert_int_equal(config.tuner.decay_percent, config_defaults.tuner.decay_percent);
	assert_int_equal(config.tuner.pressure_hold_ms, config_defaults.tuner.pressure_hold_ms);
	assert_int_equal(config.pressure_stall_us, config_defaults.pressure_stall_us);
	assert_int_equal(config.pressure_window_us, config_defaults.pressure_window_us);
	assert_int_equal(config.poll_ms, config_defaults.poll_ms);
	assert_int_equal(config.idle_polls, config_defaults.idle_polls);
	assert_int_equal(config.slow_poll_ms, config_defaults.slow_poll_ms);
	assert_int_equal(config.holds_per_user, config_defaults.holds_per_user);
	assert_int_equal(config.holds, config_defaults.holds);
	assert_int_equal(config.hold_max_bytes, config_defaults.hold_max_bytes);
	assert_int_equal(config.calls_per_second, config_defaults.calls_per_second);
	assert_int_equal(config.calls_burst, config_defaults.calls_burst);
	assert_int_equal(config.report_ms, config_defaults.report_ms);
	assert_int_equal(config.event_ms, config_defaults.event_ms);
	assert_int_equal(uncommented, 20);
}

static void presets_are_accepted_and_hold_together(void **state)
{
	static const char *const presets[] = { "phone", "laptop", "dual-4k", "kiosk", "ivi" };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct config config = config_defaults;
		char from[256], to[128];

		snprintf(from, sizeof(from), "%s/%s.conf", PRESETS, presets[i]);
		snprintf(to, sizeof(to), "%s/etc/scanoutd.conf.d/50-preset.conf", root);
		assert_int_equal(symlink(from, to), 0);
		assert_int_equal(config_read(&config, root, complain, NULL), 0);
		assert_string_equal(complaints, "");
		assert_true(config.set);
		unlink(to);
	}
}

#define WITH_ROOT(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(no_file_means_defaults),
		WITH_ROOT(every_type_is_understood),
		WITH_ROOT(a_bad_value_names_line_value_and_what_is_accepted),
		WITH_ROOT(the_ends_of_a_range_are_accepted_and_nothing_beyond),
		WITH_ROOT(unknown_names_are_ignored_but_said),
		WITH_ROOT(a_section_that_is_not_closed_ends_the_one_before),
		WITH_ROOT(every_mistake_of_a_file_is_reported_at_its_line),
		WITH_ROOT(a_nul_byte_does_not_hide_the_rest_of_its_line),
		WITH_ROOT(what_is_no_file_is_not_waited_for),
		WITH_ROOT(a_long_line_does_not_spill_into_the_next),
		WITH_ROOT(a_long_comment_is_just_a_comment),
		WITH_ROOT(an_indented_line_is_a_line_of_its_own),
		WITH_ROOT(a_last_line_without_newline_counts),
		WITH_ROOT(etc_hides_usr_lib_and_dropins_come_in_order_of_name),
		WITH_ROOT(a_link_to_dev_null_masks_a_dropin),
		WITH_ROOT(a_directory_in_place_of_a_file_is_said),
		WITH_ROOT(a_reload_keeps_what_is_in_force_in_place_of_a_bad_value),
		WITH_ROOT(contradictions_are_settled),
		WITH_ROOT(presets_are_accepted_and_hold_together),
		WITH_ROOT(the_shipped_file_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
