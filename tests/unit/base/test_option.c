/* SPDX-License-Identifier: Apache-2.0 */
/* test_option.c - options from a table */

#include "base/option.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"

struct things {
	const char *text;
	uint64_t number;
	bool is_on;
	enum log_level level;
	unsigned int taken;
};

static int take_word(void *options, const char *value)
{
	struct things *things = options;

	if (strcmp(value, "word") != 0)
		return -EINVAL;
	things->taken++;
	return 0;
}

#define AT(field) .offset = offsetof(struct things, field)

static const struct option_row rows[] = {
	{ "text", "WORDS", "some text", OPTION_TEXT, AT(text),
	  .standard = "default" },
	{ "number", "N", "from 3 to\n7", OPTION_NUMBER, AT(number), .min = 3,
	  .max = 7, .standard = "5" },
	{ "switch", "on|off", "or not", OPTION_SWITCH, AT(is_on),
	  .standard = "on" },
	{ "level", "LEVEL", "of logs", OPTION_LOG_LEVEL, AT(level),
	  .standard = "info" },
	{ "word", "word", "counted", OPTION_TAKEN, .take = take_word },
	{ "end", NULL, "at once", OPTION_ENDS, .outcome = OPTION_OUTCOME_OWN },
};

static const struct option_table table = { "prog", "[--OPTION]...",
					   "Does something.", rows,
					   ARRAY_SIZE(rows) };

static struct things things;
static char said[512]; /* on standard error */

/* Parse a command line of up to two words, on top of the defaults. */
static int parse(const char *first, const char *second)
{
	char *argv[] = { (char *)(uintptr_t) "prog", (char *)(uintptr_t)first,
			 (char *)(uintptr_t)second, NULL };
	FILE *file = tmpfile();
	int error_fd = dup(STDERR_FILENO);
	int outcome;
	size_t bytes;

	memset(&things, 0, sizeof(things));
	option_defaults(&table, &things);
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	outcome = option_parse(&table, &things,
			       1 + (first != NULL) + (second != NULL), argv);
	fflush(stderr);
	assert_true(dup2(error_fd, STDERR_FILENO) >= 0);
	close(error_fd);
	rewind(file);
	bytes = fread(said, 1, sizeof(said) - 1, file);
	said[bytes] = '\0';
	fclose(file);
	return outcome;
}

static void test_has_the_defaults_of_the_rows(void **state)
{
	assert_int_equal(parse(NULL, NULL), OPTION_OUTCOME_RUN);
	assert_string_equal(things.text, "default");
	assert_int_equal(things.number, 5);
	assert_true(things.is_on);
	assert_int_equal(things.level, LOG_LEVEL_INFO);
	assert_int_equal(things.taken, 0);
}

static void test_takes_values_in_both_forms(void **state)
{
	assert_int_equal(parse("--text=a=b", "--number=3"), 0);
	assert_string_equal(things.text, "a=b");
	assert_int_equal(things.number, 3);
	assert_int_equal(parse("--number", "7"), 0);
	assert_int_equal(things.number, 7);
	assert_int_equal(parse("--switch=off", "--level=debug"), 0);
	assert_false(things.is_on);
	assert_int_equal(things.level, LOG_LEVEL_DEBUG);
	assert_int_equal(parse("--word=word", "--word=word"), 0);
	assert_int_equal(things.taken, 2);
}

static void test_an_outcome_ends_the_parsing(void **state)
{
	assert_int_equal(parse("--end", "--frob"), OPTION_OUTCOME_OWN);
	assert_string_equal(said, "");
}

/* A number is digits, within the row's bounds, and nothing else. */
static void test_refuses_numbers_that_are_none(void **state)
{
	static const char *const wrong[] = {
		"--number=2",
		"--number=8",
		"--number=",
		"--number=5x",
		"--number=+5",
		"--number= 5",
		"--number=-5",
		"--number=0x5",
		"--number=18446744073709551621", /* 2^64 + 5 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(parse(wrong[i], NULL), -EINVAL);
		assert_non_null(strstr(said, "takes 3 to 7"));
	}
}

static void test_names_what_is_wrong(void **state)
{
	static const struct {
		const char *option, *said;
	} wrong[] = {
		{ "--frob", "prog: --frob: no such option" },
		{ "stray", "prog: stray: no such option" },
		{ "--numbe=5", "prog: --numbe=5: no such option" },
		{ "--number", "prog: --number needs N" },
		{ "--end=1", "prog: --end takes no value" },
		{ "--text=", "prog: --text=: takes WORDS" },
		{ "--switch=maybe", "prog: --switch=maybe: takes on|off" },
		{ "--level=loud", "prog: --level=loud: takes LEVEL" },
		{ "--word=other", "prog: --word=other: takes word" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(parse(wrong[i].option, NULL), -EINVAL);
		assert_memory_equal(said, wrong[i].said, strlen(wrong[i].said));
	}
}

static void test_help_has_every_row_and_its_default(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	option_print_help(&table, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "usage: prog [--OPTION]...\n\n"
				  "Does something.\n\n"
				  "  --text=WORDS\n"
				  "        some text (default)\n"
				  "  --number=N\n"
				  "        from 3 to\n"
				  "        7 (5)\n"
				  "  --switch=on|off\n"
				  "        or not (on)\n"
				  "  --level=LEVEL\n"
				  "        of logs (info)\n"
				  "  --word=word\n"
				  "        counted\n"
				  "  --end\n"
				  "        at once\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_the_defaults_of_the_rows),
		cmocka_unit_test(test_takes_values_in_both_forms),
		cmocka_unit_test(test_an_outcome_ends_the_parsing),
		cmocka_unit_test(test_refuses_numbers_that_are_none),
		cmocka_unit_test(test_names_what_is_wrong),
		cmocka_unit_test(test_help_has_every_row_and_its_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
