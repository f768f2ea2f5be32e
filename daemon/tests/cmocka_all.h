/* SPDX-License-Identifier: MIT */
/*
 * cmocka, and what its header needs before it.  With TEST_NAME in the environment a program runs
 * only tests of that name, in which * stands for anything; with TEST_NAME=list it names them.
 */
#ifndef CMOCKA_ALL_H
#define CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline int run_named_tests(const char *group, const struct CMUnitTest *tests, size_t count,
				  CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const char *name = getenv("TEST_NAME");

	if (name && !strcmp(name, "list")) {
		for (size_t i = 0; i < count; i++)
			puts(tests[i].name);
		return 0;
	}
	cmocka_set_test_filter(name);
	return _cmocka_run_group_tests(group, tests, count, setup, teardown);
}

#undef cmocka_run_group_tests
#define cmocka_run_group_tests(_tests, _setup, _teardown) \
	run_named_tests(#_tests, _tests, sizeof(_tests) / sizeof((_tests)[0]), _setup, _teardown)

#endif
