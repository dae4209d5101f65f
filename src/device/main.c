/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - vhost-user-cryptodev, the host's side of virtio-cryptodev */
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "device/supervisor.h"

/* Exit statuses: 0 stopped as asked, 1 could not serve, 2 wrong usage. */
int main(int argc, char **argv)
{
	static struct device_options options;
	int outcome = process_hide();

	if (outcome) {
		fprintf(stderr, "vhost-user-cryptodev: %s\n",
			strerror(-outcome));
		return 1;
	}
	outcome = device_options_parse(&options, argc, argv);
	if (outcome == OPTION_OUTCOME_HELP)
		option_print_help(&device_option_table, stdout);
	if (outcome == OPTION_OUTCOME_VERSION)
		puts("vhost-user-cryptodev " PVX_VERSION);
	if (outcome == DEVICE_OUTCOME_CAPABILITIES)
		device_options_print_capabilities(stdout);
	if (outcome != OPTION_OUTCOME_RUN)
		return outcome < 0 ? 2 : 0;
	log_init("vhost-user-cryptodev", options.log_level);
	return supervisor_run(&options, NULL) ? 1 : 0;
}
