/* SPDX-License-Identifier: Apache-2.0 */
/* test_known.c - every known answer through the ioctls of a node
 *
 * test_known FILE...: one TAP line for each vector, in both directions, apart
 * and in place, with odd addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/guest.h"
#include "lib/vectors.h"

/* Names as in the files; the numbers are the interface's. */
static const struct {
	const char *name;
	uint32_t id;
} ids[] = {
	{ "des-cbc", CRYPTO_DES_CBC },
	{ "3des-cbc", CRYPTO_3DES_CBC },
	{ "blowfish-cbc", CRYPTO_BLF_CBC },
	{ "camellia-cbc", CRYPTO_CAMELLIA_CBC },
	{ "aes-cbc", CRYPTO_AES_CBC },
	{ "aes-ctr", CRYPTO_AES_CTR },
	{ "aes-xts", CRYPTO_AES_XTS },
	{ "aes-ecb", CRYPTO_AES_ECB },
	{ "aes-cfb", CRYPTO_AES_CFB },
	{ "aes-ofb", CRYPTO_AES_OFB },
	{ "aes-gcm", CRYPTO_AES_GCM },
	{ "aes-ccm", CRYPTO_AES_CCM },
	{ "null", CRYPTO_NULL },
	{ "md5", CRYPTO_MD5 },
	{ "sha1", CRYPTO_SHA1 },
	{ "ripemd160", CRYPTO_RIPEMD160 },
	{ "sha224", CRYPTO_SHA2_224 },
	{ "sha256", CRYPTO_SHA2_256 },
	{ "sha384", CRYPTO_SHA2_384 },
	{ "sha512", CRYPTO_SHA2_512 },
	{ "hmac-md5", CRYPTO_MD5_HMAC },
	{ "hmac-sha1", CRYPTO_SHA1_HMAC },
	{ "hmac-ripemd160", CRYPTO_RIPEMD160_HMAC },
	{ "hmac-sha224", CRYPTO_SHA2_224_HMAC },
	{ "hmac-sha256", CRYPTO_SHA2_256_HMAC },
	{ "hmac-sha384", CRYPTO_SHA2_384_HMAC },
	{ "hmac-sha512", CRYPTO_SHA2_512_HMAC },
};

#define ROOM_MORE 128 /* for tags and padding */

static int fd;
static uint32_t ses;

static uint32_t id_of(const char *name)
{
	if (!*name)
		return 0;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(ids[i].name, name) == 0)
			return ids[i].id;
	return 0xffff;
}

static int open_session(const struct vector *v)
{
	struct session_op op = {
		.cipher = id_of(v->cipher),
		.mac = id_of(v->mac),
		.key = v->key.data,
		.keylen = (uint32_t)v->key.bytes,
		.mackey = v->mac_key.data,
		.mackeylen = (uint32_t)v->mac_key.bytes,
	};
	int error = guest_call(fd, CIOCGSESSION, &op);

	ses = op.ses;
	return error;
}

static bool has(const uint8_t *data, const struct vector_bytes *want)
{
	return !want->bytes || memcmp(data, want->data, want->bytes) == 0;
}

static bool try_crypt(const struct vector *v, uint16_t direction, uint8_t *src,
		      uint8_t *dst)
{
	const struct vector_bytes *in =
		direction == COP_DECRYPT ? &v->ciphertext : &v->plaintext;
	const struct vector_bytes *out =
		direction == COP_DECRYPT ? &v->plaintext : &v->ciphertext;
	uint8_t iv[16], mac[64];
	struct crypt_op op = { .ses = ses,
			       .op = direction,
			       .len = (uint32_t)in->bytes,
			       .src = src,
			       .dst = v->cipher[0] ? dst : NULL,
			       .mac = mac };

	memcpy(src, in->data, in->bytes);
	if (v->iv.is_present) {
		memcpy(iv, v->iv.data, v->iv.bytes);
		op.iv = iv;
		op.flags = COP_FLAG_WRITE_IV | COP_FLAG_RESET;
	}
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(!v->cipher[0] || has(dst, out));
	EXPECT(!v->mac[0] || has(mac, &v->digest));
	EXPECT(!v->iv_after.is_present || has(iv, &v->iv_after));
	return true;
}

static bool check_crypt(const struct vector *v)
{
	size_t room = v->plaintext.bytes + ROOM_MORE;
	uint8_t *a = malloc(room), *b = malloc(room);
	bool holds = a && b;

	for (size_t shift = 0; holds && shift < 2; shift++) {
		holds = try_crypt(v, COP_ENCRYPT, a + shift, b) &&
			try_crypt(v, COP_ENCRYPT, a, a);
		if (holds && v->cipher[0])
			holds = try_crypt(v, COP_DECRYPT, a, b + shift) &&
				try_crypt(v, COP_DECRYPT, b, b);
	}
	free(a);
	free(b);
	return holds;
}

/* The argument that the three forms of CIOCAUTHCRYPT share. */
static struct crypt_auth_op auth_op(const struct vector *v, uint16_t direction,
				    uint8_t *src, uint8_t *dst)
{
	return (struct crypt_auth_op){
		.ses = ses,
		.op = direction,
		.src = src,
		.dst = dst,
		.auth_src = v->aad.data,
		.auth_len = (uint32_t)v->aad.bytes,
		.iv = v->iv.data,
		.iv_len = (uint32_t)v->iv.bytes,
	};
}

static bool try_aead(const struct vector *v, uint8_t *src, uint8_t *dst)
{
	struct crypt_auth_op op = auth_op(v, COP_ENCRYPT, src, dst);
	uint32_t all = (uint32_t)(v->ciphertext.bytes + v->tag.bytes);

	op.tag_len = (uint32_t)v->tag.bytes;
	if (!v->is_bad) {
		memcpy(src, v->plaintext.data, v->plaintext.bytes);
		op.len = (uint32_t)v->plaintext.bytes;
		EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == 0);
		EXPECT(op.len == all && op.tag_len == v->tag.bytes);
		EXPECT(op.tag == dst + v->ciphertext.bytes);
		EXPECT(has(dst, &v->ciphertext) && has(op.tag, &v->tag));
	}
	memcpy(src, v->ciphertext.data, v->ciphertext.bytes);
	memcpy(src + v->ciphertext.bytes, v->tag.data, v->tag.bytes);
	op.op = COP_DECRYPT;
	op.len = all;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == (v->is_bad ? EBADMSG : 0));
	EXPECT(v->is_bad ||
	       (op.len == v->plaintext.bytes && has(dst, &v->plaintext)));
	return true;
}

static bool check_aead(const struct vector *v)
{
	uint8_t *a = malloc(v->ciphertext.bytes + ROOM_MORE);
	uint8_t *b = malloc(v->ciphertext.bytes + ROOM_MORE);
	bool holds = a && b && try_aead(v, a + 1, b) && try_aead(v, a, a);

	free(a);
	free(b);
	return holds;
}

static bool try_tls(const struct vector *v, uint8_t *data)
{
	struct crypt_auth_op op = auth_op(v, COP_ENCRYPT, data, data);

	op.flags = COP_FLAG_AEAD_TLS;
	op.tag_len = v->tag_bytes;
	if (!v->is_bad) {
		memcpy(data, v->plaintext.data, v->plaintext.bytes);
		op.len = (uint32_t)v->plaintext.bytes;
		EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == 0);
		EXPECT(op.len == v->ciphertext.bytes);
		EXPECT(has(data, &v->ciphertext));
	}
	memcpy(data, v->ciphertext.data, v->ciphertext.bytes);
	op.op = COP_DECRYPT;
	op.len = (uint32_t)v->ciphertext.bytes;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == (v->is_bad ? EBADMSG : 0));
	EXPECT(v->is_bad ||
	       (op.len == v->plaintext.bytes && has(data, &v->plaintext)));
	return true;
}

static bool check_tls(const struct vector *v)
{
	uint8_t *data = malloc(v->ciphertext.bytes + ROOM_MORE);
	bool holds = data && try_tls(v, data);

	free(data);
	return holds;
}

/* The packet is aad, payload, aad-after. */
static bool try_srtp(const struct vector *v, uint16_t direction,
		     uint8_t *packet)
{
	bool decrypts = direction == COP_DECRYPT;
	const struct vector_bytes *in =
		decrypts ? &v->ciphertext : &v->plaintext;
	const struct vector_bytes *out =
		decrypts ? &v->plaintext : &v->ciphertext;
	uint8_t *payload = packet + v->aad.bytes, tag[64];
	struct crypt_auth_op op = auth_op(v, direction, payload, payload);

	memcpy(packet, v->aad.data, v->aad.bytes);
	memcpy(payload, in->data, in->bytes);
	if (v->aad_after.bytes)
		memcpy(payload + in->bytes, v->aad_after.data,
		       v->aad_after.bytes);
	memcpy(tag, v->tag.data, v->tag.bytes);
	if (!decrypts)
		memset(tag, 0, sizeof(tag));
	op.flags = COP_FLAG_AEAD_SRTP;
	op.auth_src = packet;
	op.auth_len = (uint32_t)(v->aad.bytes + in->bytes + v->aad_after.bytes);
	op.len = (uint32_t)in->bytes;
	op.tag = tag;
	op.tag_len = (uint32_t)v->tag.bytes;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == (v->is_bad ? EBADMSG : 0));
	EXPECT(v->is_bad || (has(payload, out) && has(tag, &v->tag)));
	EXPECT(!v->is_bad || has(payload, in)); /* A17: untouched */
	return true;
}

static bool check_srtp(const struct vector *v)
{
	uint8_t *packet = malloc(v->aad.bytes + v->ciphertext.bytes +
				 v->aad_after.bytes + ROOM_MORE);
	bool holds = packet &&
		     (v->is_bad || try_srtp(v, COP_ENCRYPT, packet)) &&
		     try_srtp(v, COP_DECRYPT, packet);

	free(packet);
	return holds;
}

static bool check(const struct vector *v)
{
	static bool (*const forms[])(const struct vector *v) = {
		[VECTOR_CRYPT] = check_crypt,
		[VECTOR_AEAD] = check_aead,
		[VECTOR_TLS] = check_tls,
		[VECTOR_SRTP] = check_srtp,
	};
	bool holds;

	EXPECT(open_session(v) == 0);
	holds = forms[v->form](v);
	EXPECT(guest_free(fd, ses) == 0);
	return holds;
}

int main(int argc, char **argv)
{
	unsigned int number = 0;
	int status = 0;

	fd = guest_open();
	for (int i = 1; i < argc; i++) {
		struct vector_file file;

		if (vectors_load(&file, argv[i]))
			return 1;
		for (size_t k = 0; k < file.count; k++) {
			const struct vector *v = &file.vectors[k];
			bool holds = check(v);

			printf("%sok %u - %s: %s\n", holds ? "" : "not ",
			       ++number, v->source, v->name);
			status |= !holds;
		}
		vectors_free(&file);
	}
	printf("1..%u\n", number);
	return status;
}
