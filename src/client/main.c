/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - paravox: the table of subcommands */

#include "client/commands.h"

#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
	/* The end; names come first in their row. */
	{ 0 },
};

int main(int argc, char **argv)
{
	int error;

	log_init("paravox", LOG_LEVEL_INFO);
	error = process_harden();
	if (error) {
		log_error("cannot protect this process: %s", strerror(-error));
		return EXIT_FAILURE;
	}
	/* Text is UTF-8 whatever the locale says; the rest stays "C". */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	return command_dispatch(commands, argc, argv);
}
