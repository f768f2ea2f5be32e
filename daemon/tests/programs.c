// SPDX-License-Identifier: MIT
#include "cmocka_all.h"
#include "programs.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "bus.h"
#include "fake_sysfs.h"

void sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

pid_t spawn(char *const argv[], int out, int err)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (out >= 0)
		dup2(out, 1);
	if (err >= 0)
		dup2(err, 2);
	execvp(argv[0], argv);
	_exit(127);
}

void end_program(pid_t pid, int signal)
{
	if (pid <= 0)
		return;
	kill(pid, SIGCONT);
	kill(pid, signal);
	waitpid(pid, NULL, 0);
}

pid_t spawn_service(char *program, const char *root, const char *address, int err)
{
	char sysfs[128], config[128], bus[300];
	char *argv[] = { program, sysfs, config, bus, NULL };

	snprintf(sysfs, sizeof(sysfs), "--sysfs-root=%s", root);
	snprintf(config, sizeof(config), "--config-root=%s", root);
	snprintf(bus, sizeof(bus), "--bus=%s", address);
	return spawn(argv, -1, err);
}

void start_bus(struct bus_daemon *bus, const char *folder)
{
	char text[1024], option[192], byte;
	char *argv[] = { "dbus-daemon", option, "--nofork", "--print-address=1", NULL };
	int pipes[2];

	snprintf(bus->address, sizeof(bus->address), "unix:path=%s/bus", folder);
	snprintf(text, sizeof(text),
		 "<busconfig><type>system</type><listen>%s</listen>"
		 "<auth>EXTERNAL</auth><policy context='default'><allow user='*'/>"
		 "<allow own='*'/><allow send_type='method_call'/><allow send_type='signal'/>"
		 "<allow send_requested_reply='true' send_type='method_return'/>"
		 "<allow send_requested_reply='true' send_type='error'/>"
		 "<allow receive_type='method_call'/><allow receive_type='method_return'/>"
		 "<allow receive_type='error'/><allow receive_type='signal'/></policy>"
		 "</busconfig>",
		 bus->address);
	fake_write(folder, "bus.conf", text);
	snprintf(option, sizeof(option), "--config-file=%s/bus.conf", folder);
	/* A bus that was killed leaves its socket behind. */
	snprintf(text, sizeof(text), "%s/bus", folder);
	unlink(text);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	bus->pid = spawn(argv, pipes[1], -1);
	close(pipes[1]);
	/* It says so when it listens. */
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

void stop_bus(struct bus_daemon *bus, int signal)
{
	end_program(bus->pid, signal);
	bus->pid = 0;
}

int try_connect(const struct bus_daemon *bus, sd_bus **client)
{
	int ret = sd_bus_new(client);

	if (ret >= 0)
		ret = sd_bus_set_address(*client, bus->address);
	if (ret >= 0)
		ret = sd_bus_set_bus_client(*client, true);
	return ret < 0 ? ret : sd_bus_start(*client);
}

sd_bus *connect_client(const struct bus_daemon *bus)
{
	sd_bus *client = NULL;

	assert_true(try_connect(bus, &client) >= 0);
	return client;
}

unsigned int hold_count(sd_bus *client)
{
	unsigned int count = 0;
	sd_bus_message *reply = NULL;

	assert_true(sd_bus_get_property(client, BUS_NAME, BUS_PATH, BUS_MANAGER_INTERFACE, "Holds",
					NULL, &reply, "a(uutss)") >= 0);
	sd_bus_message_enter_container(reply, 'a', "(uutss)");
	while (sd_bus_message_skip(reply, "(uutss)") > 0)
		count++;
	sd_bus_message_unref(reply);
	return count;
}
