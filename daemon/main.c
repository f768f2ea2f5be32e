// SPDX-License-Identifier: MIT
/* scanoutd: sizes the cache of scanout mappings from what is flipped.  See scanoutd(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "log.h"
#include "manager.h"

static const char help[] =
	"usage: scanoutd [OPTION]...\n"
	"\n"
	"Sizes the cache of scanout mappings of msm display controllers.\n"
	"\n"
	"  -n, --dry-run          say what would be done, change nothing\n"
	"  -v, --verbose          log more\n"
	"      --config-root=DIR  look for etc/scanoutd.conf and others below DIR\n"
	"      --sysfs-root=DIR   use DIR/class/drm/cardN in place of /sys, without udev\n"
	"      --bus=ADDRESS      D-Bus address in place of the system's bus, or 'none'\n"
	"  -h, --help\n"
	"      --version\n";

enum { OPT_CONFIG_ROOT = 256, OPT_SYSFS_ROOT, OPT_BUS, OPT_VERSION };

/* Returns a number below 0 to go on, an exit status otherwise. */
static int parse_arguments(int argc, char **argv, struct manager_options *options)
{
	static const struct option longs[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ "config-root", required_argument, NULL, OPT_CONFIG_ROOT },
		{ "sysfs-root", required_argument, NULL, OPT_SYSFS_ROOT },
		{ "bus", required_argument, NULL, OPT_BUS },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "nvh", longs, NULL)) >= 0) {
		switch (option) {
		case 'n':
			options->dry_run = true;
			break;
		case 'v':
			log_set_level(LOG_DEBUG);
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case OPT_VERSION:
			puts("scanoutd " SCANOUTD_VERSION);
			return EXIT_SUCCESS;
		case OPT_CONFIG_ROOT:
			options->config_root = optarg;
			break;
		case OPT_SYSFS_ROOT:
			options->sysfs_root = optarg;
			/* That of this machine is not of those caches. */
			options->pressure_file = NULL;
			break;
		case OPT_BUS:
			options->bus_address = optarg;
			break;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "scanoutd: '%s': no arguments are accepted; try --help\n",
			argv[optind]);
		return 2;
	}
	return -1;
}

static int terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)info;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct timespec now;

	(void)source;
	(void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* With the time, so that a unit of Type=notify-reload may be used with systemd >= 253. */
	sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	manager_reload(userdata);
	sd_notify(false, "READY=1");
	return 0;
}

static int add_signals(sd_event *event, struct manager *manager)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Whoever reads stderr may go, as the journal does when it is restarted. */
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	ret = sd_event_add_signal(event, NULL, SIGTERM, terminate, NULL);
	if (ret >= 0)
		ret = sd_event_add_signal(event, NULL, SIGINT, terminate, NULL);
	if (ret >= 0)
		ret = sd_event_add_signal(event, NULL, SIGHUP, reload, manager);
	return ret;
}

int main(int argc, char **argv)
{
	struct manager_options options = {
		.config_root = "",
		.bus_address = "",
		.pressure_file = "/proc/pressure/memory",
	};
	static struct manager manager;
	sd_event *event = NULL;
	int ret = parse_arguments(argc, argv, &options);

	if (ret >= 0)
		return ret;

	ret = sd_event_default(&event);
	if (ret >= 0)
		ret = add_signals(event, &manager);
	if (ret < 0) {
		log_line(LOG_ERR, LOG_ERROR, NULL, "making an event loop: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
	ret = manager_start(&manager, event, &options);
	if (ret >= 0) {
		sd_notify(false, "READY=1");
		ret = sd_event_loop(event);
		if (ret < 0)
			log_line(LOG_ERR, LOG_ERROR, NULL, "event loop: %s", strerror(-ret));
	}
	sd_notify(false, "STOPPING=1");
	manager_stop(&manager);
	sd_event_unref(event);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
