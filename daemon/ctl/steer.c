// SPDX-License-Identifier: MIT
/* set, trim, resume, hold, list-holds: what changes something. */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "claims.h"
#include "ctl.h"
#include "json.h"
#include "text.h"
#include "units.h"

/* How long a person may be asked by polkit, and a little more; and polkit alone. */
#define PERSON_US UINT64_C(310000000)
#define POLKIT_US UINT64_C(30000000)

static int call_failed(const char *what, sd_bus_error *error, int ret)
{
	ctl_complain("%s: %s", what, error->message ? error->message : strerror(-ret));
	sd_bus_error_free(error);
	return CTL_FAILED;
}

static int new_call(sd_bus *bus, const char *method, sd_bus_message **call)
{
	return sd_bus_message_new_method_call(bus, call, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE,
					      method);
}

/*
 * Make a call that polkit may ask the person at the terminal about.  Takes over @call; @ret is what
 * came of making it.
 */
static int finish_call(sd_bus *bus, const char *what, sd_bus_message *call, int ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	bool person = isatty(STDIN_FILENO);
	int status = CTL_OK;

	if (ret >= 0)
		ret = sd_bus_message_set_allow_interactive_authorization(call, person);
	if (ret >= 0)
		ret = sd_bus_call(bus, call, person ? PERSON_US : POLKIT_US, &error, NULL);
	if (ret < 0)
		status = call_failed(what, &error, ret);
	sd_bus_message_unref(call);
	return status;
}

/*
 * May this user write the files himself?  If not, the service is asked to.  True also without any
 * file, about which there is more to say than that.
 */
static bool may_write(const struct ctl *ctl)
{
	char pattern[PATH_MAX];
	bool may = true;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/class/drm/%s/device/scanout_cache/max_bytes",
		 ctl->sysfs_root, ctl->cache_name ? ctl->cache_name : "card[0-9]*");
	if (glob(pattern, 0, NULL, &found))
		return true;
	for (size_t i = 0; i < found.gl_pathc; i++)
		may = may && (!access(found.gl_pathv[i], W_OK) || errno != EACCES);
	globfree(&found);
	return may;
}

static int write_status(const struct cache *cache, int ret)
{
	if (ret)
		ctl_complain("%s%s", cache->error,
			     ret == -EACCES || ret == -EPERM ? "; this needs root" : "");
	return ret ? CTL_FAILED : CTL_OK;
}

/* "max_bytes=64M" */
static int parse_limit(const char *text, struct cache_limits *limits)
{
	const char *value = strchr(text, '=');
	enum cache_limit limit;
	char name[32];
	int ret;

	snprintf(name, sizeof(name), "%.*s", value ? (int)(value - text) : 0, text);
	limit = cache_limit_find(name);
	if (limit == CACHE_LIMITS) {
		ctl_complain("'%s': accepted are NAME=VALUE with " CACHE_LIMIT_NAMES, text);
		return CTL_USAGE;
	}
	ret = limit == CACHE_MAX_BYTES ? units_parse_bytes(value + 1, &limits->values[limit]) :
					 units_parse_number(value + 1, &limits->values[limit]);
	if (ret || !cache_limit_in_range(limit, limits->values[limit])) {
		ctl_complain("'%s': accepted is %s", text, cache_limit_range(limit));
		return CTL_USAGE;
	}
	limits->given[limit] = true;
	return CTL_OK;
}

static int set_through_service(const struct ctl *ctl, const struct cache_limits *limits)
{
	sd_bus_message *call = NULL;
	sd_bus *bus;
	int status = ctl_connect(ctl, false, &bus), ret;

	if (status)
		return status;
	ret = new_call(bus, "SetLimits", &call);
	if (ret >= 0)
		ret = sd_bus_message_append(call, "s", ctl->cache_name ? ctl->cache_name : "");
	if (ret >= 0)
		ret = sd_bus_message_open_container(call, 'a', "{st}");
	for (unsigned int i = 0; i < CACHE_LIMITS && ret >= 0; i++)
		if (limits->given[i])
			ret = sd_bus_message_append(call, "{st}", cache_limit_name(i),
						    limits->values[i]);
	if (ret >= 0)
		ret = sd_bus_message_close_container(call);
	status = finish_call(bus, "set", call, ret);
	sd_bus_flush_close_unref(bus);
	return status;
}

int ctl_set(const struct ctl *ctl, int argc, char **argv)
{
	struct cache_limits limits = { 0 };
	struct cache cache;
	int status = CTL_OK;

	if (argc < 2) {
		ctl_complain("set takes NAME=VALUE, as in max_bytes=64M");
		return CTL_USAGE;
	}
	for (int i = 1; i < argc && !status; i++)
		status = parse_limit(argv[i], &limits);
	if (status)
		return status;
	if (!may_write(ctl))
		return set_through_service(ctl, &limits);
	status = ctl_open_cache(ctl, &cache);
	if (status)
		return status;
	status = write_status(&cache, cache_write_limits(&cache, &limits));
	cache_close(&cache);
	return status;
}

static int trim_through_service(const struct ctl *ctl, uint64_t bytes)
{
	sd_bus_message *call = NULL;
	sd_bus *bus;
	int status = ctl_connect(ctl, false, &bus), ret;

	if (status)
		return status;
	ret = new_call(bus, "Trim", &call);
	if (ret >= 0)
		ret = sd_bus_message_append(call, "st", ctl->cache_name ? ctl->cache_name : "",
					    bytes);
	status = finish_call(bus, "trim", call, ret);
	sd_bus_flush_close_unref(bus);
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
	if (!may_write(ctl))
		return trim_through_service(ctl, bytes);
	status = ctl_open_cache(ctl, &cache);
	if (status)
		return status;
	status = write_status(&cache, cache_trim(&cache, bytes));
	cache_close(&cache);
	return status;
}

int ctl_resume(const struct ctl *ctl, int argc, char **argv)
{
	sd_bus_message *call = NULL;
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
	ret = new_call(bus, "Resume", &call);
	if (ret >= 0)
		ret = sd_bus_message_append(call, "s", ctl->cache_name ? ctl->cache_name : "");
	status = finish_call(bus, "resume", call, ret);
	sd_bus_flush_close_unref(bus);
	return status;
}

/*
 * hold
 */

/* Signals that end or tell something to a command: those that only this process got are for it. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM };

#define FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

/* A command that runs while the cache is held, and the hold. */
struct holder {
	sd_bus *bus;
	sd_event *event;
	uint64_t min_bytes;
	const char *reason;
	pid_t pid;
};

static int new_hold(const struct holder *holder, sd_bus_message **call)
{
	int ret = new_call(holder->bus, "Hold", call);

	return ret < 0 ? ret :
			 sd_bus_message_append(*call, "ts", holder->min_bytes, holder->reason);
}

static int held_again(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *refusal = sd_bus_message_get_error(reply);

	(void)userdata, (void)error;
	if (refusal)
		ctl_complain("scanoutd is back, but nothing is held: %s", refusal->message);
	else
		ctl_complain("scanoutd is back, and the cache is held again");
	return 0;
}

/* scanoutd forgets holds when it ends: nobody else may have them by mistake. */
static int owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const struct holder *holder = userdata;
	const char *name, *before, *now;
	sd_bus_message *call = NULL;
	int ret = sd_bus_message_read(message, "sss", &name, &before, &now);

	(void)error;
	if (ret < 0)
		return 0;
	if (!now[0]) {
		ctl_complain("scanoutd ended: nothing is held until it is back");
		return 0;
	}
	ret = new_hold(holder, &call);
	if (ret >= 0)
		ret = sd_bus_message_set_allow_interactive_authorization(call,
									 isatty(STDIN_FILENO));
	if (ret >= 0)
		ret = sd_bus_call_async(holder->bus, NULL, call, held_again, NULL, PERSON_US);
	sd_bus_message_unref(call);
	if (ret < 0)
		ctl_complain("scanoutd is back, but nothing is held: %s", strerror(-ret));
	return 0;
}

static int bus_went(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)message, (void)userdata, (void)error;
	ctl_complain("the bus went away: nothing is held any more");
	return 0;
}

/* Before anything is held, so that no end of it is missed. */
static int watch_service(struct holder *holder)
{
	int ret = sd_bus_add_match(holder->bus, NULL,
				   "type='signal',sender='org.freedesktop.DBus',"
				   "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
				   "member='NameOwnerChanged',arg0='" BUS_NAME "'",
				   owner_changed, holder);

	return ret < 0 ? ret :
			 sd_bus_match_signal(holder->bus, NULL, "org.freedesktop.DBus.Local",
					     "/org/freedesktop/DBus/Local",
					     "org.freedesktop.DBus.Local", "Disconnected", bus_went,
					     holder);
}

static int forward(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	const struct holder *holder = userdata;

	(void)source;
	/* What the terminal sends, the command gets as well. */
	if (info->ssi_code != SI_KERNEL)
		kill(holder->pid, (int)info->ssi_signo);
	return 0;
}

static int command_ended(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	const struct holder *holder = userdata;

	(void)source;
	return sd_event_exit(holder->event,
			     info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status);
}

/* Run it, look after the hold meanwhile, and end as it ends. */
static int run(struct holder *holder, char **argv)
{
	sigset_t set, before;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (unsigned int i = 0; i < FORWARDED; i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	holder->pid = fork();
	if (holder->pid < 0) {
		ctl_complain("fork: %s", strerror(errno));
		return CTL_FAILED;
	}
	if (!holder->pid) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		execvp(argv[0], argv);
		ret = errno;
		ctl_complain("%s: %s", argv[0], strerror(ret));
		_exit(ret == ENOENT ? 127 : 126);
	}

	ret = sd_event_new(&holder->event);
	for (unsigned int i = 0; i < FORWARDED && ret >= 0; i++)
		ret = sd_event_add_signal(holder->event, NULL, forwarded[i], forward, holder);
	if (ret >= 0)
		ret = sd_event_add_child(holder->event, NULL, holder->pid, WEXITED, command_ended,
					 holder);
	if (ret >= 0)
		ret = sd_bus_attach_event(holder->bus, holder->event, SD_EVENT_PRIORITY_NORMAL);
	if (ret >= 0)
		ret = sd_event_loop(holder->event);
	if (ret < 0) {
		ctl_complain("waiting for %s: %s", argv[0], strerror(-ret));
		ret = CTL_FAILED;
	}
	sd_bus_detach_event(holder->bus);
	sd_event_unref(holder->event);
	return ret;
}

int ctl_hold(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ "min-bytes", required_argument, NULL, 'm' },
		{ 0 },
	};
	struct holder holder = { .min_bytes = 128 * MIB };
	sd_bus_message *call = NULL;
	int option, ret, status;

	while ((option = getopt_long(argc, argv, "+", longs, NULL)) >= 0) {
		if (option == 'r') {
			holder.reason = optarg;
		} else if (option != 'm') {
			return CTL_USAGE;
		} else if (units_parse_bytes(optarg, &holder.min_bytes)) {
			ctl_complain("--min-bytes=%s: accepted is a size, with an optional suffix "
				     "K, M or G",
				     optarg);
			return CTL_USAGE;
		}
	}
	if (!holder.reason || optind >= argc) {
		ctl_complain("hold takes --reason=REASON, and a command after '--'");
		return CTL_USAGE;
	}
	status = ctl_connect(ctl, false, &holder.bus);
	if (status)
		return status;
	ret = watch_service(&holder);
	if (ret >= 0)
		ret = new_hold(&holder, &call);
	status = finish_call(holder.bus, "hold", call, ret);
	/* The hold goes with the connection. */
	if (!status)
		status = run(&holder, argv + optind);
	sd_bus_flush_close_unref(holder.bus);
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
		char text[UNITS_BYTES_TEXT], who[64], why[CLAIMS_REASON];

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
		text_printable(who, sizeof(who), owner);
		text_printable(why, sizeof(why), reason);
		printf("%8u %8u %12s  %-10s %s\n", cookie, uid, units_format_bytes(text, min_bytes),
		       who, why);
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
