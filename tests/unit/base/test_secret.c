/* SPDX-License-Identifier: Apache-2.0 */
/* test_secret.c - memory for keys */

#include "base/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const size_t sizes[] = { 1, 16, 32, 100, 1000, 4064, 4097, 70000 };

static void test_memory_is_zeroed_and_aligned(void **state)
{
	/* Twice, so that the second round gets used blocks. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			uint8_t *p = secret_alloc(sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(p[at], 0);
			memset(p, 0xa5, sizes[i]);
			secret_free(p);
		}
	secret_free(NULL);
}

/* The flags of the mapping that holds `address`, from /proc/self/smaps. */
static void vm_flags(const void *address, char *flags, size_t room)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	int is_ours = 0;
	char line[512];

	assert_non_null(maps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_ours = (uintptr_t)address >= from &&
				  (uintptr_t)address < to;
		else if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, room, "%s", line);
	}
	fclose(maps);
}

static void test_pages_are_locked_and_not_dumped(void **state)
{
	void *p = secret_alloc(100), *ordinary = malloc(100);
	char flags[512];

	assert_non_null(p);
	/* The check can fail: ordinary memory has neither flag. */
	vm_flags(ordinary, flags, sizeof(flags));
	assert_non_null(strstr(flags, " rd"));
	assert_null(strstr(flags, " dd"));
	vm_flags(p, flags, sizeof(flags));
#ifndef __SANITIZE_ADDRESS__ /* its mlock(2) does nothing */
	assert_non_null(strstr(flags, " lo"));
#endif
	assert_non_null(strstr(flags, " dd"));
	secret_free(p);
	free(ordinary);
}

static void test_absurd_size_is_refused(void **state)
{
	errno = 0;
	assert_null(secret_alloc(SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_pages_are_locked_and_not_dumped),
		cmocka_unit_test(test_absurd_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
