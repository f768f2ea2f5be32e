// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crc32.h"

static void check_value_of_the_standard(void **state)
{
	(void)state;
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_update(0, "", 0), 0);
	assert_int_equal(crc32_update(0, "The quick brown fox jumps over the lazy dog", 43),
			 0x414fa339);
}

static void every_split_gives_the_same_value(void **state)
{
	uint8_t data[61];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + 11);
	for (size_t split = 0; split <= sizeof(data); split++)
		assert_int_equal(crc32_update(crc32_update(0, data, split), data + split,
					      sizeof(data) - split),
				 crc32_update(0, data, sizeof(data)));
}

static void one_bit_changes_it(void **state)
{
	uint8_t data[4096] = { 0 };
	uint32_t crc = crc32_update(0, data, sizeof(data));

	(void)state;
	for (size_t i = 0; i < sizeof(data); i += 257) {
		data[i] ^= 0x10;
		assert_int_not_equal(crc32_update(0, data, sizeof(data)), crc);
		data[i] ^= 0x10;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_value_of_the_standard),
		cmocka_unit_test(every_split_gives_the_same_value),
		cmocka_unit_test(one_bit_changes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
