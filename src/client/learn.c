/* SPDX-License-Identifier: Apache-2.0 */
/* learn.c - ask a relay for its key, for the room that is made on it */

#include "client/learn.h"

#include "client/conn.h"
#include "client/pin.h"
#include "client/state.h"

#include "base/log.h"
#include "e2ee/link.h"

#include <errno.h>
#include <string.h>

struct learning {
	struct conn conn;
	struct loop *loop;
	struct tls_context *tls;
	const char *server;
	uint8_t shown[TLS_FINGERPRINT_BYTES];
	int error;
};

static struct learning *learning_of(struct conn *conn)
{
	return list_entry(conn, struct learning, conn);
}

static void on_open(struct conn *conn)
{
	struct learning *l = learning_of(conn);

	l->error = transport_fingerprint(&conn->transport, l->shown);
	loop_stop(l->loop);
}

static void on_message(struct conn *conn, const struct wire_message *m)
{
	/* Nothing was said to the relay, so it says nothing. */
}

static void on_broken(struct conn *conn, const char *why)
{
	struct learning *l = learning_of(conn);

	log_error("cannot ask the relay %s for its key: %s", l->server, why);
	log_error("see whether it runs and that is its address, or give its "
		  "key with --fingerprint; one without TLS is "
		  "--server " LINK_PLAIN_PREFIX "%s",
		  l->server);
	l->error = -ECONNREFUSED;
	loop_stop(l->loop);
}

static int ask(struct learning *l)
{
	static const struct conn_handler handler = { on_open, on_message,
						     on_broken };
	int error = loop_create(&l->loop);

	if (!error)
		error = tls_context_create_client(&l->tls);
	if (!error)
		error = conn_open(&l->conn, l->loop, l->server, l->tls,
				  &handler);
	if (!error)
		error = loop_run(l->loop);
	if (error)
		log_error("cannot begin: %s", strerror(-error));
	conn_close(&l->conn);
	tls_context_destroy(l->tls);
	loop_destroy(l->loop);
	return error ? error : l->error;
}

static int judge(struct learning *l, struct pin *pin, struct state *state)
{
	char text[PIN_TEXT_ROOM];
	int verdict = pin_judge(pin, state, l->server, l->shown);

	if (verdict < 0) {
		log_error("cannot remember the relay's key: %s",
			  state_explain(verdict));
		return verdict;
	}
	if (verdict == PIN_HOLDS)
		return 0;
	pin_explain(text, pin, (enum pin_verdict)verdict, l->server, l->shown);
	if (verdict == PIN_IS_FIRST) {
		log_info("%s", text);
		return 0;
	}
	log_error("%s", text);
	return -EACCES;
}

int learn_fingerprint(struct room_link *room, const char *given)
{
	struct learning l = { .server = room->server };
	struct state *state = NULL;
	struct pin pin;
	int error = state_open_own(&state);

	if (!error)
		error = pin_find(&pin, state, room->server, given, NULL);
	if (!error && pin_server_is_plain(room->server))
		goto out;
	if (!error && !given)
		error = ask(&l);
	if (!error && !given)
		error = judge(&l, &pin, state);
	if (!error) {
		memcpy(room->certificate_sha256, pin.fingerprint,
		       sizeof(room->certificate_sha256));
		room->has_certificate = true;
	}
out:
	state_close(state);
	return error;
}
