/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* virtio_cryptodev.h - the device: guest driver, host daemon */
#ifndef ABI_VIRTIO_CRYPTODEV_H
#define ABI_VIRTIO_CRYPTODEV_H

/*
 * How to use it: the driver finds virtio id 30, reads struct vcd_config and
 * steps back unless magic and version are ours; it sends HELLO on queue 0 and
 * puts the generation of the answer into every further request. OPEN gives a
 * file, SESSION_OPEN a session of that file, CRYPT and AUTHCRYPT run on it.
 *
 * A request is one descriptor chain, cut into descriptors in any way:
 *   readable: struct vcd_request, struct vcd_PARAMS, then the parts that the
 *             parameters announce, in the order of the comment beside them
 *   writable: struct vcd_reply or what begins with it, then the parts
 * Both sides' lengths must equal what the parameters announce.
 *
 * docs/spec/virtio-cryptodev.md has the clauses ("vcd 5.2") and holds where
 * this file is silent. Integers are little-endian; reserved fields must be
 * zero; ids are opaque numbers and never 0.
 */

#include <linux/types.h>

#define VCD_VIRTIO_ID 30         /* vcd 2.1 */
#define VCD_MAGIC     0x64637670 /* the bytes "pvcd" */
#define VCD_VERSION   1

/* Bounds of the contract; a device may announce smaller limits. */
#define VCD_MAX_QUEUES        64
#define VCD_MAX_KEY_BYTES     64
#define VCD_MAX_MAC_KEY_BYTES 512
#define VCD_MAX_IV_BYTES      16
#define VCD_MAX_DIGEST_BYTES  64
#define VCD_MAX_AAD_BYTES     4096
#define VCD_NAME_BYTES        64

/* vcd_config.capabilities: requests that the device can run, vcd 3.4 */
#define VCD_CAP_AEAD      (1u << 0) /* AUTHCRYPT, GCM and CCM */
#define VCD_CAP_TLS       (1u << 1) /* AUTHCRYPT, VCD_FLAG_TLS */
#define VCD_CAP_SRTP      (1u << 2) /* AUTHCRYPT, VCD_FLAG_SRTP */
#define VCD_CAP_HASH_COPY (1u << 3) /* HASH_COPY */
#define VCD_CAP_RECOVERY  (1u << 4) /* its own crash goes unseen, vcd 9 */

/* Device configuration space, vcd 3. Read once, at probe. */
struct vcd_config {
	__le32 magic;       /* VCD_MAGIC */
	__le16 version_min; /* of this contract, that the device speaks */
	__le16 version_max;
	__le32 config_bytes; /* sizeof(struct vcd_config) */
	__le32 queues;       /* that the device serves: 1..VCD_MAX_QUEUES */
	__le64 capabilities; /* VCD_CAP_*; ignore bits you do not know */
	__le32 max_files;
	__le32 max_sessions;      /* of the device */
	__le32 max_request_bytes; /* payload_bytes of one request */
	__le32 max_segments;      /* descriptors of one chain */
	__le32 max_aad_bytes;     /* auth_bytes, except in SRTP */
	__le32 reserved[5];
};

/* vcd_request.op */
enum vcd_op {
	VCD_OP_HELLO = 1, /* vcd 4.1: queue 0 only; a barrier */
	VCD_OP_PING = 2,  /* vcd 4.2: no parameters, no effect */
	VCD_OP_OPEN = 3,  /* vcd 5.7: no parameters */
	VCD_OP_CLOSE = 4, /* vcd 5.8: no parameters; its sessions end too */
	VCD_OP_SESSION_OPEN = 5,
	VCD_OP_SESSION_CLOSE = 6, /* no parameters */
	VCD_OP_SESSION_INFO = 7,  /* no parameters */
	VCD_OP_CRYPT = 8,
	VCD_OP_AUTHCRYPT = 9,
	VCD_OP_HASH_COPY = 10,
	VCD_OPS /* 1 + the last */
};

/* What every request begins with. */
struct vcd_request {
	__le32 op;         /* enum vcd_op */
	__le32 reserved;   /* 0 */
	__le64 generation; /* of the last HELLO; 0 in HELLO */
	__le32 file_id;    /* 0 in HELLO, PING, OPEN */
	__le32 session_id; /* 0 in those, CLOSE and SESSION_OPEN */
};

/* vcd_reply.status, vcd 8 with the errno that programs see */
enum vcd_status {
	VCD_STATUS_OK = 0,
	VCD_STATUS_INVALID = 1,       /* EINVAL */
	VCD_STATUS_FAULT = 2,         /* EFAULT: no room for what is due */
	VCD_STATUS_BAD_MESSAGE = 3,   /* EBADMSG: tag or padding is wrong */
	VCD_STATUS_NO_MEMORY = 4,     /* ENOMEM */
	VCD_STATUS_NO_SPACE = 5,      /* ENOSPC: limit of files or sessions */
	VCD_STATUS_TOO_BIG = 6,       /* E2BIG */
	VCD_STATUS_OVERFLOW = 7,      /* EOVERFLOW: CCM length field */
	VCD_STATUS_NO_ENTRY = 8,      /* ENOENT: HASH_COPY only */
	VCD_STATUS_DEADLOCK = 9,      /* EDEADLK: HASH_COPY to itself */
	VCD_STATUS_NOT_POSSIBLE = 10, /* ENOSYS: provider cannot copy a hash */
	VCD_STATUS_BUSY = 11,         /* EBUSY: HASH_COPY, source in flight */
	VCD_STATUS_IO = 12,           /* EIO: provider failed */
	VCD_STATUS_NO_DEVICE = 13,    /* ENODEV: provider went away */
	VCD_STATUS_LOST = 14,         /* EIO: running hash lost, vcd 9.4 */
	VCD_STATUS_KILLS = 15,        /* EIO: killed its workers, vcd 9.5 */
	VCD_STATUS_EXPIRED = 16,      /* EIO: another generation, vcd 4.3 */
	VCD_STATUS_MALFORMED = 17,    /* EIO: breaks this contract */
	VCD_STATUS_UNSUPPORTED = 18,  /* EOPNOTSUPP: unknown op or version */
	VCD_STATUS_WRONG_QUEUE = 19,  /* EIO: not the session's queue */
	VCD_STATUSES
};

/* vcd_reply.flags */
#define VCD_REPLY_HAS_DIGEST (1u << 0) /* CRYPT: the digest was written */

/* What every answer begins with; all that is valid unless status is OK. */
struct vcd_reply {
	__le32 status;       /* enum vcd_status */
	__le32 flags;        /* VCD_REPLY_* */
	__le32 result_bytes; /* of the destination that are the result */
	__le32 value;        /* OPEN: file id; AUTHCRYPT: tag bytes used */
};

struct vcd_hello {
	__le32 magic;       /* VCD_MAGIC */
	__le16 version_min; /* that the driver speaks */
	__le16 version_max;
	__le64 reserved; /* 0 */
};

struct vcd_hello_reply {
	struct vcd_reply reply; /* value: the version that holds from now on */
	__le64 generation;      /* random, never 0 */
	struct vcd_config config;
	__le64 ciphers[2]; /* bit N % 64 of [N / 64]: cipher id N is there */
	__le64 macs[2];
	__u8 provider[32]; /* for people: "openssl", padded with NUL */
};

/* CIOCGSESSION. Readable parts: key, mac key. */
struct vcd_session_open {
	__le32 cipher; /* enum cryptodev_crypto_op_t, or 0 */
	__le32 mac;    /* enum cryptodev_crypto_op_t, or 0 */
	__le32 key_bytes;
	__le32 mac_key_bytes;
};

/* vcd_session_reply.traits */
#define VCD_TRAIT_CIPHER (1u << 0) /* has a cipher */
#define VCD_TRAIT_MAC    (1u << 1) /* has a mac or hash */
#define VCD_TRAIT_AEAD   (1u << 2) /* GCM, CCM: AUTHCRYPT only */
#define VCD_TRAIT_STREAM (1u << 3) /* may be used for SRTP */

struct vcd_session_reply {
	struct vcd_reply reply;
	__le32 session_id;
	__le32 block_bytes; /* payload_bytes must be a multiple; 0: no cipher */
	__le32 iv_bytes;    /* 0: takes none */
	__le32 digest_bytes; /* 0: no mac */
	__le32 tag_bytes;    /* default AEAD tag; 0: no AEAD */
	__le32 traits;       /* VCD_TRAIT_* */
	__le64 reserved;     /* 0 */
};

/* CIOCGSESSINFO; names are NUL-padded and end with a NUL. */
struct vcd_session_info_reply {
	struct vcd_reply reply;
	__u8 cipher_name[VCD_NAME_BYTES]; /* "cbc(aes)"; zeros: no cipher */
	__u8 cipher_driver[VCD_NAME_BYTES];
	__u8 mac_name[VCD_NAME_BYTES];
	__u8 mac_driver[VCD_NAME_BYTES];
	__le32 align_mask; /* 0: any alignment */
	__le32 flags;      /* SIOP_FLAG_* of cryptodev.h */
};

/* direction and flags of CRYPT and AUTHCRYPT are those of cryptodev.h: the
 * device ignores flag bits that it does not know, and NO_ZC. */
#define VCD_ENCRYPT       0
#define VCD_DECRYPT       1
#define VCD_FLAG_UPDATE   (1u << 0)
#define VCD_FLAG_FINAL    (1u << 1)
#define VCD_FLAG_WRITE_IV (1u << 2)
#define VCD_FLAG_NO_ZC    (1u << 3)
#define VCD_FLAG_TLS      (1u << 4)
#define VCD_FLAG_SRTP     (1u << 5)
#define VCD_FLAG_RESET    (1u << 6)

/*
 * CIOCCRYPT, vcd 6. Readable parts: iv, source (payload_bytes). Writable
 * parts: destination, digest, iv.
 */
struct vcd_crypt {
	__le16 direction;
	__le16 flags;
	__le32 payload_bytes;
	__le32 iv_bytes;     /* 0: the chained IV; else the session's */
	__le32 dst_bytes;    /* payload_bytes with a cipher, else 0 */
	__le32 digest_bytes; /* the session's when due (vcd 6.4), else 0 */
	__le32 iv_out_bytes; /* WRITE_IV: the session's, or 0 */
	__le64 reserved;     /* 0 */
};

/*
 * CIOCAUTHCRYPT, vcd 7. Readable parts: iv, auth, source, tag. Writable
 * parts: destination, tag, iv. AEAD and TLS: source has payload_bytes. SRTP:
 * auth is the whole packet, the payload lies in it, there is no source.
 */
struct vcd_authcrypt {
	__le16 direction;
	__le16 flags;
	__le32 payload_bytes; /* with the tag when decrypting AEAD, TLS */
	__le32 iv_bytes;
	__le32 auth_bytes;
	__le32 auth_payload_offset; /* SRTP only, else 0 */
	__le32 tag_bytes;           /* 0: the default */
	__le32 tag_in_bytes;        /* SRTP decrypting: the tag, else 0 */
	__le32 dst_bytes;           /* vcd 7.3 */
	__le32 tag_out_bytes;       /* SRTP encrypting: the tag, else 0 */
	__le32 iv_out_bytes;
	__le64 reserved; /* 0 */
};

/* CIOCCPHASH: from another session of the file to the header's session. */
struct vcd_hash_copy {
	__le32 from_session_id;
	__le32 reserved; /* 0 */
};

#ifdef __cplusplus
#define VCD_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
#else
#define VCD_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#endif
VCD_SIZE(struct vcd_config, 64);
VCD_SIZE(struct vcd_request, 24);
VCD_SIZE(struct vcd_reply, 16);
VCD_SIZE(struct vcd_hello, 16);
VCD_SIZE(struct vcd_hello_reply, 152);
VCD_SIZE(struct vcd_session_open, 16);
VCD_SIZE(struct vcd_session_reply, 48);
VCD_SIZE(struct vcd_session_info_reply, 280);
VCD_SIZE(struct vcd_crypt, 32);
VCD_SIZE(struct vcd_authcrypt, 48);
VCD_SIZE(struct vcd_hash_copy, 8);
#undef VCD_SIZE

#endif
