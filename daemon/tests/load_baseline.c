// SPDX-License-Identifier: MIT
/*
 * What a service of libc and libsystemd takes before it does anything: a loop, signals, a timer, a
 * connection to the bus with a name.  To compare the memory of scanoutd with.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

static int tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	(void)userdata;
	sd_event_source_set_time_relative(source, 1000000);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int main(int argc, char **argv)
{
	sd_event_source *timer = NULL;
	sd_event *event = NULL;
	sd_bus *bus = NULL;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (argc != 2 || sigprocmask(SIG_BLOCK, &set, NULL) || sd_event_default(&event) < 0 ||
	    sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0 ||
	    sd_event_add_time_relative(event, &timer, CLOCK_MONOTONIC, 0, 10000, tick, NULL) < 0 ||
	    sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, argv[1]) < 0 ||
	    sd_bus_set_bus_client(bus, true) < 0 || sd_bus_start(bus) < 0 ||
	    sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL) < 0 ||
	    sd_bus_request_name(bus, "org.msmscanout.LoadBaseline", 0) < 0)
		return EXIT_FAILURE;
	sd_notify(false, "READY=1");
	return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
