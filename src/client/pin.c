/* SPDX-License-Identifier: Apache-2.0 */
/* pin.c - by which key a relay is known, and who says so */

#include "client/pin.h"

#include "client/state.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutant.h"
#include "e2ee/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool pin_server_is_plain(const char *server)
{
	return strncmp(server, "unix:", 5) == 0 ||
	       strncmp(server, LINK_PLAIN_PREFIX, strlen(LINK_PLAIN_PREFIX)) ==
		       0;
}

/* The address of one relay, plain or not. */
static const char *bare(const char *server)
{
	size_t prefix = strlen(LINK_PLAIN_PREFIX);

	return strncmp(server, LINK_PLAIN_PREFIX, prefix) == 0 ? server + prefix
							       : server;
}

/* An IPv6 address in the one form that inet_ntop(3) has for it. */
static void host_print(char *host, size_t room)
{
	struct in6_addr address;
	size_t bytes = strlen(host);

	if (inet_pton(AF_INET6, host, &address) == 1)
		(void)inet_ntop(AF_INET6, &address, host, (socklen_t)room);
	else if (bytes > 1 && host[bytes - 1] == '.')
		host[bytes - 1] = '\0';
}

void pin_name(char name[PIN_NAME_ROOM], const char *server)
{
	char host[PIN_NAME_ROOM];
	const char *colon;
	bool in_brackets;
	int bytes;

	server = bare(server);
	colon = strrchr(server, ':');
	in_brackets = *server == '[';
	if (strncmp(server, "unix:", 5) == 0 || !colon) {
		snprintf(name, PIN_NAME_ROOM, "%s", server);
		return;
	}
	bytes = (int)(colon - server) - 2 * in_brackets;
	snprintf(host, sizeof(host), "%.*s", bytes > 0 ? bytes : 0,
		 server + in_brackets);
	for (char *c = host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	host_print(host, sizeof(host));
	snprintf(name, PIN_NAME_ROOM, in_brackets ? "[%.*s]%s" : "%.*s%s",
		 (int)sizeof(host) - 9, host, colon);
}

/* What the state has for a server; also under the text as it was given, which
 * older versions kept. */
static int pin_known(struct state *state, const char *server,
		     uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	char name[PIN_NAME_ROOM];
	const char *text = bare(server);
	int error;

	pin_name(name, server);
	error = state_server_get(state, name, fingerprint);
	if (error == -ENOENT && strcmp(name, text) != 0)
		error = state_server_get(state, text, fingerprint);
	return error;
}

/* Whether nothing speaks against the clear: a Unix socket leads to nobody
 * else, and elsewhere the relay was never known by a key. */
static bool may_be_plain(const struct pin *pin, const char *server)
{
	return strncmp(server, "unix:", 5) == 0 ||
	       CHECK(plain_downgrade, pin->source == PIN_NONE);
}

int pin_find(struct pin *pin, struct state *state, const char *server,
	     const char *given, const struct room_link *link)
{
	int error;

	*pin = (struct pin){ .source = PIN_NONE };
	if (given) {
		if (tls_fingerprint_parse(pin->fingerprint, given)) {
			log_error("--fingerprint %s: it takes sha256: and 64 "
				  "hexadecimal digits, as the relay prints "
				  "them",
				  given);
			return -EINVAL;
		}
		pin->source = PIN_GIVEN;
	} else if (link && link->has_certificate) {
		memcpy(pin->fingerprint, link->certificate_sha256,
		       sizeof(pin->fingerprint));
		pin->source = PIN_LINK;
	} else {
		error = pin_known(state, server, pin->fingerprint);
		if (error && error != -ENOENT)
			return error;
		pin->source = error ? PIN_NONE : PIN_SEEN;
	}
	if (!pin_server_is_plain(server) || may_be_plain(pin, server))
		return 0;
	log_error("%s: this relay is known by its key, and would be talked to "
		  "in the clear; say %s for TLS",
		  server, bare(server));
	return -EACCES;
}

/* The first key that is seen. Another process of ours may have seen one since
 * pin_find(): then that one counts. */
static int pin_first(struct pin *pin, struct state *state, const char *server,
		     const uint8_t shown[TLS_FINGERPRINT_BYTES])
{
	char name[PIN_NAME_ROOM];
	bool is_first;
	int error;

	pin_name(name, server);
	error = state_server_add(state, name, shown);
	is_first = error == 0;
	memcpy(pin->fingerprint, shown, TLS_FINGERPRINT_BYTES);
	if (error == -EEXIST)
		error = state_server_get(state, name, pin->fingerprint);
	if (error)
		return error;
	/* The next connection has a pin. */
	pin->source = PIN_SEEN;
	return is_first ? PIN_IS_FIRST : PIN_HOLDS;
}

int pin_judge(struct pin *pin, struct state *state, const char *server,
	      const uint8_t shown[TLS_FINGERPRINT_BYTES])
{
	int verdict = PIN_HOLDS, error;
	char name[PIN_NAME_ROOM];

	if (pin->source == PIN_NONE)
		verdict = pin_first(pin, state, server, shown);
	if (verdict < 0 || verdict == PIN_IS_FIRST)
		return verdict;
	if (!CHECK(server_pin, bytes_equal_ct(pin->fingerprint, shown,
					      TLS_FINGERPRINT_BYTES)))
		return PIN_DIFFERS;
	if (pin->source != PIN_GIVEN)
		return verdict;
	pin_name(name, server);
	error = state_server_set(state, name, shown);
	return error ? error : verdict;
}

void pin_explain(char text[PIN_TEXT_ROOM], const struct pin *pin,
		 enum pin_verdict verdict, const char *server,
		 const uint8_t shown[TLS_FINGERPRINT_BYTES])
{
	static const char *const said_by[] = {
		[PIN_NONE] = "nobody",
		[PIN_SEEN] = "what it showed before",
		[PIN_LINK] = "the invite link",
		[PIN_GIVEN] = "--fingerprint",
	};
	char now[TLS_FINGERPRINT_ROOM], known[TLS_FINGERPRINT_ROOM];

	tls_fingerprint_print(now, shown);
	tls_fingerprint_print(known, pin->fingerprint);
	if (verdict == PIN_IS_FIRST)
		snprintf(text, PIN_TEXT_ROOM,
			 "first contact with %s, remembered from now on by "
			 "its key %s; its operator can tell whether that is "
			 "right",
			 server, now);
	else
		snprintf(text, PIN_TEXT_ROOM,
			 "WARNING: %s HAS ANOTHER KEY, %s, than %s says, %s. "
			 "Somebody may be between you and the relay; nothing "
			 "was said to it. If its operator confirms the new "
			 "key, give it with --fingerprint",
			 server, now, said_by[pin->source], known);
}
