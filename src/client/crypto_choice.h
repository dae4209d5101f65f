/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_choice.h - the providers that `paravox crypto ...` looks at */
#ifndef PVX_CLIENT_CRYPTO_CHOICE_H
#define PVX_CLIENT_CRYPTO_CHOICE_H

#include "client/command.h"
#include "cryptsess.h"

#define CRYPTO_CHOICES_MAX 8

struct crypto_choice {
	char name[256];      /* as --provider takes it; safe to print */
	char reason[400];    /* why it is not here; safe to print */
	const char *summary; /* one line; NULL for a name given with a path */
	struct cryptsess_provider *provider; /* NULL: not on this machine */
};

struct crypto_choices {
	struct crypto_choice row[CRYPTO_CHOICES_MAX];
	unsigned int count;
	bool is_named; /* --provider was given: it must be here */
};

/* Open every provider, or the one of --provider. 0, or the exit status after
 * a message. */
int crypto_choices_open(struct crypto_choices *choices,
			const struct arguments *arguments);
void crypto_choices_close(struct crypto_choices *choices);

/* The line for a provider that is not here, with the reason. */
void crypto_choice_print_absent(const struct crypto_choice *choice,
				bool is_json);

/* A JSON string with its quotes. */
void crypto_print_json(const char *text);

/* The exit status of a command that found nothing wrong: a provider that was
 * named and is not here makes it a failure, after a message. */
int crypto_choices_status(const struct crypto_choices *choices);

#endif
