/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_crypto.c - `paravox crypto list`: what this machine has */

#include "client/commands.h"
#include "client/crypto_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_COLUMNS 76
#define INDENT       "            "

enum kind {
	KIND_CIPHER,
	KIND_AEAD,
	KIND_HASH,
	KIND_HMAC,
	KINDS
};

static const char *const kind_names[KINDS] = { "ciphers", "AEADs", "hashes",
					       "HMACs" };

static enum kind kind_of(const struct cryptsess_algorithm *a)
{
	if (a->is_mac)
		return a->is_keyed ? KIND_HMAC : KIND_HASH;
	return a->is_aead ? KIND_AEAD : KIND_CIPHER;
}

/* One kind's algorithms: those that the provider has, or those it lacks. */
static void print_kind(struct cryptsess_provider *provider, enum kind kind,
		       bool is_there, const char *title)
{
	const struct cryptsess_algorithm *a;
	size_t column = 0;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		if (kind_of(a) != kind ||
		    cryptsess_provider_has(provider, a) != is_there)
			continue;
		if (column == 0)
			column = (size_t)printf("%s%-8s", INDENT, title);
		if (column + 1 + strlen(a->name) > LINE_COLUMNS)
			column = (size_t)printf("\n%s%8s", INDENT, "") - 1;
		column += (size_t)printf(" %s", a->name);
	}
	if (column)
		putchar('\n');
}

static void print_choice(const struct crypto_choice *choice)
{
	printf("%-11s %s\n", choice->name,
	       choice->summary ? choice->summary : "here");
	for (enum kind kind = 0; kind < KINDS; kind++)
		print_kind(choice->provider, kind, true, kind_names[kind]);
	for (enum kind kind = 0; kind < KINDS; kind++)
		print_kind(choice->provider, kind, false, "without");
}

static void print_choice_json(const struct crypto_choice *choice)
{
	const struct cryptsess_algorithm *a;
	const char *comma = "";

	printf("{\"provider\":");
	crypto_print_json(choice->name);
	printf(",\"here\":true,\"algorithms\":[");
	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++)
		if (cryptsess_provider_has(choice->provider, a)) {
			printf("%s\"%s\"", comma, a->name);
			comma = ",";
		}
	printf("]}\n");
}

int cmd_crypto_list(const struct arguments *arguments)
{
	bool is_json = arguments->value[OPTION_JSON] != NULL;
	struct crypto_choices choices;
	int status = crypto_choices_open(&choices, arguments);

	if (status)
		return status;
	for (unsigned int i = 0; i < choices.count; i++) {
		const struct crypto_choice *choice = &choices.row[i];

		if (!choice->provider)
			crypto_choice_print_absent(choice, is_json);
		else if (is_json)
			print_choice_json(choice);
		else
			print_choice(choice);
	}
	status = crypto_choices_status(&choices);
	crypto_choices_close(&choices);
	return status;
}
