/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - what the tables of options of our daemons share */
#ifndef PVX_BASE_OPTION_H
#define PVX_BASE_OPTION_H

#include <stdint.h>
#include <stdio.h>

/* Read a decimal number from `least` to `most`. 0, or -EINVAL for anything
 * else, signs and blanks included; `*number` may be changed then too. */
int option_number_parse(uint64_t *number, const char *text, uint64_t least,
			uint64_t most);

/*
 * Print "--NAME=VALUE" and below it the lines of `help`, indented, without the
 * last newline. `value` is NULL for an option that takes none.
 */
void option_print(FILE *out, const char *name, const char *value,
		  const char *help);

#endif
