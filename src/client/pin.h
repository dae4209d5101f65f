/* SPDX-License-Identifier: Apache-2.0 */
/* pin.h - by which key a relay is known, and who says so */
#ifndef PVX_CLIENT_PIN_H
#define PVX_CLIENT_PIN_H

#include "tls/certificate.h"

#include <stdbool.h>
#include <stddef.h>

struct room_link;
struct state;

enum pin_source {
	PIN_NONE,  /* nobody: the first key that is seen will be it */
	PIN_SEEN,  /* it was the first at this address */
	PIN_LINK,  /* the room file, so the invite link */
	PIN_GIVEN, /* --fingerprint */
};

struct pin {
	enum pin_source source;
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
};

enum pin_verdict {
	PIN_HOLDS,
	PIN_IS_FIRST, /* nothing was known: it is remembered now */
	PIN_DIFFERS,  /* not to be talked to */
};

/* `server` begins "plain:" or "unix:": no TLS is spoken there. */
bool pin_server_is_plain(const char *server);

/* Under which name a server that link_server_check() accepts is remembered:
 * without "plain:", in small letters, no dot at the host's end, an IPv6 address
 * in its shortest form. */
#define PIN_NAME_ROOM 300
void pin_name(char name[PIN_NAME_ROOM], const char *server);

/*
 * What is known of the relay at `server`: `given` (--fingerprint's text) or
 * NULL, what `link` says (may be NULL), what `state` remembers; the first that
 * says something. 0; -EINVAL after a message for a malformed text; -EACCES
 * after a message when a relay that is known by a key would be talked to in
 * the clear; or the state's error.
 */
int pin_find(struct pin *pin, struct state *state, const char *server,
	     const char *given, const struct room_link *link);

/* Judge what a server shows, before anything is said to it; remember it when
 * it is the first, or was given. The verdict, or the state's -errno. */
int pin_judge(struct pin *pin, struct state *state, const char *server,
	      const uint8_t shown[TLS_FINGERPRINT_BYTES]);

/* What to tell a person about a PIN_IS_FIRST or a PIN_DIFFERS. */
#define PIN_TEXT_ROOM 768
void pin_explain(char text[PIN_TEXT_ROOM], const struct pin *pin,
		 enum pin_verdict verdict, const char *server,
		 const uint8_t shown[TLS_FINGERPRINT_BYTES]);

#endif
