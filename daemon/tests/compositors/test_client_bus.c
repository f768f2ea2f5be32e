// SPDX-License-Identifier: MIT
#include "cmocka_all.h"
#include "test_client_bus.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "bus.h"

/*
 * The service, in its own process: no cmocka there
 */

static struct told_output *output_named(struct told *told, const char *name)
{
	struct told_output *output;

	for (unsigned int i = 0; i < told->output_count; i++)
		if (!strcmp(told->outputs[i].name, name))
			return &told->outputs[i];
	if (told->output_count == TOLD_OUTPUTS)
		return NULL;
	output = &told->outputs[told->output_count++];
	snprintf(output->name, sizeof(output->name), "%s", name);
	return output;
}

static int read_value(sd_bus_message *message, const char *key, struct told_output *now)
{
	uint64_t number;
	const char *text;
	int ret;

	if (!strcmp(key, "Event")) {
		ret = sd_bus_message_read(message, "v", "s", &text);
		if (ret > 0)
			snprintf(now->event, sizeof(now->event), "%s", text);
		return ret;
	}
	if (!strcmp(key, "RefreshMilliHertz"))
		return sd_bus_message_read(message, "v", "u", &now->refresh_mhz);
	if (!strcmp(key, "Planes"))
		return sd_bus_message_read(message, "v", "u", &now->planes);
	if (!strcmp(key, "Buffers"))
		return sd_bus_message_read(message, "v", "u", &now->buffers);
	if (!strcmp(key, "EventBuffers"))
		return sd_bus_message_read(message, "v", "u", &now->event_buffers);
	ret = sd_bus_message_read(message, "v", "t", &number);
	if (ret <= 0)
		return ret;
	if (!strcmp(key, "Flips"))
		now->flips = number;
	else if (!strcmp(key, "Missed"))
		now->missed = number;
	else if (!strcmp(key, "BufferBytes"))
		now->buffer_bytes = number;
	else if (!strcmp(key, "EventBytes"))
		now->event_bytes = number;
	else
		return -EBADMSG;
	return ret;
}

static int read_output(sd_bus_message *message, struct told *told)
{
	struct told_output now = { 0 }, *output;
	const char *name, *key;
	int ret = sd_bus_message_read(message, "s", &name);

	if (ret > 0)
		ret = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (ret < 0)
		return ret;
	while ((ret = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		ret = sd_bus_message_read(message, "s", &key);
		if (ret > 0)
			ret = read_value(message, key, &now);
		if (ret > 0)
			ret = sd_bus_message_exit_container(message);
		if (ret < 0)
			return ret;
	}
	if (ret >= 0)
		ret = sd_bus_message_exit_container(message);
	output = output_named(told, name);
	if (!output)
		return -ENOSPC;
	now.events = output->events + (now.event[0] && strcmp(now.event, output->event));
	now.flips += output->flips;
	now.missed += output->missed;
	now.reports = output->reports + 1;
	memcpy(now.name, output->name, sizeof(now.name));
	*output = now;
	return ret;
}

static int reported(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct told *told = userdata;
	unsigned int count = 0;
	int ret;

	snprintf(told->sender, sizeof(told->sender), "%s", sd_bus_message_get_sender(message));
	ret = sd_bus_message_enter_container(message, 'a', "(sa{sv})");
	while (ret >= 0 && (ret = sd_bus_message_enter_container(message, 'r', "sa{sv}")) > 0) {
		ret = read_output(message, told);
		if (ret >= 0)
			ret = sd_bus_message_exit_container(message);
		count++;
	}
	told->malformed += ret < 0;
	told->last_outputs = count;
	told->questions += sd_bus_message_get_expect_reply(message) > 0;
	told->reports++;
	if (told->mute)
		return 1;
	if (told->refuse)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "not you");
	return sd_bus_reply_method_return(message, "uu", count, 0);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Report", "a(sa{sv})", "uu", reported, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static void serve(const struct test_bus *test, int ready)
{
	sd_bus *bus = NULL;
	int ret = try_connect(&test->dbus, &bus);

	if (ret >= 0)
		ret = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, vtable,
					       test->told);
	if (ret >= 0)
		ret = sd_bus_request_name(bus, BUS_NAME, 0);
	if (ret < 0 || write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		ret = sd_bus_process(bus, NULL);
		if (!ret)
			ret = sd_bus_wait(bus, UINT64_MAX);
		if (ret < 0)
			_exit(0);
	}
}

/*
 * Life
 */

void test_service_start(struct test_bus *bus)
{
	int pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	bus->service_pid = fork();
	if (!bus->service_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(bus, pipes[1]);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
}

void test_service_kill(struct test_bus *bus)
{
	end_program(bus->service_pid, SIGKILL);
	bus->service_pid = 0;
}

void test_bus_restart(struct test_bus *bus)
{
	start_bus(&bus->dbus, bus->folder);
}

void test_bus_start(struct test_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
	strcpy(bus->folder, "/tmp/scanout-client-XXXXXX");
	assert_non_null(mkdtemp(bus->folder));
	bus->told = mmap(NULL, sizeof(*bus->told), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(bus->told, MAP_FAILED);
	test_bus_restart(bus);
}

void test_bus_kill(struct test_bus *bus)
{
	char path[128];

	stop_bus(&bus->dbus, SIGKILL);
	snprintf(path, sizeof(path), "%s/bus", bus->folder);
	unlink(path);
}

void test_bus_stop(struct test_bus *bus)
{
	char path[128];

	test_service_kill(bus);
	test_bus_kill(bus);
	snprintf(path, sizeof(path), "%s/bus.conf", bus->folder);
	unlink(path);
	rmdir(bus->folder);
	munmap(bus->told, sizeof(*bus->told));
}

const struct told_output *test_told(const struct test_bus *bus, const char *name)
{
	static const struct told_output nothing;

	for (unsigned int i = 0; i < bus->told->output_count; i++)
		if (!strcmp(bus->told->outputs[i].name, name))
			return &bus->told->outputs[i];
	return &nothing;
}
