/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64url.c - bytes as text for links */

#include "base/bytes.h"
#include "prim/base64url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* RFC 4648, section 10, without its padding; and the two own characters. */
static const struct {
	const char *data, *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "-_-_" },
};

static void test_both_ways(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
		size_t bytes = strlen(vectors[i].data);
		size_t length = strlen(vectors[i].text);
		uint8_t data[16];
		char text[16];

		assert_int_equal(BASE64URL_ROOM(bytes), length + 1);
		assert_int_equal(base64url_encode(text, length + 1,
						  vectors[i].data, bytes),
				 length);
		assert_string_equal(text, vectors[i].text);
		assert_int_equal(base64url_decode(data, sizeof(data),
						  vectors[i].text, length),
				 bytes);
		assert_memory_equal(data, vectors[i].data, bytes);
	}
}

static void test_reports_short_room(void **state)
{
	uint8_t data[5];
	char text[8];

	assert_int_equal(base64url_encode(text, 8, "foobar", 6), -EMSGSIZE);
	assert_int_equal(base64url_decode(data, 5, "Zm9vYmFy", 8), -EMSGSIZE);
	assert_int_equal(base64url_decode(data, 5, "Zm9vYmE", 7), 5);
}

static void test_reads_one_form_only(void **state)
{
	static const char *const bad[] = {
		"Z",         /* no byte in six bits */
		"Zg==",      /* padding */
		"Zh",        /* bits left over that are not zero */
		"Zm9",       /* the same */
		"Zm9v\nYmE", /* white space */
		"Zm+v",      /* base64's characters, not base64url's */
		"Zm/v",      "Zm9vY\xc3",
	};
	uint8_t data[16];

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(base64url_decode(data, sizeof(data), bad[i],
						  strlen(bad[i])),
				 -EINVAL);
	assert_int_equal(base64url_decode(data, sizeof(data), "Zm9v\0", 5),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_reports_short_room),
		cmocka_unit_test(test_reads_one_form_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
