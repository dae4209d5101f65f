/* SPDX-License-Identifier: Apache-2.0 */
/* state_known.c - which identities were verified, which relays were seen */

#include "client/state_private.h"

#include <errno.h>
#include <string.h>

int state_set_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES])
{
	state_bind(state, STATEMENT_VERIFY, 1, identity, SIGN_PUBLIC_BYTES);
	return state_finish(state, STATEMENT_VERIFY,
			    state_step(state, STATEMENT_VERIFY));
}

bool state_is_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES])
{
	int result;

	state_bind(state, STATEMENT_IS_VERIFIED, 1, identity,
		   SIGN_PUBLIC_BYTES);
	result = state_step(state, STATEMENT_IS_VERIFIED);
	state_finish(state, STATEMENT_IS_VERIFIED, result);
	return result == SQLITE_ROW;
}

int state_server_get(struct state *state, const char *address,
		     uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	sqlite3_stmt *get = state->statements[STATEMENT_SERVER];
	int result, error = -ENOENT;

	state_bind(state, STATEMENT_SERVER, 1, (const uint8_t *)address,
		   strlen(address));
	result = state_step(state, STATEMENT_SERVER);
	if (result == SQLITE_ROW) {
		error = -EBADMSG;
		if (sqlite3_column_bytes(get, 0) == TLS_FINGERPRINT_BYTES) {
			memcpy(fingerprint, sqlite3_column_blob(get, 0),
			       TLS_FINGERPRINT_BYTES);
			error = 0;
		}
	}
	result = state_finish(state, STATEMENT_SERVER, result);
	return result ? result : error;
}

static int server_put(struct state *state, enum statement s,
		      const char *address, const uint8_t *fingerprint)
{
	state_bind(state, s, 1, (const uint8_t *)address, strlen(address));
	state_bind(state, s, 2, fingerprint, TLS_FINGERPRINT_BYTES);
	return state_finish(state, s, state_step(state, s));
}

int state_server_set(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	return server_put(state, STATEMENT_SET_SERVER, address, fingerprint);
}

int state_server_add(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	int error =
		server_put(state, STATEMENT_ADD_SERVER, address, fingerprint);

	return error ? error : sqlite3_changes(state->db) ? 0 : -EEXIST;
}
