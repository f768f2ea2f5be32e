/* SPDX-License-Identifier: MIT */
/*
 * Programs that tests run: the service, a bus of its own for it, and clients on that bus.  Whatever
 * cannot be done fails the test, unless it says otherwise.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <sys/types.h>

#include <systemd/sd-bus.h>

/* In real time. */
void sleep_ms(unsigned int ms);

/*
 * Start a program that ends with the test; @out and @err become its output and its messages, unless
 * they are -1.
 */
pid_t spawn(char *const argv[], int out, int err);

/* End a program, also one that is stopped, and wait for it; none if @pid is 0. */
void end_program(pid_t pid, int signal);

/* Start @program as the service of the tree @root, where its configuration is as well. */
pid_t spawn_service(char *program, const char *root, const char *address, int err);

/* A bus with the policy of the system's: whoever is allowed to connect at all, of any user. */
struct bus_daemon {
	char address[128];
	pid_t pid;
};

/* Returns when it listens, at an address in @folder: the same each time. */
void start_bus(struct bus_daemon *bus, const char *folder);
void stop_bus(struct bus_daemon *bus, int signal);

/* For where no test can fail: negative error. */
int try_connect(const struct bus_daemon *bus, sd_bus **client);
sd_bus *connect_client(const struct bus_daemon *bus);

/* The holds that the service says there are. */
unsigned int hold_count(sd_bus *client);

#endif
