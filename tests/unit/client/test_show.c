/* SPDX-License-Identifier: Apache-2.0 */
/* test_show.c - every event has its line, and none can be forged */

#include "client/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *shown;

static int forget(void **state)
{
	free(shown);
	shown = NULL;
	return 0;
}

/* What is printed of an event with everything set. */
static const char *print(enum event_type type, const char *text, size_t columns,
			 bool is_json)
{
	struct event *event = event_create(type, text, strlen(text));
	size_t bytes;
	FILE *to;

	forget(NULL);
	to = open_memstream(&shown, &bytes);
	event->time_ms = 1000;
	event->count = 2;
	event->generation = 7;
	event->has_device = event->has_identity = event->has_chain = true;
	event->has_other_identity = true;
	memset(event->device, 0xab, sizeof(event->device));
	strcpy(event->nick, "bob");
	strcpy(event->other_nick, "robert");
	if (is_json)
		show_json(to, event);
	else
		show_line(to, event, columns);
	fclose(to);
	free(event);
	return shown;
}

/* Behind "HH:MM:SS ". */
static const char *line(enum event_type type, const char *text)
{
	return print(type, text, 0, false) + 9;
}

static void test_messages_are_laid_out(void **state)
{
	assert_string_equal(line(EVENT_MESSAGE, "hi"), "bob: hi\n");
	assert_string_equal(line(EVENT_MESSAGE, "one\ntwo\n\nthree"),
			    "bob: one\n         two\n         \n"
			    "         three\n");
}

static void test_long_lines_are_broken_with_an_indent(void **state)
{
	assert_string_equal(
		print(EVENT_MESSAGE, "0123456789abcdef", 20, false) + 9,
		"bob: 012345\n         6789abcdef\n");
	/* A wide character is not cut in two. */
	assert_string_equal(
		print(EVENT_MESSAGE, "01234\xe6\x97\xa5", 20, false) + 9,
		"bob: 01234\n         \xe6\x97\xa5\n");
}

/* Where the indent would leave a letter or two for each line. */
static void test_a_narrow_terminal_has_room_for_words(void **state)
{
	assert_string_equal(
		print(EVENT_MESSAGE, "0123456789abcdef", 12, false) + 9,
		"bob\n|: 012345678\n|9abcdef\n");
	/* A newline in it begins no line of ours. */
	assert_string_equal(print(EVENT_MESSAGE, "x\n12:00:00 e", 12, false) +
				    9,
			    "bob\n|: x\n|12:00:00 e\n");
}

static void test_remarks_are_broken_as_well(void **state)
{
	const char *text = "x                12:00:00 eve: paid";

	/* What a member gives as the reason to leave, and the relay's word. */
	assert_non_null(strstr(print(EVENT_LEAVES, text, 40, false),
			       "\n         12:00:00 eve"));
	assert_string_equal(print(EVENT_DISCONNECTED,
				  "0123456789 12:00:00 eve: paid", 40, false) +
				    9,
			    "! not connected: 0123456789 12:\n"
			    "         00:00 eve: paid; trying again\n");
}

static void test_emoji_forms_are_counted_as_wide(void **state)
{
	/* U+263A U+FE0F takes two columns where terminals know it. */
	assert_string_equal(print(EVENT_MESSAGE,
				  "01234\xe2\x98\xba\xef\xb8\x8f", 20, false) +
				    9,
			    "bob: 01234\xe2\x98\xba\n         \xef\xb8\x8f\n");
}

/* The line of an event that was said at that time and heard at 1 s. */
static const char *said(enum event_type type, uint64_t said_ms, bool is_json)
{
	struct event *event = event_create(type, "x", 1);
	size_t bytes;
	FILE *to;

	forget(NULL);
	to = open_memstream(&shown, &bytes);
	event->time_ms = 1000;
	event->said_ms = said_ms;
	event->has_said = true;
	strcpy(event->nick, "bob");
	if (is_json)
		show_json(to, event);
	else
		show_line(to, event, 0);
	fclose(to);
	free(event);
	return shown;
}

static void test_a_time_far_from_ours_is_shown(void **state)
{
	const uint64_t then = UINT64_C(1700000000000);
	const uint64_t never[] = { UINT64_MAX, UINT64_MAX / 2,
				   UINT64_C(253402300800000) };

	setenv("TZ", "UTC", 1);
	assert_string_equal(said(EVENT_MESSAGE, then, false) + 9,
			    "bob (said 2023-11-14 22:13:20): x\n");
	assert_string_equal(said(EVENT_CAME, then, false) + 9,
			    "* bob is here (said 2023-11-14 22:13:20)\n");
	assert_string_equal(said(EVENT_LEAVES, then, false) + 9,
			    "* bob leaves (said 2023-11-14 22:13:20): x\n");
	assert_string_equal(said(EVENT_MESSAGE, 1000 + EVENT_FAR_MS, false) + 9,
			    "bob: x\n");
	assert_non_null(strstr(said(EVENT_MESSAGE, then, true),
			       ",\"said\":\"2023-11-14T22:13:20.000Z\""));
	/* A time that no calendar has breaks neither form. */
	for (unsigned int i = 0; i < 3; i++) {
		assert_non_null(strstr(said(EVENT_MESSAGE, never[i], false),
				       "bob (said "));
		assert_non_null(strstr(said(EVENT_MESSAGE, never[i], true),
				       ",\"said\":null,"));
	}
}

static void test_who_has_no_visible_nick_is_named_by_his_device(void **state)
{
	struct event *event = event_create(EVENT_MESSAGE, "x", 1);
	size_t bytes;
	FILE *to;

	forget(NULL);
	to = open_memstream(&shown, &bytes);
	event->has_device = true; /* and its nick was blanks */
	show_line(to, event, 0);
	fclose(to);
	free(event);
	assert_string_equal(shown + 9, "device 00000000: x\n");
}

static void test_each_event_for_people_says_who(void **state)
{
	for (enum event_type type = 0; type < EVENTS; type++) {
		const char *text = print(type, "the reason", 0, false);

		if (!*text) {
			assert_true(type == EVENT_NAMED ||
				    type == EVENT_ACKED ||
				    type == EVENT_CAUGHT_UP);
			continue;
		}
		assert_int_equal(text[strlen(text) - 1], '\n');
		if (type <= EVENT_GONE)
			assert_non_null(strstr(text, "bob"));
		else if (type != EVENT_CONNECTED && type < EVENT_CAUGHT_UP)
			assert_non_null(strstr(text, "the reason"));
	}
}

static void test_warnings_show_both_fingerprints(void **state)
{
	const char *text = line(EVENT_NICK_TAKEN, "");

	assert_int_equal(text[0], '!');
	assert_non_null(strstr(text, "WARNING"));
	assert_non_null(strstr(text, "robert"));
	text = line(EVENT_IDENTITY_CHANGED, "");
	assert_non_null(strstr(text, "and it claims"));
}

static void test_json_is_one_line_with_what_is_known(void **state)
{
	const char *text = print(EVENT_MESSAGE, "a \"b\"\\\n\tc", 0, true);

	assert_non_null(strstr(text, "\"event\":\"message\""));
	assert_non_null(strstr(text, "\"time\":\"1970-01-01T00:00:01.000Z\""));
	assert_non_null(strstr(text, "\"body\":\"a \\\"b\\\"\\\\\\n    c\""));
	assert_non_null(strstr(text, "\"generation\":7"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	for (enum event_type type = 0; type < EVENTS; type++) {
		text = print(type, "x", 0, true);
		assert_non_null(strstr(text, event_name(type)));
		assert_string_equal(text + strlen(text) - 2, "}\n");
	}
}

#define CLEANLY(f) cmocka_unit_test_teardown(f, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEANLY(test_messages_are_laid_out),
		CLEANLY(test_long_lines_are_broken_with_an_indent),
		CLEANLY(test_a_narrow_terminal_has_room_for_words),
		CLEANLY(test_remarks_are_broken_as_well),
		CLEANLY(test_emoji_forms_are_counted_as_wide),
		CLEANLY(test_a_time_far_from_ours_is_shown),
		CLEANLY(test_who_has_no_visible_nick_is_named_by_his_device),
		CLEANLY(test_each_event_for_people_says_who),
		CLEANLY(test_warnings_show_both_fingerprints),
		CLEANLY(test_json_is_one_line_with_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
