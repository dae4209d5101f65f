/* SPDX-License-Identifier: Apache-2.0 */
/* cryptsess.h - crypto sessions as in cryptodev, over several providers */
#ifndef CRYPTSESS_H
#define CRYPTSESS_H

/*
 * How it works: open a provider by name, open a session on it (a cipher, a
 * mac, or both, with their keys), run operations on the session, close it.
 * Numbers, rules and errors are those of the cryptodev ioctl interface, so
 * that a device can serve that interface from this library; see
 * docs/spec/cryptsess.md for the clauses.
 *
 * Threads: a provider may be used from any number of threads; a session from
 * one at a time. Every function that can fail returns 0 or -errno:
 *   -EINVAL   unknown algorithm, key length, operation or malformed request
 *   -EFAULT   a buffer that must be there is NULL or too short
 *   -EBADMSG  authentication or TLS padding wrong; the destination is zeroed
 *             (SRTP: untouched, since nothing was decrypted)
 *   -EOVERFLOW  plaintext too long for the CCM length field
 *   -ENOMEM   no memory, or no locked memory for the keys (RLIMIT_MEMLOCK)
 *   -ENODEV   the provider is not on this machine, or went away
 *   -E2BIG    more than the provider takes in one request
 *   -EIO      the provider failed in a way it cannot explain
 *   -ENOENT, -EDEADLK, -ENOSYS  cryptsess_hash_copy() only
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Algorithm ids, the values of enum cryptodev_crypto_op_t; 0 is none. */
enum cryptsess_cipher {
	CRYPTSESS_CIPHER_NONE = 0,
	CRYPTSESS_DES_CBC = 1,
	CRYPTSESS_3DES_CBC = 2,
	CRYPTSESS_BLOWFISH_CBC = 3,
	CRYPTSESS_AES_CBC = 11,
	CRYPTSESS_NULL = 16,
	CRYPTSESS_AES_CTR = 21,
	CRYPTSESS_AES_XTS = 22,
	CRYPTSESS_AES_ECB = 23,
	CRYPTSESS_AES_CFB = 24,
	CRYPTSESS_AES_OFB = 25,
	CRYPTSESS_AES_GCM = 50,
	CRYPTSESS_AES_CCM = 51,
	CRYPTSESS_CAMELLIA_CBC = 101,
};

enum cryptsess_mac {
	CRYPTSESS_MAC_NONE = 0,
	CRYPTSESS_HMAC_MD5 = 6,
	CRYPTSESS_HMAC_SHA1 = 7,
	CRYPTSESS_HMAC_RIPEMD160 = 8,
	CRYPTSESS_MD5 = 13,
	CRYPTSESS_SHA1 = 14,
	CRYPTSESS_HMAC_SHA256 = 18,
	CRYPTSESS_HMAC_SHA384 = 19,
	CRYPTSESS_HMAC_SHA512 = 20,
	CRYPTSESS_RIPEMD160 = 102,
	CRYPTSESS_SHA224 = 103,
	CRYPTSESS_SHA256 = 104,
	CRYPTSESS_SHA384 = 105,
	CRYPTSESS_SHA512 = 106,
	CRYPTSESS_HMAC_SHA224 = 107,
};

enum cryptsess_direction {
	CRYPTSESS_ENCRYPT = 0,
	CRYPTSESS_DECRYPT = 1,
};

/* Flags of an operation, the values of COP_FLAG_*. Unknown bits and NO_ZC are
 * ignored. */
#define CRYPTSESS_UPDATE    (1u << 0) /* part of a multi-part hash */
#define CRYPTSESS_FINAL     (1u << 1) /* finish it, with or without data */
#define CRYPTSESS_WRITE_IV  (1u << 2) /* store the chained IV in `iv` */
#define CRYPTSESS_AEAD_TLS  (1u << 4) /* MAC, pad, encrypt; in place */
#define CRYPTSESS_AEAD_SRTP (1u << 5) /* encrypt, MAC; in place */
#define CRYPTSESS_RESET     (1u << 6) /* start the hash afresh */

#define CRYPTSESS_MAX_KEY_BYTES     64
#define CRYPTSESS_MAX_MAC_KEY_BYTES 512
#define CRYPTSESS_MAX_IV_BYTES      16
#define CRYPTSESS_MAX_DIGEST_BYTES  64
#define CRYPTSESS_MAX_AAD_BYTES     4096 /* a page, as in cryptodev */

struct cryptsess_provider; /* opaque */
struct cryptsess;          /* opaque */

/* Properties of one algorithm, the row of the one table of algorithms. */
struct cryptsess_algorithm {
	uint32_t id;             /* enum cryptsess_cipher or _mac */
	bool is_mac;             /* a mac or hash: else a cipher */
	bool is_aead;            /* GCM, CCM */
	bool is_stream;          /* CTR, GCM, CCM, NULL */
	bool is_keyed;           /* HMAC: else a plain hash */
	const char *name;        /* "aes-cbc", for people and options */
	const char *kernel_name; /* "cbc(aes)", as CIOCGSESSINFO reports */
	uint32_t block_bytes;    /* granularity of a cipher's length */
	uint32_t iv_bytes;
	uint32_t digest_bytes; /* digest, or default AEAD tag */
	uint32_t key_min_bytes;
	uint32_t key_max_bytes;
	uint32_t key_step_bytes; /* lengths are min, min + step, ... max */
};

/* The table's row `index`, from 0; NULL behind the last one. */
const struct cryptsess_algorithm *cryptsess_algorithm_at(unsigned int index);

/* The row of an id or a name; NULL when there is none. */
const struct cryptsess_algorithm *cryptsess_cipher_by_id(uint32_t id);
const struct cryptsess_algorithm *cryptsess_mac_by_id(uint32_t id);
const struct cryptsess_algorithm *cryptsess_algorithm_by_name(const char *name);

/* Name and one-line description of provider `index` in order of preference;
 * NULL behind the last one. */
const char *cryptsess_provider_name_at(unsigned int index,
				       const char **description);

/*
 * Open the provider `name`: "openssl", "cryptodev", "cryptodev:PATH" or
 * "afalg". There is no fallback: -ENODEV when it is not on this machine,
 * -EINVAL for an unknown name. `why` (may be NULL) receives a sentence of at
 * most `why_bytes` bytes with its NUL that says what was wrong and what to do.
 */
int cryptsess_provider_open(struct cryptsess_provider **provider,
			    const char *name, char *why, size_t why_bytes);

/* Close. Every session must have been closed before. NULL is allowed. */
void cryptsess_provider_close(struct cryptsess_provider *provider);

/* The name it was opened by. Borrowed; lives as long as the provider. */
const char *cryptsess_provider_name(const struct cryptsess_provider *provider);

/* Whether the provider can run the algorithm here and now; cryptsess_open()
 * gives -EINVAL for one that it cannot. */
bool cryptsess_provider_has(struct cryptsess_provider *provider,
			    const struct cryptsess_algorithm *algorithm);

struct cryptsess_params {
	uint32_t cipher;    /* enum cryptsess_cipher, or 0 */
	uint32_t mac;       /* enum cryptsess_mac, or 0 */
	const uint8_t *key; /* borrowed for the call */
	uint32_t key_bytes;
	const uint8_t *mac_key; /* borrowed for the call */
	uint32_t mac_key_bytes;
};

/*
 * Open a session: CIOCGSESSION, with its order of checks. The keys are copied
 * into locked memory and wiped by cryptsess_close().
 */
int cryptsess_open(struct cryptsess **session,
		   struct cryptsess_provider *provider,
		   const struct cryptsess_params *params);

/* Close and wipe: CIOCFSESSION. NULL is allowed. */
void cryptsess_close(struct cryptsess *session);

struct cryptsess_info {
	const struct cryptsess_algorithm *cipher; /* NULL: none */
	const struct cryptsess_algorithm *mac;    /* NULL: none */
	char cipher_driver[64]; /* "cbc-aes-openssl"; "" without a cipher */
	char mac_driver[64];
};

/* What the session is made of: CIOCGSESSINFO. */
void cryptsess_get_info(const struct cryptsess *session,
			struct cryptsess_info *info);

/* The chained IV that the next operation without an IV starts from: the
 * cipher's iv_bytes bytes. For keepers of sessions; set is get's inverse. */
void cryptsess_get_iv(const struct cryptsess *session, uint8_t *iv);
void cryptsess_set_iv(struct cryptsess *session, const uint8_t *iv);

/*
 * One operation of CIOCCRYPT. `src` and `dst` may be scattered; both must hold
 * payload_bytes (a hash-only session has no dst). They may be the same or
 * overlap in any way: the result is that of copying in, then out.
 */
struct cryptsess_crypt {
	uint16_t direction; /* enum cryptsess_direction */
	uint16_t flags;     /* CRYPTSESS_* */
	uint32_t payload_bytes;
	const struct iovec *src;
	unsigned int src_count;
	const struct iovec *dst;
	unsigned int dst_count;
	uint8_t *mac;    /* digest_bytes are written when produced */
	uint8_t *iv;     /* iv_bytes; NULL: the chained IV */
	bool has_digest; /* out: a digest was written to `mac` */
};

int cryptsess_crypt(struct cryptsess *session, struct cryptsess_crypt *op);

/*
 * One operation of CIOCAUTHCRYPT: AEAD with flags 0; the TLS and SRTP forms
 * with their flag, in place.
 *
 * AEAD: `src` is the plaintext or ciphertext || tag, `dst` the reverse; they
 * may overlap in any way. TLS, SRTP: `src` and `dst` are the same memory for
 * all of the payload, however cut. TLS: `dst` has room for payload + tag +
 * padding when encrypting. SRTP: the payload lies within `auth`, at
 * `auth_payload_offset`, and that is the memory of `dst`; the tag is in `tag`.
 */
struct cryptsess_authcrypt {
	uint16_t direction;
	uint16_t flags;
	uint32_t payload_bytes; /* with the tag when decrypting AEAD, TLS */
	const struct iovec *src;
	unsigned int src_count;
	const struct iovec *dst;
	unsigned int dst_count;
	const struct iovec *auth; /* AAD; in SRTP the whole packet */
	unsigned int auth_count;
	uint32_t auth_bytes;
	uint32_t auth_payload_offset; /* SRTP only */
	uint8_t *tag;                 /* SRTP only: tag_bytes */
	uint32_t tag_bytes; /* 0: the default; updated to what was used */
	uint8_t *iv;        /* iv_bytes; NULL: the chained IV */
	uint32_t out_bytes; /* out: bytes at dst that are the result */
};

int cryptsess_authcrypt(struct cryptsess *session,
			struct cryptsess_authcrypt *op);

/* Copy the running hash state of `from` to `to`: CIOCCPHASH. `to` keeps its
 * own key for an HMAC's outer hash. Both have the same algorithm and were
 * opened on the same provider. */
int cryptsess_hash_copy(struct cryptsess *to, const struct cryptsess *from);

#ifdef __cplusplus
}
#endif

#endif
