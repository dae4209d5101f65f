/* SPDX-License-Identifier: Apache-2.0 */
/* test_hand.c - a room's message is written at once, or waits in order */

#include "relay/chunk.h"
#include "relay/clock.h"
#include "relay/conn.h"
#include "relay/relay.h"
#include "relay/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define MEMBERS     3
#define LARGE_BYTES 400000u /* more than a socket takes */

static struct relay *relay;
static struct conn *conns[MEMBERS];
static int peers[MEMBERS];
static struct room *room;
static uint8_t buffer[2 * LARGE_BYTES];

static void nothing(struct loop_work *work)
{
}

/* As a member of the room, with nothing queued. */
static struct conn *conn_new(int i)
{
	static const uint8_t id[CHAT_ROOM_ID_BYTES] = { 1 };
	uint8_t key[CHAT_KEY_BYTES] = { (uint8_t)i };
	struct conn *conn = aligned_alloc(_Alignof(struct conn), sizeof(*conn));
	int pair[2];

	assert_non_null(conn);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	memset(conn, 0, sizeof(*conn));
	conn->relay = relay;
	conn->stage = CONN_JOINED;
	conn->transport.fd = pair[0];
	peers[i] = pair[1];
	list_init(&conn->room_link);
	list_init(&conn->waiting_link);
	list_init(&conn->stalled_link);
	list_init(&conn->puts);
	loop_work_init(relay->loop, &conn->work, nothing);
	clock_init(conn);
	assert_int_equal(room_enter(relay, conn, id, key), 0);
	return conn;
}

static int setup(void **state)
{
	relay = calloc(1, sizeof(*relay));
	if (!relay || loop_create(&relay->loop))
		return -1;
	list_init(&relay->stalled);
	relay->flush_bytes = relay->limits.high_water_bytes = LARGE_BYTES;
	relay->limits.hard_bound_bytes = 4 * LARGE_BYTES;
	for (int i = 0; i < MEMBERS; i++)
		conns[i] = conn_new(i);
	room = conns[0]->room;
	for (int i = 0; i < MEMBERS; i++) { /* without what entering told */
		outbox_deinit(&conns[i]->outbox);
		loop_work_cancel(&conns[i]->work);
	}
	return 0;
}

static int teardown(void **state)
{
	relay->is_stopping = true; /* nobody is told who leaves */
	for (int i = 0; i < MEMBERS; i++) {
		room_leave(conns[i]);
		list_remove(&conns[i]->stalled_link);
		outbox_deinit(&conns[i]->outbox);
		loop_timer_disarm(&conns[i]->timer);
		loop_work_cancel(&conns[i]->work);
		chunk_put(conns[i]->batch);
		close(conns[i]->transport.fd);
		if (peers[i] >= 0)
			close(peers[i]);
		free(conns[i]);
	}
	assert_int_equal(relay->held_bytes, 0);
	loop_destroy(relay->loop);
	free(relay);
	return 0;
}

static struct chunk *chunk_with(char value, uint32_t bytes)
{
	struct chunk *chunk = chunk_create(&relay->held_bytes, bytes);

	assert_non_null(chunk);
	memset(chunk->bytes, value, bytes);
	chunk->used_bytes = bytes;
	return chunk;
}

static void hand(char value, uint32_t bytes)
{
	struct chunk *chunk = chunk_with(value, bytes);

	room_hand(room, conns[0], chunk);
	chunk_put(chunk);
}

static size_t received(int i)
{
	ssize_t n = recv(peers[i], buffer, sizeof(buffer), MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static void test_it_is_written_at_once_and_not_to_its_sender(void **state)
{
	hand('a', 5);
	for (int i = 1; i < MEMBERS; i++) {
		assert_int_equal(conns[i]->outbox.count, 0);
		assert_int_equal(received(i), 5);
		assert_memory_equal(buffer, "aaaaa", 5);
	}
	assert_int_equal(received(0), 0);
	assert_int_equal(relay->counters.written_bytes, 10);
}

static void test_it_waits_behind_what_is_queued(void **state)
{
	struct chunk *first = chunk_with('a', 3);

	conn_queue(conns[1], first);
	chunk_put(first);
	hand('b', 3);
	assert_int_equal(received(1), 0);
	assert_int_equal(received(2), 3);
	stream_write(conns[1]);
	assert_int_equal(received(1), 6);
	assert_memory_equal(buffer, "aaabbb", 6);
}

static void test_what_the_socket_does_not_take_follows(void **state)
{
	size_t all = 0, n;

	hand('a', LARGE_BYTES);
	hand('b', 1);
	assert_true(conns[1]->transport.is_full);
	assert_false(list_is_empty(&conns[1]->stalled_link));
	assert_true(loop_timer_is_armed(&conns[1]->timer));
	while ((n = received(1))) {
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buffer[i],
					 all + i < LARGE_BYTES ? 'a' : 'b');
		all += n;
		conns[1]->transport.is_full = false;
		stream_write(conns[1]);
	}
	assert_int_equal(all, LARGE_BYTES + 1);
	assert_true(stream_is_free(conns[1]));
	assert_true(list_is_empty(&conns[1]->stalled_link));
}

static void test_who_takes_nothing_meets_the_hard_bound(void **state)
{
	for (int i = 0; i < 5 && !conns[1]->is_doomed; i++) {
		assert_true(conns[1]->outbox.bytes <= 4 * LARGE_BYTES);
		hand('a', LARGE_BYTES);
		while (received(2)) {
			conns[2]->transport.is_full = false;
			stream_write(conns[2]);
		}
	}
	assert_true(conns[1]->is_doomed);
	assert_int_equal(conns[1]->code, CHAT_CODE_SLOW);
	assert_false(conns[2]->is_doomed);
	assert_true(conns[1]->is_congested);
}

static void test_one_who_is_gone_stops_nobody(void **state)
{
	close(peers[1]);
	peers[1] = -1;
	hand('a', 5);
	assert_true(conns[1]->is_lost);
	assert_true(conns[1]->is_doomed);
	assert_int_equal(conns[1]->outbox.count, 0);
	assert_int_equal(received(2), 5);
	hand('b', 5); /* and is left alone */
	assert_int_equal(received(2), 5);
}

/* Messages refused between others must not cost a write for each. */
static void test_only_the_last_batch_of_a_read_goes_at_once(void **state)
{
	conns[0]->batch = chunk_with('a', 3);
	history_take_batch(conns[0], false);
	assert_int_equal(received(1), 0);
	assert_int_equal(conns[1]->outbox.count, 1);
	outbox_deinit(&conns[1]->outbox);
	conns[0]->batch = chunk_with('b', 3);
	history_take_batch(conns[0], true);
	assert_null(conns[0]->batch);
	assert_int_equal(received(1), 3);
}

#define HAND_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HAND_TEST(test_it_is_written_at_once_and_not_to_its_sender),
		HAND_TEST(test_it_waits_behind_what_is_queued),
		HAND_TEST(test_what_the_socket_does_not_take_follows),
		HAND_TEST(test_who_takes_nothing_meets_the_hard_bound),
		HAND_TEST(test_one_who_is_gone_stops_nobody),
		HAND_TEST(test_only_the_last_batch_of_a_read_goes_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
