/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - a room that this user is in: seal, open, and remember */
#ifndef PVX_E2EE_ROOM_H
#define PVX_E2EE_ROOM_H

#include "abi/chat_wire.h"
#include "base/secret.h"
#include "cryptsess.h"
#include "e2ee/content.h"
#include "e2ee/rows.h"
#include "prim/sign.h"
#include "wire/admission.h"

#include <stddef.h>
#include <stdint.h>

struct e2ee_room; /* opaque; used from one thread at a time */

/*
 * Enter a room with its secret and the identity's seed (both borrowed for the
 * call). `provider` is borrowed for the room's life and does all encryption
 * and authentication of messages. 0 or -errno; frees nothing on failure.
 */
int e2ee_room_create(struct e2ee_room **room, const struct secret *room_secret,
		     const struct secret *identity_seed,
		     struct cryptsess_provider *provider);

/* Wipe and release. NULL is allowed. */
void e2ee_room_destroy(struct e2ee_room *room);

/* Public values, borrowed for the room's life. */
const uint8_t *e2ee_room_id(const struct e2ee_room *room);
const uint8_t *e2ee_room_admission_key(const struct e2ee_room *room);
const uint8_t *e2ee_room_device_key(const struct e2ee_room *room);
const uint8_t *e2ee_room_identity_key(const struct e2ee_room *room);

/* Sign the bytes of wire_admission_encode() with the key that it names. */
void e2ee_room_sign(const struct e2ee_room *room, enum wire_signer signer,
		    const uint8_t *data, size_t bytes,
		    uint8_t signature[SIGN_BYTES]);

/*
 * Seal a message. `envelope` has room for CHAT_ENVELOPE_MAX bytes. Its time is
 * that of the content, or our own floor when that is later. Returns the
 * envelope's length and the rows to store before it is sent (so that our own
 * message, handed back to us after a restart, is a replay). -errno: -EINVAL
 * for a content that e2ee_plaintext_bytes() refuses, that of random_bytes(),
 * or the provider's. A sealed message keeps its bytes: to send it again, send
 * the same bytes.
 */
long e2ee_seal(struct e2ee_room *room, const struct e2ee_content *content,
	       uint8_t envelope[CHAT_ENVELOPE_MAX],
	       struct e2ee_changes *changes);

/* What became of an envelope. Every value but ACCEPTED is a refusal: nothing
 * was changed, nothing may be shown but the reason, nothing is answered. */
enum e2ee_verdict {
	E2EE_ACCEPTED,
	E2EE_MALFORMED,        /* cut off, or lengths that do not add up */
	E2EE_UNKNOWN_VERSION,  /* version, suite, type or epoch */
	E2EE_UNDECRYPTABLE,    /* the tag: changed, or not of this room */
	E2EE_FORGED,           /* the signature inside: not by its identity */
	E2EE_MALFORMED_INSIDE, /* sealed by a member, but no valid content */
	E2EE_IDENTITY_CHANGED, /* the device key is pinned to another */
	E2EE_REPLAYED,         /* accepted before */
	E2EE_STALE,            /* of a chain from before what is remembered */
	E2EE_CHAIN_OVERRUN,    /* beyond the end of its chain */
	E2EE_TABLE_FULL,       /* more senders than the room can hold */
	E2EE_FAILED,           /* the provider or the memory; not its fault */
	E2EE_VERDICTS
};

/* A sentence about a verdict, for people. Static. */
const char *e2ee_verdict_text(enum e2ee_verdict verdict);

/* What is remarkable about an accepted message; bits of `notes`. */
#define E2EE_NOTE_NEW_MEMBER (1u << 0) /* identity first seen: pinned */
#define E2EE_NOTE_GAP        (1u << 1) /* `missing` messages before it */
#define E2EE_NOTE_LATE       (1u << 2) /* fills a gap that was noted */
#define E2EE_NOTE_FORK \
	(1u << 3) /* its sender told others another
					  * message before this one */
#define E2EE_NOTE_CHAIN_BREAK \
	(1u << 4) /* the end of the sender's chain
					  * before this one is missing */
#define E2EE_NOTE_MID_CHAIN \
	(1u << 5)                        /* first of its chain for us, and
					  * `missing` came before it: normal
					  * when we came later than it began */
#define E2EE_NOTE_NICK_CHANGED (1u << 6) /* `old_nick` was it before */
#define E2EE_NOTE_NICK_TAKEN \
	(1u << 7) /* the nick is also that of
					  * `other_identity`: impersonation,
					  * or a new identity of the same */
#define E2EE_NOTE_OWN \
	(1u << 8) /* by this identity, in another
					  * process */

struct e2ee_opened {
	/* Of the header; only claimed unless ACCEPTED. Zeros when MALFORMED. */
	uint8_t sender[CHAT_KEY_BYTES];
	uint8_t chain[CHAT_CHAIN_ID_BYTES];
	uint64_t generation;

	/* ACCEPTED only, but for identity and other_identity, which are also
	 * there with IDENTITY_CHANGED: who signed, and who is pinned. */
	uint8_t identity[SIGN_PUBLIC_BYTES];
	uint8_t other_identity[SIGN_PUBLIC_BYTES];
	struct e2ee_content content; /* in the room's buffer, until the next
				      * e2ee_open() */
	unsigned int notes;          /* E2EE_NOTE_* */
	uint64_t missing;
	char old_nick[E2EE_MAX_NICK_BYTES + 1]; /* with a NUL */
	struct e2ee_changes changes; /* to store before it is shown */

	int error; /* FAILED: -errno of the provider, or -ENOMEM */
};

/* Open an envelope of any origin: `bytes` bytes of whatever the relay sent. */
enum e2ee_verdict e2ee_open(struct e2ee_room *room, const uint8_t *envelope,
			    size_t bytes, struct e2ee_opened *opened);

/*
 * Open one that may have been accepted before, to show it again: all is judged
 * but order and repetition, and nothing is remembered or pinned. Of `opened`
 * notes, missing and changes are empty.
 */
enum e2ee_verdict e2ee_show(struct e2ee_room *room, const uint8_t *envelope,
			    size_t bytes, struct e2ee_opened *opened);

/* Give back a row that was stored, at start and in any order. 0, -EBADMSG for
 * bytes that are no row, -EEXIST for a second identity of one device key,
 * -ENOMEM. Rows of members above the bound of the table are passed over: they
 * are refused as TABLE_FULL. */
int e2ee_room_load(struct e2ee_room *room, const uint8_t *key, size_t key_bytes,
		   const uint8_t *value, size_t value_bytes);

/*
 * Take over a stored member's row that merging refused with -EEXIST: another
 * process of this user pinned the device key first, and both must go by the
 * same pin. 0, or -EBADMSG for what is no row of a known member.
 */
int e2ee_room_adopt(struct e2ee_room *room, const uint8_t *key,
		    size_t key_bytes, const uint8_t *value, size_t value_bytes);

/* A member as known here. Pointers are borrowed until the next e2ee_open(). */
struct e2ee_member {
	const uint8_t *device_key;
	const uint8_t *identity_key;
	const char *nick; /* with a NUL; "" as long as none was seen */
};

/* Member `index`, from 0, in the order of first sight. 0, or -ENOENT behind
 * the last one. */
int e2ee_room_member_at(const struct e2ee_room *room, unsigned int index,
			struct e2ee_member *member);

#endif
