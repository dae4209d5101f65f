/* SPDX-License-Identifier: Apache-2.0 */
/* skip.c - say what was skipped so that it does not count as a failure */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/*
 * How it works: cmocka prints "not ok N # SKIP" for a test that calls skip();
 * TAP, and so meson, calls that a failure. All that cmocka prints goes through
 * this function, which the program's own definition replaces.
 */
void print_message(const char *format, ...)
{
	static const char wrong[] = "not ok ";
	char line[4096];
	const char *shown = line;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (strncmp(line, wrong, strlen(wrong)) == 0 && strstr(line, " # SKIP"))
		shown += strlen("not ");
	fputs(shown, stdout);
	fflush(stdout);
}
