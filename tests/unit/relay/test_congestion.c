/* SPDX-License-Identifier: Apache-2.0 */
/* test_congestion.c - for whom a room waits, over sockets that are full */

#include "relay/clock.h"
#include "relay/congestion.h"
#include "relay/conn.h"
#include "relay/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define MEMBERS  8
#define GRACE_MS 1000

static struct relay *relay;
static struct conn conns[MEMBERS];
static int peers[MEMBERS];
static struct room *room;

static void nothing(struct loop_work *work)
{
}

/* What a write of the relay would have left in the socket. */
static void write_some(struct conn *conn)
{
	char bytes[1000] = { 0 };

	assert_int_equal(send(conn->transport.fd, bytes, sizeof(bytes), 0),
			 sizeof(bytes));
	conn->transport.sent_bytes += sizeof(bytes);
}

static void read_some(int i)
{
	char bytes[1000];

	assert_int_equal(recv(peers[i], bytes, sizeof(bytes), 0),
			 sizeof(bytes));
}

static int setup(void **state)
{
	static const uint8_t id[CHAT_ROOM_ID_BYTES] = { 1 };

	relay = calloc(1, sizeof(*relay));
	if (!relay || loop_create(&relay->loop))
		return -1;
	list_init(&relay->stalled);
	relay->flush_bytes = SIZE_MAX; /* nothing is written */
	relay->limits.room_grace_ms = GRACE_MS;
	memset(conns, 0, sizeof(conns));
	for (int i = 0; i < MEMBERS; i++) {
		uint8_t key[CHAT_KEY_BYTES] = { (uint8_t)i };
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			return -1;
		conns[i].relay = relay;
		conns[i].stage = CONN_JOINED;
		conns[i].transport.fd = pair[0];
		peers[i] = pair[1];
		list_init(&conns[i].room_link);
		list_init(&conns[i].waiting_link);
		list_init(&conns[i].stalled_link);
		list_init(&conns[i].puts);
		loop_work_init(relay->loop, &conns[i].work, nothing);
		clock_init(&conns[i]);
		if (room_enter(relay, &conns[i], id, key))
			return -1;
		write_some(&conns[i]);
	}
	room = conns[0].room;
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < MEMBERS; i++) {
		room_leave(&conns[i]);
		list_remove(&conns[i].stalled_link);
		outbox_deinit(&conns[i].outbox);
		loop_timer_disarm(&conns[i].timer);
		loop_work_cancel(&conns[i].work);
		close(conns[i].transport.fd);
		close(peers[i]);
	}
	loop_destroy(relay->loop);
	free(relay);
	return 0;
}

static void test_waits_from_the_mark_to_half_of_it(void **state)
{
	congestion_begin(&conns[0]);
	congestion_begin(&conns[0]);
	assert_int_equal(room->congested, 1);
	assert_int_equal(congestion_look_ms(&conns[0]),
			 loop_now_ms(relay->loop) + GRACE_MS);
	congestion_end(&conns[0]);
	congestion_end(&conns[0]);
	assert_int_equal(room->congested, 0);
	assert_true(congestion_look_ms(&conns[0]) == UINT64_MAX);
}

static void test_goes_on_without_one_who_takes_nothing(void **state)
{
	congestion_begin(&conns[0]);
	congestion_look(&conns[0]);
	assert_true(conns[0].is_left_behind);
	assert_int_equal(room->congested, 0);
	assert_int_equal(room->left_behind, 1);
	congestion_end(&conns[0]);
	assert_false(conns[0].is_left_behind);
	assert_int_equal(room->congested, 0);
	assert_int_equal(room->left_behind, 0);
}

static void test_waits_for_one_who_takes_something(void **state)
{
	congestion_begin(&conns[0]);
	read_some(0);
	congestion_look(&conns[0]);
	assert_int_equal(room->congested, 1);
	congestion_look(&conns[0]); /* and nothing more */
	assert_int_equal(room->congested, 0);
}

static void test_does_not_wait_for_one_who_stands_still_already(void **state)
{
	conns[0].stalled_ms = loop_now_ms(relay->loop) - GRACE_MS;
	conns[0].stalled_bytes = clock_taken_bytes(&conns[0]);
	list_append(&relay->stalled, &conns[0].stalled_link);
	congestion_begin(&conns[0]);
	assert_int_equal(room->congested, 0);
	assert_int_equal(room->left_behind, 1);
}

static void test_leaves_no_more_than_a_quarter_behind(void **state)
{
	for (int i = 0; i < 3; i++) {
		congestion_begin(&conns[i]);
		congestion_look(&conns[i]);
	}
	assert_int_equal(room->left_behind, 2);
	assert_int_equal(room->congested, 1);
	/* It looks again, and leaves the third once there is a place. */
	assert_true(congestion_look_ms(&conns[2]) != UINT64_MAX);
	congestion_end(&conns[0]);
	congestion_look(&conns[2]);
	assert_int_equal(room->left_behind, 2);
	assert_int_equal(room->congested, 0);
}

static void test_waits_again_for_one_who_moves(void **state)
{
	congestion_moved(&conns[0]);
	assert_int_equal(room->congested, 0);
	congestion_begin(&conns[0]);
	congestion_moved(&conns[0]);
	assert_int_equal(room->congested, 1);
	congestion_look(&conns[0]);
	assert_int_equal(room->congested, 0);
	congestion_moved(&conns[0]);
	assert_int_equal(room->congested, 1);
	assert_int_equal(room->left_behind, 0);
}

static void test_forgets_those_who_leave_the_room(void **state)
{
	congestion_begin(&conns[0]);
	congestion_look(&conns[0]);
	congestion_begin(&conns[1]);
	room_leave(&conns[0]);
	room_leave(&conns[1]);
	assert_int_equal(room->congested, 0);
	assert_int_equal(room->left_behind, 0);
	congestion_look(&conns[0]);
	congestion_moved(&conns[0]);
	congestion_end(&conns[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_waits_from_the_mark_to_half_of_it),
		TEST(test_goes_on_without_one_who_takes_nothing),
		TEST(test_waits_for_one_who_takes_something),
		TEST(test_does_not_wait_for_one_who_stands_still_already),
		TEST(test_leaves_no_more_than_a_quarter_behind),
		TEST(test_waits_again_for_one_who_moves),
		TEST(test_forgets_those_who_leave_the_room),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
