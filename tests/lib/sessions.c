/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.c - what the tests of crypto sessions share */

#include "lib/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cryptsess_provider *test_provider_open(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "openssl";
	struct cryptsess_provider *provider;
	char why[256];
	int r = cryptsess_provider_open(&provider, name, why, sizeof(why));

	if (r == 0)
		return provider;
	if (r == -ENODEV) {
		printf("1..0 # SKIP %s: %s\n", name, why);
		exit(TEST_SKIPPED);
	}
	fprintf(stderr, "%s: %s (%s)\n", name, why, strerror(-r));
	exit(1);
}

static bool has(struct cryptsess_provider *provider,
		const struct cryptsess_algorithm *a, uint32_t id)
{
	return id == 0 || cryptsess_provider_has(provider, a);
}

struct cryptsess *test_session_open(struct cryptsess_provider *provider,
				    uint32_t cipher, uint32_t mac)
{
	const struct cryptsess_algorithm *c = cryptsess_cipher_by_id(cipher);
	const struct cryptsess_algorithm *m = cryptsess_mac_by_id(mac);
	static const uint8_t key[64] =
		"an AES key, then one more for the tweak;"
		" and now for the rest";
	struct cryptsess_params params = {
		.cipher = cipher, .mac = mac, .key = key, .mac_key = key
	};
	struct cryptsess *session = NULL;
	int r;

	if (!has(provider, c, cipher) || !has(provider, m, mac))
		return NULL;
	if (c)
		params.key_bytes = c->key_max_bytes;
	if (m && m->is_keyed)
		params.mac_key_bytes = 20;
	r = cryptsess_open(&session, provider, &params);
	if (r) {
		fprintf(stderr, "%s with %s: %s\n", c ? c->name : "none",
			m ? m->name : "none", strerror(-r));
		exit(1);
	}
	return session;
}

uint32_t test_random_below(struct test_random *random, uint32_t bound)
{
	random->state =
		random->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random->state >> 33) % bound);
}

void test_random_fill(struct test_random *random, void *to, size_t bytes)
{
	uint8_t *at = to;

	while (bytes--)
		*at++ = (uint8_t)test_random_below(random, 256);
}

static void *unconst(const void *data)
{
	union {
		const void *from;
		void *to;
	} u = { .from = data };

	return u.to; /* struct iovec has no const; sources are only read */
}

void test_pieces_one(struct test_pieces *p, const void *data, size_t bytes)
{
	p->list[0] = (struct iovec){ unconst(data), bytes };
	p->count = 1;
}

void test_pieces_cut(struct test_pieces *p, const void *data, size_t bytes,
		     size_t largest_bytes, struct test_random *random)
{
	uint8_t *at = unconst(data);

	p->count = 0;
	while (bytes && p->count < TEST_PIECES_MAX - 1) {
		size_t some =
			1 + test_random_below(random, (uint32_t)largest_bytes);

		if (test_random_below(random, 8) == 0)
			some = 0;
		if (some > bytes)
			some = bytes;
		p->list[p->count++] = (struct iovec){ at, some };
		at += some;
		bytes -= some;
	}
	p->list[p->count++] = (struct iovec){ at, bytes };
}
