/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_crypto_test.c - `paravox crypto test`: are the answers right */

#include "client/commands.h"
#include "client/crypto_choice.h"
#include "client/crypto_known.h"

#include "base/bytes.h"
#include "base/log.h"
#include "prim/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * How it works: for each algorithm that a provider has, a published answer in
 * both directions, a forged tag for an AEAD, and random data that the openssl
 * provider must agree about. Keys and data are thrown away.
 */
#define TEXT_MAX   1024
#define CROSS_TEXT 992 /* whole blocks of everything */

/* What one operation takes and gives. */
struct trial {
	const struct cryptsess_algorithm *algorithm;
	uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
	uint32_t key_bytes;
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES];
	uint8_t aad[64];
	uint32_t aad_bytes;
	uint8_t input[TEXT_MAX];
	uint32_t input_bytes;
	uint32_t tag_bytes; /* AEAD only */
	uint8_t output[TEXT_MAX + CRYPTSESS_MAX_DIGEST_BYTES];
	uint32_t output_bytes;
};

static int run_session(struct cryptsess *s, uint16_t direction, struct trial *t)
{
	struct iovec src = { t->input, t->input_bytes };
	struct iovec dst = { t->output, sizeof(t->output) };
	struct iovec auth = { t->aad, t->aad_bytes };
	struct cryptsess_authcrypt sealed = { .direction = direction,
					      .payload_bytes = t->input_bytes,
					      .src = &src,
					      .src_count = 1,
					      .dst = &dst,
					      .dst_count = 1,
					      .auth = &auth,
					      .auth_count = 1,
					      .auth_bytes = t->aad_bytes,
					      .tag_bytes = t->tag_bytes,
					      .iv = t->iv };
	struct cryptsess_crypt plain = { .direction = direction,
					 .payload_bytes = t->input_bytes,
					 .src = &src,
					 .src_count = 1,
					 .dst = &dst,
					 .dst_count = 1,
					 .mac = t->output,
					 .iv = t->iv };
	int r;

	if (t->algorithm->is_aead) {
		r = cryptsess_authcrypt(s, &sealed);
		t->output_bytes = r ? 0 : sealed.out_bytes;
		return r;
	}
	t->output_bytes = t->algorithm->is_mac ? t->algorithm->digest_bytes
					       : t->input_bytes;
	return cryptsess_crypt(s, &plain);
}

static int run(struct cryptsess_provider *provider, uint16_t direction,
	       struct trial *t)
{
	bool is_mac = t->algorithm->is_mac;
	struct cryptsess_params params = {
		.cipher = is_mac ? 0 : t->algorithm->id,
		.mac = is_mac ? t->algorithm->id : 0,
		.key = t->key,
		.key_bytes = is_mac ? 0 : t->key_bytes,
		.mac_key = t->key,
		.mac_key_bytes = is_mac ? t->key_bytes : 0,
	};
	struct cryptsess *s = NULL;
	int r = cryptsess_open(&s, provider, &params);

	if (r == 0)
		r = run_session(s, direction, t);
	cryptsess_close(s);
	return r;
}

/* The output becomes the input. */
static void turn_round(struct trial *t)
{
	t->input_bytes = t->output_bytes;
	memcpy(t->input, t->output, t->output_bytes);
	memset(t->output, 0, sizeof(t->output));
}

static int hex(uint8_t *to, size_t room, const char *text)
{
	int bytes = bytes_from_hex(to, room, text);

	return bytes < 0 ? 0 : bytes;
}

static bool is_known_right(struct cryptsess_provider *provider,
			   const struct crypto_known *known)
{
	uint8_t expected[TEXT_MAX], input[TEXT_MAX];
	struct trial t = { 0 };
	int expected_bytes = hex(expected, sizeof(expected), known->output);
	int input_bytes = hex(input, sizeof(input), known->input);

	t.algorithm = cryptsess_algorithm_by_name(known->algorithm);
	t.key_bytes = (uint32_t)hex(t.key, sizeof(t.key), known->key);
	t.aad_bytes = (uint32_t)hex(t.aad, sizeof(t.aad), known->aad);
	t.input_bytes = (uint32_t)input_bytes;
	t.tag_bytes = (uint32_t)(expected_bytes - input_bytes);
	memcpy(t.input, input, (size_t)input_bytes);
	hex(t.iv, sizeof(t.iv), known->iv);
	if (run(provider, CRYPTSESS_ENCRYPT, &t) ||
	    t.output_bytes != (uint32_t)expected_bytes ||
	    memcmp(t.output, expected, t.output_bytes) != 0)
		return false;
	if (t.algorithm->is_mac)
		return true;
	turn_round(&t);
	if (run(provider, CRYPTSESS_DECRYPT, &t) ||
	    t.output_bytes != (uint32_t)input_bytes ||
	    memcmp(t.output, input, t.output_bytes) != 0)
		return false;
	if (!t.algorithm->is_aead)
		return true;
	t.input[t.input_bytes - 1] ^= 1;
	return run(provider, CRYPTSESS_DECRYPT, &t) == -EBADMSG;
}

/* Random data through this provider and through openssl; back here. */
static bool is_openssl_agreed(struct cryptsess_provider *provider,
			      struct cryptsess_provider *openssl,
			      const struct cryptsess_algorithm *a)
{
	static struct trial ours, theirs;
	uint8_t input[CROSS_TEXT];

	memset(&ours, 0, sizeof(ours));
	ours.algorithm = a;
	ours.key_bytes = a->is_mac ? (a->is_keyed ? 32 : 0) : a->key_max_bytes;
	ours.input_bytes = sizeof(input);
	ours.tag_bytes = 16;
	ours.aad_bytes = a->is_aead ? sizeof(ours.aad) : 0;
	if (random_bytes(ours.key, sizeof(ours.key)) ||
	    random_bytes(ours.iv, sizeof(ours.iv)) ||
	    random_bytes(input, sizeof(input)))
		return false;
	memcpy(ours.input, input, sizeof(input));
	if (a->id == CRYPTSESS_AES_CCM)
		ours.iv[0] = 3; /* four bytes of length */
	theirs = ours;
	if (run(provider, CRYPTSESS_ENCRYPT, &ours) ||
	    run(openssl, CRYPTSESS_ENCRYPT, &theirs) ||
	    ours.output_bytes != theirs.output_bytes ||
	    memcmp(ours.output, theirs.output, ours.output_bytes) != 0)
		return false;
	if (a->is_mac)
		return true;
	turn_round(&theirs);
	ours = theirs;
	return run(provider, CRYPTSESS_DECRYPT, &ours) == 0 &&
	       ours.output_bytes == sizeof(input) &&
	       memcmp(ours.output, input, sizeof(input)) == 0;
}

struct tally {
	unsigned int known;
	unsigned int agreed;
	unsigned int missing;
	unsigned int wrong;
};

static void say_wrong(struct tally *tally, const struct crypto_choice *choice,
		      const char *algorithm, const char *what, bool is_json)
{
	tally->wrong++;
	if (!is_json)
		printf("%-11s %s: %s\n", choice->name, algorithm, what);
	else {
		printf("{\"provider\":");
		crypto_print_json(choice->name);
		printf(",\"algorithm\":\"%s\",\"wrong\":\"%s\"}\n", algorithm,
		       what);
	}
}

static void test_choice(const struct crypto_choice *choice,
			struct cryptsess_provider *openssl, bool is_json,
			struct tally *tally)
{
	const struct crypto_known *known = crypto_known;

	for (; known->algorithm; known++) {
		const struct cryptsess_algorithm *a =
			cryptsess_algorithm_by_name(known->algorithm);

		if (!cryptsess_provider_has(choice->provider, a)) {
			tally->missing++;
			continue;
		}
		if (is_known_right(choice->provider, known))
			tally->known++;
		else
			say_wrong(tally, choice, a->name,
				  "not the published answer", is_json);
		/* That it agrees with itself says nothing. */
		if (strcmp(choice->name, "openssl") == 0 ||
		    !cryptsess_provider_has(openssl, a))
			continue;
		if (is_openssl_agreed(choice->provider, openssl, a))
			tally->agreed++;
		else
			say_wrong(tally, choice, a->name,
				  "not what openssl computes", is_json);
	}
}

static void print_tally(const struct crypto_choice *choice,
			const struct tally *tally, bool is_json)
{
	if (is_json) {
		printf("{\"provider\":");
		crypto_print_json(choice->name);
		printf(",\"known\":%u,\"agreed\":%u,\"missing\":%u,"
		       "\"wrong\":%u}\n",
		       tally->known, tally->agreed, tally->missing,
		       tally->wrong);
		return;
	}
	printf("%-11s %s: %u published answers right", choice->name,
	       tally->wrong ? "WRONG" : "good", tally->known);
	if (tally->agreed)
		printf(", %u agreed with openssl", tally->agreed);
	if (tally->wrong)
		printf(", %u wrong", tally->wrong);
	if (tally->missing)
		printf("; has not %u of %u", tally->missing,
		       tally->known + tally->missing);
	putchar('\n');
}

int cmd_crypto_test(const struct arguments *arguments)
{
	bool is_json = arguments->value[OPTION_JSON] != NULL;
	struct cryptsess_provider *openssl = NULL;
	struct crypto_choices choices;
	int status = crypto_choices_open(&choices, arguments);
	char why[200];

	if (status)
		return status;
	if (cryptsess_provider_open(&openssl, "openssl", why, sizeof(why))) {
		log_error("nothing to compare with: %s", why);
		crypto_choices_close(&choices);
		return EXIT_FAILURE;
	}
	for (unsigned int i = 0; i < choices.count; i++) {
		const struct crypto_choice *choice = &choices.row[i];
		struct tally tally = { 0 };

		if (!choice->provider) {
			crypto_choice_print_absent(choice, is_json);
			continue;
		}
		test_choice(choice, openssl, is_json, &tally);
		print_tally(choice, &tally, is_json);
		if (tally.wrong)
			status = EXIT_FAILURE;
	}
	if (status == EXIT_SUCCESS)
		status = crypto_choices_status(&choices);
	cryptsess_provider_close(openssl);
	crypto_choices_close(&choices);
	return status;
}
