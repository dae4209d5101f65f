/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - the algorithms, computed with OpenSSL's lowest common parts */

#include "emulator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "abi/cryptodev.h"

/* S2, S5, S11 */
static const struct cipher_row ciphers[] = {
	{ CRYPTO_DES_CBC, MODE_CBC, "cbc(des)", "DES", "-CBC", 8, 8, 8, 8, 1 },
	{ CRYPTO_3DES_CBC, MODE_CBC, "cbc(des3_ede)", "DES-EDE3", "-CBC", 8, 8,
	  24, 24, 1 },
	{ CRYPTO_BLF_CBC, MODE_CBC, "cbc(blowfish)", "BF", "-CBC", 8, 8, 4, 56,
	  1 },
	{ CRYPTO_AES_CBC, MODE_CBC, "cbc(aes)", "AES-", "-CBC", 16, 16, 16, 32,
	  8 },
	{ CRYPTO_NULL, MODE_NULL, "ecb(cipher_null)", "", "", 1, 0, 0, 0, 1 },
	{ CRYPTO_AES_CTR, MODE_CTR, "ctr(aes)", "AES-", "-CTR", 1, 16, 16, 32,
	  8 },
	{ CRYPTO_AES_XTS, MODE_XTS, "xts(aes)", "AES-", "-ECB", 16, 16, 32, 64,
	  16 },
	{ CRYPTO_AES_ECB, MODE_ECB, "ecb(aes)", "AES-", "-ECB", 16, 0, 16, 32,
	  8 },
	{ CRYPTO_AES_CFB, MODE_CFB, "cfb(aes)", "AES-", "-CFB", 1, 16, 16, 32,
	  8 },
	{ CRYPTO_AES_OFB, MODE_OFB, "ofb(aes)", "AES-", "-OFB", 1, 16, 16, 32,
	  8 },
	{ CRYPTO_AES_GCM, MODE_GCM, "gcm(aes)", "AES-", "-GCM", 1, 12, 16, 32,
	  8 },
	{ CRYPTO_AES_CCM, MODE_CCM, "ccm(aes)", "AES-", "-CCM", 1, 16, 16, 32,
	  8 },
	{ CRYPTO_CAMELLIA_CBC, MODE_CBC, "cbc(camellia)", "CAMELLIA-", "-CBC",
	  16, 16, 16, 32, 8 },
};

/* S3 */
static const struct hash_row hashes[] = {
	{ CRYPTO_MD5_HMAC, true, "hmac(md5)", "MD5", 16, 64 },
	{ CRYPTO_SHA1_HMAC, true, "hmac(sha1)", "SHA1", 20, 64 },
	{ CRYPTO_RIPEMD160_HMAC, true, "hmac(rmd160)", "RIPEMD160", 20, 64 },
	{ CRYPTO_SHA2_224_HMAC, true, "hmac(sha224)", "SHA224", 28, 64 },
	{ CRYPTO_SHA2_256_HMAC, true, "hmac(sha256)", "SHA256", 32, 64 },
	{ CRYPTO_SHA2_384_HMAC, true, "hmac(sha384)", "SHA384", 48, 128 },
	{ CRYPTO_SHA2_512_HMAC, true, "hmac(sha512)", "SHA512", 64, 128 },
	{ CRYPTO_MD5, false, "md5", "MD5", 16, 64 },
	{ CRYPTO_SHA1, false, "sha1", "SHA1", 20, 64 },
	{ CRYPTO_RIPEMD160, false, "rmd160", "RIPEMD160", 20, 64 },
	{ CRYPTO_SHA2_224, false, "sha224", "SHA224", 28, 64 },
	{ CRYPTO_SHA2_256, false, "sha256", "SHA256", 32, 64 },
	{ CRYPTO_SHA2_384, false, "sha384", "SHA384", 48, 128 },
	{ CRYPTO_SHA2_512, false, "sha512", "SHA512", 64, 128 },
};

const struct cipher_row *cipher_find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (ciphers[i].id == id)
			return &ciphers[i];
	return NULL;
}

const struct hash_row *hash_find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (hashes[i].id == id)
			return &hashes[i];
	return NULL;
}

bool cipher_is_aead(const struct cipher_row *row)
{
	return row->mode == MODE_GCM || row->mode == MODE_CCM;
}

bool cipher_is_stream(const struct cipher_row *row)
{
	return row->mode == MODE_CTR || row->mode == MODE_NULL ||
	       cipher_is_aead(row);
}

/* Own context: the program under test keeps its providers to itself. */
static OSSL_LIB_CTX *library(void)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	static OSSL_LIB_CTX *context;

	pthread_mutex_lock(&once);
	if (!context) {
		context = OSSL_LIB_CTX_new();
		if (context) {
			OSSL_PROVIDER_load(context, "default");
			OSSL_PROVIDER_load(context, "legacy");
		}
	}
	pthread_mutex_unlock(&once);
	return context;
}

static EVP_CIPHER *cipher_fetch(const struct cipher_state *c,
				uint32_t key_bytes)
{
	const struct cipher_row *row = c->row;
	char name[32];

	if (row->evp_prefix[strlen(row->evp_prefix) - 1] == '-')
		snprintf(name, sizeof(name), "%s%u%s", row->evp_prefix,
			 key_bytes * 8, row->evp_suffix);
	else
		snprintf(name, sizeof(name), "%s%s", row->evp_prefix,
			 row->evp_suffix);
	return EVP_CIPHER_fetch(library(), name, NULL);
}

int cipher_set_key(struct cipher_state *c, const struct cipher_row *row,
		   const uint8_t *key, uint32_t key_bytes)
{
	EVP_CIPHER *evp;

	if (key_bytes < row->key_min || key_bytes > row->key_max ||
	    (key_bytes - row->key_min) % row->key_step)
		return -EINVAL;
	c->row = row;
	c->key_bytes = key_bytes;
	memcpy(c->key, key, key_bytes);
	if (row->mode == MODE_NULL)
		return 0;
	evp = cipher_fetch(c,
			   row->mode == MODE_XTS ? key_bytes / 2 : key_bytes);
	if (!evp)
		return -EINVAL; /* S4 */
	EVP_CIPHER_free(evp);
	return 0;
}

/* One run of an EVP cipher without padding; `iv_out` may be NULL. */
static int evp_run(const struct cipher_state *c, bool is_encrypt,
		   const uint8_t *key, uint32_t key_bytes, const uint8_t *in,
		   uint8_t *out, size_t bytes, uint8_t *iv_out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *evp = cipher_fetch(c, key_bytes);
	const size_t step = 1 << 30;
	int got, ret = -EIO;

	if (!ctx || !evp ||
	    !EVP_CipherInit_ex2(ctx, evp, NULL, NULL, is_encrypt, NULL) ||
	    !EVP_CIPHER_CTX_set_key_length(ctx, (int)key_bytes) ||
	    !EVP_CipherInit_ex2(ctx, NULL, key, c->iv, is_encrypt, NULL) ||
	    !EVP_CIPHER_CTX_set_padding(ctx, 0))
		goto out;
	for (size_t at = 0; at < bytes; at += step) {
		size_t left = bytes - at;

		if (!EVP_CipherUpdate(ctx, out + at, &got, in + at,
				      (int)(left < step ? left : step)))
			goto out;
	}
	if (iv_out && !EVP_CIPHER_CTX_get_updated_iv(ctx, iv_out, IV_MAX))
		goto out;
	ret = 0;
out:
	EVP_CIPHER_free(evp);
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

static void tweak_double(uint8_t tweak[16])
{
	unsigned int carry = 0;

	for (int i = 0; i < 16; i++) {
		unsigned int wide = (unsigned int)tweak[i] << 1 | carry;

		tweak[i] = (uint8_t)wide;
		carry = wide >> 8;
	}
	if (carry)
		tweak[0] ^= 0x87;
}

/* IEEE 1619 by hand from ECB: any two halves, whole blocks. */
static int xts_run(const struct cipher_state *c, bool is_encrypt,
		   const uint8_t *in, uint8_t *out, size_t bytes)
{
	uint32_t half = c->key_bytes / 2;
	uint8_t start[16], tweak[16];
	int ret;

	ret = evp_run(c, true, c->key + half, half, c->iv, start, 16, NULL);
	if (ret)
		return ret;
	memcpy(tweak, start, 16);
	for (size_t at = 0; at < bytes; at++) {
		out[at] = in[at] ^ tweak[at % 16];
		if (at % 16 == 15)
			tweak_double(tweak);
	}
	ret = evp_run(c, is_encrypt, c->key, half, out, out, bytes, NULL);
	memcpy(tweak, start, 16);
	for (size_t at = 0; !ret && at < bytes; at++) {
		out[at] ^= tweak[at % 16];
		if (at % 16 == 15)
			tweak_double(tweak);
	}
	return ret;
}

/* E2: a partial last block counts as one. */
static void counter_add(uint8_t iv[16], size_t blocks)
{
	for (int i = 15; i >= 0 && blocks; i--) {
		blocks += iv[i];
		iv[i] = (uint8_t)blocks;
		blocks >>= 8;
	}
}

int cipher_run(struct cipher_state *c, bool is_encrypt, const uint8_t *in,
	       uint8_t *out, size_t bytes)
{
	enum mode mode = c->row->mode;
	size_t n = c->row->iv;
	bool is_chained = (mode == MODE_CBC || mode == MODE_CFB) && bytes >= n;
	size_t last = is_chained ? bytes / n * n - n : 0;
	uint8_t next[IV_MAX];
	int ret;

	if (mode == MODE_NULL) {
		memmove(out, in, bytes);
		return 0;
	}
	if (mode == MODE_XTS)
		return xts_run(c, is_encrypt, in, out, bytes);
	/* In place it is gone afterwards. */
	if (is_chained && !is_encrypt)
		memcpy(next, in + last, n);
	ret = evp_run(c, is_encrypt, c->key, c->key_bytes, in, out, bytes,
		      mode == MODE_OFB ? next : NULL);
	if (ret || bytes == 0)
		return ret;
	if (is_chained)
		memcpy(c->iv, is_encrypt ? out + last : next, n);
	else if (mode == MODE_CTR)
		counter_add(c->iv, (bytes + 15) / 16);
	else if (mode == MODE_OFB)
		memcpy(c->iv, next, 16);
	return 0;
}

/* A9: byte 0 is L - 1; what does not fit into L bytes of length is refused. */
static int ccm_check(const struct cipher_state *c, size_t text_bytes)
{
	unsigned int length_bytes = c->iv[0] + 1u;

	if (c->iv[0] < 1 || c->iv[0] > 7)
		return -EINVAL;
	if (length_bytes < sizeof(text_bytes) &&
	    text_bytes >> (8 * length_bytes))
		return -EOVERFLOW;
	return 0;
}

int aead_run(struct cipher_state *c, bool is_encrypt, const uint8_t *aad,
	     size_t aad_bytes, const uint8_t *in, size_t text_bytes,
	     uint8_t *out, uint8_t *tag, size_t tag_bytes)
{
	bool is_ccm = c->row->mode == MODE_CCM;
	int nonce_bytes = is_ccm ? 14 - c->iv[0] : 12;
	const uint8_t *nonce = is_ccm ? c->iv + 1 : c->iv;
	EVP_CIPHER_CTX *ctx;
	EVP_CIPHER *evp;
	int got, ret;

	ret = is_ccm ? ccm_check(c, text_bytes) : 0;
	if (ret)
		return ret;
	ctx = EVP_CIPHER_CTX_new();
	evp = cipher_fetch(c, c->key_bytes);
	ret = -EIO;
	if (!ctx || !evp || text_bytes > 1 << 30 ||
	    !EVP_CipherInit_ex2(ctx, evp, NULL, NULL, is_encrypt, NULL) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, nonce_bytes,
				NULL) <= 0)
		goto out;
	if ((is_ccm || !is_encrypt) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag_bytes,
				is_encrypt ? NULL : tag) <= 0)
		goto out;
	if (!EVP_CipherInit_ex2(ctx, NULL, c->key, nonce, is_encrypt, NULL) ||
	    (is_ccm &&
	     !EVP_CipherUpdate(ctx, NULL, &got, NULL, (int)text_bytes)) ||
	    (aad_bytes &&
	     !EVP_CipherUpdate(ctx, NULL, &got, aad, (int)aad_bytes)))
		goto out;
	/* OpenSSL's CCM compares the tag in the update, GCM in the final. */
	if (EVP_CipherUpdate(ctx, out, &got, in, (int)text_bytes) <= 0 ||
	    EVP_CipherFinal_ex(ctx, out + text_bytes, &got) <= 0) {
		ret = is_encrypt ? -EIO : -EBADMSG;
		goto out;
	}
	if (is_encrypt && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
					      (int)tag_bytes, tag) <= 0)
		goto out;
	ret = 0;
out:
	EVP_CIPHER_free(evp);
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

static int digest_init(EVP_MD_CTX *ctx, const struct hash_row *row)
{
	EVP_MD *md = EVP_MD_fetch(library(), row->evp_name, NULL);
	int ret = md && EVP_DigestInit_ex2(ctx, md, NULL) ? 0 : -EINVAL;

	EVP_MD_free(md);
	return ret;
}

/* RFC 2104 by hand: the copied state of H3 is that of the inner hash. */
static int digest_key(const struct hash_state *h, EVP_MD_CTX *ctx, uint8_t pad)
{
	uint8_t block[HASH_BLOCK_MAX];
	int ret;

	for (uint32_t i = 0; i < h->row->block; i++)
		block[i] = h->key[i] ^ pad;
	ret = EVP_DigestUpdate(ctx, block, h->row->block) ? 0 : -EIO;
	OPENSSL_cleanse(block, sizeof(block));
	return ret;
}

int hash_reset(struct hash_state *h)
{
	int ret = digest_init(h->inner, h->row);

	h->is_finished = false;
	if (!ret && h->row->is_hmac)
		ret = digest_key(h, h->inner, 0x36);
	return ret;
}

int hash_set_key(struct hash_state *h, const struct hash_row *row,
		 const uint8_t *key, uint32_t key_bytes)
{
	int ret = 0;

	h->row = row;
	h->inner = EVP_MD_CTX_new();
	if (!h->inner)
		return -ENOMEM;
	if (row->is_hmac && key_bytes > row->block) {
		ret = digest_init(h->inner, row);
		if (!ret && (!EVP_DigestUpdate(h->inner, key, key_bytes) ||
			     !EVP_DigestFinal_ex(h->inner, h->key, NULL)))
			ret = -EIO;
	} else if (row->is_hmac) {
		memcpy(h->key, key, key_bytes);
	}
	return ret ? ret : hash_reset(h);
}

int hash_update(struct hash_state *h, const uint8_t *data, size_t bytes)
{
	return EVP_DigestUpdate(h->inner, data, bytes) ? 0 : -EIO;
}

int hash_final(struct hash_state *h, uint8_t digest[DIGEST_MAX])
{
	EVP_MD_CTX *outer;
	int ret = -EIO;

	if (!EVP_DigestFinal_ex(h->inner, digest, NULL))
		return -EIO;
	h->is_finished = true;
	if (!h->row->is_hmac)
		return 0;
	outer = EVP_MD_CTX_new();
	if (outer && digest_init(outer, h->row) == 0 &&
	    digest_key(h, outer, 0x5c) == 0 &&
	    EVP_DigestUpdate(outer, digest, h->row->digest) &&
	    EVP_DigestFinal_ex(outer, digest, NULL))
		ret = 0;
	EVP_MD_CTX_free(outer);
	return ret;
}
