// SPDX-License-Identifier: MIT
#include "hook.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "complain.h"

int hook_run(const char *command)
{
	int status;
	pid_t child = fork();

	if (child < 0) {
		complain("fork for '%s': %s", command, strerror(errno));
		return -1;
	}
	if (!child) {
		if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		complain("waiting for '%s': %s", command, strerror(errno));
		return -1;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status))
		complain("'%s' exited with %d, expected 0", command, WEXITSTATUS(status));
	else
		complain("'%s' was killed by signal %d", command, WTERMSIG(status));
	return -1;
}
