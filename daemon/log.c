// SPDX-License-Identifier: MIT
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "text.h"

/* Lines of a kind: at once, and then one in this time. */
#define BURST 20
#define REFILL_MS 3000

static const char *const ids[LOG_KINDS] = {
	[LOG_DECISION] = LOG_ID_DECISION, [LOG_EXTERNAL] = LOG_ID_EXTERNAL,
	[LOG_DEVICE] = LOG_ID_DEVICE,	  [LOG_PRESSURE] = LOG_ID_PRESSURE,
	[LOG_CONFIG] = LOG_ID_CONFIG,	  [LOG_CLAIM] = LOG_ID_CLAIM,
	[LOG_ERROR] = LOG_ID_ERROR,	  [LOG_SERVICE] = LOG_ID_SERVICE,
};

static struct budget {
	uint64_t spent_until_ms; /* when all lines written are paid for */
	unsigned int suppressed;
} budgets[LOG_KINDS];

static int level = LOG_INFO;

void log_set_level(int priority)
{
	level = priority;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool within_budget(struct budget *budget)
{
	uint64_t now = now_ms();

	if (budget->spent_until_ms < now)
		budget->spent_until_ms = now;
	if (budget->spent_until_ms - now > (uint64_t)BURST * REFILL_MS) {
		budget->suppressed++;
		return false;
	}
	budget->spent_until_ms += REFILL_MS;
	return true;
}

/* Is stderr the journal?  systemd says which file that is. */
static bool to_journal(void)
{
	static int answer = -1;
	unsigned long long device, inode;
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;

	if (answer < 0)
		answer = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
			 !fstat(2, &st) && st.st_dev == device && st.st_ino == inode;
	return answer;
}

static struct iovec field(char *text)
{
	return (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

static void write_line(int priority, enum log_kind kind, const char *cache, const char *text,
		       const struct iovec *fields, unsigned int count)
{
	char message[1100], prio[16], id[64], who[64], ident[] = "SYSLOG_IDENTIFIER=scanoutd";
	struct iovec vector[LOG_FIELDS + 5];
	int used = 0;

	snprintf(message, sizeof(message), "MESSAGE=%s%s%s", cache ? cache : "", cache ? ": " : "",
		 text);
	/* Whatever is quoted in it: files, other programs, names of devices. */
	text_printable(message, sizeof(message), message);
	if (!to_journal()) {
		fprintf(stderr, "scanoutd: %s\n", message + strlen("MESSAGE="));
		return;
	}
	snprintf(prio, sizeof(prio), "PRIORITY=%d", priority);
	snprintf(id, sizeof(id), "MESSAGE_ID=%s", ids[kind]);
	vector[used++] = field(message);
	vector[used++] = field(prio);
	vector[used++] = field(id);
	vector[used++] = field(ident);
	if (cache) {
		snprintf(who, sizeof(who), "CACHE=%s", cache);
		text_printable(who, sizeof(who), who);
		vector[used++] = field(who);
	}
	for (unsigned int i = 0; i < count && i < LOG_FIELDS; i++)
		vector[used++] = fields[i];
	if (sd_journal_sendv(vector, used) < 0)
		fprintf(stderr, "<%d>%s\n", priority, message + strlen("MESSAGE="));
}

void log_fields(int priority, enum log_kind kind, const char *cache, const char *text,
		const struct iovec *fields, unsigned int count)
{
	struct budget *budget = &budgets[kind];
	unsigned int suppressed = budget->suppressed;

	if (priority > level || !within_budget(budget))
		return;
	if (suppressed) {
		char note[64];

		budget->suppressed = 0;
		snprintf(note, sizeof(note), "%u messages like the next were left out", suppressed);
		write_line(LOG_NOTICE, kind, cache, note, NULL, 0);
	}
	write_line(priority, kind, cache, text, fields, count);
}

void log_line(int priority, enum log_kind kind, const char *cache, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_fields(priority, kind, cache, text, NULL, 0);
}
