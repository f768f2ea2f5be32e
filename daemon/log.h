/* SPDX-License-Identifier: MIT */
/*
 * Lines for people and fields for machines: to the journal if that is where stderr goes, to stderr
 * otherwise.  Each kind of message has a MESSAGE_ID and a budget of lines.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <syslog.h>

#define LOG_ID_DECISION "81a43dd7c5754870a32fd5322985deae"
#define LOG_ID_EXTERNAL "3653400e855b477f9e1ff52434c09d2e"
#define LOG_ID_DEVICE "5012c7aceaba451aab90f6d7ecabcf52"
#define LOG_ID_PRESSURE "fc8db46161e04a9db503efd511028c98"
#define LOG_ID_CONFIG "f2db5f20bac4442da3bb73b48dd03bf7"
#define LOG_ID_CLAIM "45e98207a6564d15b2aed06406b3ee01"
#define LOG_ID_ERROR "0224d00e9bec48eea7c0704ee2ac739d"
#define LOG_ID_SERVICE "ec788987f66341b990f672afd80c8a19"

enum log_kind {
	LOG_DECISION, /* a limit was changed */
	LOG_EXTERNAL, /* somebody else changed one, or gave it back */
	LOG_DEVICE,   /* came or went */
	LOG_PRESSURE, /* memory is short */
	LOG_CONFIG,   /* mistakes in files, reloads */
	LOG_CLAIM,    /* holds and reports */
	LOG_ERROR,    /* something does not work */
	LOG_SERVICE,  /* starts and ends */
	LOG_KINDS,
};

/* @cache is the name of the cache it is about, or NULL. */
__attribute__((format(printf, 4, 5))) void log_line(int priority, enum log_kind kind,
						    const char *cache, const char *format, ...);

/* The same with more fields ("NAME=value"), up to LOG_FIELDS of them. */
#define LOG_FIELDS 12
void log_fields(int priority, enum log_kind kind, const char *cache, const char *text,
		const struct iovec *fields, unsigned int count);

/* Messages below this priority are not written. */
void log_set_level(int priority);

#endif
