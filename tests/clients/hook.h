/* SPDX-License-Identifier: MIT */
#ifndef HOOK_H
#define HOOK_H

/*
 * Runs @command by /bin/sh and waits for it. Its stdout goes to stderr: stdout belongs to the JSON.
 * 0, or -1 after one line on stderr where it could not run or did not exit with 0.
 */
int hook_run(const char *command);

#endif
