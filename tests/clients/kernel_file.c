// SPDX-License-Identifier: MIT
#include "kernel_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"

#define MEMINFO_PATH "/proc/meminfo"
#define TRACE_MARKER_PATH "/sys/kernel/tracing/trace_marker"

int kernel_file_read(const char *path, char *text, size_t size, const char *hint)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0) {
		complain("%s: %s%s%s", path, strerror(errno), hint ? "; " : "", hint ? hint : "");
		return -1;
	}
	length = read(fd, text, size - 1);
	if (length < 0)
		complain("reading %s: %s", path, strerror(errno));
	close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int kernel_file_read_number(const char *path, uint64_t *number)
{
	char text[64], rest;

	if (kernel_file_read(path, text, sizeof(text), NULL))
		return -1;
	if (sscanf(text, "%" SCNu64 "%c", number, &rest) != 1) {
		complain("%s: '%s': expected one decimal number", path, text);
		return -1;
	}
	return 0;
}

int kernel_file_read_frame_crc(const char *path, uint64_t *sequence, uint32_t *crc)
{
	char text[64], rest;

	if (kernel_file_read(path, text, sizeof(text),
			     "--verify needs the display model (mdp4_model.ko) loaded, debugfs "
			     "mounted, and root"))
		return -1;
	if (sscanf(text, "%" SCNu64 " %" SCNx32 "%c", sequence, crc, &rest) != 2) {
		complain("%s: '%s': expected a sequence number and a CRC in hex", path, text);
		return -1;
	}
	return 0;
}

int kernel_file_read_available_bytes(uint64_t *available_bytes)
{
	char line[128];
	uint64_t kibibytes;
	int found = 0;
	FILE *file = fopen(MEMINFO_PATH, "re");

	if (!file) {
		complain("%s: %s", MEMINFO_PATH, strerror(errno));
		return -1;
	}
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "MemAvailable: %" SCNu64 " kB", &kibibytes) == 1;
	fclose(file);
	if (!found) {
		complain("%s: no line 'MemAvailable: N kB'", MEMINFO_PATH);
		return -1;
	}
	*available_bytes = kibibytes * 1024;
	return 0;
}

int kernel_file_show(const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "re");
	size_t length;

	if (!file) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	while ((length = fread(text, 1, sizeof(text), file)) > 0)
		fwrite(text, 1, length, stderr);
	fclose(file);
	return 0;
}

int kernel_file_mark_trace(const char *text)
{
	int fd = open(TRACE_MARKER_PATH, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0) {
		complain("%s: %s; --marker needs tracefs mounted, and root", TRACE_MARKER_PATH,
			 strerror(errno));
		return -1;
	}
	if (write(fd, text, strlen(text)) < 0) {
		complain("writing '%s' to %s: %s", text, TRACE_MARKER_PATH, strerror(errno));
		ret = -1;
	}
	close(fd);
	return ret;
}
