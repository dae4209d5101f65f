/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - what a message says: the bytes inside the ciphertext */
#ifndef PVX_E2EE_CONTENT_H
#define PVX_E2EE_CONTENT_H

#include "abi/chat_wire.h"
#include "prim/sha256.h"
#include "prim/sign.h"

#include <stddef.h>
#include <stdint.h>

/* Content types (spec/e2ee.md, clause 6.3). */
enum e2ee_content_type {
	E2EE_CONTENT_TEXT = 1,  /* a line or a page of text */
	E2EE_CONTENT_JOIN = 2,  /* the sender came; no text */
	E2EE_CONTENT_NICK = 3,  /* the sender took this nick; no text */
	E2EE_CONTENT_LEAVE = 4, /* the sender goes; text may say why */
	E2EE_CONTENT_TYPES      /* one more than the last */
};

#define E2EE_MAX_NICK_BYTES 64
/* No floor of the replay state (clause 9.2) could be above the time after. */
#define E2EE_MAX_TIME_MS (UINT64_MAX - 1)
/* Identity, signature, device proof, link, time, type, two lengths. */
#define E2EE_CONTENT_OVERHEAD \
	(SIGN_PUBLIC_BYTES + 2 * SIGN_BYTES + SHA256_BYTES + 8 + 1 + 1 + 4)
#define E2EE_MAX_TEXT_BYTES \
	(CHAT_CIPHERTEXT_MAX - E2EE_CONTENT_OVERHEAD - E2EE_MAX_NICK_BYTES)

/*
 * What the user sees. Nick and text are bytes without a NUL, borrowed; nothing
 * here makes them fit for a terminal.
 */
struct e2ee_content {
	enum e2ee_content_type type;
	uint64_t sender_time_ms; /* since 1970, by the sender's clock, at most
				  * E2EE_MAX_TIME_MS */
	const char *nick;        /* 1 to E2EE_MAX_NICK_BYTES bytes */
	size_t nick_bytes;
	const char *text;
	size_t text_bytes;
};

/* The body: everything of the plaintext that the signature covers, behind
 * identity and signature. Pointers are borrowed. */
struct e2ee_body {
	const uint8_t *device_proof; /* SIGN_BYTES */
	const uint8_t *link;         /* SHA256_BYTES: the message before */
	struct e2ee_content content;
};

/* The plaintext of a content is this long: its bytes padded to 256, 512, 1024,
 * 2048, 4096 or a Padme length. 0 when the content has a field that is too
 * long, too short or not there. */
size_t e2ee_plaintext_bytes(const struct e2ee_content *content);

/* The length that a plaintext of `bytes` bytes is padded to. */
size_t e2ee_padded_bytes(size_t bytes);

/*
 * Write the body with its padding: exactly `body_bytes` bytes, which are
 * e2ee_plaintext_bytes() less identity and signature. 0 or -EINVAL.
 */
int e2ee_body_encode(uint8_t *out, size_t body_bytes,
		     const struct e2ee_body *body);

/* Read a body. 0, or -EBADMSG for anything that encode does not write: other
 * types and lengths, more padding than needed, padding that is not zero. */
int e2ee_body_decode(struct e2ee_body *body, const uint8_t *data,
		     size_t body_bytes);

#endif
