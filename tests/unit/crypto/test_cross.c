/* SPDX-License-Identifier: Apache-2.0 */
/* test_cross.c - two providers give the same results and the same errors
 *
 * test_cross PROVIDER PROVIDER: one TAP line for each algorithm and each list
 * of errors. Inputs are random: the seed is printed, and PVX_TEST_SEED=N
 * repeats a run.
 */

#include "lib/sessions.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROUNDS   12
#define ROOM     4400
#define TAG_ROOM 160 /* behind a text: tag and padding */

static struct cryptsess_provider *providers[2];
static struct test_random randomness;
static unsigned int number, failed;

/* One operation's memory at each of the two. */
struct side {
	struct cryptsess *session;
	uint8_t src[ROOM + TAG_ROOM];
	uint8_t dst[ROOM + TAG_ROOM];
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES];
	uint8_t mac[CRYPTSESS_MAX_DIGEST_BYTES];
	uint8_t chained[CRYPTSESS_MAX_IV_BYTES];
	uint32_t out_bytes;
	int result;
};

static struct side sides[2];
static uint8_t aad[CRYPTSESS_MAX_AAD_BYTES];

static void verdict(bool is_good, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void verdict(bool is_good, const char *format, ...)
{
	va_list args;

	printf("%s %u - ", is_good ? "ok" : "not ok", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failed += !is_good;
}

static bool says(const char *what, uint32_t bytes)
{
	printf("# %s at %u bytes: %s gives %d, %s gives %d\n", what, bytes,
	       cryptsess_provider_name(providers[0]), sides[0].result,
	       cryptsess_provider_name(providers[1]), sides[1].result);
	return false;
}

/* The same session at both; false when their answers differ. */
static bool sessions_open(const struct cryptsess_params *params)
{
	for (int i = 0; i < 2; i++) {
		sides[i].session = NULL;
		sides[i].result =
			cryptsess_open(&sides[i].session, providers[i], params);
	}
	return sides[0].result == sides[1].result;
}

static void sessions_close(void)
{
	cryptsess_close(sides[0].session);
	cryptsess_close(sides[1].session);
	sides[0].session = sides[1].session = NULL;
}

static uint32_t random_length(void)
{
	return test_random_below(&randomness, 4) == 0
		       ? test_random_below(&randomness, ROOM)
		       : test_random_below(&randomness, 100);
}

/* The same random bytes on both sides. */
static void fill(uint32_t bytes)
{
	test_random_fill(&randomness, sides[0].src, bytes);
	test_random_fill(&randomness, sides[0].iv, sizeof(sides[0].iv));
	memcpy(sides[1].src, sides[0].src, bytes);
	memcpy(sides[1].iv, sides[0].iv, sizeof(sides[0].iv));
}

static void run_crypt(struct side *side, uint16_t direction, uint16_t flags,
		      uint32_t bytes, bool has_iv)
{
	struct test_pieces from, to;
	struct cryptsess_crypt op = { .direction = direction,
				      .flags = flags,
				      .payload_bytes = bytes,
				      .mac = side->mac,
				      .iv = has_iv ? side->iv : NULL };

	test_pieces_cut(&from, side->src, bytes, 200, &randomness);
	test_pieces_cut(&to, side->dst, bytes, 200, &randomness);
	op.src = from.list;
	op.src_count = from.count;
	op.dst = to.list;
	op.dst_count = to.count;
	side->result = cryptsess_crypt(side->session, &op);
	side->out_bytes = bytes;
	cryptsess_get_iv(side->session, side->chained);
}

static bool is_same(const struct cryptsess_algorithm *cipher,
		    const struct cryptsess_algorithm *mac, bool is_due,
		    uint32_t bytes)
{
	const struct side *a = &sides[0], *b = &sides[1];

	if (a->result != b->result || a->out_bytes != b->out_bytes)
		return says("results", bytes);
	if (cipher && memcmp(a->dst, b->dst, a->out_bytes) != 0)
		return says("different output", bytes);
	if (cipher && memcmp(a->chained, b->chained, cipher->iv_bytes) != 0)
		return says("different chained IV", bytes);
	if (mac && is_due && !a->result &&
	    memcmp(a->mac, b->mac, mac->digest_bytes) != 0)
		return says("different digest", bytes);
	return true;
}

/* Encrypt at both, then each decrypts what the other one made; half of the
 * rounds go on from the chained IV, all lengths occur. */
static bool cross_crypt(const struct cryptsess_algorithm *cipher,
			const struct cryptsess_algorithm *mac)
{
	static uint8_t plain[ROOM], made[ROOM];
	bool is_good = true;

	for (int round = 0; is_good && round < ROUNDS; round++) {
		uint32_t bytes = random_length();

		fill(bytes);
		memcpy(plain, sides[0].src, bytes);
		for (int i = 0; i < 2; i++)
			run_crypt(&sides[i], CRYPTSESS_ENCRYPT, 0, bytes,
				  round % 2 == 0);
		is_good = is_same(cipher, mac, true, bytes);
		if (!is_good || sides[0].result)
			continue; /* not whole blocks: the same refusal */
		memcpy(made, sides[0].dst, bytes);
		if (!cipher)
			continue;
		for (int i = 0; i < 2; i++) {
			memcpy(sides[i].src, made, bytes);
			run_crypt(&sides[i], CRYPTSESS_DECRYPT, 0, bytes,
				  round % 2 == 0);
		}
		is_good = is_same(cipher, mac, true, bytes);
		if (is_good && round % 2 == 0 &&
		    memcmp(sides[0].dst, plain, bytes) != 0)
			is_good = says("not the plaintext", bytes);
	}
	return is_good;
}

/* The same random flags at both: multi-part, reset, finished (E8 to E10). */
static bool cross_flags(const struct cryptsess_algorithm *mac)
{
	static const uint16_t flags[] = {
		0,
		CRYPTSESS_UPDATE,
		CRYPTSESS_UPDATE,
		CRYPTSESS_FINAL,
		CRYPTSESS_RESET,
		CRYPTSESS_UPDATE | CRYPTSESS_RESET,
		CRYPTSESS_UPDATE | CRYPTSESS_FINAL,
		CRYPTSESS_WRITE_IV,
	};
	bool is_good = true;

	for (int round = 0; is_good && round < 3 * ROUNDS; round++) {
		uint32_t bytes = round % 7 == 0 ? 0 : random_length();
		uint16_t f = flags[test_random_below(&randomness, 8)];

		fill(bytes);
		for (int i = 0; i < 2; i++)
			run_crypt(&sides[i], CRYPTSESS_ENCRYPT, f, bytes,
				  false);
		is_good = is_same(NULL, mac,
				  f & CRYPTSESS_FINAL ||
					  !(f & CRYPTSESS_UPDATE) || !bytes,
				  bytes);
	}
	return is_good;
}

struct form {
	uint16_t direction;
	uint16_t flags;
	uint32_t payload_bytes;
	uint32_t auth_bytes;
	uint32_t tag_bytes;
	uint32_t room_bytes; /* at src and dst */
};

static void run_form(struct side *side, const struct form *form)
{
	bool is_in_place = form->flags != 0;
	struct test_pieces from, to, auth;
	struct cryptsess_authcrypt op = {
		.direction = form->direction,
		.flags = form->flags,
		.payload_bytes = form->payload_bytes,
		.auth_bytes = form->auth_bytes,
		.tag = side->mac,
		.tag_bytes = form->tag_bytes,
		.iv = side->iv,
	};

	test_pieces_cut(&from, side->src, form->room_bytes, 200, &randomness);
	test_pieces_cut(&to, side->dst, form->room_bytes, 200, &randomness);
	test_pieces_cut(&auth, aad, form->auth_bytes, 200, &randomness);
	if (form->flags & CRYPTSESS_AEAD_SRTP) /* the whole packet */
		test_pieces_one(&auth, side->src, form->auth_bytes);
	op.src = from.list;
	op.src_count = from.count;
	op.dst = is_in_place ? from.list : to.list;
	op.dst_count = is_in_place ? from.count : to.count;
	op.auth = auth.list;
	op.auth_count = form->auth_bytes ? auth.count : 0;
	side->result = cryptsess_authcrypt(side->session, &op);
	side->out_bytes = side->result ? 0 : op.out_bytes;
	if (is_in_place)
		memcpy(side->dst, side->src, form->room_bytes);
	cryptsess_get_iv(side->session, side->chained);
}

/* Both open what the first one has made; with `flipped` a bit is wrong in the
 * last byte, which is of the tag, or of the MAC in its padding. */
static bool cross_open(const struct cryptsess_algorithm *cipher,
		       struct form *form, const uint8_t *made,
		       const uint8_t *iv, bool is_flipped)
{
	uint32_t bytes = form->payload_bytes;

	for (int i = 0; i < 2; i++) {
		memcpy(sides[i].src, made, form->room_bytes);
		memcpy(sides[i].iv, iv, sizeof(sides[i].iv));
		if (is_flipped && form->flags & CRYPTSESS_AEAD_SRTP)
			sides[i].mac[0] ^= 1;
		else if (is_flipped && bytes)
			sides[i].src[bytes - 1] ^= 1;
		run_form(&sides[i], form);
	}
	return is_same(cipher, NULL, false, bytes);
}

/* Seal at both; open at both what the first one made, and a forgery. */
static bool cross_form(const struct cryptsess_algorithm *cipher, uint16_t flags)
{
	static uint8_t made[ROOM + TAG_ROOM], plain[ROOM];
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES];
	bool is_good = true;

	for (int round = 0; is_good && round < 2 * ROUNDS; round++) {
		uint32_t bytes = random_length();
		struct form form = {
			.flags = flags,
			.payload_bytes = bytes,
			.auth_bytes =
				flags & CRYPTSESS_AEAD_SRTP
					? bytes
					: test_random_below(&randomness, 300),
			.tag_bytes = test_random_below(&randomness, 22),
			.room_bytes = ROOM + TAG_ROOM,
		};

		fill(bytes);
		/* CCM: length fields of 2 to 8 bytes, at times a wrong one */
		sides[0].iv[0] = sides[1].iv[0] = (uint8_t)(round % 9);
		memcpy(iv, sides[0].iv, sizeof(iv));
		memcpy(plain, sides[0].src, bytes);
		run_form(&sides[0], &form);
		run_form(&sides[1], &form);
		is_good = is_same(cipher, NULL, false, bytes);
		if (!is_good || sides[0].result)
			continue;
		memcpy(made, sides[0].dst, sizeof(made));
		form.direction = CRYPTSESS_DECRYPT;
		form.payload_bytes = sides[0].out_bytes;
		is_good = cross_open(cipher, &form, made, iv, false);
		if (is_good && !sides[0].result &&
		    memcmp(sides[1].dst, plain, bytes) != 0)
			is_good = says("not the plaintext", bytes);
		is_good = is_good && cross_open(cipher, &form, made, iv, true);
	}
	return is_good;
}

static bool both_have(const struct cryptsess_algorithm *a)
{
	for (int i = 0; i < 2; i++)
		if (!cryptsess_provider_has(providers[i], a)) {
			printf("ok %u - %s # SKIP %s has none\n", ++number,
			       a->name, cryptsess_provider_name(providers[i]));
			return false;
		}
	return true;
}

static struct cryptsess_params
params_of(const struct cryptsess_algorithm *cipher,
	  const struct cryptsess_algorithm *mac)
{
	static uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
	static uint8_t mac_key[CRYPTSESS_MAX_MAC_KEY_BYTES];
	struct cryptsess_params params = { .key = key, .mac_key = mac_key };

	test_random_fill(&randomness, key, sizeof(key));
	test_random_fill(&randomness, mac_key, sizeof(mac_key));
	if (cipher) {
		uint32_t range = cipher->key_max_bytes - cipher->key_min_bytes;

		params.cipher = cipher->id;
		params.key_bytes =
			cipher->key_min_bytes +
			cipher->key_step_bytes *
				test_random_below(
					&randomness,
					range / cipher->key_step_bytes + 1);
	}
	if (mac) {
		params.mac = mac->id;
		params.mac_key_bytes = test_random_below(&randomness, 200);
	}
	return params;
}

static void cross_algorithm(const struct cryptsess_algorithm *a)
{
	const struct cryptsess_algorithm *sha1 =
		cryptsess_algorithm_by_name("hmac-sha1");
	struct cryptsess_params params;
	bool is_good = true;

	if (!both_have(a))
		return;
	/* Several keys: all lengths of AES and long ones of HMAC. */
	for (int keys = 0; is_good && keys < 8; keys++) {
		params = params_of(a->is_mac ? NULL : a, a->is_mac ? a : NULL);
		is_good = sessions_open(&params) && !sides[0].result;
		if (is_good && a->is_aead)
			is_good = cross_form(a, 0);
		else if (is_good)
			is_good = cross_crypt(a->is_mac ? NULL : a,
					      a->is_mac ? a : NULL);
		if (is_good && a->is_mac)
			is_good = cross_flags(a);
		sessions_close();
		if (!is_good || a->is_mac || a->is_aead)
			continue;
		params = params_of(a, sha1);
		is_good = sessions_open(&params) && !sides[0].result &&
			  cross_crypt(a, sha1) &&
			  cross_form(a, CRYPTSESS_AEAD_TLS) &&
			  cross_form(a, CRYPTSESS_AEAD_SRTP);
		sessions_close();
	}
	verdict(is_good, "%s", a->name);
}

/* Every id from 0 on, with every key length, as cipher and as mac. */
static void cross_opening(void)
{
	bool is_good = true;
	uint8_t key[520] = { 1 };

	for (uint32_t id = 0; is_good && id < 112; id++)
		for (uint32_t bytes = 0; is_good && bytes < 70; bytes++) {
			struct cryptsess_params as_cipher = {
				.cipher = id, .key = key, .key_bytes = bytes
			};
			struct cryptsess_params as_mac = {
				.mac = id,
				.mac_key = key,
				.mac_key_bytes = bytes * 8,
			};
			const struct cryptsess_algorithm *c =
				cryptsess_cipher_by_id(id);
			const struct cryptsess_algorithm *m =
				cryptsess_mac_by_id(id);

			/* A missing one is EINVAL there, no difference. */
			for (int i = 0; i < 2; i++) {
				if (c &&
				    !cryptsess_provider_has(providers[i], c))
					as_cipher.cipher = 999;
				if (m &&
				    !cryptsess_provider_has(providers[i], m))
					as_mac.mac = 999;
			}
			is_good = sessions_open(&as_cipher);
			sessions_close();
			is_good = is_good && sessions_open(&as_mac);
			sessions_close();
			if (!is_good)
				printf("# id %u, key of %u bytes: %d, %d\n", id,
				       bytes, sides[0].result, sides[1].result);
		}
	verdict(is_good, "the same sessions open, the same are refused");
}

/* Requests that are wrong in one way or another. */
static void cross_refusals(void)
{
	const struct cryptsess_algorithm *aes =
		cryptsess_algorithm_by_name("aes-cbc");
	const struct cryptsess_algorithm *sha =
		cryptsess_algorithm_by_name("sha1");
	struct cryptsess_params params = params_of(aes, sha);
	struct iovec piece = { sides[0].src, 16 };
	const struct cryptsess_crypt good = { .payload_bytes = 16,
					      .src = &piece,
					      .src_count = 1,
					      .dst = &piece,
					      .dst_count = 1,
					      .mac = sides[0].mac };
	struct cryptsess_crypt wrong[6] = {
		good, good, good, good, good, good
	};
	bool is_good = sessions_open(&params) && !sides[0].result;

	wrong[0].direction = 2;
	wrong[1].payload_bytes = 17;
	wrong[2].payload_bytes = 32; /* more than there is */
	wrong[3].src_count = 0;
	wrong[4].dst_count = 0;
	wrong[5].mac = NULL;
	for (size_t i = 0; is_good && i < 6; i++) {
		for (int k = 0; k < 2; k++) {
			struct cryptsess_crypt op = wrong[i];

			sides[k].result =
				cryptsess_crypt(sides[k].session, &op);
		}
		is_good = sides[0].result == sides[1].result &&
			  sides[0].result != 0;
		if (!is_good)
			says("refusals", (uint32_t)i);
	}
	sessions_close();
	verdict(is_good, "the same requests are refused in the same way");
}

static void seed(void)
{
	const char *given = getenv("PVX_TEST_SEED");

	if (given)
		randomness.state = strtoull(given, NULL, 0);
	else if (getrandom(&randomness.state, sizeof(randomness.state), 0) !=
		 sizeof(randomness.state))
		exit(1);
	printf("# PVX_TEST_SEED=%#llx repeats this run\n",
	       (unsigned long long)randomness.state);
}

int main(int argc, char **argv)
{
	const struct cryptsess_algorithm *a;

	if (argc != 3) {
		fprintf(stderr, "usage: %s PROVIDER PROVIDER\n", argv[0]);
		return 1;
	}
	providers[0] = test_provider_open(2, argv);
	providers[1] = test_provider_open(2, argv + 1);
	seed();
	test_random_fill(&randomness, aad, sizeof(aad));
	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++)
		cross_algorithm(a);
	cross_opening();
	cross_refusals();
	printf("1..%u\n", number);
	cryptsess_provider_close(providers[0]);
	cryptsess_provider_close(providers[1]);
	return failed ? 1 : 0;
}
