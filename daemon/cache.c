// SPDX-License-Identifier: MIT
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "units.h"

enum kind {
	NUMBERS, /* count of them, separated by blanks */
	CHOICE,	 /* of a policy */
	COMMAND, /* can only be written */
};

struct file {
	const char *name;
	enum kind kind;
	/* where it goes in struct cache_snapshot */
	size_t offset;
	unsigned int count;
	/* never goes back */
	bool counter;
};

#define GAUGE(_name)                                                                         \
	{                                                                                    \
		.name = #_name, .offset = offsetof(struct cache_snapshot, _name), .count = 1 \
	}
#define COUNTER(_name)                                                                        \
	{                                                                                     \
		.name = #_name, .offset = offsetof(struct cache_snapshot, _name), .count = 1, \
		.counter = true                                                               \
	}
#define HISTOGRAM(_name, _field, _count)                                           \
	{                                                                          \
		.name = #_name, .offset = offsetof(struct cache_snapshot, _field), \
		.count = _count, .counter = true                                   \
	}

/* In the order of reading: generation first, histograms after the counters they explain. */
static const struct file files[CACHE_FILES] = {
	COUNTER(generation),
	GAUGE(max_bytes),
	GAUGE(max_entries),
	GAUGE(idle_timeout_ms),
	GAUGE(import_linger_ms),
	{ .name = "policy", .kind = CHOICE },
	GAUGE(active_bytes),
	GAUGE(active_entries),
	GAUGE(idle_bytes),
	GAUGE(idle_entries),
	GAUGE(quarantined_bytes),
	COUNTER(flips),
	COUNTER(hits),
	COUNTER(misses),
	COUNTER(inserts),
	COUNTER(evictions),
	COUNTER(evictions_age),
	COUNTER(evictions_pressure),
	COUNTER(invalidations),
	COUNTER(map_ns),
	COUNTER(unmap_ns),
	HISTOGRAM(reuse_depth, reuse.depth, DEPTH_BUCKETS),
	HISTOGRAM(reuse_bytes, reuse.bytes, BYTES_BUCKETS),
	{ .name = "trim", .kind = COMMAND },
};

static const struct {
	enum cache_policy policy;
	const char *name;
} policies[] = {
	{ CACHE_POLICY_LRU, "lru" },
	{ CACHE_POLICY_ADAPTIVE, "adaptive" },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Longest text of a file: the histogram of bytes, with all of its numbers of 20 digits. */
#define TEXT_BYTES 1024

static const struct {
	const char *name;
	uint64_t most;
	const char *range;
} limits_known[CACHE_LIMITS] = {
	[CACHE_MAX_BYTES] = { "max_bytes", GIB, "0 (off) to 1G" },
	[CACHE_MAX_ENTRIES] = { "max_entries", 65536, "0 (off) to 65536" },
	[CACHE_IDLE_TIMEOUT_MS] = { "idle_timeout_ms", 86400000, "0 (never) to 86400000" },
	[CACHE_IMPORT_LINGER_MS] = { "import_linger_ms", 60000, "0 (not at all) to 60000" },
};

const char *cache_limit_name(enum cache_limit limit)
{
	return limits_known[limit].name;
}

enum cache_limit cache_limit_find(const char *name)
{
	enum cache_limit limit = 0;

	while (limit < CACHE_LIMITS && strcmp(limits_known[limit].name, name))
		limit++;
	return limit;
}

bool cache_limit_in_range(enum cache_limit limit, uint64_t value)
{
	return value <= limits_known[limit].most;
}

const char *cache_limit_range(enum cache_limit limit)
{
	return limits_known[limit].range;
}

const char *cache_policy_name(enum cache_policy policy)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (policies[i].policy == policy)
			return policies[i].name;
	return "unknown";
}

bool cache_error_is_gone(int error)
{
	return error == -ENODEV || error == -ENOENT || error == -ENXIO;
}

__attribute__((format(printf, 3, 4))) static int fail(struct cache *cache, int error,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cache->error, sizeof(cache->error), format, args);
	va_end(args);
	return error;
}

static unsigned int find_file(const char *name)
{
	unsigned int i = 0;

	while (strcmp(files[i].name, name))
		i++;
	return i;
}

/*
 * The whole text of a file, without its newline.  The kernel gives it in one piece; a signal or an
 * odd file system may not, so read on until the end.
 */
static int read_text(struct cache *cache, unsigned int index, char text[TEXT_BYTES])
{
	const struct file *file = &files[index];
	size_t length = 0;

	for (;;) {
		ssize_t ret = pread(cache->fds[index], text + length, TEXT_BYTES - 1 - length,
				    (off_t)length);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0)
			return fail(cache, -errno, "%s/%s: %s", cache->path, file->name,
				    strerror(errno));
		if (!ret)
			break;
		length += (size_t)ret;
		if (text[length - 1] == '\n')
			break;
		if (length == TEXT_BYTES - 1)
			return fail(cache, -EMSGSIZE,
				    "%s/%s: longer than the %d bytes that %u numbers need",
				    cache->path, file->name, TEXT_BYTES, file->count);
	}

	if (!length || text[length - 1] != '\n')
		return fail(cache, -EBADMSG, "%s/%s: ends after %zu bytes without a newline",
			    cache->path, file->name, length);
	text[length - 1] = '\0';
	if (strlen(text) != length - 1)
		return fail(cache, -EBADMSG, "%s/%s: contains a NUL byte", cache->path, file->name);
	return 0;
}

static int parse_numbers(struct cache *cache, const struct file *file, char *text, uint64_t *values)
{
	char *rest = text;

	for (unsigned int i = 0; i < file->count; i++) {
		const char *word = strsep(&rest, " ");

		if (!word)
			return fail(cache, -EBADMSG, "%s/%s: %u numbers, expected %u", cache->path,
				    file->name, i, file->count);
		if (units_parse_number(word, &values[i]))
			return fail(cache, -EBADMSG, "%s/%s: '%.40s': expected a decimal number",
				    cache->path, file->name, word);
	}
	if (rest)
		return fail(cache, -EBADMSG, "%s/%s: more than the %u numbers expected",
			    cache->path, file->name, file->count);
	return 0;
}

/* "lru [adaptive]" */
static int parse_choice(struct cache *cache, const struct file *file, char *text,
			struct cache_snapshot *snapshot)
{
	char *rest = text, *word;

	snapshot->policies = 0;
	snapshot->policy = 0;
	while ((word = strsep(&rest, " "))) {
		size_t length = strlen(word);
		bool current = length > 2 && word[0] == '[' && word[length - 1] == ']';

		if (current) {
			word[length - 1] = '\0';
			word++;
		}
		/* A policy this program has not heard of is left alone. */
		for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
			if (strcmp(word, policies[i].name))
				continue;
			snapshot->policies |= policies[i].policy;
			if (current)
				snapshot->policy = policies[i].policy;
		}
	}
	if (!snapshot->policies)
		return fail(cache, -EBADMSG, "%s/%s: names no policy, expected lru or adaptive",
			    cache->path, file->name);
	return 0;
}

static uint64_t *values_of(struct cache_snapshot *snapshot, const struct file *file)
{
	return (uint64_t *)(void *)((char *)snapshot + file->offset);
}

static const uint64_t *const_values_of(const struct cache_snapshot *snapshot,
				       const struct file *file)
{
	return (const uint64_t *)(const void *)((const char *)snapshot + file->offset);
}

static int read_file(struct cache *cache, unsigned int index, struct cache_snapshot *snapshot)
{
	const struct file *file = &files[index];
	char text[TEXT_BYTES];
	int ret = read_text(cache, index, text);

	if (ret)
		return ret;
	if (file->kind == CHOICE)
		return parse_choice(cache, file, text, snapshot);
	return parse_numbers(cache, file, text, values_of(snapshot, file));
}

/* All files up to the one called @last. */
static int open_files(struct cache *cache, const char *name, const char *path, const char *last)
{
	unsigned int count = find_file(last) + 1;

	memset(cache, 0, sizeof(*cache));
	for (unsigned int i = 0; i < CACHE_FILES; i++)
		cache->fds[i] = -1;
	snprintf(cache->name, sizeof(cache->name), "%s", name);
	if (snprintf(cache->path, sizeof(cache->path), "%s", path) >= (int)sizeof(cache->path)) {
		cache->dir_fd = -1;
		return fail(cache, -ENAMETOOLONG, "%s: path longer than %zu bytes", name,
			    sizeof(cache->path) - 1);
	}

	/* Only root may read the directory; to open files in it takes no more than this. */
	cache->dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cache->dir_fd < 0)
		return fail(cache, -errno, "%s: %s", path, strerror(errno));

	for (unsigned int i = 0; i < count; i++) {
		int flags = files[i].kind == COMMAND ? O_PATH : O_RDONLY, ret;

		cache->fds[i] = openat(cache->dir_fd, files[i].name, flags | O_CLOEXEC);
		if (cache->fds[i] >= 0)
			continue;
		/* The directory is there, so this is no kernel without a cache. */
		if (errno == ENOENT && !access(path, F_OK))
			ret = fail(cache, -ENOTSUP,
				   "%s/%s: missing; this kernel's cache is not the one that this "
				   "version knows: update both together",
				   path, files[i].name);
		else
			ret = fail(cache, -errno, "%s/%s: %s", path, files[i].name,
				   strerror(errno));
		cache_close(cache);
		return ret;
	}
	return 0;
}

int cache_open(struct cache *cache, const char *name, const char *path)
{
	return open_files(cache, name, path, "trim");
}

int cache_open_limits(struct cache *cache, const char *name, const char *path)
{
	int ret = open_files(cache, name, path, "policy");

	cache->limits_only = true;
	return ret;
}

void cache_close(struct cache *cache)
{
	for (unsigned int i = 0; i < CACHE_FILES; i++) {
		if (cache->fds[i] >= 0)
			close(cache->fds[i]);
		cache->fds[i] = -1;
	}
	if (cache->dir_fd >= 0)
		close(cache->dir_fd);
	cache->dir_fd = -1;
}

int cache_read(struct cache *cache, struct cache_snapshot *snapshot)
{
	struct cache_snapshot fresh = { 0 };

	if (cache->limits_only)
		return fail(cache, -EACCES, "%s: only root may read its figures", cache->path);
	for (unsigned int i = 0; i < CACHE_FILES; i++) {
		int ret = files[i].kind == COMMAND ? 0 : read_file(cache, i, &fresh);

		if (ret)
			return ret;
	}
	*snapshot = fresh;
	return 0;
}

int cache_read_limits(struct cache *cache, struct cache_snapshot *snapshot)
{
	struct cache_snapshot fresh = *snapshot;
	unsigned int last = find_file("policy");

	for (unsigned int i = 0; i <= last; i++) {
		int ret = read_file(cache, i, &fresh);

		if (ret)
			return ret;
	}
	*snapshot = fresh;
	return 0;
}

static bool is_figure(unsigned int i)
{
	return i > find_file("policy") && files[i].kind == NUMBERS && files[i].count == 1;
}

unsigned int cache_next_figure(unsigned int i)
{
	while (++i < CACHE_FILES)
		if (is_figure(i))
			return i;
	return 0;
}

const char *cache_figure_name(unsigned int i)
{
	return files[i].name;
}

uint64_t cache_figure(const struct cache_snapshot *snapshot, unsigned int i)
{
	return *const_values_of(snapshot, &files[i]);
}

void cache_set_figure(struct cache_snapshot *snapshot, const char *name, uint64_t value)
{
	for (unsigned int i = 0; (i = cache_next_figure(i));)
		if (!strcmp(files[i].name, name))
			*values_of(snapshot, &files[i]) = value;
}

int cache_read_flips(struct cache *cache, uint64_t *flips)
{
	struct cache_snapshot snapshot;
	int ret = read_file(cache, find_file("flips"), &snapshot);

	if (!ret)
		*flips = snapshot.flips;
	return ret;
}

int cache_flips_fd(const struct cache *cache)
{
	return cache->fds[find_file("flips")];
}

int cache_generation_fd(const struct cache *cache)
{
	return cache->fds[find_file("generation")];
}

int cache_read_limit(struct cache *cache, enum cache_limit limit, uint64_t *value)
{
	unsigned int index = find_file(cache_limit_name(limit));
	struct cache_snapshot snapshot;
	int ret = read_file(cache, index, &snapshot);

	if (!ret)
		*value = *values_of(&snapshot, &files[index]);
	return ret;
}

/* Writers are opened when needed: that is rare, and tells at once whether it is allowed. */
static int write_text(struct cache *cache, const char *name, const char *text)
{
	int fd = openat(cache->dir_fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	char line[32];
	int length = snprintf(line, sizeof(line), "%s\n", text);
	int ret = 0;
	ssize_t written;

	if (fd < 0)
		return fail(cache, -errno, "%s/%s: opening it to write '%s': %s", cache->path, name,
			    text, strerror(errno));
	do
		written = write(fd, line, (size_t)length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		ret = fail(cache, -errno, "%s/%s: writing '%s': %s", cache->path, name, text,
			   strerror(errno));
	else if (written != length)
		ret = fail(cache, -EIO, "%s/%s: only %zd bytes of '%s' were taken", cache->path,
			   name, written, text);
	close(fd);
	return ret;
}

static int write_number(struct cache *cache, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return write_text(cache, name, text);
}

int cache_write_limit(struct cache *cache, enum cache_limit limit, uint64_t value)
{
	return write_number(cache, cache_limit_name(limit), value);
}

int cache_write_limits(struct cache *cache, const struct cache_limits *limits)
{
	uint64_t before[CACHE_LIMITS];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < CACHE_LIMITS && !ret; i++)
		if (limits->given[i])
			ret = cache_read_limit(cache, i, &before[i]);
	for (i = 0; i < CACHE_LIMITS && !ret; i++)
		if (limits->given[i])
			ret = cache_write_limit(cache, i, limits->values[i]);
	if (!ret)
		return 0;
	/* Less the one that failed, which the loop has counted. */
	for (i = i ? i - 1 : 0; i--;)
		if (limits->given[i] && before[i] != limits->values[i])
			cache_write_limit(cache, i, before[i]);
	return ret;
}

int cache_trim(struct cache *cache, uint64_t idle_bytes)
{
	return write_number(cache, "trim", idle_bytes);
}

bool cache_counters_went_back(const struct cache_snapshot *before,
			      const struct cache_snapshot *after)
{
	for (unsigned int i = 0; i < CACHE_FILES; i++) {
		const uint64_t *old = const_values_of(before, &files[i]);
		const uint64_t *new = const_values_of(after, &files[i]);

		if (!files[i].counter)
			continue;
		for (unsigned int j = 0; j < files[i].count; j++)
			if (new[j] < old[j])
				return true;
	}
	return false;
}
