/* SPDX-License-Identifier: Apache-2.0 */
/* rows_codec.h - the bytes of the rows that the client stores */
#ifndef PVX_E2EE_ROWS_CODEC_H
#define PVX_E2EE_ROWS_CODEC_H

#include "abi/chat_wire.h"
#include "e2ee/content.h"
#include "e2ee/rows.h"

#include <stdbool.h>
#include <stdint.h>

/* A chain ends after this many messages (spec/e2ee.md, clause 4.4), so a
 * record of all of its generations is small enough to keep. */
#define CHAIN_MESSAGES   1000
#define CHAIN_SEEN_BYTES ((CHAIN_MESSAGES + 7) / 8)

/* What is remembered of a device key. */
struct member_record {
	uint8_t device_key[CHAT_KEY_BYTES];
	uint8_t identity_key[SIGN_PUBLIC_BYTES];
	uint64_t floor_ms;       /* older messages may have been seen */
	bool is_pinned;          /* identity_key is set */
	bool has_contested_nick; /* another identity had it first */
	char nick[E2EE_MAX_NICK_BYTES + 1]; /* with a NUL */
};

/* What is remembered of a chain. */
struct chain_record {
	uint8_t id[CHAT_CHAIN_ID_BYTES];
	uint64_t last_ms;               /* the latest sender time in it */
	uint64_t highest;               /* generation */
	uint8_t link[SHA256_BYTES];     /* hash of message `highest` */
	uint8_t carried[SHA256_BYTES];  /* the link inside of it */
	uint8_t seen[CHAIN_SEEN_BYTES]; /* a bit for each generation */
};

/* Rows of clause 9: to bytes, and back. The decoders return 0, or -EBADMSG for
 * bytes that the encoders do not write. */
void member_row_encode(struct e2ee_row *row, const struct member_record *m);
void chain_row_encode(struct e2ee_row *row,
		      const uint8_t device_key[CHAT_KEY_BYTES],
		      const struct chain_record *c);
/* The row that says: delete what is stored of this chain, unless that is more
 * than `c`. */
void chain_row_delete(struct e2ee_row *row,
		      const uint8_t device_key[CHAT_KEY_BYTES],
		      const struct chain_record *c);

/* Whether the key is that of a member's row; else it is a chain's. */
bool row_is_member(const uint8_t key[E2EE_ROW_KEY_BYTES]);

int member_row_decode(struct member_record *m,
		      const uint8_t key[E2EE_ROW_KEY_BYTES],
		      const uint8_t *value, size_t bytes);
int chain_row_decode(struct chain_record *c,
		     const uint8_t key[E2EE_ROW_KEY_BYTES],
		     const uint8_t *value, size_t bytes);

/* Unite two records of one thing; what they say of the latest is kept from
 * the one that saw more. -EEXIST for members of different identity. */
int member_record_merge(struct member_record *into,
			const struct member_record *other);
void chain_record_merge(struct chain_record *into,
			const struct chain_record *other);

#endif
