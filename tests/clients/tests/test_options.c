// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"
#include "options.h"

#define MAX_WORDS 32

struct parsed {
	struct options options;
	enum options_result result;
	char *out, *error;
	char *line;
};

/* @line is split at blanks. */
static void parse(struct parsed *parsed, const char *line)
{
	char *argv[MAX_WORDS] = { (char *)"scanout-flip" }, *rest, *word;
	size_t size;
	FILE *out = open_memstream(&parsed->out, &size);
	FILE *error = open_memstream(&parsed->error, &size);
	int argc = 1;

	/* options point into the words, as they would point into main()'s argv */
	parsed->line = strdup(line);
	assert_non_null(parsed->line);
	for (word = strtok_r(parsed->line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < MAX_WORDS - 1);
		argv[argc++] = word;
	}
	parsed->result = options_parse(argc, argv, &parsed->options, out, error);
	fclose(out);
	fclose(error);
}

static void drop(struct parsed *parsed)
{
	options_free(&parsed->options);
	free(parsed->out);
	free(parsed->error);
	free(parsed->line);
}

static void refused(const char *line, const char *names)
{
	struct parsed parsed;

	parse(&parsed, line);
	if (parsed.result != OPTIONS_BAD)
		fail_msg("'%s' was taken", line);
	if (!strstr(parsed.error, names))
		fail_msg("'%s': '%s' does not name '%s'", line, parsed.error, names);
	/* one line, and nothing on stdout */
	assert_ptr_equal(strchr(parsed.error, '\n'), parsed.error + strlen(parsed.error) - 1);
	assert_string_equal(parsed.out, "");
	drop(&parsed);
}

static void defaults_are_those_of_the_help(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "foreign");
	assert_int_equal(parsed.result, OPTIONS_RUN);
	assert_int_equal(parsed.options.mode, MODE_FOREIGN);
	assert_int_equal(parsed.options.api, API_ATOMIC);
	assert_int_equal(parsed.options.exporter, EXPORTER_UDMABUF);
	assert_int_equal(parsed.options.frames, 60);
	assert_int_equal(parsed.options.buffers, 3);
	assert_int_equal(parsed.options.seed, 1);
	assert_int_equal(parsed.options.format, format_from_name("XR24")->fourcc);
	assert_string_equal(parsed.options.device, "/dev/dri/card0");
	assert_false(parsed.options.verify);
	drop(&parsed);
}

static void every_mode_is_known(void **state)
{
	(void)state;
	for (int mode = MODE_DUMB; mode <= MODE_CURSOR; mode++) {
		struct parsed parsed;

		parse(&parsed, mode_name((enum flip_mode)mode));
		assert_int_equal(parsed.result, OPTIONS_RUN);
		assert_int_equal(parsed.options.mode, mode);
		assert_int_equal(parsed.options.exporter, mode == MODE_DUMB || mode == MODE_CURSOR ?
								  EXPORTER_DUMB :
								  EXPORTER_UDMABUF);
		drop(&parsed);
	}
}

static void many_shows_every_buffer_once(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "many");
	assert_int_equal(parsed.options.buffers, 200);
	assert_int_equal(parsed.options.frames, 199);
	drop(&parsed);
	parse(&parsed, "many --buffers 40 --buffer-bytes 64K");
	assert_int_equal(parsed.options.frames, 39);
	assert_int_equal(parsed.options.buffer_bytes, 65536);
	drop(&parsed);
}

static void values_arrive(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "--api legacy multi --frames 7 --size 320x240 --overlay-format NV12 "
		       "--overlay-buffers 6 --overlay-every 3 --pace-hz 23.976 --verify");
	assert_int_equal(parsed.result, OPTIONS_RUN);
	assert_int_equal(parsed.options.api, API_LEGACY);
	assert_int_equal(parsed.options.frames, 7);
	assert_int_equal(parsed.options.width, 320);
	assert_int_equal(parsed.options.height, 240);
	assert_int_equal(parsed.options.overlay_format, format_from_name("NV12")->fourcc);
	assert_int_equal(parsed.options.overlay_buffers, 6);
	assert_int_equal(parsed.options.overlay_every, 3);
	assert_int_equal(parsed.options.primary_every, 1);
	assert_true(parsed.options.pace_hz > 23.975 && parsed.options.pace_hz < 23.977);
	assert_true(parsed.options.verify);
	drop(&parsed);
}

static void a_sequence_sets_frames_and_buffers(void **state)
{
	static const unsigned int expected[] = { 0, 1, 2, 0, 0, 4 };
	struct parsed parsed;

	(void)state;
	parse(&parsed, "dumb --sequence 0,1,2,0,0,4");
	assert_int_equal(parsed.result, OPTIONS_RUN);
	assert_int_equal(parsed.options.sequence_length, 6);
	assert_memory_equal(parsed.options.sequence, expected, sizeof(expected));
	assert_int_equal(parsed.options.frames, 5);
	assert_int_equal(parsed.options.buffers, 5);
	drop(&parsed);
	parse(&parsed, "foreign --sequence 1 --frames 9");
	assert_int_equal(parsed.options.frames, 9);
	assert_int_equal(parsed.options.buffers, 3);
	drop(&parsed);
}

static void hooks_keep_their_commands(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "dumb --on-frame 3:true --on-frame 0:a:b --on-lap x --watch /a --watch /b");
	assert_int_equal(parsed.result, OPTIONS_RUN);
	assert_int_equal(parsed.options.hooks, 2);
	assert_int_equal(parsed.options.on_frame[0].frame, 3);
	assert_string_equal(parsed.options.on_frame[0].command, "true");
	assert_int_equal(parsed.options.on_frame[1].frame, 0);
	assert_string_equal(parsed.options.on_frame[1].command, "a:b");
	assert_string_equal(parsed.options.on_lap, "x");
	assert_int_equal(parsed.options.watch_count, 2);
	assert_string_equal(parsed.options.watches[1], "/b");
	drop(&parsed);
}

static void help_goes_to_stdout(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "--help");
	assert_int_equal(parsed.result, OPTIONS_HELP);
	assert_non_null(strstr(parsed.out, "usage: scanout-flip MODE"));
	assert_string_equal(parsed.error, "");
	drop(&parsed);
}

static void bad_lines_are_refused_with_what_is_wrong(void **state)
{
	(void)state;
	refused("", "expected one mode");
	refused("dumber", "'dumber'");
	refused("dumb foreign", "'foreign'");
	refused("dumb --nonsense", "'--nonsense'");
	refused("dumb --verify=yes", "--verify");
	refused("dumb --frames", "--frames: a value is missing");
	refused("dumb --api vulkan", "--api 'vulkan': expected atomic or legacy");
	refused("dumb --exporter gbm", "'gbm'");
	refused("dumb --format P010", "--format 'P010': expected XR24");
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const numbers[] = {
		"0", "-1", "+1", "1x", "0x10", "1.5", "99999999999999999999"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "dumb --frames %s", numbers[i]);
		refused(line, "--frames");
	}
	refused("dumb --buffers 5000", "1 to 4096");
	refused("dumb --buffer-bytes 4095", "--buffer-bytes '4095'");
	refused("dumb --buffer-bytes 2G", "'2G'");
	refused("dumb --buffer-bytes 1KB", "'1KB'");
	refused("dumb --buffer-bytes 17179869184G", "--buffer-bytes");
	refused("dumb --size 640", "WxH");
	refused("dumb --size 640x361", "even");
	refused("dumb --size 640x4096", "2048");
	refused("dumb --pace-hz nan", "--pace-hz");
	refused("dumb --pace-hz 0", "--pace-hz");
	refused("dumb --hold-open -3", "--hold-open");
	refused("dumb --sequence 0,,1", "--sequence '0,,1'");
	refused("dumb --sequence 0,1,", "--sequence");
	refused("dumb --sequence a", "--sequence");
	refused("dumb --on-frame x:true", "N:COMMAND");
	refused("dumb --on-frame 3:", "N:COMMAND");
}

static void impossible_combinations_are_refused(void **state)
{
	(void)state;
	refused("reimport --exporter dumb", "udmabuf, scatter or heap");
	refused("churn --sequence 0,1", "--sequence with churn");
	refused("dumb --buffers 2 --sequence 0,2", "buffer 2");
	refused("dumb --close-fds", "--close-fds with dumb");
	refused("reimport --keep-handles", "--keep-handles with reimport");
	refused("foreign --keep-handles --close-fds", "expected one of them");
	refused("foreign --madvise-dontneed-idle", "mode dumb");
	refused("dumb --exporter udmabuf --madvise-dontneed-idle", "--exporter dumb or msm");
	refused("many --buffers 3 --frames 3", "make 2 flips");
	refused("dumb --overlay-every 2", "only multi");
	refused("dumb --api legacy --size 640x480", "--api atomic");
	refused("dumb --frames 3 --on-frame 4:true", "only 3 flips");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_help),
		cmocka_unit_test(every_mode_is_known),
		cmocka_unit_test(many_shows_every_buffer_once),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(a_sequence_sets_frames_and_buffers),
		cmocka_unit_test(hooks_keep_their_commands),
		cmocka_unit_test(help_goes_to_stdout),
		cmocka_unit_test(bad_lines_are_refused_with_what_is_wrong),
		cmocka_unit_test(bad_numbers_are_refused),
		cmocka_unit_test(impossible_combinations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
