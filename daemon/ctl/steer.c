// SPDX-License-Identifier: MIT
/* set, trim, resume, hold, list-holds: what changes something. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "ctl.h"
#include "json.h"
#include "units.h"

/* How long a person may be asked by polkit, and a little more. */
#define PERSON_US UINT64_C(310000000)

static int write_status(const struct cache *cache, int ret, const char *accepted)
{
	if (!ret)
		return CTL_OK;
	if (ret == -EINVAL || ret == -ERANGE)
		ctl_complain("%s; accepted is %s", cache->error, accepted);
	else
		ctl_complain("%s%s", cache->error,
			     ret == -EACCES || ret == -EPERM ? "; this needs root" : "");
	return CTL_FAILED;
}

int ctl_set(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const accepted[] = {
		[CACHE_MAX_BYTES] = "0 (off) to 1G",
		[CACHE_MAX_ENTRIES] = "0 (off) to 65536",
		[CACHE_IDLE_TIMEOUT_MS] = "0 (never) to 86400000",
		[CACHE_IMPORT_LINGER_MS] = "0 (not at all) to 60000",
	};
	struct cache cache;
	int status;

	if (argc < 2) {
		ctl_complain("set takes NAME=VALUE, as in max_bytes=64M");
		return CTL_USAGE;
	}
	status = ctl_open_cache(ctl, &cache);
	if (status)
		return status;
	for (int i = 1; i < argc && status == CTL_OK; i++) {
		const char *value = strchr(argv[i], '=');
		unsigned int limit = 0;
		uint64_t number;
		int ret;

		while (limit < 4 &&
		       (!value || strlen(cache_limit_name(limit)) != (size_t)(value - argv[i]) ||
			strncmp(cache_limit_name(limit), argv[i], (size_t)(value - argv[i]))))
			limit++;
		if (limit == 4) {
			ctl_complain("'%s': accepted are max_bytes=, max_entries=, "
				     "idle_timeout_ms= and import_linger_ms=",
				     argv[i]);
			status = CTL_USAGE;
			break;
		}
		ret = limit == CACHE_MAX_BYTES ? units_parse_bytes(value + 1, &number) :
						 units_parse_number(value + 1, &number);
		if (ret) {
			ctl_complain("'%s': accepted is %s", argv[i], accepted[limit]);
			status = CTL_USAGE;
			break;
		}
		status = write_status(&cache, cache_write_limit(&cache, limit, number),
				      accepted[limit]);
	}
	cache_close(&cache);
	return status;
}

int ctl_trim(const struct ctl *ctl, int argc, char **argv)
{
	uint64_t bytes = 0;
	struct cache cache;
	int status;

	if (argc > 2 || (argc == 2 && units_parse_bytes(argv[1], &bytes))) {
		ctl_complain("trim takes one size, with an optional suffix K, M or G");
		return CTL_USAGE;
	}
	status = ctl_open_cache(ctl, &cache);
	if (status)
		return status;
	status = write_status(&cache, cache_trim(&cache, bytes), "a size");
	cache_close(&cache);
	return status;
}

static int call_failed(const char *what, sd_bus_error *error, int ret)
{
	ctl_complain("%s: %s", what, error->message ? error->message : strerror(-ret));
	sd_bus_error_free(error);
	return CTL_FAILED;
}

int ctl_resume(const struct ctl *ctl, int argc, char **argv)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int ret, status;
	sd_bus *bus;

	(void)argv;
	if (argc > 1) {
		ctl_complain("resume takes no argument; choose with --cache=");
		return CTL_USAGE;
	}
	status = ctl_connect(ctl, false, &bus);
	if (status)
		return status;
	ret = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Resume", &error,
				 NULL, "s", ctl->cache_name ? ctl->cache_name : "");
	if (ret < 0)
		status = call_failed("resume", &error, ret);
	sd_bus_flush_close_unref(bus);
	return status;
}

/* Run it, and end as it ends. */
static int run(char **argv)
{
	int status;
	pid_t pid;

	/* Both get what the terminal sends; the hold must outlast the command. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	pid = fork();
	if (pid < 0) {
		ctl_complain("fork: %s", strerror(errno));
		return CTL_FAILED;
	}
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		execvp(argv[0], argv);
		ctl_complain("%s: %s", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ctl_hold(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ "min-bytes", required_argument, NULL, 'm' },
		{ 0 },
	};
	sd_bus_error error = SD_BUS_ERROR_NULL;
	uint64_t min_bytes = 128 * MIB;
	const char *reason = NULL;
	int option, ret, status;
	sd_bus *bus;

	while ((option = getopt_long(argc, argv, "+", longs, NULL)) >= 0) {
		if (option == 'r') {
			reason = optarg;
		} else if (option != 'm') {
			return CTL_USAGE;
		} else if (units_parse_bytes(optarg, &min_bytes)) {
			ctl_complain("--min-bytes=%s: accepted is a size, with an optional suffix "
				     "K, M or G",
				     optarg);
			return CTL_USAGE;
		}
	}
	if (!reason || optind >= argc) {
		ctl_complain("hold takes --reason=REASON, and a command after '--'");
		return CTL_USAGE;
	}
	status = ctl_connect(ctl, false, &bus);
	if (status)
		return status;
	sd_bus_set_allow_interactive_authorization(bus, isatty(STDIN_FILENO));
	sd_bus_set_method_call_timeout(bus, PERSON_US);
	ret = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Hold", &error,
				 NULL, "ts", min_bytes, reason);
	/* The hold goes with the connection. */
	status = ret < 0 ? call_failed("hold", &error, ret) : run(argv + optind);
	sd_bus_flush_close_unref(bus);
	return status;
}

int ctl_list_holds(const struct ctl *ctl, int argc, char **argv)
{
	struct json json = { .pretty = ctl->json == JSON_PRETTY };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *reason, *owner;
	uint32_t cookie, uid;
	uint64_t min_bytes;
	unsigned int count = 0;
	int ret, status;
	sd_bus *bus;

	(void)argv;
	if (argc > 1) {
		ctl_complain("list-holds takes no argument");
		return CTL_USAGE;
	}
	status = ctl_connect(ctl, false, &bus);
	if (status)
		return status;
	ret = sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Holds", &error,
				  &reply, "a(uutss)");
	if (ret >= 0)
		ret = sd_bus_message_enter_container(reply, 'a', "(uutss)");
	if (ret >= 0 && ctl->json)
		json_open(&json, NULL, '[');
	while (ret >= 0 && (ret = sd_bus_message_read(reply, "(uutss)", &cookie, &uid, &min_bytes,
						      &reason, &owner)) > 0) {
		char text[UNITS_BYTES_TEXT];

		if (ctl->json) {
			json_open(&json, NULL, '{');
			json_number(&json, "cookie", cookie);
			json_number(&json, "uid", uid);
			json_number(&json, "min_bytes", min_bytes);
			json_text(&json, "reason", reason);
			json_text(&json, "owner", owner);
			json_close(&json, '}');
			continue;
		}
		if (!count++)
			printf("%8s %8s %12s  %-10s %s\n", "COOKIE", "USER", "AT LEAST", "OWNER",
			       "REASON");
		printf("%8u %8u %12s  %-10s %s\n", cookie, uid, units_format_bytes(text, min_bytes),
		       owner, reason);
	}
	if (ctl->json && ret >= 0) {
		json_close(&json, ']');
		json_end(&json);
	}
	if (ret < 0)
		call_failed("list-holds", &error, ret);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return ret < 0 ? CTL_FAILED : CTL_OK;
}
