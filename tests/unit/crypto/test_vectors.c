/* SPDX-License-Identifier: Apache-2.0 */
/* test_vectors.c - every known answer, through one provider
 *
 * test_vectors PROVIDER FILE...: one TAP line for each vector, which is tried
 * in both directions, in place and apart, in one piece and cut. A vector whose
 * algorithm the provider has not is skipped, and said so.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sessions.h"
#include "lib/vectors.h"

/* How one try lays out its memory. */
struct layout {
	bool is_in_place;
	size_t cut; /* the largest piece; 0: one piece */
};

static const struct layout layouts[] = {
	{ false, 0 }, { true, 0 },  { false, 1 },     { true, 1 },
	{ false, 7 }, { true, 16 }, { false, 10000 }, { true, 333 },
};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static struct cryptsess_provider *provider;
static struct test_random randomness = { 1 };
static char why[256]; /* of the vector at hand */

#define FAIL(...)                                        \
	do {                                             \
		snprintf(why, sizeof(why), __VA_ARGS__); \
		return false;                            \
	} while (0)

static void lay_out(struct test_pieces *p, const void *data, size_t bytes,
		    size_t cut)
{
	if (cut == 0)
		test_pieces_one(p, data, bytes);
	else
		test_pieces_cut(p, data, bytes, cut, &randomness);
}

static const struct cryptsess_algorithm *algorithm(const char *name)
{
	return *name ? cryptsess_algorithm_by_name(name) : NULL;
}

static bool open_session(const struct vector *v, struct cryptsess **s)
{
	const struct cryptsess_algorithm *cipher = algorithm(v->cipher);
	const struct cryptsess_algorithm *mac = algorithm(v->mac);
	struct cryptsess_params params = {
		.cipher = cipher ? cipher->id : 0,
		.mac = mac ? mac->id : 0,
		.key = v->key.data,
		.key_bytes = (uint32_t)v->key.bytes,
		.mac_key = v->mac_key.data,
		.mac_key_bytes = (uint32_t)v->mac_key.bytes,
	};
	int r = cryptsess_open(s, provider, &params);

	if (r)
		FAIL("open: %s", strerror(-r));
	return true;
}

static bool is_same(const char *what, const void *got,
		    const struct vector_bytes *want)
{
	if (memcmp(got, want->data, want->bytes) != 0)
		FAIL("wrong %s", what);
	return true;
}

/* One CIOCCRYPT in one direction and layout, on a session of its own. */
static bool try_crypt(struct cryptsess *s, const struct vector *v,
		      uint16_t direction, const struct layout *layout,
		      uint8_t *buffers)
{
	bool decrypts = direction == CRYPTSESS_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	uint8_t *dst = layout->is_in_place ? buffers : buffers + in->bytes;
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES], mac[CRYPTSESS_MAX_DIGEST_BYTES];
	struct test_pieces from, to;
	struct cryptsess_crypt op = { .direction = direction,
				      .payload_bytes = (uint32_t)in->bytes,
				      .mac = mac };
	int r;

	memcpy(buffers, in->data, in->bytes);
	lay_out(&from, buffers, in->bytes, layout->cut);
	lay_out(&to, dst, in->bytes, layout->cut);
	op.src = from.list;
	op.src_count = from.count;
	op.dst = to.list;
	op.dst_count = to.count;
	if (v->iv.is_present) {
		memcpy(iv, v->iv.data, v->iv.bytes);
		op.iv = iv;
		op.flags = CRYPTSESS_WRITE_IV | CRYPTSESS_RESET;
	}
	r = cryptsess_crypt(s, &op);
	if (r)
		FAIL("%s: %s", decrypts ? "decrypt" : "encrypt", strerror(-r));
	if (v->cipher[0] &&
	    !is_same(decrypts ? "plaintext" : "ciphertext", dst, out))
		return false;
	if (v->mac[0] && !is_same("digest", mac, &v->digest))
		return false;
	return !v->iv_after.is_present || is_same("IV", iv, &v->iv_after);
}

/* A multi-part hash in pieces of all sizes. */
static bool try_parts(struct cryptsess *s, const struct vector *v)
{
	uint8_t mac[CRYPTSESS_MAX_DIGEST_BYTES];
	struct cryptsess_crypt op = {
		.flags = CRYPTSESS_RESET | CRYPTSESS_UPDATE, .mac = mac
	};
	size_t at = 0;

	while (at < v->plaintext.bytes) {
		size_t left = v->plaintext.bytes - at;
		size_t some = 1 + test_random_below(&randomness,
						    left > 4000 ? 99999 : 99);
		struct iovec piece = { v->plaintext.data + at,
				       some < left ? some : left };

		op.src = &piece;
		op.src_count = 1;
		op.payload_bytes = (uint32_t)piece.iov_len;
		if (cryptsess_crypt(s, &op) || op.has_digest)
			FAIL("update");
		op.flags = CRYPTSESS_UPDATE;
		at += piece.iov_len;
	}
	op.payload_bytes = 0;
	op.flags = (uint16_t)(CRYPTSESS_FINAL |
			      (at ? 0 : (unsigned int)CRYPTSESS_RESET));
	if (cryptsess_crypt(s, &op) || !op.has_digest)
		FAIL("final");
	return is_same("digest of a multi-part hash", mac, &v->digest);
}

static bool check_crypt(const struct vector *v)
{
	uint8_t *buffers = malloc(2 * v->plaintext.bytes + 1);
	struct cryptsess *s;
	bool ok = buffers && open_session(v, &s);

	if (!ok) {
		free(buffers);
		return false;
	}
	for (size_t i = 0; ok && i < LAYOUTS; i++)
		ok = try_crypt(s, v, CRYPTSESS_ENCRYPT, &layouts[i], buffers) &&
		     (!v->cipher[0] ||
		      try_crypt(s, v, CRYPTSESS_DECRYPT, &layouts[i], buffers));
	if (ok && !v->cipher[0])
		ok = try_parts(s, v);
	cryptsess_close(s);
	free(buffers);
	return ok;
}

/* What the three authenticated forms have in common. */
struct attempt {
	const struct vector *v;
	struct cryptsess *s;
	uint16_t direction;
	const struct layout *layout;
	uint8_t *src, *dst; /* room for the larger side each */
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES];
	struct test_pieces from, to, auth;
	struct cryptsess_authcrypt op;
};

static void prepare(struct attempt *a, const struct vector_bytes *in,
		    const struct vector_bytes *tag, size_t out_bytes)
{
	const struct vector *v = a->v;
	size_t in_bytes = in->bytes + (tag ? tag->bytes : 0);

	memcpy(a->src, in->data, in->bytes);
	if (tag)
		memcpy(a->src + in->bytes, tag->data, tag->bytes);
	memset(&a->op, 0, sizeof(a->op));
	if (a->layout->is_in_place)
		a->dst = a->src;
	lay_out(&a->from, a->src, in_bytes, a->layout->cut);
	lay_out(&a->to, a->dst, out_bytes, a->layout->cut);
	lay_out(&a->auth, v->aad.data, v->aad.bytes, a->layout->cut);
	if (v->iv.is_present) {
		memcpy(a->iv, v->iv.data, v->iv.bytes);
		a->op.iv = a->iv;
	}
	a->op.direction = a->direction;
	a->op.payload_bytes = (uint32_t)in_bytes;
	a->op.src = a->from.list;
	a->op.src_count = a->from.count;
	a->op.dst = a->to.list;
	a->op.dst_count = a->to.count;
	a->op.auth = a->auth.list;
	a->op.auth_count = a->auth.count;
	a->op.auth_bytes = (uint32_t)v->aad.bytes;
}

/* The verdict on an opening that must fail: EBADMSG and nothing delivered. */
static bool is_refused(const struct attempt *a, int r, size_t bytes)
{
	if (r != -EBADMSG)
		FAIL("a wrong message: %s", r ? strerror(-r) : "accepted");
	for (size_t i = 0; i < bytes; i++)
		if (a->dst[i])
			FAIL("plaintext of a wrong message was left behind");
	return true;
}

static bool try_aead(struct attempt *a)
{
	const struct vector *v = a->v;
	bool decrypts = a->direction == CRYPTSESS_DECRYPT;
	const struct vector_bytes *out = &v->plaintext;
	int r;

	prepare(a, decrypts ? &v->ciphertext : &v->plaintext,
		decrypts ? &v->tag : NULL,
		v->ciphertext.bytes + (decrypts ? 0 : v->tag.bytes));
	a->op.tag_bytes = (uint32_t)v->tag.bytes;
	r = cryptsess_authcrypt(a->s, &a->op);
	if (v->is_bad)
		return is_refused(a, r, v->ciphertext.bytes);
	if (r)
		FAIL("%s: %s", decrypts ? "open" : "seal", strerror(-r));
	if (!decrypts) {
		out = &v->ciphertext;
		if (!is_same("tag", a->dst + out->bytes, &v->tag))
			return false;
	}
	if (a->op.out_bytes != out->bytes + (decrypts ? 0 : v->tag.bytes))
		FAIL("wrong output length");
	return is_same("text", a->dst, out);
}

static bool try_tls(struct attempt *a)
{
	const struct vector *v = a->v;
	bool decrypts = a->direction == CRYPTSESS_DECRYPT;
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	int r;

	if (!a->layout->is_in_place)
		return true;
	prepare(a, decrypts ? &v->ciphertext : &v->plaintext, NULL,
		v->ciphertext.bytes);
	a->op.flags = CRYPTSESS_AEAD_TLS;
	a->op.tag_bytes = v->tag_bytes;
	r = cryptsess_authcrypt(a->s, &a->op);
	if (v->is_bad)
		return is_refused(a, r, v->ciphertext.bytes);
	if (r)
		FAIL("%s: %s", decrypts ? "open" : "seal", strerror(-r));
	if (a->op.out_bytes != out->bytes)
		FAIL("wrong output length");
	return is_same("text", a->dst, out);
}

/* The packet is aad, payload, aad-after in one buffer. */
static bool try_srtp(struct attempt *a)
{
	const struct vector *v = a->v;
	bool decrypts = a->direction == CRYPTSESS_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	uint8_t tag[CRYPTSESS_MAX_DIGEST_BYTES];
	uint8_t *packet = a->src, *payload = packet + v->aad.bytes;
	size_t bytes = v->aad.bytes + in->bytes + v->aad_after.bytes;
	int r;

	if (!a->layout->is_in_place)
		return true;
	prepare(a, in, NULL, in->bytes);
	memcpy(packet, v->aad.data, v->aad.bytes);
	memcpy(payload, in->data, in->bytes);
	memcpy(payload + in->bytes, v->aad_after.data, v->aad_after.bytes);
	lay_out(&a->auth, packet, bytes, a->layout->cut);
	lay_out(&a->from, payload, in->bytes, a->layout->cut);
	lay_out(&a->to, payload, in->bytes, a->layout->cut);
	a->op.src_count = a->from.count;
	a->op.dst_count = a->to.count;
	a->op.auth_count = a->auth.count;
	a->op.auth_bytes = (uint32_t)bytes;
	a->op.auth_payload_offset = (uint32_t)v->aad.bytes;
	a->op.flags = CRYPTSESS_AEAD_SRTP;
	a->op.tag = tag;
	a->op.tag_bytes = (uint32_t)v->tag.bytes;
	if (decrypts)
		memcpy(tag, v->tag.data, v->tag.bytes);
	r = cryptsess_authcrypt(a->s, &a->op);
	if (v->is_bad) {
		if (r != -EBADMSG)
			FAIL("a wrong packet was accepted");
		return is_same("payload of a wrong packet: it was touched",
			       payload, in);
	}
	if (r)
		FAIL("%s: %s", decrypts ? "open" : "seal", strerror(-r));
	if (!decrypts && !is_same("tag", tag, &v->tag))
		return false;
	return is_same("payload", payload,
		       decrypts ? &v->plaintext : &v->ciphertext);
}

static bool check_form(const struct vector *v)
{
	static bool (*const tries[])(struct attempt *) = {
		[VECTOR_AEAD] = try_aead,
		[VECTOR_TLS] = try_tls,
		[VECTOR_SRTP] = try_srtp,
	};
	size_t room = v->plaintext.bytes + v->ciphertext.bytes + v->aad.bytes +
		      v->aad_after.bytes + 512;
	uint8_t *src = malloc(room), *dst = malloc(room);
	struct attempt a = { .v = v };
	bool ok = src && dst && open_session(v, &a.s);

	for (size_t i = 0; ok && i < 2 * LAYOUTS; i++) {
		a.layout = &layouts[i / 2];
		a.direction = i % 2 ? CRYPTSESS_ENCRYPT : CRYPTSESS_DECRYPT;
		a.src = src;
		a.dst = dst;
		if (a.direction == CRYPTSESS_DECRYPT || !v->is_bad)
			ok = tries[v->form](&a);
	}
	cryptsess_close(a.s);
	free(src);
	free(dst);
	return ok;
}

static bool has(const char *name)
{
	const struct cryptsess_algorithm *a = algorithm(name);

	return !*name || (a && cryptsess_provider_has(provider, a));
}

/* Whether it passed. A name that the table has not is a failure. */
static bool check_vector(const struct vector *v, unsigned int number,
			 unsigned int *skipped)
{
	bool ok = true;

	why[0] = '\0';
	if ((*v->cipher && !algorithm(v->cipher)) ||
	    (*v->mac && !algorithm(v->mac)))
		snprintf(why, sizeof(why), "unknown algorithm");
	else if (!has(v->cipher) || !has(v->mac)) {
		printf("ok %u - %s # SKIP %s has no %s %s\n", number, v->name,
		       cryptsess_provider_name(provider), v->cipher, v->mac);
		(*skipped)++;
		return true;
	}
	ok = !why[0] &&
	     (v->form == VECTOR_CRYPT ? check_crypt(v) : check_form(v));
	if (!ok)
		printf("# %s: %s\n", v->source, why);
	printf("%s %u - %s\n", ok ? "ok" : "not ok", number, v->name);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int number = 0, failed = 0, skipped = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s PROVIDER FILE...\n", argv[0]);
		return 1;
	}
	provider = test_provider_open(argc, argv);
	for (int i = 2; i < argc; i++) {
		struct vector_file file;

		if (vectors_load(&file, argv[i]))
			return 1;
		for (size_t k = 0; k < file.count; k++)
			if (!check_vector(&file.vectors[k], ++number, &skipped))
				failed++;
		vectors_free(&file);
	}
	cryptsess_provider_close(provider);
	printf("1..%u\n", number);
	if (number == skipped)
		return TEST_SKIPPED;
	return failed ? 1 : 0;
}
