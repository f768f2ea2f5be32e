// SPDX-License-Identifier: MIT
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "units.h"

#define NAME "scanoutd.conf"

const struct config config_defaults = {
	.tuner = TUNER_DEFAULT_PARAMS,
	.enabled = true,
	.pressure = true,
	.pressure_stall_us = 150000,
	.pressure_window_us = 2000000,
	.poll_ms = 1000,
	.idle_polls = 3,
	.slow_poll_ms = 10000,
	.holds_per_user = 8,
	.holds = 64,
	.hold_max_bytes = 128 * MIB,
	.calls_per_second = 2,
	.calls_burst = 10,
	.report_ms = 5000,
	.event_ms = 5000,
};

enum type { BOOL, BYTES, NUMBER, UINT, MS, US };

struct option {
	const char *section;
	const char *name;
	enum type type;
	size_t offset;
	/* in the unit of the field */
	uint64_t min;
	uint64_t max;
	/* what is accepted, in words */
	const char *accepted;
};

#define AT(_field) offsetof(struct config, _field)
#define SECOND_US UINT64_C(1000000)

static const struct option options[] = {
	{ "Tuner", "Enabled", BOOL, AT(enabled), 0, 1, "yes or no" },
	{ "Tuner", "MinBytes", BYTES, AT(tuner.min_bytes), MIB, GIB,
	  "1M to 1G, with an optional suffix K, M or G" },
	{ "Tuner", "MaxBytes", BYTES, AT(tuner.max_bytes), MIB, GIB,
	  "1M to 1G, with an optional suffix K, M or G" },
	{ "Tuner", "MaxEntries", NUMBER, AT(tuner.max_entries), 1, 65536, "1 to 65536" },
	{ "Tuner", "CostPerMiB", UINT, AT(tuner.cost_ppm_per_mib), 0, 100000,
	  "0 to 100000, in millionths of all reuse" },
	{ "Tuner", "DecayPercent", UINT, AT(tuner.decay_percent), 0, 99, "0 to 99" },
	{ "Pressure", "Enabled", BOOL, AT(pressure), 0, 1, "yes or no" },
	{ "Pressure", "StallSec", US, AT(pressure_stall_us), 1000, 10 * SECOND_US,
	  "1ms to 10s, in seconds or with a suffix us, ms or s" },
	{ "Pressure", "WindowSec", US, AT(pressure_window_us), 2 * SECOND_US, 10 * SECOND_US,
	  "2s, 4s, 6s, 8s or 10s; other windows need a privilege that the service does not have" },
	{ "Pressure", "HoldSec", MS, AT(tuner.pressure_hold_ms), 0, 3600000,
	  "0 to 1h, in seconds or with a suffix ms, s, min or h" },
	{ "Poll", "IntervalSec", MS, AT(poll_ms), 100, 60000,
	  "100ms to 1min, in seconds or with a suffix ms, s or min" },
	{ "Poll", "IdleAfter", UINT, AT(idle_polls), 1, 1000, "1 to 1000 polls" },
	{ "Poll", "SlowIntervalSec", MS, AT(slow_poll_ms), 1000, 3600000,
	  "1s to 1h, in seconds or with a suffix ms, s, min or h" },
	{ "Bus", "HoldsPerUser", UINT, AT(holds_per_user), 0, 256, "0 to 256" },
	{ "Bus", "Holds", UINT, AT(holds), 0, 256, "0 to 256" },
	{ "Bus", "HoldMaxBytes", BYTES, AT(hold_max_bytes), 0, GIB,
	  "0 to 1G, with an optional suffix K, M or G" },
	{ "Bus", "CallsPerSecond", UINT, AT(calls_per_second), 1, 1000, "1 to 1000" },
	{ "Bus", "CallsBurst", UINT, AT(calls_burst), 1, 1000, "1 to 1000" },
	{ "Bus", "EventSec", MS, AT(event_ms), 1000, 60000,
	  "1s to 1min, in seconds or with a suffix ms, s or min" },
	{ "Bus", "ReportSec", MS, AT(report_ms), 1000, 60000,
	  "1s to 1min, in seconds or with a suffix ms, s or min" },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* One file being read. */
struct reader {
	struct config *config;
	/* in force until now */
	const struct config *running;
	const char *path;
	unsigned int line;
	/* "" before the first one; NULL in one that is not known, whose lines are ignored */
	const char *section;
	config_complain_fn complain;
	void *context;
};

__attribute__((format(printf, 2, 3))) static void complain_at(struct reader *reader,
							      const char *format, ...)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "%s:%u: ", reader->path, reader->line);
	va_list args;

	if (length < 0 || (size_t)length >= sizeof(text))
		length = 0;
	va_start(args, format);
	vsnprintf(text + length, sizeof(text) - (size_t)length, format, args);
	va_end(args);
	reader->complain(reader->context, text);
}

static int parse_bool(const char *text, uint64_t *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
			*value = !strcasecmp(text, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* "5", "5s", "150ms", "2min": whole numbers, as the values here are. */
static int parse_us(const char *text, uint64_t *us)
{
	static const struct {
		const char *suffix;
		uint64_t us;
	} units[] = {
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", SECOND_US },
		{ "min", 60 * SECOND_US },
		{ "h", 3600 * SECOND_US },
		{ "", SECOND_US },
	};
	size_t digits = strspn(text, "0123456789");
	char number[24];
	uint64_t value;
	int ret;

	if (digits >= sizeof(number))
		return -ERANGE;
	memcpy(number, text, digits);
	number[digits] = '\0';
	ret = units_parse_number(number, &value);
	if (ret)
		return ret;
	text += digits + strspn(text + digits, " ");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text, units[i].suffix))
			continue;
		if (value > UINT64_MAX / units[i].us)
			return -ERANGE;
		*us = value * units[i].us;
		return 0;
	}
	return -EINVAL;
}

static int parse_value(enum type type, const char *text, uint64_t *value)
{
	int ret;

	switch (type) {
	case BOOL:
		return parse_bool(text, value);
	case BYTES:
		return units_parse_bytes(text, value);
	case US:
		return parse_us(text, value);
	case MS:
		ret = parse_us(text, value);
		if (!ret && *value % 1000)
			return -EINVAL;
		*value /= 1000;
		return ret;
	case NUMBER:
	case UINT:
		break;
	}
	return units_parse_number(text, value);
}

static bool acceptable(const struct option *option, uint64_t value)
{
	if (value < option->min || value > option->max)
		return false;
	/* The kernel lets the unprivileged have windows of multiples of 2 s only. */
	return option->offset != AT(pressure_window_us) || !(value % (2 * SECOND_US));
}

/* What is in force stays so, unless another line replaced it already. */
static void keep(struct config *config, const struct config *running, size_t option)
{
	static const size_t sizes[] = {
		[BOOL] = sizeof(bool),	     [UINT] = sizeof(unsigned int),
		[MS] = sizeof(unsigned int), [BYTES] = sizeof(uint64_t),
		[NUMBER] = sizeof(uint64_t), [US] = sizeof(uint64_t),
	};
	size_t offset = options[option].offset;

	if (config->set & UINT64_C(1) << option)
		return;
	memcpy((char *)config + offset, (const char *)running + offset,
	       sizes[options[option].type]);
}

static void store(struct config *config, const struct option *option, uint64_t value)
{
	char *field = (char *)config + option->offset;

	switch (option->type) {
	case BOOL:
		*(bool *)(void *)field = value;
		break;
	case UINT:
	case MS:
		*(unsigned int *)(void *)field = (unsigned int)value;
		break;
	case BYTES:
	case NUMBER:
	case US:
		*(uint64_t *)(void *)field = value;
		break;
	}
}

static void take(struct reader *reader, const char *name, const char *value)
{
	uint64_t number;

	if (!reader->section)
		return;
	for (size_t i = 0; i < OPTIONS; i++) {
		if (strcmp(options[i].section, reader->section) || strcmp(options[i].name, name))
			continue;
		if (parse_value(options[i].type, value, &number) ||
		    !acceptable(&options[i], number)) {
			complain_at(reader, "%s=%.40s: accepted is %s; keeping the previous value",
				    name, value, options[i].accepted);
			keep(reader->config, reader->running, i);
		} else {
			store(reader->config, &options[i], number);
			reader->config->set |= UINT64_C(1) << i;
		}
		return;
	}
	if (!reader->section[0])
		complain_at(reader, "%.40s=%.40s: stands before any section; ignored", name, value);
	else
		complain_at(reader, "unknown option %.40s in section [%s]; ignored", name,
			    reader->section);
}

/* Whatever is wrong with it, the section before ends here. */
static void begin_section(struct reader *reader, char *line)
{
	size_t last = strlen(line) - 1;

	reader->section = NULL;
	if (line[last] != ']') {
		complain_at(reader,
			    "'%.40s': expected [SECTION]; all up to the next section is ignored",
			    line);
		return;
	}
	line[last] = '\0';
	for (size_t i = 0; i < OPTIONS && !reader->section; i++)
		if (!strcmp(options[i].section, line + 1))
			reader->section = options[i].section;
	if (!reader->section)
		complain_at(reader,
			    "unknown section [%.40s], accepted are [Tuner], [Pressure], [Poll] and "
			    "[Bus]; all up to the next section is ignored",
			    line + 1);
}

static char *strip(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text + strspn(text, " \t\r\n\v\f");
}

static void read_line(struct reader *reader, char *text)
{
	char *line = strip(text), *value;

	if (!*line || *line == '#' || *line == ';')
		return;
	/* A comment may also follow, after a blank. */
	for (char *end = line + 1; *end; end++)
		if (*end == ';' && isspace((unsigned char)end[-1]))
			*end-- = '\0';
	line = strip(line);
	value = strchr(line, '=');
	if (*line == '[') {
		begin_section(reader, line);
	} else if (value) {
		*value++ = '\0';
		take(reader, strip(line), strip(value));
	} else {
		complain_at(reader, "'%.40s': expected [SECTION] or NAME=VALUE; ignored", line);
	}
}

static int read_file(struct config *config, const struct config *running, const char *path,
		     config_complain_fn complain, void *context)
{
	struct reader reader = {
		.config = config,
		.running = running,
		.path = path,
		.section = "",
		.complain = complain,
		.context = context,
	};
	size_t size = 0;
	char *text = NULL;
	ssize_t length;
	struct stat st;
	FILE *file;
	int ret;

	/* Asked before it is opened: that may wait, for who writes to a FIFO. */
	if (stat(path, &st))
		return -errno;
	/* A link to /dev/null, or an empty file, is how a file is masked. */
	if (S_ISCHR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while ((length = getline(&text, &size, file)) >= 0) {
		reader.line++;
		if (memchr(text, '\0', (size_t)length))
			complain_at(&reader, "'%.40s': contains a NUL byte; ignored", strip(text));
		else
			read_line(&reader, text);
	}
	ret = feof(file) ? 0 : -errno;
	free(text);
	fclose(file);
	return ret;
}

static const char *const directories[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib" };

#define DIRECTORIES (sizeof(directories) / sizeof(directories[0]))

/* A drop-in: where it is, and at which byte its name begins, by which it is sorted. */
struct dropin {
	char path[PATH_MAX];
	size_t name;
};

struct dropins {
	struct dropin *list;
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	const struct dropin *first = a, *second = b;

	return strcmp(first->path + first->name, second->path + second->name);
}

static bool have_name(const struct dropins *dropins, const char *name)
{
	for (size_t i = 0; i < dropins->count; i++)
		if (!strcmp(dropins->list[i].path + dropins->list[i].name, name))
			return true;
	return false;
}

static int add_dropins(struct dropins *dropins, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		struct dropin *list;

		if (fnmatch("*.conf", entry->d_name, FNM_PERIOD) ||
		    have_name(dropins, entry->d_name))
			continue;
		list = realloc(dropins->list, (dropins->count + 1) * sizeof(*list));
		if (!list) {
			closedir(dir);
			return -ENOMEM;
		}
		dropins->list = list;
		list += dropins->count++;
		if (snprintf(list->path, sizeof(list->path), "%s/%s", directory, entry->d_name) >=
		    (int)sizeof(list->path)) {
			dropins->count--;
			continue;
		}
		list->name = strlen(directory) + 1;
	}
	closedir(dir);
	return 0;
}

static void read_or_complain(struct config *config, const struct config *running, const char *path,
			     config_complain_fn complain, void *context)
{
	char text[PATH_MAX + 128];
	int ret = read_file(config, running, path, complain, context);

	if (!ret)
		return;
	snprintf(text, sizeof(text), "%s: %s; ignored", path, strerror(-ret));
	complain(context, text);
}

int config_read(struct config *config, const char *root, config_complain_fn complain, void *context)
{
	const struct config running = *config;
	struct dropins dropins = { 0 };
	char path[PATH_MAX];
	int ret = 0;

	*config = config_defaults;
	for (size_t i = 0; i < DIRECTORIES; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", root, directories[i], NAME);
		if (access(path, F_OK))
			continue;
		read_or_complain(config, &running, path, complain, context);
		break;
	}

	for (size_t i = 0; !ret && i < DIRECTORIES; i++) {
		snprintf(path, sizeof(path), "%s%s/%s.d", root, directories[i], NAME);
		ret = add_dropins(&dropins, path);
		if (ret && ret != -ENOMEM) {
			char text[PATH_MAX + 128];

			snprintf(text, sizeof(text), "%s: %s; ignored", path, strerror(-ret));
			complain(context, text);
			ret = 0;
		}
	}
	if (dropins.count)
		qsort(dropins.list, dropins.count, sizeof(*dropins.list), by_name);
	for (size_t i = 0; i < dropins.count; i++)
		read_or_complain(config, &running, dropins.list[i].path, complain, context);
	free(dropins.list);
	config_settle(config, complain, context);
	return ret;
}

void config_settle(struct config *config, config_complain_fn complain, void *context)
{
	struct tuner_params *tuner = &config->tuner;
	char text[256];

	if (tuner->min_bytes > tuner->max_bytes) {
		snprintf(text, sizeof(text),
			 "[Tuner] MinBytes=%" PRIu64 " is above MaxBytes=%" PRIu64
			 "; using MaxBytes for both",
			 tuner->min_bytes, tuner->max_bytes);
		complain(context, text);
		tuner->min_bytes = tuner->max_bytes;
	}
	if (config->pressure_stall_us > config->pressure_window_us) {
		snprintf(text, sizeof(text),
			 "[Pressure] StallSec= of %" PRIu64 " us is longer than WindowSec= of "
			 "%" PRIu64 " us; using the window for both",
			 config->pressure_stall_us, config->pressure_window_us);
		complain(context, text);
		config->pressure_stall_us = config->pressure_window_us;
	}
}
