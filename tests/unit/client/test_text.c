/* SPDX-License-Identifier: Apache-2.0 */
/* test_text.c - what others write cannot act on the terminal */

#include "client/text.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define BAD "\xef\xbf\xbd"

struct sample {
	const char *name;
	const char *in;
	size_t bytes;
	const char *block; /* what is shown of it as a message */
};

#define SAMPLE(name, in, out)                 \
	{                                     \
		name, in, sizeof(in) - 1, out \
	}

static const struct sample hostile[] = {
	SAMPLE("CSI clear screen", "a\033[2Jb", "a" BAD "[2Jb"),
	SAMPLE("CSI in 8 bits",
	       "a\x9b"
	       "2Jb",
	       "a" BAD "2Jb"),
	SAMPLE("CSI as UTF-8 C1",
	       "a\xc2\x9b"
	       "2Jb",
	       "a" BAD "2Jb"),
	SAMPLE("OSC title, BEL", "\033]0;pwn\007", BAD "]0;pwn" BAD),
	SAMPLE("OSC title, ST", "\033]0;pwn\033\\", BAD "]0;pwn" BAD "\\"),
	SAMPLE("OSC in 8 bits",
	       "\x9d"
	       "52;c;Zm9v\x9c",
	       BAD "52;c;Zm9v" BAD),
	SAMPLE("OSC as UTF-8 C1",
	       "\xc2\x9d"
	       "8;;http://x\xc2\x9c",
	       BAD "8;;http://x" BAD),
	SAMPLE("DCS", "\033P$q\"p\033\\", BAD "P$q\"p" BAD "\\"),
	SAMPLE("DCS in 8 bits", "\x90$q\x9c", BAD "$q" BAD),
	SAMPLE("APC, PM, SOS", "\033_G\033^P\033X", BAD "_G" BAD "^P" BAD "X"),
	SAMPLE("reset", "\033c", BAD "c"),
	SAMPLE("backspaces", "evil\b\b\b\bgood", "evil" BAD BAD BAD BAD "good"),
	SAMPLE("carriage return", "evil\rgood", "evil" BAD "good"),
	SAMPLE("vertical tab, form feed", "a\vb\fc", "a" BAD "b" BAD "c"),
	SAMPLE("NUL", "a\0b", "a" BAD "b"),
	SAMPLE("DEL", "a\177b", "a" BAD "b"),
	SAMPLE("NEL", "a\xc2\x85 b", "a" BAD " b"),
	SAMPLE("shift out, shift in", "\016q\017", BAD "q" BAD),
	SAMPLE("bidi override",
	       "a\xe2\x80\xae"
	       "b",
	       "a" BAD "b"),
	SAMPLE("bidi embedding", "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac",
	       BAD BAD BAD),
	SAMPLE("bidi isolates",
	       "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
	       BAD BAD BAD BAD),
	SAMPLE("bidi marks", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", BAD BAD BAD),
	SAMPLE("line and paragraph separators",
	       "a\xe2\x80\xa8"
	       "b\xe2\x80\xa9"
	       "c",
	       "a" BAD "b" BAD "c"),
	SAMPLE("interlinear annotation", "\xef\xbf\xb9\xef\xbf\xba", BAD BAD),
	SAMPLE("tags", "\xf3\xa0\x81\x81", BAD),
	SAMPLE("overlong slash", "\xc0\xaf", BAD BAD),
	SAMPLE("overlong ESC", "\xc0\x9b[2J", BAD BAD "[2J"),
	SAMPLE("surrogate", "\xed\xa0\x80", BAD BAD BAD),
	SAMPLE("above Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD),
	SAMPLE("truncated", "a\xe2\x82", "a" BAD BAD),
	SAMPLE("lone continuation", "\x80z", BAD "z"),
	SAMPLE("noncharacter", "\xef\xbf\xbe", BAD),
	SAMPLE("private use", "\xee\x80\x80", BAD),
	SAMPLE("zero width space",
	       "a\xe2\x80\x8b"
	       "b",
	       "ab"),
};

static const struct sample honest[] = {
	SAMPLE("ASCII", "Hello, ~world~ \\ {1}", "Hello, ~world~ \\ {1}"),
	SAMPLE("German",
	       "Gr\xc3\xbc\xc3\x9f"
	       "e",
	       "Gr\xc3\xbc\xc3\x9f"
	       "e"),
	SAMPLE("Japanese", "\xe6\x97\xa5\xe6\x9c\xac",
	       "\xe6\x97\xa5\xe6\x9c\xac"),
	SAMPLE("Hebrew", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
	       "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"),
	SAMPLE("emoji with joiner",
	       "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac",
	       "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac"),
	SAMPLE("newlines", "a\n\nb\n", "a\n\nb\n"),
	SAMPLE("CR LF", "a\r\nb", "a\nb"),
	SAMPLE("tab", "\tx", "    x"),
	SAMPLE("no-break space",
	       "a\xc2\xa0"
	       "b",
	       "a b"),
	SAMPLE("empty", "", ""),
};

static void compare(const struct sample *samples, size_t count)
{
	char shown[256];

	for (size_t i = 0; i < count; i++) {
		size_t bytes = text_clean(shown, sizeof(shown), samples[i].in,
					  samples[i].bytes, TEXT_BLOCK);

		if (strcmp(shown, samples[i].block) != 0)
			fail_msg("%s is shown as \"%s\"", samples[i].name,
				 shown);
		assert_int_equal(bytes, strlen(shown));
	}
}

static void test_hostile_text_is_disarmed(void **state)
{
	compare(hostile, ARRAY_SIZE(hostile));
}

static void test_honest_text_is_kept(void **state)
{
	compare(honest, ARRAY_SIZE(honest));
}

static void test_a_line_has_no_newline(void **state)
{
	char shown[64];

	text_clean(shown, sizeof(shown), "a\nb\tc\r\nd", 8, TEXT_LINE);
	assert_string_equal(shown, "a b c d");
}

static void test_marks_in_a_row_are_limited(void **state)
{
	char in[101] = "e", shown[TEXT_ROOM(100)];

	for (int i = 0; i < 50; i++)
		memcpy(in + 1 + 2 * i, "\xcc\x81", 2);
	assert_int_equal(text_clean(shown, sizeof(shown), in, 101, TEXT_BLOCK),
			 1 + 8 * 2);
}

static void test_output_fits_its_room(void **state)
{
	char shown[8];

	memset(shown, 'x', sizeof(shown));
	assert_int_equal(text_clean(shown, 6, "\033\033\033", 3, TEXT_BLOCK),
			 3);
	assert_memory_equal(shown, BAD "\0x", 5);
	assert_int_equal(shown[6], 'x');
	assert_int_equal(text_clean(shown, 1, "abc", 3, TEXT_BLOCK), 0);
	assert_int_equal(text_clean(shown, 1, "abc", 3, TEXT_NICK), 0);
	/* The worst growth that TEXT_ROOM() promises to hold. */
	char wide[TEXT_ROOM(3)];
	assert_int_equal(
		text_clean(wide, sizeof(wide), "\t\t\t", 3, TEXT_BLOCK), 12);
}

static void nick_becomes(const char *in, const char *expected)
{
	char shown[TEXT_NICK_ROOM];

	text_clean(shown, sizeof(shown), in, strlen(in), TEXT_NICK);
	assert_string_equal(shown, expected);
}

static void test_nicks_hide_nothing(void **state)
{
	nick_becomes("al\xe2\x80\x8bi\xe2\x80\x8d\xef\xbb\xbf"
		     "ce",
		     "alice");
	nick_becomes("  al \t\n ice  ", "al ice");
	nick_becomes("\xcc\x81x", "x");
	nick_becomes("al\xe2\x80\xae"
		     "ice",
		     "al" BAD "ice");
	nick_becomes("e\xcc\x81", "\xc3\xa9"); /* composed */
	nick_becomes("* WARNING: x", BAD " WARNING" BAD " x");
	/* Signs that look like ours: RATIO, full width, ornamental. */
	nick_becomes("a\xe2\x88\xb6 b", "a" BAD " b");
	nick_becomes("a \xef\xbc\x88verified\xef\xbc\x89",
		     "a " BAD "verified" BAD);
	nick_becomes("\xe2\x9d\xa8you\xe2\x9d\xa9", BAD "you" BAD);
	nick_becomes("\xef\xbc\x81\xe2\x88\x97\xea\x9e\x89", BAD BAD BAD);
	nick_becomes("\xe3\x85\xa4", ""); /* Hangul filler */
	nick_becomes("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaa\xc3\xa9z",
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaa");
}

static void test_own_nick_must_be_shown_as_typed(void **state)
{
	assert_true(text_nick_is_good("alice"));
	assert_true(text_nick_is_good("Zo\xc3\xab"));
	assert_true(text_nick_is_good("Zoe\xcc\x88"));
	assert_true(text_nick_is_good("Ada L"));
	assert_false(text_nick_is_good(""));
	assert_false(text_nick_is_good(" alice"));
	assert_false(text_nick_is_good("a\nb"));
	assert_false(text_nick_is_good("a\033[1m"));
	assert_false(text_nick_is_good("al\xe2\x80\x8bice"));
	assert_false(text_nick_is_good(
		"much too long a nick to be shown in front of every line, "
		"as one of 48 bytes would be"));
}

static void test_alike_nicks_are_seen(void **state)
{
	assert_true(text_nick_is_like("alice", "Alice"));
	assert_true(text_nick_is_like("alice", "\xef\xbd\x81lice"));
	/* Cyrillic a and ie, Greek iota and omicron, capitals, digits. */
	assert_true(text_nick_is_like("alice", "\xd0\xb0lic\xd0\xb5"));
	assert_true(text_nick_is_like("ALICE", "\xd0\x90LIC\xd0\x95"));
	assert_true(text_nick_is_like("bob", "b\xce\xbf"
					     "b"));
	assert_true(text_nick_is_like("alice", "al\xce\xb9"
					       "ce"));
	assert_true(text_nick_is_like("Alice", "AIice"));
	assert_true(text_nick_is_like("alice", "a1ice"));
	assert_true(text_nick_is_like("bob", "b0b"));
	assert_true(text_nick_is_like("THOMAS", "\xd0\xa2\xd0\x9d\xd0\x9e"
						"\xd0\x9c\xd0\x90S"));
	assert_false(text_nick_is_like("alice", "bob"));
	assert_false(text_nick_is_like("alice", "alic"));
	assert_false(text_nick_is_like("alic", "alice"));
	assert_false(text_nick_is_like("ann", "\xd0\xb0nna"));
}

static void test_columns_and_cuts(void **state)
{
	assert_int_equal(text_columns("a\xe6\x97\xa5", 4), 3);
	assert_int_equal(text_columns("e\xcc\x81", 3), 1);
	assert_int_equal(text_cut("a\xe6\x97\xa5", 4, 3), 1);
	assert_int_equal(text_cut("a\xe6\x97\xa5", 4, 4), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_is_disarmed),
		cmocka_unit_test(test_honest_text_is_kept),
		cmocka_unit_test(test_a_line_has_no_newline),
		cmocka_unit_test(test_marks_in_a_row_are_limited),
		cmocka_unit_test(test_output_fits_its_room),
		cmocka_unit_test(test_nicks_hide_nothing),
		cmocka_unit_test(test_own_nick_must_be_shown_as_typed),
		cmocka_unit_test(test_alike_nicks_are_seen),
		cmocka_unit_test(test_columns_and_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
