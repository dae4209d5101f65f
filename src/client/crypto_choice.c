/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_choice.c - the providers that `paravox crypto ...` looks at */

#include "client/crypto_choice.h"

#include "client/text.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the command line and a provider say is shown on a terminal. */
static void copy_clean(char *to, size_t room, const char *from)
{
	text_clean(to, room, from, strlen(from), TEXT_LINE);
}

static int choice_open(struct crypto_choice *choice, const char *name,
		       const char *summary)
{
	char reason[200];
	int r;

	copy_clean(choice->name, sizeof(choice->name), name);
	choice->summary = summary;
	r = cryptsess_provider_open(&choice->provider, name, reason,
				    sizeof(reason));
	if (r)
		copy_clean(choice->reason, sizeof(choice->reason), reason);
	return r;
}

int crypto_choices_open(struct crypto_choices *choices,
			const struct arguments *arguments)
{
	const char *named = arguments->value[OPTION_PROVIDER];
	const char *name, *summary;

	memset(choices, 0, sizeof(*choices));
	if (named) {
		choices->is_named = true;
		choices->count = 1;
		if (choice_open(&choices->row[0], named, NULL) == -EINVAL) {
			log_error("%s", choices->row[0].reason);
			return EXIT_USAGE;
		}
		return 0;
	}
	for (unsigned int i = 0; i < CRYPTO_CHOICES_MAX; i++) {
		name = cryptsess_provider_name_at(i, &summary);
		if (!name)
			break;
		choice_open(&choices->row[i], name, summary);
		choices->count++;
	}
	return 0;
}

void crypto_choices_close(struct crypto_choices *choices)
{
	for (unsigned int i = 0; i < choices->count; i++)
		cryptsess_provider_close(choices->row[i].provider);
	choices->count = 0;
}

int crypto_choices_status(const struct crypto_choices *choices)
{
	const struct crypto_choice *choice = &choices->row[0];

	if (!choices->is_named || choice->provider)
		return EXIT_SUCCESS;
	log_error("%s: %s", choice->name, choice->reason);
	return EXIT_FAILURE;
}

void crypto_choice_print_absent(const struct crypto_choice *choice,
				bool is_json)
{
	if (!is_json) {
		printf("%-11s not here: %s\n", choice->name, choice->reason);
		return;
	}
	printf("{\"provider\":");
	crypto_print_json(choice->name);
	printf(",\"here\":false,\"reason\":");
	crypto_print_json(choice->reason);
	printf("}\n");
}

void crypto_print_json(const char *text)
{
	putchar('"');
	for (const char *c = text; *c; c++)
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			printf("\\u%04x", (unsigned char)*c);
		else
			putchar(*c);
	putchar('"');
}
