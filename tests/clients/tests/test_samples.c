// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"

static void percentiles_are_measured_values(void **state)
{
	struct samples samples = { 0 };

	(void)state;
	for (uint64_t i = 1000; i > 0; i--)
		assert_int_equal(samples_add(&samples, i), 0);
	assert_int_equal(samples_percentile(&samples, 50), 500);
	assert_int_equal(samples_percentile(&samples, 99), 990);
	assert_int_equal(samples_percentile(&samples, 100), 1000);
	assert_int_equal(samples_percentile(&samples, 0), 1);
	samples_free(&samples);
}

static void one_sample_is_every_percentile(void **state)
{
	struct samples samples = { 0 };

	(void)state;
	assert_int_equal(samples_add(&samples, 7), 0);
	assert_int_equal(samples_percentile(&samples, 50), 7);
	assert_int_equal(samples_percentile(&samples, 99), 7);
	samples_free(&samples);
}

static void no_samples_give_zero(void **state)
{
	struct samples samples = { 0 };

	(void)state;
	assert_int_equal(samples_percentile(&samples, 50), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_measured_values),
		cmocka_unit_test(one_sample_is_every_percentile),
		cmocka_unit_test(no_samples_give_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
