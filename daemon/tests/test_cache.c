// SPDX-License-Identifier: MIT
/* Reading and writing a cache's directory, also when it misbehaves. */
#include "cmocka_all.h"

#include <dirent.h>
#include <stdbool.h>

#include "cache.h"
#include "fake_sysfs.h"
#include "units.h"

static char dir[64];

/* What reading is made to do. */
static int read_error;
static size_t read_piece;

/* Which of the two the C library's headers turn pread() into depends on the size of off_t. */
ssize_t __real_pread64(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset);

ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset)
{
	if (read_error) {
		errno = read_error;
		return -1;
	}
	if (read_piece && size > read_piece)
		size = read_piece;
	return __real_pread64(fd, buffer, size, offset);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
	return __wrap_pread64(fd, buffer, size, offset);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/scanout-cache-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	fake_fill(dir);
	read_error = 0;
	read_piece = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_remove(dir);
	return 0;
}

static void reads_everything(void **state)
{
	struct cache_snapshot snapshot;
	struct cache cache;

	(void)state;
	fake_write(dir, "flips", "18446744073709551615\n");
	fake_write(dir, "idle_bytes", "8294400\n");
	fake_write(dir, "policy", "lru [adaptive] other\n");
	fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS, 42, 7);
	fake_histogram(dir, "reuse_depth", DEPTH_BUCKETS, 33, 9);
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	assert_int_equal(cache_read(&cache, &snapshot), 0);
	assert_true(snapshot.flips == UINT64_MAX);
	assert_int_equal(snapshot.max_bytes, 128 * MIB);
	assert_int_equal(snapshot.idle_bytes, 8294400);
	assert_int_equal(snapshot.policy, CACHE_POLICY_ADAPTIVE);
	assert_int_equal(snapshot.policies, CACHE_POLICY_LRU | CACHE_POLICY_ADAPTIVE);
	assert_int_equal(snapshot.reuse.bytes[42], 7);
	assert_int_equal(snapshot.reuse.depth[33], 9);
	cache_close(&cache);
}

static void reads_in_pieces_are_put_together(void **state)
{
	struct cache_snapshot snapshot;
	struct cache cache;

	(void)state;
	fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS, 3, 1234567);
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	for (read_piece = 1; read_piece < 20; read_piece++) {
		assert_int_equal(cache_read(&cache, &snapshot), 0);
		assert_int_equal(snapshot.reuse.bytes[3], 1234567);
	}
	cache_close(&cache);
}

static void a_missing_directory_is_named(void **state)
{
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", "/nonexistent/scanout_cache"), -ENOENT);
	assert_non_null(strstr(cache.error, "/nonexistent/scanout_cache"));
	cache_close(&cache);
}

/* A kernel with another interface is not one without a cache: that would pass in silence. */
static void a_missing_file_is_named_whichever_it_is(void **state)
{
	DIR *files = opendir(dir);
	struct dirent *entry;
	unsigned int count = 0;

	(void)state;
	assert_non_null(files);
	while ((entry = readdir(files))) {
		char path[320], away[80], named[264];
		struct cache cache;

		if (entry->d_name[0] == '.')
			continue;
		count++;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		snprintf(away, sizeof(away), "%s-away", dir);
		snprintf(named, sizeof(named), "/%s: ", entry->d_name);
		assert_int_equal(rename(path, away), 0);
		assert_int_equal(cache_open(&cache, "card0", dir), -ENOTSUP);
		assert_non_null(strstr(cache.error, named));
		assert_int_equal(rename(away, path), 0);
	}
	closedir(files);
	assert_int_equal(count, CACHE_FILES);
}

static void errors_leave_the_snapshot_alone(void **state)
{
	static const int errors[] = { EIO, ENODEV, ENOMEM, EACCES, ENXIO };
	struct cache_snapshot snapshot = { .flips = 42 };
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	for (unsigned int i = 0; i < 5; i++) {
		read_error = errors[i];
		assert_int_equal(cache_read(&cache, &snapshot), -errors[i]);
		assert_int_equal(snapshot.flips, 42);
		assert_non_null(strstr(cache.error, strerror(errors[i])));
		assert_int_equal(cache_error_is_gone(-errors[i]),
				 errors[i] == ENODEV || errors[i] == ENXIO);
	}
	read_error = 0;
	assert_int_equal(cache_read(&cache, &snapshot), 0);
	cache_close(&cache);
}

static void garbage_is_refused_and_quoted(void **state)
{
	static const char *const bad[] = {
		"",	  "\n",	   "12", "abc\n", "-1\n", " 1\n", "1 2\n", "18446744073709551616\n",
		"0x10\n", "1.5\n",
	};
	struct cache_snapshot snapshot;
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_write(dir, "hits", bad[i]);
		assert_int_equal(cache_read(&cache, &snapshot), -EBADMSG);
		assert_non_null(strstr(cache.error, "/hits: "));
	}
	fake_write(dir, "hits", "1\n");
	fake_write(dir, "reuse_bytes", "1 2 3\n");
	assert_int_equal(cache_read(&cache, &snapshot), -EBADMSG);
	assert_non_null(strstr(cache.error, "3 numbers, expected 43"));
	fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS + 1, 0, 0);
	assert_int_equal(cache_read(&cache, &snapshot), -EBADMSG);
	fake_histogram(dir, "reuse_bytes", BYTES_BUCKETS, 0, 0);
	fake_write(dir, "policy", "[random]\n");
	assert_int_equal(cache_read(&cache, &snapshot), -EBADMSG);
	cache_close(&cache);
}

static void put_bytes(const char *name, const char *bytes, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void what_is_no_text_is_refused(void **state)
{
	char blanks[2000] = "1";
	struct cache_snapshot snapshot;
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	put_bytes("hits", "12\0003\n", 5);
	assert_int_equal(cache_read(&cache, &snapshot), -EBADMSG);
	assert_non_null(strstr(cache.error, "/hits: contains a NUL byte"));
	memset(blanks + 1, ' ', sizeof(blanks) - 1);
	put_bytes("hits", blanks, sizeof(blanks));
	assert_int_equal(cache_read(&cache, &snapshot), -EMSGSIZE);
	assert_non_null(strstr(cache.error, "/hits: longer than"));
	cache_close(&cache);
}

static unsigned int open_files(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(fds);
	while (readdir(fds))
		count++;
	closedir(fds);
	return count;
}

static void nothing_stays_open(void **state)
{
	unsigned int before = open_files();
	char path[128];
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	assert_int_equal(cache_write_limit(&cache, CACHE_MAX_BYTES, 8 * MIB), 0);
	cache_close(&cache);
	assert_int_equal(open_files(), before);
	snprintf(path, sizeof(path), "%s/reuse_bytes", dir);
	unlink(path);
	assert_true(cache_open(&cache, "card0", dir) < 0);
	assert_int_equal(open_files(), before);
}

static void limits_are_written_as_numbers(void **state)
{
	struct cache_snapshot snapshot;
	struct cache cache;
	uint64_t value;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	assert_int_equal(cache_write_limit(&cache, CACHE_MAX_BYTES, 8 * MIB), 0);
	assert_int_equal(cache_write_limit(&cache, CACHE_MAX_ENTRIES, 7), 0);
	assert_int_equal(cache_read(&cache, &snapshot), 0);
	assert_int_equal(snapshot.max_bytes, 8 * MIB);
	assert_int_equal(snapshot.max_entries, 7);
	assert_int_equal(cache_read_limit(&cache, CACHE_MAX_ENTRIES, &value), 0);
	assert_int_equal(value, 7);
	cache_close(&cache);
}

static void a_limit_that_cannot_be_written_says_so(void **state)
{
	char path[128];
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	snprintf(path, sizeof(path), "%s/max_bytes", dir);
	unlink(path);
	/* Neither root nor anybody can write to a directory. */
	mkdir(path, 0755);
	assert_int_equal(cache_write_limit(&cache, CACHE_MAX_BYTES, 8 * MIB), -EISDIR);
	assert_non_null(strstr(cache.error, "max_bytes: opening it to write '8388608'"));
	rmdir(path);
	assert_int_equal(symlink("/dev/full", path), 0);
	assert_int_equal(cache_write_limit(&cache, CACHE_MAX_BYTES, 8 * MIB), -ENOSPC);
	assert_non_null(strstr(cache.error, "writing '8388608'"));
	cache_close(&cache);
}

static void limits_are_written_together_or_not_at_all(void **state)
{
	struct cache_limits limits = { 0 };
	char path[128];
	uint64_t value;
	struct cache cache;

	(void)state;
	limits.given[CACHE_MAX_BYTES] = limits.given[CACHE_IDLE_TIMEOUT_MS] = true;
	limits.values[CACHE_MAX_BYTES] = 64 * MIB;
	limits.values[CACHE_IDLE_TIMEOUT_MS] = 5000;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	/* It can be read, but not be opened to write. */
	snprintf(path, sizeof(path), "%s/idle_timeout_ms", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cache_write_limits(&cache, &limits), -ENOENT);
	assert_non_null(strstr(cache.error, "idle_timeout_ms: opening it to write '5000'"));
	assert_int_equal(cache_read_limit(&cache, CACHE_MAX_BYTES, &value), 0);
	assert_int_equal(value, 128 * MIB);

	limits.given[CACHE_IDLE_TIMEOUT_MS] = false;
	assert_int_equal(cache_write_limits(&cache, &limits), 0);
	assert_int_equal(cache_read_limit(&cache, CACHE_MAX_BYTES, &value), 0);
	assert_int_equal(value, 64 * MIB);
	assert_int_equal(cache_read_limit(&cache, CACHE_MAX_ENTRIES, &value), 0);
	assert_int_equal(value, 32);
	cache_close(&cache);
}

static void a_vanished_cache_is_gone(void **state)
{
	struct cache cache;

	(void)state;
	assert_int_equal(cache_open(&cache, "card0", dir), 0);
	fake_remove(dir);
	assert_true(cache_error_is_gone(cache_write_limit(&cache, CACHE_MAX_BYTES, 1)));
	assert_true(cache_error_is_gone(cache_trim(&cache, 0)));
	cache_close(&cache);
}

static void counters_that_went_back_are_noticed(void **state)
{
	struct cache_snapshot before = { .hits = 5, .idle_bytes = 9 }, after = before;

	(void)state;
	after.idle_bytes = 0;
	assert_false(cache_counters_went_back(&before, &after));
	after.hits = 4;
	assert_true(cache_counters_went_back(&before, &after));
	after = before;
	before.reuse.bytes[BYTES_BUCKETS - 1] = 1;
	assert_true(cache_counters_went_back(&before, &after));
}

static void sizes_parse_as_in_the_kernel(void **state)
{
	uint64_t bytes = 1;

	(void)state;
	assert_int_equal(units_parse_bytes("128M", &bytes), 0);
	assert_int_equal(bytes, 128 * MIB);
	assert_int_equal(units_parse_bytes("1g", &bytes), 0);
	assert_int_equal(bytes, GIB);
	assert_int_equal(units_parse_bytes("0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(units_parse_bytes("17179869184G", &bytes), -ERANGE);
	assert_int_equal(units_parse_bytes("", &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("M", &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("1MB", &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("1T", &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("-1", &bytes), -EINVAL);
	assert_int_equal(units_parse_bytes("1.5M", &bytes), -EINVAL);
	assert_int_equal(bytes, 0);
}

static void sizes_are_said_in_the_largest_unit(void **state)
{
	char text[UNITS_BYTES_TEXT];

	(void)state;
	assert_string_equal(units_format_bytes(text, KIB - 1), "1023 B");
	assert_string_equal(units_format_bytes(text, KIB), "1.0 KiB");
	assert_string_equal(units_format_bytes(text, MIB), "1.0 MiB");
	assert_string_equal(units_format_bytes(text, GIB), "1.0 GiB");
}

#define WITH_DIR(_test) cmocka_unit_test_setup_teardown(_test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(reads_everything),
		WITH_DIR(reads_in_pieces_are_put_together),
		cmocka_unit_test(a_missing_directory_is_named),
		WITH_DIR(a_missing_file_is_named_whichever_it_is),
		WITH_DIR(errors_leave_the_snapshot_alone),
		WITH_DIR(garbage_is_refused_and_quoted),
		WITH_DIR(what_is_no_text_is_refused),
		WITH_DIR(nothing_stays_open),
		WITH_DIR(limits_are_written_as_numbers),
		WITH_DIR(a_limit_that_cannot_be_written_says_so),
		WITH_DIR(limits_are_written_together_or_not_at_all),
		WITH_DIR(a_vanished_cache_is_gone),
		cmocka_unit_test(counters_that_went_back_are_noticed),
		cmocka_unit_test(sizes_parse_as_in_the_kernel),
		cmocka_unit_test(sizes_are_said_in_the_largest_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
