/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - what a room is, as a line of text: room file and invite link */
#ifndef PVX_E2EE_LINK_H
#define PVX_E2EE_LINK_H

#include "base/secret.h"
#include "prim/passphrase.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_PLAIN_PREFIX      "plain:" /* before a server without TLS */
#define LINK_MAX_SERVER_BYTES  267 /* that, 253 of a name, brackets, port */
#define LINK_CERTIFICATE_BYTES 32
/* Room for any text with its NUL; longer texts are refused unread. */
#define LINK_TEXT_ROOM 1536

/* A room file always holds the secret. An invite holds either the secret or,
 * for a passphrase room, what the passphrase is stretched with. */
enum link_form {
	LINK_INVITE,    /* "paravox1:..." */
	LINK_ROOM_FILE, /* "paravox-room1:..." */
	LINK_FORMS
};

/* Lives in memory of secret_alloc(); dies in secret_wipe(). */
struct room_link {
	char server[LINK_MAX_SERVER_BYTES + 1]; /* as link_server_check() */
	bool has_secret;
	bool has_certificate;
	bool has_passphrase;
	struct secret secret;
	uint8_t certificate_sha256[LINK_CERTIFICATE_BYTES]; /* of the relay */
	struct passphrase_params passphrase;
};

/*
 * Write the text and a NUL. The invite of a passphrase room leaves the secret
 * out. The length; -EINVAL when the link lacks what its form must have or its
 * server is malformed; -EMSGSIZE when `room` (LINK_TEXT_ROOM suffices) is too
 * small.
 */
long link_encode(char *text, size_t room, const struct room_link *link,
		 enum link_form form);

/*
 * Read a text (spec/e2ee.md, clause 8); white space around it is ignored.
 * 0; on failure `link` is wiped and `why` (static, may be NULL) says in a
 * sentence what is wrong: -EINVAL malformed, -EBADMSG the checksum differs,
 * -EPROTONOSUPPORT made by a newer version, -ERANGE a cost out of bounds.
 */
int link_decode(struct room_link *link, enum link_form form, const char *text,
		size_t text_bytes, const char **why);

/* 0, or -EINVAL: a server is HOST:PORT or [IPV6]:PORT, either may stand behind
 * "plain:", or unix:/PATH. */
int link_server_check(const char *server);

#endif
