/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - paravoxd check: look the history over, and put it right */

#include "relay/check.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/option.h"
#include "relay/state.h"
#include "store/check.h"
#include "wire/envelope.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <string.h>

struct check_options {
	const char *state;
	bool repairs;
};

static const struct option_row rows[] = {
	{ "state", "DIR", "the folder of the relay's own files",
	  .kind = OPTION_TEXT,
	  .offset = offsetof(struct check_options, state) },
	{ "repair", "on|off", "put right what is not", .kind = OPTION_SWITCH,
	  .offset = offsetof(struct check_options, repairs),
	  .standard = "off" },
	{ "help", NULL, "print this", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_HELP },
};

static const struct option_table table = {
	.program = "paravoxd check",
	.usage = "[--OPTION=VALUE]...",
	.about = "Look the history over of a relay that does not run.",
	.row = rows,
	.rows = ARRAY_SIZE(rows),
};

static bool is_envelope(const struct store_message *m)
{
	struct wire_envelope e;

	return !wire_envelope_decode(&e, m->envelope, m->bytes) &&
	       memcmp(e.header.sender, m->sender, CHAT_KEY_BYTES) == 0 &&
	       memcmp(e.header.chain, m->chain, CHAT_CHAIN_ID_BYTES) == 0 &&
	       e.header.generation == m->generation;
}

static void tell(const char *line)
{
	puts(line);
}

static int report(const struct store_check *c)
{
	uint64_t left = c->faults - c->repaired;

	printf("%" PRIu64 " messages in %" PRIu64 " rooms\n", c->messages,
	       c->rooms);
	if (c->lost)
		printf("%" PRIu64 " rows were no messages and are gone\n",
		       c->lost);
	if (c->repaired)
		printf("%" PRIu64 " faults were put right\n", c->repaired);
	if (left)
		printf("%" PRIu64 " faults are left%s\n", left,
		       c->repairs ? ": move the files away, or bring back a "
				    "copy"
				  : ": try --repair=on");
	return left ? 1 : 0;
}

int check_main(int argc, char **argv)
{
	struct check_options options = { 0 };
	struct store_check check = { .is_envelope = is_envelope, .tell = tell };
	char folder[PATH_MAX];
	int outcome;

	log_init("paravoxd check", LOG_LEVEL_INFO);
	option_defaults(&table, &options);
	outcome = option_parse(&table, &options, argc, argv);
	if (outcome == OPTION_OUTCOME_HELP) {
		option_print_help(&table, stdout);
		return 0;
	}
	if (outcome)
		return 2;
	outcome = relay_state_path(folder, sizeof(folder), options.state,
				   "history.sqlite");
	if (outcome)
		return 1;
	*strrchr(folder, '/') = '\0';
	check.repairs = options.repairs;
	outcome = store_check(&check, folder);
	if (outcome) {
		log_error("%s: %s", folder, store_explain(outcome));
		return 1;
	}
	return report(&check);
}
