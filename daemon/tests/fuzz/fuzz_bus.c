// SPDX-License-Identifier: MIT
/*
 * Messages as they come over the wire, to the service's own interfaces with a cache behind them:
 * whatever is in them, and whatever polkit answers, the limits stay within the configured range.
 *
 * The service's end of the connection is real, the other end is made of the fuzzer's bytes: each
 * record is a byte that says what it is and who sends it, a byte with the length, and a body.
 */
#include "../../bus.c"

#include <fcntl.h>
#include <sys/socket.h>

#include "../fake_sysfs.h"
#include "fuzz.h"

#define MOST_RECORDS 64

enum record {
	RECORD_REPORT,
	RECORD_HOLD,
	RECORD_RELEASE,
	RECORD_RESUME,
	RECORD_PROPERTY,
	RECORD_ANSWER,	/* of polkit or the bus, to the oldest question */
	RECORD_GONE,	/* the sender leaves the bus */
	RECORD_FIGURES, /* what the kernel says changes */
	RECORDS,
};

/* Root, one who has to ask polkit, one at the machine, one whom the bus is asked about. */
static const struct {
	const char *name;
	uid_t uid;
} senders[] = { { ":1.1", 0 }, { ":1.2", 1000 }, { ":1.3", 1001 }, { ":1.4", (uid_t)-1 } };

#define SENDERS (sizeof(senders) / sizeof(senders[0]))

static struct manager manager;
static struct bus service;
static char root[128], cache_dir[256];
static int wire = -1;
/* Serial numbers of the service's calls, to polkit and the bus, that are not answered yet. */
#define MOST_QUESTIONS 128
static uint32_t questions[MOST_QUESTIONS];
static unsigned int question_count;
/* The error that is the answer under way, if it is one. */
static const char *answer_error;

/* Who sits at the machine; and what must not happen because an answer is an error. */
int __wrap_sd_uid_get_seats(uid_t uid, int require_active, char ***seats);
int __wrap_manager_resume(struct manager *manager, const char *name);
int __real_manager_resume(struct manager *manager, const char *name);
int64_t __wrap_claims_hold(struct claims *claims, const struct config *config, const char *owner,
			   uid_t uid, uint64_t min_bytes, const char *reason);
int64_t __real_claims_hold(struct claims *claims, const struct config *config, const char *owner,
			   uid_t uid, uint64_t min_bytes, const char *reason);

int __wrap_sd_uid_get_seats(uid_t uid, int require_active, char ***seats)
{
	(void)require_active, (void)seats;
	return uid == 1001;
}

int __wrap_manager_resume(struct manager *of, const char *name)
{
	FUZZ_REQUIRE(!answer_error, "resumed because of %s", answer_error);
	return __real_manager_resume(of, name);
}

int64_t __wrap_claims_hold(struct claims *claims, const struct config *config, const char *owner,
			   uid_t uid, uint64_t min_bytes, const char *reason)
{
	FUZZ_REQUIRE(!answer_error || !strcmp(answer_error, SD_BUS_ERROR_SERVICE_UNKNOWN),
		     "a hold was granted because of %s", answer_error);
	return __real_claims_hold(claims, config, owner, uid, min_bytes, reason);
}

/*
 * The wire
 */

struct packet {
	uint8_t bytes[4096];
	size_t size;
};

static void pad(struct packet *packet, size_t alignment)
{
	while (packet->size % alignment)
		packet->bytes[packet->size++] = 0;
}

static void put_u32(struct packet *packet, uint32_t number)
{
	pad(packet, 4);
	memcpy(packet->bytes + packet->size, &number, 4);
	packet->size += 4;
}

static void put_field(struct packet *packet, uint8_t code, char type, const char *text)
{
	pad(packet, 8);
	packet->bytes[packet->size++] = code;
	packet->bytes[packet->size++] = 1;
	packet->bytes[packet->size++] = (uint8_t)type;
	packet->bytes[packet->size++] = 0;
	if (type == 'g')
		packet->bytes[packet->size++] = (uint8_t)strlen(text);
	else
		put_u32(packet, (uint32_t)strlen(text));
	memcpy(packet->bytes + packet->size, text, strlen(text) + 1);
	packet->size += strlen(text) + 1;
}

/* A message's header, of the machine's own byte order; see the D-Bus specification. */
static void begin_packet(struct packet *packet, uint8_t type, size_t body_size)
{
	static uint32_t serial;

	memset(packet, 0, sizeof(*packet));
	packet->bytes[0] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';
	packet->bytes[1] = type;
	packet->bytes[3] = 1;
	packet->size = 4;
	put_u32(packet, (uint32_t)body_size);
	put_u32(packet, ++serial ? serial : ++serial);
	put_u32(packet, 0); /* size of the fields, when it is known */
}

static void finish_packet(struct packet *packet, const uint8_t *body, size_t body_size)
{
	uint32_t fields = (uint32_t)packet->size - 16;

	memcpy(packet->bytes + 12, &fields, 4);
	pad(packet, 8);
	memcpy(packet->bytes + packet->size, body, body_size);
	packet->size += body_size;
}

static void connect_service(void)
{
	char hello[128], uid[32], hex[64] = "";
	int fds[2];

	if (wire >= 0)
		close(wire);
	service.bus = sd_bus_close_unref(service.bus);
	question_count = 0;
	FUZZ_REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		     "socketpair()");
	wire = fds[1];
	FUZZ_REQUIRE(sd_bus_new(&service.bus) >= 0, "sd_bus_new()");
	FUZZ_REQUIRE(sd_bus_set_fd(service.bus, fds[0], fds[0]) >= 0, "fd");
	FUZZ_REQUIRE(sd_bus_set_server(service.bus, true,
				       SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f,
						     0)) >= 0,
		     "server");
	FUZZ_REQUIRE(sd_bus_start(service.bus) >= 0, "start");
	FUZZ_REQUIRE(offer_objects(&service) >= 0, "objects");

	snprintf(uid, sizeof(uid), "%u", (unsigned int)getuid());
	for (size_t i = 0; uid[i]; i++)
		snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", (unsigned int)uid[i]);
	snprintf(hello, sizeof(hello), "AUTH EXTERNAL %s\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n", hex);
	FUZZ_REQUIRE(write(wire, "", 1) == 1, "write()");
	FUZZ_REQUIRE(write(wire, hello, strlen(hello)) == (ssize_t)strlen(hello), "write()");
}

/* Take what the service sent off the wire, and remember what it asks. */
static void drain(void)
{
	static uint8_t bytes[1 << 20];
	size_t used = 0;
	ssize_t length;

	while (used < sizeof(bytes) &&
	       (length = read(wire, bytes + used, sizeof(bytes) - used)) > 0)
		used += (size_t)length;
	for (size_t at = 0; at + 16 <= used;) {
		uint32_t body, serial, fields;

		if (bytes[at] != 'l' && bytes[at] != 'B') {
			at++; /* of the greeting */
			continue;
		}
		memcpy(&body, bytes + at + 4, 4);
		memcpy(&serial, bytes + at + 8, 4);
		memcpy(&fields, bytes + at + 12, 4);
		if (bytes[at + 1] == SD_BUS_MESSAGE_METHOD_CALL && question_count < MOST_QUESTIONS)
			questions[question_count++] = serial;
		at += 16 + ((size_t)fields + 7) / 8 * 8 + body;
	}
}

static void deliver(const struct packet *packet)
{
	ssize_t sent = write(wire, packet->bytes, packet->size);
	int ret;

	do
		ret = sd_bus_process(service.bus, NULL);
	while (ret > 0);
	drain();
	if (ret < 0 || sent != (ssize_t)packet->size || sd_bus_is_open(service.bus) <= 0)
		connect_service();
}

/*
 * Records
 */

static void send_call(const char *path, const char *interface, const char *member,
		      const char *signature, const char *sender, const uint8_t *body, size_t size)
{
	struct packet packet;

	begin_packet(&packet, SD_BUS_MESSAGE_METHOD_CALL, size);
	put_field(&packet, 1, 'o', path);
	put_field(&packet, 2, 's', interface);
	put_field(&packet, 3, 's', member);
	put_field(&packet, 7, 's', sender);
	if (signature[0])
		put_field(&packet, 8, 'g', signature);
	finish_packet(&packet, body, size);
	deliver(&packet);
}

static void send_answer(const uint8_t *body, size_t size)
{
	/* Of polkit, of who calls, of whether somebody is there; and one nobody expects. */
	static const char *const signatures[] = { "(bba{ss})", "u", "s", "v" };
	bool is_error = size && body[0] & 0x80;
	struct packet packet;

	if (!question_count)
		return;
	begin_packet(&packet, is_error ? SD_BUS_MESSAGE_METHOD_ERROR : SD_BUS_MESSAGE_METHOD_RETURN,
		     is_error ? 0 : size);
	pad(&packet, 8);
	memcpy(packet.bytes + packet.size, (const uint8_t[]){ 5, 1, 'u', 0 }, 4);
	packet.size += 4;
	put_u32(&packet, questions[0]);
	memmove(questions, questions + 1, sizeof(questions) - sizeof(questions[0]));
	question_count--;
	answer_error = !is_error   ? NULL :
		       body[0] & 1 ? SD_BUS_ERROR_SERVICE_UNKNOWN :
				     SD_BUS_ERROR_NO_REPLY;
	if (is_error)
		put_field(&packet, 4, 's', answer_error);
	else
		put_field(&packet, 8, 'g', signatures[size ? body[0] / 16 % 4 : 0]);
	finish_packet(&packet, body, is_error ? 0 : size);
	deliver(&packet);
	answer_error = NULL;
}

static void send_property(const char *sender, const uint8_t *body, size_t size)
{
	static const char *const interfaces[] = { "org.freedesktop.DBus.Properties",
						  "org.freedesktop.DBus.Introspectable",
						  BUS_MANAGER_INTERFACE, BUS_CACHE_INTERFACE };
	static const char *const members[] = { "Get", "GetAll", "Set", "Introspect", "Report" };
	static const char *const signatures[] = { "ss", "s", "ssv", "", "a(sa{sv})", "ts" };
	static const char *const paths[] = { BUS_PATH, BUS_CACHES_PATH, BUS_CACHES_PATH "/card0",
					     BUS_CACHES_PATH "/card1", "/" };
	struct fuzz_input input = { body, size };
	uint8_t which = fuzz_byte(&input), what = fuzz_byte(&input);

	send_call(paths[which % 5], interfaces[which / 8 % 4], members[what % 5],
		  signatures[what / 8 % 6], sender, input.data, input.size);
}

/* The kernel's figures: any number in any of them but the limits, which are not its own. */
static void change_figures(const uint8_t *body, size_t size)
{
	static const char *const names[] = { "active_bytes", "active_entries", "idle_bytes",
					     "idle_entries", "flips" };
	struct fuzz_input input = { body, size };
	unsigned int which = fuzz_byte(&input) % 7;
	char text[32];

	if (which == 5) {
		fake_histogram(cache_dir, "reuse_bytes", BYTES_BUCKETS,
			       fuzz_byte(&input) % BYTES_BUCKETS,
			       (unsigned int)fuzz_number(&input));
		return;
	}
	if (which == 6) {
		fake_histogram(cache_dir, "reuse_depth", DEPTH_BUCKETS,
			       fuzz_byte(&input) % DEPTH_BUCKETS,
			       (unsigned int)fuzz_number(&input));
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "\n", fuzz_number(&input));
	fake_write(cache_dir, names[which], text);
}

static void leave(const char *sender)
{
	char name[CLAIMS_NAME];

	/* It may be the owner's own. */
	snprintf(name, sizeof(name), "%s", sender);
	for (struct owner *owner = service.owners.first; owner; owner = owner->next) {
		if (strcmp(owner->name, name))
			continue;
		owner_gone(owner);
		FUZZ_REQUIRE(!claims_has(&manager.claims, name), "claims of one who left");
		return;
	}
	FUZZ_REQUIRE(!claims_has(&manager.claims, name), "claims nobody watches");
}

static void play(enum record record, const char *sender, const uint8_t *body, size_t size)
{
	switch (record) {
	case RECORD_REPORT:
		send_call(BUS_PATH, BUS_MANAGER_INTERFACE, "Report", "a(sa{sv})", sender, body,
			  size);
		return;
	case RECORD_HOLD:
		send_call(BUS_PATH, BUS_MANAGER_INTERFACE, "Hold", "ts", sender, body, size);
		return;
	case RECORD_RELEASE:
		send_call(BUS_PATH, BUS_MANAGER_INTERFACE, "ReleaseHold", "u", sender, body, size);
		return;
	case RECORD_RESUME:
		send_call(BUS_PATH, BUS_MANAGER_INTERFACE, "Resume", "s", sender, body, size);
		return;
	case RECORD_PROPERTY:
		send_property(sender, body, size);
		return;
	case RECORD_ANSWER:
		send_answer(body, size);
		return;
	case RECORD_GONE:
		leave(sender);
		return;
	case RECORD_FIGURES:
	case RECORDS:
		change_figures(body, size);
		return;
	}
}

/*
 * The service
 */

static uint64_t limit(const char *name)
{
	char path[512], text[32] = "";
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cache_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0, "%s", path);
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	FUZZ_REQUIRE(length > 1 && text[length - 1] == '\n', "%s is '%s'", name, text);
	return strtoull(text, NULL, 10);
}

static void check_limits(void)
{
	const struct tuner_params *range = &manager.config.tuner;
	uint64_t bytes = limit("max_bytes"), entries = limit("max_entries");

	FUZZ_REQUIRE(bytes >= range->min_bytes && bytes <= range->max_bytes, "max_bytes=%" PRIu64,
		     bytes);
	FUZZ_REQUIRE(entries <= range->max_entries, "max_entries=%" PRIu64, entries);
	FUZZ_REQUIRE(manager.caches && manager.caches->state != MANAGED_FAILED, "state");
}

static void make_service(void)
{
	struct manager_options options = { .config_root = root,
					   .sysfs_root = root,
					   .bus_address = "none" };
	static const char *const folders[] = { "/class", "/class/drm", "/class/drm/card0",
					       "/class/drm/card0/device",
					       "/class/drm/card0/device/scanout_cache" };
	const char *tmp = getenv("TMPDIR");
	sd_event *event;

	snprintf(root, sizeof(root), "%s/fuzz-bus-XXXXXX", tmp ? tmp : "/tmp");
	FUZZ_REQUIRE(mkdtemp(root), "%s", root);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(cache_dir, sizeof(cache_dir), "%s%s", root, folders[i]);
		FUZZ_REQUIRE(!mkdir(cache_dir, 0700), "%s", cache_dir);
	}
	fake_fill(cache_dir);
	log_set_level(-1);
	FUZZ_REQUIRE(sd_event_default(&event) >= 0, "event loop");
	FUZZ_REQUIRE(!manager_start(&manager, event, &options), "manager_start()");
	FUZZ_REQUIRE(manager.caches, "no cache in %s", cache_dir);
	manager.config.calls_per_second = 1000;
	manager.config.calls_burst = 1000;
	init(&service, &manager);
	manager.bus = &service;
	connect_service();
}

/* As it was, but for what it costs to make. */
static void reset(void)
{
	struct managed *managed = manager.caches;
	bool is_new;

	authority_forget(&service.authority);
	callers_forget(&service.callers);
	question_count = 0;
	while (service.owners.first)
		leave(service.owners.first->name);
	memset(&manager.claims, 0, sizeof(manager.claims));
	for (size_t i = 0; i < SENDERS; i++)
		claims_client(&manager.claims, &manager.config, senders[i].name,
			      manager_now_ms(&manager), &is_new)
			->uid = senders[i].uid;
	fake_fill(cache_dir);
	memset(&managed->tuner, 0, sizeof(managed->tuner));
	managed->have_last = false;
	managed->state = MANAGED_TUNING;
	managed->pressure = false;
	manager_reconsider(&manager);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	if (!root[0])
		make_service();
	reset();
	for (unsigned int i = 0; i < MOST_RECORDS && input.size >= 2; i++) {
		uint8_t what = fuzz_byte(&input), length = fuzz_byte(&input);

		if (length > input.size)
			length = (uint8_t)input.size;
		play(what % RECORDS, senders[what / 16 % SENDERS].name, input.data, length);
		input.data += length;
		input.size -= length;
		check_limits();
	}
	return 0;
}
