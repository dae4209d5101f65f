/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - paravoxd, the relay */

#include "base/bytes.h"
#include "base/log.h"
#include "base/process.h"
#include "relay/check.h"
#include "relay/ctl.h"
#include "relay/options.h"
#include "relay/relay.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} subcommands[] = {
	{ "check", check_main },
	{ "ctl", ctl_main },
};

/* Exit statuses: 0 stopped as asked, 1 could not serve, 2 wrong usage. */
int main(int argc, char **argv)
{
	static struct relay_options options;
	int outcome;

	outcome = process_init();
	if (outcome) {
		fprintf(stderr, "paravoxd: %s\n", strerror(-outcome));
		return 1;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].main(argc - 1, argv + 1);
	outcome = relay_options_parse(&options, argc, argv);
	if (outcome == OPTION_OUTCOME_HELP) {
		option_print_help(&relay_option_table, stdout);
		return 0;
	}
	if (outcome == OPTION_OUTCOME_VERSION) {
		puts("paravoxd " PVX_VERSION);
		return 0;
	}
	if (outcome < 0)
		return 2;
	if (options.is_check) {
		puts("paravoxd: the options are right");
		return 0;
	}
	log_init("paravoxd", options.log_level);
	log_format_set(options.log_format);
	outcome = relay_run(&options);
	relay_options_deinit(&options);
	return outcome ? 1 : 0;
}
