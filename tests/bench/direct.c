/* SPDX-License-Identifier: Apache-2.0 */
/* direct.c - the same operations without a device between, as the limit */
#include "bench/direct.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/bytes.h"

const struct bench_algorithm bench_algorithms[] = {
	{ "aes-128-cbc", CRYPTSESS_AES_CBC, 0, 16, 16, 0, "AES-128-CBC" },
	{ "aes-256-gcm", CRYPTSESS_AES_GCM, 0, 32, 12, 16, "AES-256-GCM" },
	{ "sha256", 0, CRYPTSESS_SHA256, 0, 0, 32, "SHA256" },
	{ "hmac-sha256", 0, CRYPTSESS_HMAC_SHA256, 32, 0, 32, "SHA256" },
};
const unsigned int bench_algorithm_count = ARRAY_SIZE(bench_algorithms);
const uint8_t bench_key[64] = { 1, 2, 3, 4, 5, 6, 7, 8 };
const uint8_t bench_iv[16] = { 9, 8, 7, 6, 5, 4, 3, 2 };

static int cipher_open(struct direct *d)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	d->evp = ctx;
	d->method = EVP_CIPHER_fetch(NULL, d->algorithm->evp, NULL);
	if (!ctx || !d->method ||
	    !EVP_EncryptInit_ex(ctx, d->method, NULL, bench_key, bench_iv))
		return -EIO;
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	return 0;
}

static int hash_open(struct direct *d)
{
	d->evp = EVP_MD_CTX_new();
	d->method = EVP_MD_fetch(NULL, d->algorithm->evp, NULL);
	return d->evp && d->method &&
			       EVP_DigestInit_ex2(d->evp, d->method, NULL)
		       ? 0
		       : -EIO;
}

static int mac_open(struct direct *d)
{
	char name[16];
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					OSSL_MAC_PARAM_DIGEST, name, 0),
				OSSL_PARAM_construct_end() };

	strcpy(name, d->algorithm->evp);
	d->method = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (d->method)
		d->evp = EVP_MAC_CTX_new(d->method);
	return d->evp && EVP_MAC_init(d->evp, bench_key,
				      d->algorithm->key_bytes, params)
		       ? 0
		       : -EIO;
}

int direct_open(struct direct *d, const struct bench_algorithm *a,
		struct cryptsess_provider *provider)
{
	const struct cryptsess_params params = {
		.cipher = a->cipher,
		.mac = a->mac,
		.key = bench_key,
		.key_bytes = a->cipher ? a->key_bytes : 0,
		.mac_key = bench_key,
		.mac_key_bytes = a->cipher ? 0 : a->key_bytes,
	};
	int error;

	memset(d, 0, sizeof(*d));
	d->algorithm = a;
	error = cryptsess_open(&d->session, provider, &params);
	if (error)
		return error;
	if (a->cipher)
		return cipher_open(d);
	return a->key_bytes ? mac_open(d) : hash_open(d);
}

void direct_close(struct direct *d)
{
	const struct bench_algorithm *a = d->algorithm;

	cryptsess_close(d->session);
	if (!a)
		return;
	if (a->cipher) {
		EVP_CIPHER_CTX_free(d->evp);
		EVP_CIPHER_free(d->method);
	} else if (a->key_bytes) {
		EVP_MAC_CTX_free(d->evp);
		EVP_MAC_free(d->method);
	} else {
		EVP_MD_CTX_free(d->evp);
		EVP_MD_free(d->method);
	}
	memset(d, 0, sizeof(*d));
}

static bool cipher_run(struct direct *d, const uint8_t *src, uint8_t *dst,
		       uint32_t bytes)
{
	uint32_t tag_bytes = d->algorithm->extra_bytes;
	uint8_t nothing[16];
	int out;

	if (!EVP_EncryptInit_ex(d->evp, NULL, NULL, NULL, bench_iv) ||
	    !EVP_EncryptUpdate(d->evp, dst, &out, src, (int)bytes))
		return false;
	if (!tag_bytes)
		return true;
	return EVP_EncryptFinal_ex(d->evp, nothing, &out) &&
	       EVP_CIPHER_CTX_ctrl(d->evp, EVP_CTRL_AEAD_GET_TAG,
				   (int)tag_bytes, dst + bytes) > 0;
}

static bool hash_run(struct direct *d, const uint8_t *src, uint8_t *dst,
		     uint32_t bytes)
{
	return EVP_DigestInit_ex2(d->evp, NULL, NULL) &&
	       EVP_DigestUpdate(d->evp, src, bytes) &&
	       EVP_DigestFinal_ex(d->evp, dst, NULL);
}

static bool mac_run(struct direct *d, const uint8_t *src, uint8_t *dst,
		    uint32_t bytes)
{
	size_t out;

	return EVP_MAC_init(d->evp, NULL, 0, NULL) &&
	       EVP_MAC_update(d->evp, src, bytes) &&
	       EVP_MAC_final(d->evp, dst, &out, d->algorithm->extra_bytes);
}

int direct_libcrypto(struct direct *d, const uint8_t *src, uint8_t *dst,
		     uint32_t bytes)
{
	bool ok;

	if (d->algorithm->cipher)
		ok = cipher_run(d, src, dst, bytes);
	else if (d->algorithm->key_bytes)
		ok = mac_run(d, src, dst, bytes);
	else
		ok = hash_run(d, src, dst, bytes);
	return ok ? 0 : -EIO;
}

int direct_cryptsess(struct direct *d, const uint8_t *src, uint8_t *dst,
		     uint32_t bytes)
{
	const struct bench_algorithm *a = d->algorithm;
	struct iovec in = { (void *)(uintptr_t)src, bytes };
	struct iovec out = { dst, bytes };
	uint8_t iv[16];

	memcpy(iv, bench_iv, sizeof(iv));
	if (a->cipher && a->extra_bytes) {
		struct cryptsess_authcrypt op = { .payload_bytes = bytes,
						  .src = &in,
						  .src_count = 1,
						  .dst = &out,
						  .dst_count = 1,
						  .iv = iv };

		out.iov_len += a->extra_bytes;
		return cryptsess_authcrypt(d->session, &op);
	} else {
		struct cryptsess_crypt op = { .payload_bytes = bytes,
					      .src = &in,
					      .src_count = 1,
					      .dst = &out,
					      .dst_count = a->cipher ? 1 : 0,
					      .mac = a->cipher ? NULL : dst,
					      .iv = a->cipher ? iv : NULL };

		return cryptsess_crypt(d->session, &op);
	}
}
