/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_crypto_speed.c - `paravox crypto speed`: how fast this machine is */

#include "client/commands.h"
#include "client/crypto_choice.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * How it works: for each algorithm and size the providers take turns, each
 * for TURN_MS at a time, and of its turns the best one counts: what else the
 * machine does hits all of them alike and makes none look better. The openssl
 * provider is always measured, for the ratio.
 */
#define TURNS     3
#define TURN_MS   10
#define BAR_CELLS 24
#define MEGABYTE  1e6
#define TAG_BYTES 16

static const char *const algorithms[] = { "aes-ctr", "hmac-sha256", "aes-cbc",
					  "aes-gcm" };
static const uint32_t sizes[] = { 16,      256,     1024,   1 << 12,
				  1 << 14, 1 << 16, 1 << 20 };

struct contestant {
	const struct crypto_choice *choice;
	struct cryptsess *session; /* NULL: has no such algorithm */
	int error;                 /* of an operation at this size */
	double ops_per_s;
};

/* What to draw with. */
static bool is_unicode(void)
{
	locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool is_utf8;

	if (!user)
		return false;
	is_utf8 = strcmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0;
	freelocale(user);
	return is_utf8;
}

static int operate(struct cryptsess *s, const struct cryptsess_algorithm *a,
		   uint8_t *memory, uint32_t bytes)
{
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES] = { 1 };
	uint8_t digest[CRYPTSESS_MAX_DIGEST_BYTES];
	struct iovec piece = { memory, bytes + (size_t)TAG_BYTES };
	struct cryptsess_authcrypt sealed = { .payload_bytes = bytes,
					      .src = &piece,
					      .src_count = 1,
					      .dst = &piece,
					      .dst_count = 1,
					      .iv = iv };
	struct cryptsess_crypt plain = { .payload_bytes = bytes,
					 .src = &piece,
					 .src_count = 1,
					 .dst = &piece,
					 .dst_count = 1,
					 .mac = digest,
					 .iv = iv };

	return a->is_aead ? cryptsess_authcrypt(s, &sealed)
			  : cryptsess_crypt(s, &plain);
}

static void take_turn(struct contestant *c, const struct cryptsess_algorithm *a,
		      uint8_t *memory, uint32_t bytes)
{
	uint64_t start = clock_now_ns(), passed;
	uint64_t count = 0;
	double rate;

	do {
		c->error = operate(c->session, a, memory, bytes);
		if (c->error)
			return;
		count++;
		passed = clock_now_ns() - start;
	} while (passed < TURN_MS * 1000000u);
	rate = (double)count * 1e9 / (double)passed;
	if (rate > c->ops_per_s)
		c->ops_per_s = rate;
}

static struct cryptsess *session_of(struct cryptsess_provider *provider,
				    const struct cryptsess_algorithm *a)
{
	static const uint8_t key[CRYPTSESS_MAX_KEY_BYTES] = { 1 };
	struct cryptsess_params params = { .key = key, .mac_key = key };
	struct cryptsess *session = NULL;

	if (!provider || !cryptsess_provider_has(provider, a))
		return NULL;
	if (a->is_mac) {
		params.mac = a->id;
		params.mac_key_bytes = 32;
	} else {
		params.cipher = a->id;
		params.key_bytes = 32;
	}
	if (cryptsess_open(&session, provider, &params))
		return NULL;
	return session;
}

static void print_bar(double part, bool has_unicode)
{
	unsigned int cells = (unsigned int)(part * BAR_CELLS + 0.5);

	for (unsigned int i = 0; i < cells; i++)
		fputs(has_unicode ? "\u2588" : "#", stdout);
	if (cells == 0)
		fputs(has_unicode ? "\u258f" : "|", stdout);
}

static void print_row(const struct contestant *c, double reference,
		      uint32_t bytes, double fastest, bool has_unicode)
{
	double rate = c->ops_per_s * bytes / MEGABYTE;

	if (c->error) {
		printf("%9u  %-11.40s %s\n", bytes, c->choice->name,
		       strerror(-c->error));
		return;
	}
	printf("%9u  %-11.40s %10.1f %12.0f", bytes, c->choice->name, rate,
	       c->ops_per_s);
	if (reference > 0)
		printf(" %7.3f", c->ops_per_s / reference);
	else
		printf(" %7s", "");
	printf("  ");
	print_bar(rate / fastest, has_unicode);
	putchar('\n');
}

static void print_row_json(const struct contestant *c,
			   const struct cryptsess_algorithm *a,
			   double reference, uint32_t bytes)
{
	printf("{\"provider\":");
	crypto_print_json(c->choice->name);
	printf(",\"algorithm\":\"%s\",\"bytes\":%u", a->name, bytes);
	if (c->error) {
		printf(",\"error\":");
		crypto_print_json(strerror(-c->error));
	} else {
		printf(",\"ops_per_s\":%.1f,\"mb_per_s\":%.3f", c->ops_per_s,
		       c->ops_per_s * bytes / MEGABYTE);
		if (reference > 0)
			printf(",\"of_openssl\":%.4f",
			       c->ops_per_s / reference);
	}
	printf("}\n");
}

struct race {
	struct contestant row[CRYPTO_CHOICES_MAX + 1];
	unsigned int count; /* the first one is openssl */
	bool is_json;
	bool has_unicode;
	uint8_t *memory;
};

/* All sizes of one algorithm; the bars of one algorithm share their scale. */
static bool race_run(struct race *race, const struct cryptsess_algorithm *a)
{
	struct contestant results[ARRAY_SIZE(sizes)][CRYPTO_CHOICES_MAX + 1];
	double fastest = 0;
	bool is_good = true;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int k = 0; k < race->count; k++) {
			race->row[k].ops_per_s = 0;
			race->row[k].error = 0;
		}
		for (int turn = 0; turn < TURNS; turn++)
			for (unsigned int k = 0; k < race->count; k++)
				if (race->row[k].session && !race->row[k].error)
					take_turn(&race->row[k], a,
						  race->memory, sizes[i]);
		memcpy(results[i], race->row, sizeof(race->row));
		for (unsigned int k = 0; k < race->count; k++) {
			double rate =
				race->row[k].ops_per_s * sizes[i] / MEGABYTE;

			fastest = rate > fastest ? rate : fastest;
			/* More than it takes in one request is an answer. */
			if (race->row[k].error && race->row[k].error != -E2BIG)
				is_good = false;
		}
	}
	if (!race->is_json)
		printf("%s, 256-bit key\n%9s  %-11s %10s %12s %7s\n", a->name,
		       "bytes", "provider", "MB/s", "ops/s", "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned int k = 0; k < race->count; k++) {
			const struct contestant *c = &results[i][k];
			double reference = results[i][0].ops_per_s;

			if (!c->session)
				continue;
			if (race->is_json)
				print_row_json(c, a, reference, sizes[i]);
			else
				print_row(c, reference, sizes[i], fastest,
					  race->has_unicode);
		}
	return is_good;
}

static bool race_algorithm(struct race *race,
			   const struct cryptsess_algorithm *a)
{
	bool is_good;

	for (unsigned int k = 0; k < race->count; k++)
		race->row[k].session =
			session_of(race->row[k].choice->provider, a);
	is_good = race_run(race, a);
	for (unsigned int k = 0; k < race->count; k++)
		cryptsess_close(race->row[k].session);
	return is_good;
}

static int race_all(struct race *race)
{
	int status = EXIT_SUCCESS;

	race->memory = calloc(1, sizes[ARRAY_SIZE(sizes) - 1] + TAG_BYTES);
	if (!race->memory) {
		log_error("no memory");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (!race_algorithm(race,
				    cryptsess_algorithm_by_name(algorithms[i])))
			status = EXIT_FAILURE;
	free(race->memory);
	return status;
}

int cmd_crypto_speed(const struct arguments *arguments)
{
	struct race race = { .is_json = arguments->value[OPTION_JSON] != NULL,
			     .has_unicode = is_unicode() };
	struct crypto_choice openssl = { .name = "openssl" };
	struct crypto_choices choices;
	char why[200];
	int status = crypto_choices_open(&choices, arguments);

	if (status)
		return status;
	if (cryptsess_provider_open(&openssl.provider, "openssl", why,
				    sizeof(why)))
		log_warning("no openssl to compare with: %s", why);
	race.row[race.count++].choice = &openssl;
	for (unsigned int i = 0; i < choices.count; i++) {
		if (!choices.row[i].provider)
			crypto_choice_print_absent(&choices.row[i],
						   race.is_json);
		else if (strcmp(choices.row[i].name, "openssl") != 0)
			race.row[race.count++].choice = &choices.row[i];
	}
	status = crypto_choices_status(&choices);
	if (status == EXIT_SUCCESS)
		status = race_all(&race);
	cryptsess_provider_close(openssl.provider);
	crypto_choices_close(&choices);
	return status;
}
