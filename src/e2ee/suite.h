/* SPDX-License-Identifier: Apache-2.0 */
/* suite.h - how a payload is encrypted and authenticated by crypto sessions */
#ifndef PVX_E2EE_SUITE_H
#define PVX_E2EE_SUITE_H

#include "cryptsess.h"
#include "e2ee/key_layer.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Suite ids of the envelope's header (spec/e2ee.md, clause 5.1). */
enum suite_id {
	SUITE_A = 0x0001, /* AES-256-CTR, then HMAC-SHA-256 */
	SUITE_C = 0x0003  /* AES-256-CBC, then HMAC-SHA-256: reserved */
};

/* One message. All pointers are borrowed. */
struct suite_job {
	const struct message_keys *keys;
	const uint8_t *iv; /* CHAT_IV_BYTES */
	const uint8_t *aad;
	uint32_t aad_bytes;
	const struct iovec *plain; /* in when sealing, out when opening */
	unsigned int plain_count;
	uint8_t *ciphertext; /* out when sealing, in when opening */
	uint32_t bytes;      /* of plaintext and ciphertext alike */
};

struct suite; /* a row of the table */

/* The row of an id; NULL when it is unknown or reserved. */
const struct suite *suite_by_id(uint16_t id);

/*
 * Encrypt, then authenticate. Each step opens a session of its own on the
 * provider with a key that is used once, and closes it. 0, or the provider's
 * -errno with ciphertext and tag wiped.
 */
int suite_seal(const struct suite *suite, struct cryptsess_provider *provider,
	       const struct suite_job *job, uint8_t tag[CHAT_TAG_BYTES]);

/*
 * Compare the tag, and only then decrypt. 0; -EBADMSG when the tag is wrong,
 * with `plain` untouched; else the provider's -errno.
 */
int suite_open(const struct suite *suite, struct cryptsess_provider *provider,
	       const struct suite_job *job, const uint8_t tag[CHAT_TAG_BYTES]);

#endif
