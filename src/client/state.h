/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what this user remembers of rooms, in SQLite */
#ifndef PVX_CLIENT_STATE_H
#define PVX_CLIENT_STATE_H

#include "abi/chat_wire.h"
#include "e2ee/rows.h"
#include "prim/sign.h"
#include "tls/certificate.h"

#include <stdbool.h>

/*
 * Rows of e2ee/rows.h by room and key, and which identities the user has
 * verified. Several processes of the user may have it open: a row is merged,
 * never replaced. What state_commit() has returned for is on the disk.
 * Everything returns 0 or -errno: -EBUSY when another process holds it for
 * more than STATE_BUSY_MS, -EBADMSG when it is damaged or of a newer version,
 * -ENOSPC, -EACCES, -EIO, -ENOMEM, -ESTALE when the file was moved or deleted
 * since it was opened.
 */
struct state;

#define STATE_BUSY_MS 20000

/* Open or create; the file must be the user's and closed to others (an enum
 * file_problem is possible here). */
int state_open(struct state **state, const char *path);
/* The same at $XDG_STATE_HOME/paravox/state.sqlite, with a message on standard
 * error when it fails. */
int state_open_own(struct state **state);
/* Whether the file was made by this opening: nothing is remembered. */
bool state_is_new(const struct state *state);
/* A sentence's end about an error of any of these. Static or strerror(3)'s. */
const char *state_explain(int error);
/* NULL is allowed. An open transaction is undone. */
void state_close(struct state *state);

/* Hand every row of the room to `take`; stops at its first failure. */
typedef int state_row_fn(void *owner, const uint8_t *key, size_t key_bytes,
			 const uint8_t *value, size_t value_bytes);
int state_load(struct state *state, const uint8_t room_id[CHAT_ROOM_ID_BYTES],
	       state_row_fn *take, void *owner);

/*
 * Merge rows into the room, within a transaction that the first of these calls
 * begins and state_commit() ends. -EEXIST as e2ee_row_merge() says: that row
 * stays as it was, the transaction goes on.
 */
int state_merge(struct state *state, const uint8_t room_id[CHAT_ROOM_ID_BYTES],
		const struct e2ee_changes *changes);
/* How far the room's messages on the relay were had: -ENOENT when that is not
 * known. */
int state_position(struct state *state,
		   const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t *era,
		   uint64_t *sequence);
/* Set it, in the transaction as above. Within an era it goes back only when the
 * relay itself has gone back. */
int state_set_position(struct state *state,
		       const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t era,
		       uint64_t sequence, bool may_go_back);
int state_commit(struct state *state);
void state_rollback(struct state *state);

/* Whether the user has compared safety numbers with an identity. */
int state_set_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES]);
bool state_is_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES]);

/*
 * The fingerprint by which the relay at `address` is known; -ENOENT when it is
 * not. To set it outside of a transaction puts it on the disk.
 */
int state_server_get(struct state *state, const char *address,
		     uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);
int state_server_set(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);
/* The same unless it is known already: -EEXIST, nothing changed. */
int state_server_add(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);

#endif
