/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* cryptodev.h - the ioctl interface of /dev/crypto and of /dev/cryptodevN */
#ifndef ABI_CRYPTODEV_H
#define ABI_CRYPTODEV_H

/*
 * How to use it: open the node (the mode does not matter), make a session
 * with CIOCGSESSION, run operations on it with CIOCCRYPT or CIOCAUTHCRYPT,
 * end it with CIOCFSESSION. Sessions belong to the open file: dup(2), fork(2)
 * and CRIOGET share them, another open(2) does not see them, and the last
 * close(2) ends them. An ioctl that fails leaves its argument as it was.
 *
 * Numbers and layouts are those of the cryptodev-linux interface, for which
 * programs have been built for many years: nothing here may change, only be
 * added. Lengths count bytes. Structures are in the byte order and pointer
 * size of the caller; the *_32 forms are those of a 32-bit caller.
 */

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __KERNEL__
#define CRYPTODEV_USER __user
#else
#define CRYPTODEV_USER
#endif

/* Algorithms, session_op.cipher and session_op.mac. A cipher is not valid as
 * a mac, nor the other way round. Those marked "none" have a number from the
 * older systems and no implementation: EINVAL. */
enum cryptodev_crypto_op_t {
	CRYPTO_DES_CBC = 1,
	CRYPTO_3DES_CBC = 2,
	CRYPTO_BLF_CBC = 3,
	CRYPTO_CAST_CBC = 4,     /* none */
	CRYPTO_SKIPJACK_CBC = 5, /* none */
	CRYPTO_MD5_HMAC = 6,
	CRYPTO_SHA1_HMAC = 7,
	CRYPTO_RIPEMD160_HMAC = 8,
	CRYPTO_MD5_KPDK = 9,   /* none */
	CRYPTO_SHA1_KPDK = 10, /* none */
	CRYPTO_AES_CBC = 11,
	CRYPTO_RIJNDAEL128_CBC = CRYPTO_AES_CBC,
	CRYPTO_ARC4 = 12, /* none */
	CRYPTO_MD5 = 13,
	CRYPTO_SHA1 = 14,
	CRYPTO_DEFLATE_COMP = 15, /* none */
	CRYPTO_NULL = 16,
	CRYPTO_LZS_COMP = 17, /* none */
	CRYPTO_SHA2_256_HMAC = 18,
	CRYPTO_SHA2_384_HMAC = 19,
	CRYPTO_SHA2_512_HMAC = 20,
	CRYPTO_AES_CTR = 21,
	CRYPTO_AES_XTS = 22,
	CRYPTO_AES_ECB = 23,
	CRYPTO_AES_CFB = 24,
	CRYPTO_AES_OFB = 25,
	CRYPTO_AES_GCM = 50,
	CRYPTO_AES_CCM = 51,
	CRYPTO_CAMELLIA_CBC = 101,
	CRYPTO_RIPEMD160 = 102,
	CRYPTO_SHA2_224 = 103,
	CRYPTO_SHA2_256 = 104,
	CRYPTO_SHA2_384 = 105,
	CRYPTO_SHA2_512 = 106,
	CRYPTO_SHA2_224_HMAC = 107,
	CRYPTO_TLS11_AES_CBC_HMAC_SHA1 = 108,   /* only some kernels */
	CRYPTO_TLS12_AES_CBC_HMAC_SHA256 = 109, /* only some kernels */
	CRYPTO_ALGORITHM_ALL
};

/* Not a number for the preprocessor, by which OpenSSL's engine knows that the
 * names above are no macros. */
#define CRYPTO_ALGORITHM_MAX (CRYPTO_ALGORITHM_ALL - 1)

#define CRYPTO_CIPHER_MAX_KEY_LEN 64
#define CRYPTO_HMAC_MAX_KEY_LEN   512
#define CRYPTODEV_MAX_ALG_NAME    64

/* Bytes of blocks and digests, at most and of each kind. */
#define EALG_MAX_BLOCK_LEN    16
#define AALG_MAX_RESULT_LEN   64
#define HASH_MAX_LEN          64
#define DES_BLOCK_LEN         8
#define DES3_BLOCK_LEN        8
#define BLOWFISH_BLOCK_LEN    8
#define CAST128_BLOCK_LEN     8
#define SKIPJACK_BLOCK_LEN    8
#define AES_BLOCK_LEN         16
#define RIJNDAEL128_BLOCK_LEN 16
#define CAMELLIA_BLOCK_LEN    16

/* crypt_op.op and crypt_auth_op.op */
#define COP_ENCRYPT 0
#define COP_DECRYPT 1

/* crypt_op.flags and crypt_auth_op.flags; other bits are ignored */
#define COP_FLAG_NONE      0
#define COP_FLAG_UPDATE    (1 << 0) /* part of a multi-part hash */
#define COP_FLAG_FINAL     (1 << 1) /* finish it */
#define COP_FLAG_WRITE_IV  (1 << 2) /* store the chained IV at `iv` */
#define COP_FLAG_NO_ZC     (1 << 3) /* copy, do not map; same results */
#define COP_FLAG_AEAD_TLS  (1 << 4) /* crypt_auth_op: TLS records */
#define COP_FLAG_AEAD_SRTP (1 << 5) /* crypt_auth_op: SRTP packets */
#define COP_FLAG_RESET     (1 << 6) /* start the hash afresh */
/* Their names in the older header. */
#define COP_FLAG_AEAD_TLS_TYPE  COP_FLAG_AEAD_TLS
#define COP_FLAG_AEAD_SRTP_TYPE COP_FLAG_AEAD_SRTP

/* CIOCGSESSION */
struct session_op {
	__u32 cipher; /* enum cryptodev_crypto_op_t, or 0 */
	__u32 mac;    /* enum cryptodev_crypto_op_t, or 0 */
	__u32 keylen;
	__u8 CRYPTODEV_USER *key;
	__u32 mackeylen;
	__u8 CRYPTODEV_USER *mackey;
	__u32 ses; /* out */
};

struct alg_info {
	char cra_name[CRYPTODEV_MAX_ALG_NAME];
	char cra_driver_name[CRYPTODEV_MAX_ALG_NAME];
};

/* session_info_op.flags: runs on hardware that only the kernel can reach */
#define SIOP_FLAG_KERNEL_DRIVER_ONLY 1

/* CIOCGSESSINFO */
struct session_info_op {
	__u32 ses;                   /* in */
	struct alg_info cipher_info; /* out, when there is a cipher */
	struct alg_info hash_info;   /* out, when there is a mac */
	__u16 alignmask;             /* out; 0: any alignment is good */
	__u32 flags;                 /* out: SIOP_FLAG_* */
};

/* CIOCCRYPT */
struct crypt_op {
	__u32 ses;
	__u16 op;
	__u16 flags;
	__u32 len;                /* of src and of dst */
	__u8 CRYPTODEV_USER *src; /* in */
	__u8 CRYPTODEV_USER *dst; /* out; may be src */
	__u8 CRYPTODEV_USER *mac; /* out: the digest */
	__u8 CRYPTODEV_USER *iv;  /* in; NULL: go on from the last one */
};

/* CIOCAUTHCRYPT */
struct crypt_auth_op {
	__u32 ses;
	__u16 op;
	__u16 flags;
	__u32 len;      /* in: with the tag to decrypt AEAD, TLS; out: result */
	__u32 auth_len; /* of auth_src */
	__u8 CRYPTODEV_USER *auth_src; /* AAD; in SRTP the whole packet */
	__u8 CRYPTODEV_USER *src;      /* must be dst in TLS and SRTP */
	__u8 CRYPTODEV_USER *dst;
	__u8 CRYPTODEV_USER *tag; /* SRTP: in or out; AEAD: out, where it is */
	__u32 tag_len;            /* 0: default; out: what was used */
	__u8 CRYPTODEV_USER *iv;
	__u32 iv_len; /* ignored: the length is the session's */
};

/* CIOCCPHASH */
struct cphash_op {
	__u32 dst_ses;
	__u32 src_ses;
};

/* CIOCKEY, which nobody implements: EINVAL */
enum cryptodev_crk_op_t {
	CRK_MOD_EXP = 0,
	CRK_MOD_EXP_CRT = 1,
	CRK_DSA_SIGN = 2,
	CRK_DSA_VERIFY = 3,
	CRK_DH_COMPUTE_KEY = 4,
	CRK_ALGORITHM_ALL
};

#define CRK_ALGORITHM_MAX (CRK_ALGORITHM_ALL - 1)
#define CRK_MAXPARAM      8

/* CIOCASYMFEAT: one bit for each, of which none is ever set */
#define CRF_MOD_EXP        (1 << CRK_MOD_EXP)
#define CRF_MOD_EXP_CRT    (1 << CRK_MOD_EXP_CRT)
#define CRF_DSA_SIGN       (1 << CRK_DSA_SIGN)
#define CRF_DSA_VERIFY     (1 << CRK_DSA_VERIFY)
#define CRF_DH_COMPUTE_KEY (1 << CRK_DH_COMPUTE_KEY)

struct crparam {
	__u8 *crp_p;
	__u32 crp_nbits;
};

struct crypt_kop {
	__u32 crk_op;
	__u32 crk_status;
	__u16 crk_iparams;
	__u16 crk_oparams;
	__u32 crk_pad1;
	struct crparam crk_param[CRK_MAXPARAM];
};

/* An open file has sessions without CRIOGET. */
#define CRIOGET_NOT_NEEDED 1

#define CRIOGET        _IOWR('c', 101, __u32)
#define CIOCGSESSION   _IOWR('c', 102, struct session_op)
#define CIOCFSESSION   _IOW('c', 103, __u32)
#define CIOCCRYPT      _IOWR('c', 104, struct crypt_op)
#define CIOCKEY        _IOWR('c', 105, struct crypt_kop)
#define CIOCASYMFEAT   _IOR('c', 106, __u32)
#define CIOCGSESSINFO  _IOWR('c', 107, struct session_info_op)
#define CIOCAUTHCRYPT  _IOWR('c', 109, struct crypt_auth_op)
#define CIOCASYNCCRYPT _IOW('c', 110, struct crypt_op)
#define CIOCASYNCFETCH _IOR('c', 111, struct crypt_op)
#define CIOCCPHASH     _IOW('c', 112, struct cphash_op)

/* What a 32-bit caller of a 64-bit kernel passes: pointers are 32 bits. */
struct session_op_32 {
	__u32 cipher;
	__u32 mac;
	__u32 keylen;
	__u32 key;
	__u32 mackeylen;
	__u32 mackey;
	__u32 ses;
};

struct crypt_op_32 {
	__u32 ses;
	__u16 op;
	__u16 flags;
	__u32 len;
	__u32 src;
	__u32 dst;
	__u32 mac;
	__u32 iv;
};

struct crypt_auth_op_32 {
	__u32 ses;
	__u16 op;
	__u16 flags;
	__u32 len;
	__u32 auth_len;
	__u32 auth_src;
	__u32 src;
	__u32 dst;
	__u32 tag;
	__u32 tag_len;
	__u32 iv;
	__u32 iv_len;
};

#define CIOCGSESSION_32   _IOWR('c', 102, struct session_op_32)
#define CIOCCRYPT_32      _IOWR('c', 104, struct crypt_op_32)
#define CIOCAUTHCRYPT_32  _IOWR('c', 109, struct crypt_auth_op_32)
#define CIOCASYNCCRYPT_32 _IOW('c', 110, struct crypt_op_32)
#define CIOCASYNCFETCH_32 _IOR('c', 111, struct crypt_op_32)

/* cryptodev-linux answers a 32-bit caller's asynchronous calls only under
 * these two, which no header gives to programs. */
#define CIOCASYNCCRYPT_32_ALIAS _IOW('c', 107, struct crypt_op_32)
#define CIOCASYNCFETCH_32_ALIAS _IOR('c', 108, struct crypt_op_32)

#ifndef __cplusplus
#define CRYPTODEV_SIZE(type, wide, narrow)                                \
	_Static_assert(sizeof(type) ==                                    \
			       (sizeof(void *) == 8 ? (wide) : (narrow)), \
		       #type)
CRYPTODEV_SIZE(struct session_op, 48, 28);
CRYPTODEV_SIZE(struct session_op_32, 28, 28);
CRYPTODEV_SIZE(struct session_info_op, 268, 268);
CRYPTODEV_SIZE(struct crypt_op, 48, 28);
CRYPTODEV_SIZE(struct crypt_op_32, 28, 28);
CRYPTODEV_SIZE(struct crypt_auth_op, 72, 44);
CRYPTODEV_SIZE(struct crypt_auth_op_32, 44, 44);
CRYPTODEV_SIZE(struct cphash_op, 8, 8);
CRYPTODEV_SIZE(struct crypt_kop, 144, 80);
#endif

#endif
