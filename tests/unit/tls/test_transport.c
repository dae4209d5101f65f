/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport.c - bytes arrive as they were, and nothing is kept for long */

#include "tls/transport.h"
#include "tls/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define ROOM (256u << 10)

/* Two ends of a socket pair, both under TLS. */
struct pair {
	struct tls_context *server_context, *client_context;
	struct transport server, client;
	size_t held_bytes;
	char folder[32], path[64];
};

static uint8_t room[ROOM];

static void make_sockets(int fds[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	char why[256];
	int fds[2];

	strcpy(p->folder, "/tmp/paravox-tls-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/tls.pem", p->folder);
	assert_int_equal(tls_certificate_make(p->path), 0);
	assert_int_equal(tls_context_create_server(&p->server_context, p->path,
						   p->path, &p->held_bytes, why,
						   sizeof(why)),
			 0);
	assert_int_equal(tls_context_create_client(&p->client_context), 0);
	make_sockets(fds);
	transport_init(&p->server, fds[0], p->server_context);
	transport_init(&p->client, fds[1], p->client_context);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;
	int fds[] = { p->server.fd, p->client.fd };

	transport_deinit(&p->server);
	transport_deinit(&p->client);
	transport_deinit(&p->client); /* harmless */
	assert_int_equal(p->held_bytes, 0);
	close(fds[0]);
	close(fds[1]);
	tls_context_destroy(p->server_context);
	tls_context_destroy(p->client_context);
	unlink(p->path);
	rmdir(p->folder);
	free(p);
	return 0;
}

static long get(struct transport *t)
{
	return transport_read(t, room, ROOM);
}

static long put(struct transport *t, const void *data, size_t bytes)
{
	const struct iovec piece = { (void *)(uintptr_t)data, bytes };

	return transport_write(t, &piece, 1);
}

static void shake_hands(struct pair *p)
{
	assert_int_equal(transport_begin(&p->client), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(get(&p->server), -EAGAIN);
		assert_int_equal(get(&p->client), -EAGAIN);
	}
	assert_true(transport_is_open(&p->server));
	assert_true(transport_is_open(&p->client));
}

static void test_both_ends_have_one_exporter_and_one_key(void **state)
{
	uint8_t a[TLS_EXPORTER_BYTES], b[TLS_EXPORTER_BYTES];
	struct pair *p = *state;

	assert_int_equal(transport_exporter(&p->server, a), -ENOTCONN);
	assert_int_equal(transport_fingerprint(&p->client, a), -ENOTCONN);
	shake_hands(p);
	assert_int_equal(transport_exporter(&p->server, a), 0);
	assert_int_equal(transport_exporter(&p->client, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(transport_fingerprint(&p->client, b), 0);
	assert_memory_equal(b, tls_context_fingerprint(p->server_context),
			    sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_pieces_leave_in_full_records(void **state)
{
	enum {
		PIECES = 100,
		BYTES = 1000
	};
	static uint8_t data[PIECES][BYTES];
	struct iovec pieces[PIECES];
	struct pair *p = *state;
	uint64_t before;
	long taken;

	shake_hands(p);
	for (size_t i = 0; i < PIECES; i++)
		pieces[i] = (struct iovec){ data[i], BYTES };
	before = p->server.sent_bytes;
	taken = transport_write(&p->server, pieces, PIECES);
	assert_int_equal(taken, TLS_OUT_RECORDS * TLS_RECORD_BYTES);
	/* Head, type and tag of each record: RFC 8446, 5.2. */
	assert_int_equal(p->server.sent_bytes - before,
			 taken + TLS_OUT_RECORDS * (5 + 1 + 16));
	taken -= get(&p->client);
	assert_int_equal(get(&p->client), taken);
}

static void test_a_full_socket_loses_and_repeats_nothing(void **state)
{
	enum {
		TOTAL = 3 << 20
	};
	const int small = 4096;
	uint8_t *data = malloc(TOTAL), *got = malloc(TOTAL);
	size_t written = 0, read = 0, most_held = 0, turns = 0;
	struct pair *p = *state;

	shake_hands(p);
	setsockopt(p->server.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	while (read < TOTAL) {
		size_t left = TOTAL - written;
		long n = put(&p->server, data + written,
			     left < 50000 ? left : 50000);

		assert_true(n >= 0 || n == -EAGAIN);
		written += n > 0 ? (size_t)n : 0;
		if (p->held_bytes > most_held)
			most_held = p->held_bytes;
		n = get(&p->client);
		assert_true(n > 0 || n == -EAGAIN);
		if (n > 0) {
			memcpy(got + read, room, (size_t)n);
			read += (size_t)n;
		}
		assert_true(++turns < 1000000);
	}
	assert_memory_equal(got, data, TOTAL);
	assert_in_range(most_held, 1, TLS_OUT_BYTES);
	assert_false(transport_is_pending(&p->server));
	assert_int_equal(p->held_bytes, 0);
	free(data);
	free(got);
}

static void test_a_handshake_byte_by_byte(void **state)
{
	struct pair *p = *state;
	int first = p->server.fd, own = p->client.fd, fds[2];
	uint8_t byte;

	/* What the client says first reaches `first`, and from there slowly the
	 * server, whose socket is another one from now on. */
	make_sockets(fds);
	p->server.fd = fds[0];
	assert_int_equal(transport_begin(&p->client), 0);
	while (recv(first, &byte, 1, 0) == 1) {
		assert_int_equal(send(fds[1], &byte, 1, 0), 1);
		assert_int_equal(get(&p->server), -EAGAIN);
	}
	p->client.fd = fds[1];
	assert_int_equal(get(&p->client), -EAGAIN);
	assert_true(transport_is_open(&p->client));
	assert_int_equal(get(&p->server), -EAGAIN);
	assert_true(transport_is_open(&p->server));
	close(own);
	close(first);
}

static void test_what_is_no_tls_is_told_apart_at_its_first_byte(void **state)
{
	struct pair *p = *state;

	assert_int_equal(send(p->client.fd, "G", 1, 0), 1);
	assert_int_equal(get(&p->server), -EPROTONOSUPPORT);
	assert_int_equal(p->server.head[0], 'G');
	transport_strip(&p->server);
	assert_int_equal(put(&p->server, "plain", 5), 5);
	assert_int_equal(transport_begin(&p->client), 0);
	assert_int_equal(get(&p->client), -EPROTONOSUPPORT);
}

static void test_a_record_that_was_changed_ends_it(void **state)
{
	struct pair *p = *state;
	uint8_t sealed[100];
	ssize_t bytes;

	shake_hands(p);
	assert_int_equal(put(&p->client, "hello", 5), 5);
	bytes = recv(p->server.fd, sealed, sizeof(sealed), 0);
	assert_in_range(bytes, 5 + 5, sizeof(sealed));
	sealed[bytes - 1] ^= 1;
	assert_int_equal(send(p->client.fd, sealed, (size_t)bytes, 0), bytes);
	assert_int_equal(get(&p->server), -EPROTO);
	assert_string_equal(p->server.why,
			    "decryption failed or bad record mac");
}

static void test_the_end_comes_behind_the_last_bytes(void **state)
{
	struct pair *p = *state;

	shake_hands(p);
	assert_int_equal(put(&p->client, "last", 4), 4);
	transport_finish(&p->client);
	assert_int_equal(get(&p->server), 4);
	assert_memory_equal(room, "last", 4);
	assert_true(transport_has_ended(&p->server));
	assert_int_equal(get(&p->server), 0);
	/* The other direction goes on. */
	assert_int_equal(put(&p->server, "yours", 5), 5);
	assert_int_equal(get(&p->client), 5);
}

static void test_keys_are_renewed_in_time(void **state)
{
	struct pair *p = *state;

	shake_hands(p);
	p->server.session->sealed_records = TLS_KEY_RECORDS - 1;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(put(&p->server, "x", 1), 1);
		assert_int_equal(get(&p->client), 1);
	}
	assert_int_equal(p->client.session->key_updates, 1);
	assert_in_range(p->server.session->sealed_records, 1, 2);
}

static void test_key_updates_without_end_are_refused(void **state)
{
	struct pair *p = *state;
	long n = 1;

	shake_hands(p);
	for (unsigned int i = 0; i <= TLS_KEY_UPDATES; i++) {
		assert_int_equal(n, 1);
		SSL_key_update(p->client.session->ssl,
			       SSL_KEY_UPDATE_NOT_REQUESTED);
		assert_int_equal(put(&p->client, "x", 1), 1);
		n = get(&p->server);
	}
	assert_int_equal(n, -EPROTO);
	assert_string_equal(p->server.why, "too many key updates");
}

static void test_a_fingerprint_is_read_as_it_is_printed(void **state)
{
	struct pair *p = *state;
	uint8_t read[TLS_FINGERPRINT_BYTES];
	const uint8_t *own = tls_context_fingerprint(p->server_context);
	char text[TLS_FINGERPRINT_ROOM + 2];

	tls_fingerprint_print(text, own);
	assert_int_equal(tls_fingerprint_parse(read, text), 0);
	assert_memory_equal(read, own, sizeof(read));
	strcat(text, "00");
	assert_int_equal(tls_fingerprint_parse(read, text), -EINVAL);
	text[TLS_FINGERPRINT_ROOM - 3] = '\0';
	assert_int_equal(tls_fingerprint_parse(read, text), -EINVAL);
	assert_int_equal(tls_fingerprint_parse(read, "md5:00"), -EINVAL);
	assert_int_equal(tls_fingerprint_parse(read, ""), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ends_have_one_exporter_and_one_key),
		TEST(test_pieces_leave_in_full_records),
		TEST(test_a_full_socket_loses_and_repeats_nothing),
		TEST(test_a_handshake_byte_by_byte),
		TEST(test_what_is_no_tls_is_told_apart_at_its_first_byte),
		TEST(test_a_record_that_was_changed_ends_it),
		TEST(test_the_end_comes_behind_the_last_bytes),
		TEST(test_keys_are_renewed_in_time),
		TEST(test_key_updates_without_end_are_refused),
		TEST(test_a_fingerprint_is_read_as_it_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
