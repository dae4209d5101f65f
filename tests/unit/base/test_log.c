/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c - what a line of the log looks like */

#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char got[8192];

/* Log one line, and read what came on standard error. */
static const char *line_of(enum log_level level, const char *message)
{
	int ends[2], kept = dup(STDERR_FILENO);
	ssize_t bytes;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_line(level, "%s", message);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	close(ends[1]);
	bytes = read(ends[0], got, sizeof(got) - 1);
	assert_true(bytes >= 0);
	got[bytes] = '\0';
	close(ends[0]);
	return got;
}

/* Behind the time, whose digits are checked. */
static const char *json_of(enum log_level level, const char *message)
{
	static const char form[] = "{\"time\":\"dddd-dd-ddTdd:dd:dd.dddZ\",";
	const char *line = line_of(level, message);

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], form[i]);
	}
	return line + sizeof(form) - 1;
}

static void test_text_names_program_and_level(void **state)
{
	log_format_set(LOG_FORMAT_TEXT);
	assert_string_equal(line_of(LOG_LEVEL_INFO, "hello"),
			    "test: info: hello\n");
	assert_string_equal(line_of(LOG_LEVEL_DEBUG, "hello"), "");
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_string_equal(line_of(LOG_LEVEL_ERROR, "hello"), "<3>hello\n");
	unsetenv("JOURNAL_STREAM");
}

/* What a name on the command line, or a library's reason, may have in it. */
static void test_controls_do_not_reach_the_terminal(void **state)
{
	log_format_set(LOG_FORMAT_TEXT);
	assert_string_equal(line_of(LOG_LEVEL_INFO, "a\033[2Jb\rc\xc2\x9b"
						    "31m\x7f\xc3\xa9\xc2\xa0"),
			    "test: info: a?[2Jb?c??31m?\xc3\xa9\xc2\xa0\n");
}

static void test_json_is_one_object_on_a_line(void **state)
{
	log_format_set(LOG_FORMAT_JSON);
	assert_string_equal(json_of(LOG_LEVEL_WARNING, "hello"),
			    "\"program\":\"test\",\"level\":\"warning\","
			    "\"message\":\"hello\"}\n");
	assert_string_equal(line_of(LOG_LEVEL_DEBUG, "hello"), "");
}

/* Neither a line nor a member can be forged. */
static void test_json_escapes_what_ends_a_string(void **state)
{
	log_format_set(LOG_FORMAT_JSON);
	assert_string_equal(json_of(LOG_LEVEL_INFO, "a\"b\\c\nd\x7f\xc3\xa9"),
			    "\"program\":\"test\",\"level\":\"info\","
			    "\"message\":\"a\\\"b\\\\c?d???\"}\n");
}

static void test_a_long_message_is_cut_and_the_line_is_whole(void **state)
{
	static char message[4000];
	size_t bytes;

	memset(message, '"', sizeof(message) - 1);
	log_format_set(LOG_FORMAT_JSON);
	setenv("JOURNAL_STREAM", "1:2", 1);
	bytes = strlen(line_of(LOG_LEVEL_INFO, message));
	unsetenv("JOURNAL_STREAM");
	assert_true(bytes > 2000);
	assert_string_equal(got + bytes - 3, "\"}\n");
	log_format_set(LOG_FORMAT_TEXT);
	bytes = strlen(line_of(LOG_LEVEL_INFO, message));
	assert_true(bytes > 1000);
	assert_string_equal(got + bytes - 2, "\"\n");
}

static void test_formats_have_names(void **state)
{
	assert_int_equal(log_format_parse("text"), LOG_FORMAT_TEXT);
	assert_int_equal(log_format_parse("json"), LOG_FORMAT_JSON);
	assert_int_equal(log_format_parse("xml"), -EINVAL);
}

static unsigned int count_lines(const char *text)
{
	unsigned int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void test_a_flood_is_cut_and_counted(void **state)
{
	struct log_bucket bucket = { 0 };
	time_t begun = time(NULL);
	unsigned int lines = 0, room;

	log_format_set(LOG_FORMAT_TEXT);
	log_limit(&bucket);
	for (unsigned int i = 0; i < 2 * LOG_BURST; i++)
		lines += count_lines(line_of(LOG_LEVEL_WARNING, "again"));
	/* One more for each second that it took, with a line that says so. */
	room = 2 * (unsigned int)(time(NULL) - begun + 1);
	assert_in_range(lines, LOG_BURST, LOG_BURST + room);
	assert_string_equal(line_of(LOG_LEVEL_ERROR, "this"),
			    "test: error: this\n");
	/* Much later. */
	bucket.full_ns = 0;
	bucket.left_out = 7;
	assert_string_equal(line_of(LOG_LEVEL_INFO, "on"),
			    "test: warning: 7 lines were left out\n"
			    "test: info: on\n");
	assert_string_equal(line_of(LOG_LEVEL_INFO, "on"), "test: info: on\n");
	log_limit(NULL);
}

/* A bucket that another process wrote nonsense into silences nobody. */
static void test_a_bucket_that_cannot_be_is_an_empty_one(void **state)
{
	struct log_bucket bucket = { .full_ns = UINT64_MAX };

	log_format_set(LOG_FORMAT_TEXT);
	log_limit(&bucket);
	assert_string_equal(line_of(LOG_LEVEL_INFO, "on"), "test: info: on\n");
	log_limit(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_names_program_and_level),
		cmocka_unit_test(test_controls_do_not_reach_the_terminal),
		cmocka_unit_test(test_json_is_one_object_on_a_line),
		cmocka_unit_test(test_json_escapes_what_ends_a_string),
		cmocka_unit_test(
			test_a_long_message_is_cut_and_the_line_is_whole),
		cmocka_unit_test(test_formats_have_names),
		cmocka_unit_test(test_a_flood_is_cut_and_counted),
		cmocka_unit_test(test_a_bucket_that_cannot_be_is_an_empty_one),
	};

	unsetenv("JOURNAL_STREAM");
	log_init("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
