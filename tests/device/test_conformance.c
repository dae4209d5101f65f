/* SPDX-License-Identifier: Apache-2.0 */
/* test_conformance.c - every known answer through the rings of the daemon
 *
 * test_conformance PROVIDER FILE...: one TAP line for each vector, which is
 * tried in both directions on every queue, in direct and indirect descriptors,
 * in every manner of scattering, with source and destination apart and in one
 * memory. A vector whose algorithm the provider has not is skipped.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/driver.h"
#include "lib/sessions.h"
#include "lib/vectors.h"

static struct driver driver;
static uint32_t file;
static char why[256]; /* of the vector at hand */

#define FAIL(...)                                        \
	do {                                             \
		snprintf(why, sizeof(why), __VA_ARGS__); \
		return false;                            \
	} while (0)

static const struct cryptsess_algorithm *algorithm(const char *name)
{
	return *name ? cryptsess_algorithm_by_name(name) : NULL;
}

static bool is_same(const char *what, const uint8_t *got,
		    const struct vector_bytes *want, size_t bytes)
{
	if (bytes != want->bytes || memcmp(got, want->data, bytes) != 0)
		FAIL("wrong %s", what);
	return true;
}

static bool open_session(const struct vector *v, unsigned int queue,
			 struct vcd_session_reply *session)
{
	const struct cryptsess_algorithm *cipher = algorithm(v->cipher);
	const struct cryptsess_algorithm *mac = algorithm(v->mac);
	const struct driver_key key = {
		.cipher = cipher ? cipher->id : 0,
		.mac = mac ? mac->id : 0,
		.key = v->key.data,
		.key_bytes = (uint32_t)v->key.bytes,
		.mac_key = v->mac_key.data,
		.mac_key_bytes = (uint32_t)v->mac_key.bytes,
	};
	enum vcd_status status =
		driver_session_open(&driver, queue, file, &key, session);

	if (status != VCD_STATUS_OK)
		FAIL("SESSION_OPEN: status %d", (int)status);
	return true;
}

/* --- the forms --------------------------------------------------------- */

static bool try_crypt(const struct vector *v, unsigned int queue,
		      const struct vcd_session_reply *s, uint16_t direction)
{
	bool decrypts = direction == VCD_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	struct driver_crypt op = {
		.direction = direction,
		.flags = v->iv.is_present ? VCD_FLAG_WRITE_IV | VCD_FLAG_RESET
					  : 0,
		.iv = v->iv.data,
		.iv_bytes = (uint32_t)v->iv.bytes,
		.src = in->data,
		.src_bytes = (uint32_t)in->bytes,
		.dst_bytes = v->cipher[0] ? (uint32_t)in->bytes : 0,
		.digest_bytes = s->digest_bytes,
		.iv_out_bytes = (uint32_t)v->iv.bytes,
	};
	struct driver_answer a;
	const uint8_t *at;
	bool ok = true;
	int error = driver_crypt(&driver, queue, file, s->session_id, &op, &a);

	if (error || a.status != VCD_STATUS_OK)
		FAIL("%s: %s, status %d", decrypts ? "decrypt" : "encrypt",
		     strerror(-error), (int)a.status);
	at = a.data + sizeof(struct vcd_reply);
	if (v->cipher[0])
		ok = is_same(decrypts ? "plaintext" : "ciphertext", at, out,
			     op.dst_bytes);
	at += op.dst_bytes;
	if (ok && v->mac[0])
		ok = is_same("digest", at, &v->digest, v->digest.bytes);
	at += op.digest_bytes;
	if (ok && v->iv_after.is_present)
		ok = is_same("IV", at, &v->iv_after, op.iv_out_bytes);
	driver_answer_free(&a);
	return ok;
}

/* What comes back of an opened or sealed message. */
static bool check_auth(const struct vector *v, struct driver_answer *a,
		       int error, bool decrypts, const uint8_t *want,
		       uint32_t want_bytes)
{
	const uint8_t *at = a->data + sizeof(struct vcd_reply);
	struct vcd_reply reply;

	if (error)
		FAIL("transport: %s", strerror(-error));
	if (decrypts && v->is_bad) {
		if (a->status != VCD_STATUS_BAD_MESSAGE)
			FAIL("status %d of a forgery", (int)a->status);
		return true;
	}
	if (a->status != VCD_STATUS_OK)
		FAIL("%s: status %d", decrypts ? "open" : "seal",
		     (int)a->status);
	memcpy(&reply, a->data, sizeof(reply));
	if (le32toh(reply.result_bytes) != want_bytes)
		FAIL("%u bytes of result", le32toh(reply.result_bytes));
	if (memcmp(at, want, want_bytes) != 0)
		FAIL("wrong %s", decrypts ? "plaintext" : "ciphertext");
	return true;
}

static uint8_t *joined(const struct vector_bytes *a,
		       const struct vector_bytes *b,
		       const struct vector_bytes *c)
{
	uint8_t *data = malloc(a->bytes + b->bytes + c->bytes + 1);

	if (!data)
		abort();
	if (a->bytes)
		memcpy(data, a->data, a->bytes);
	if (b->bytes)
		memcpy(data + a->bytes, b->data, b->bytes);
	if (c->bytes)
		memcpy(data + a->bytes + b->bytes, c->data, c->bytes);
	return data;
}

static bool try_aead(const struct vector *v, unsigned int queue,
		     const struct vcd_session_reply *s, uint16_t direction)
{
	static const struct vector_bytes none;
	bool decrypts = direction == VCD_DECRYPT;
	uint8_t *sealed = joined(&v->ciphertext, &v->tag, &none);
	uint32_t text = (uint32_t)v->ciphertext.bytes;
	uint32_t whole = text + (uint32_t)v->tag.bytes;
	struct driver_auth op = {
		.direction = direction,
		.iv = v->iv.data,
		.iv_bytes = (uint32_t)v->iv.bytes,
		.auth = v->aad.data,
		.auth_bytes = (uint32_t)v->aad.bytes,
		.src = decrypts ? sealed : v->plaintext.data,
		.payload_bytes = decrypts ? whole : text,
		.tag_bytes = (uint32_t)v->tag.bytes,
		.dst_bytes = decrypts ? text : whole,
	};
	struct driver_answer a;
	int error = driver_auth(&driver, queue, file, s->session_id, &op, &a);
	bool ok =
		check_auth(v, &a, error, decrypts,
			   decrypts ? v->plaintext.data : sealed, op.dst_bytes);

	driver_answer_free(&a);
	free(sealed);
	return ok;
}

static bool try_tls(const struct vector *v, unsigned int queue,
		    const struct vcd_session_reply *s, uint16_t direction)
{
	bool decrypts = direction == VCD_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	struct driver_auth op = {
		.direction = direction,
		.flags = VCD_FLAG_TLS,
		.iv = v->iv.data,
		.iv_bytes = (uint32_t)v->iv.bytes,
		.auth = v->aad.data,
		.auth_bytes = (uint32_t)v->aad.bytes,
		.src = in->data,
		.payload_bytes = (uint32_t)in->bytes,
		.tag_bytes = v->tag_bytes,
		.dst_bytes = (uint32_t)v->ciphertext.bytes,
	};
	struct driver_answer a;
	int error = driver_auth(&driver, queue, file, s->session_id, &op, &a);
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	bool ok = check_auth(v, &a, error, decrypts, out->data,
			     (uint32_t)out->bytes);

	driver_answer_free(&a);
	return ok;
}

static bool try_srtp(const struct vector *v, unsigned int queue,
		     const struct vcd_session_reply *s, uint16_t direction)
{
	bool decrypts = direction == VCD_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	uint8_t *packet = joined(&v->aad, in, &v->aad_after);
	uint32_t tag_bytes = (uint32_t)v->tag.bytes;
	struct driver_auth op = {
		.direction = direction,
		.flags = VCD_FLAG_SRTP,
		.iv = v->iv.data,
		.iv_bytes = (uint32_t)v->iv.bytes,
		.auth = packet,
		.auth_bytes = (uint32_t)(v->aad.bytes + in->bytes +
					 v->aad_after.bytes),
		.offset = (uint32_t)v->aad.bytes,
		.payload_bytes = (uint32_t)in->bytes,
		.tag_bytes = tag_bytes,
		.tag = v->tag.data,
		.tag_in_bytes = decrypts ? tag_bytes : 0,
		.dst_bytes = (uint32_t)in->bytes,
		.tag_out_bytes = decrypts ? 0 : tag_bytes,
	};
	struct driver_answer a;
	int error = driver_auth(&driver, queue, file, s->session_id, &op, &a);
	bool ok = check_auth(v, &a, error, decrypts, out->data,
			     (uint32_t)out->bytes);

	if (ok && !decrypts)
		ok = is_same("tag",
			     a.data + sizeof(struct vcd_reply) + op.dst_bytes,
			     &v->tag, tag_bytes);
	driver_answer_free(&a);
	free(packet);
	return ok;
}

/* --- all ways ---------------------------------------------------------- */

static const struct {
	bool (*try)(const struct vector *v, unsigned int queue,
		    const struct vcd_session_reply *s, uint16_t direction);
	bool has_place; /* source and destination may be one memory */
} forms[] = {
	[VECTOR_CRYPT] = { try_crypt, true },
	[VECTOR_AEAD] = { try_aead, true },
	[VECTOR_TLS] = { try_tls, true },
	[VECTOR_SRTP] = { try_srtp, false },
};

static bool check_laid(const struct vector *v, unsigned int queue,
		       const struct vcd_session_reply *session)
{
	bool is_hash = v->form == VECTOR_CRYPT && !v->cipher[0];

	for (int in_place = 0; in_place <= (forms[v->form].has_place ? 1 : 0);
	     in_place++) {
		driver.is_in_place = in_place;
		if (!v->is_bad &&
		    !forms[v->form].try(v, queue, session, VCD_ENCRYPT))
			return false;
		if (!is_hash &&
		    !forms[v->form].try(v, queue, session, VCD_DECRYPT))
			return false;
	}
	driver.is_in_place = false;
	return true;
}

static bool check(const struct vector *v)
{
	for (unsigned int queue = 0; queue < DRIVER_QUEUES; queue++) {
		struct vcd_session_reply session;
		bool ok = open_session(v, queue, &session);

		for (unsigned int way = 0; ok && way < 2 * LAYOUT_MANNERS;
		     way++) {
			driver.manner = (enum layout_manner)(way / 2);
			driver.is_indirect = way % 2;
			ok = check_laid(v, queue, &session);
			if (!ok) {
				printf("# queue %u, manner %d%s%s\n", queue,
				       (int)driver.manner,
				       driver.is_indirect ? ", indirect" : "",
				       driver.is_in_place ? ", in place" : "");
				driver.is_in_place = false;
			}
		}
		if (!ok)
			return false;
		if (driver_simple(&driver, queue, VCD_OP_SESSION_CLOSE, file,
				  session.session_id) != VCD_STATUS_OK)
			FAIL("SESSION_CLOSE");
	}
	return true;
}

static bool is_there(struct cryptsess_provider *provider, const char *name)
{
	const struct cryptsess_algorithm *a = algorithm(name);

	return !*name || (a && cryptsess_provider_has(provider, a));
}

static int run_file(struct cryptsess_provider *provider, const char *path,
		    unsigned int *count)
{
	struct vector_file vectors;
	int failures = 0;

	if (vectors_load(&vectors, path))
		return 1;
	for (size_t i = 0; i < vectors.count; i++) {
		const struct vector *v = &vectors.vectors[i];
		bool has = is_there(provider, v->cipher) &&
			   is_there(provider, v->mac);
		bool ok = !has || check(v);

		printf("%sok %u - %s: %s%s\n", ok ? "" : "not ", ++*count,
		       v->source, v->name,
		       has ? "" : " # SKIP the provider has it not");
		if (!ok)
			printf("# %s\n", why);
		failures += !ok;
	}
	vectors_free(&vectors);
	return failures;
}

int main(int argc, char **argv)
{
	struct cryptsess_provider *provider = test_provider_open(argc, argv);
	unsigned int count = 0;
	enum vcd_status status;
	int failures = 0;

	driver_init(&driver);
	driver.options.provider = argv[1];
	/* The emulator works inside of the daemon, by calls of its own. */
	driver.options.has_sandbox = strcmp(argv[1], "cryptodev") != 0;
	if (driver_start(&driver) || driver_connect(&driver, DRIVER_FEATURES) ||
	    driver_hello(&driver)) {
		fprintf(stderr, "no device\n");
		return 1;
	}
	file = driver_open(&driver, 0, &status);
	for (int i = 2; i < argc; i++)
		failures += run_file(provider, argv[i], &count);
	printf("1..%u\n", count);
	failures += driver_stop(&driver) != 0;
	cryptsess_provider_close(provider);
	return failures ? 1 : 0;
}
