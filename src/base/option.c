/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - what the tables of options of our daemons share */

#include "base/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int option_number_parse(uint64_t *number, const char *text, uint64_t least,
			uint64_t most)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno || *end || *number < least || *number > most)
		return -EINVAL;
	return 0;
}

void option_print(FILE *out, const char *name, const char *value,
		  const char *help)
{
	size_t bytes;

	fprintf(out, "  --%s%s%s\n", name, value ? "=" : "",
		value ? value : "");
	while ((bytes = strcspn(help, "\n")) > 0) {
		fprintf(out, "        %.*s", (int)bytes, help);
		help += bytes + (help[bytes] == '\n');
		if (*help)
			fputc('\n', out);
	}
}
