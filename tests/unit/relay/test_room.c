/* SPDX-License-Identifier: Apache-2.0 */
/* test_room.c - rosters and presence of rooms, without sockets */

#include "base/bytes.h"
#include "relay/conn.h"
#include "relay/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* One more than fits into a JOINED frame, twice. */
#define MEMBERS (2 * CHAT_ROSTER_MAX_KEYS + 1)

static struct relay *relay;
static struct conn conns[MEMBERS];
static const uint8_t room_id[CHAT_ROOM_ID_BYTES] = { 1 };

static void never(struct loop_work *work)
{
	fail(); /* the loop does not turn here */
}

static int setup(void **state)
{
	relay = calloc(1, sizeof(*relay));
	if (!relay || loop_create(&relay->loop))
		return -1;
	relay->flush_bytes = SIZE_MAX; /* nothing is written */
	memset(conns, 0, sizeof(conns));
	for (int i = 0; i < MEMBERS; i++) {
		conns[i].relay = relay;
		conns[i].stage = CONN_JOINED;
		list_init(&conns[i].room_link);
		list_init(&conns[i].waiting_link);
		list_init(&conns[i].puts);
		loop_work_init(relay->loop, &conns[i].work, never);
	}
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < MEMBERS; i++) {
		room_leave(&conns[i]);
		outbox_deinit(&conns[i].outbox);
	}
	loop_destroy(relay->loop);
	free(relay);
	return 0;
}

static void enter(int i, const uint8_t *id, uint32_t device)
{
	uint8_t key[CHAT_KEY_BYTES] = { 0 };

	bytes_put_be32(key, device);
	assert_int_equal(room_enter(relay, &conns[i], id, key), 0);
}

/* The next message queued for a connection; the outbox keeps it alive. */
static void next(struct conn *conn, size_t *at, struct wire_message *m,
		 enum wire_state state)
{
	struct iovec pieces[MEMBERS + 4];
	unsigned int n = outbox_gather(&conn->outbox, pieces, MEMBERS + 4);
	size_t skip = *at;

	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *frame = pieces[i].iov_base;
		size_t bytes;

		if (skip >= pieces[i].iov_len) {
			skip -= pieces[i].iov_len;
			continue;
		}
		frame += skip;
		bytes = 4 + bytes_get_be32(frame);
		assert_int_equal(
			wire_decode(m, frame, bytes, WIRE_SIDE_RELAY, state),
			0);
		*at += bytes;
		return;
	}
	fail_msg("nothing more is queued");
}

static void test_a_long_roster_comes_in_several_frames(void **state)
{
	static uint8_t seen[MEMBERS];
	uint32_t wanted_after[] = { CHAT_ROSTER_MAX_KEYS + 1, 1, 0 };
	size_t at = 0;

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < MEMBERS; i++)
		enter(i, room_id, (uint32_t)i);
	for (int i = 0; i < 3; i++) {
		struct wire_message m;

		next(&conns[MEMBERS - 1], &at, &m, WIRE_STATE_JOINING);
		assert_int_equal(m.joined.keys_after, wanted_after[i]);
		for (uint32_t k = 0; k < m.joined.count; k++)
			seen[bytes_get_be32(m.joined.keys +
					    k * CHAT_KEY_BYTES)]++;
	}
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(at, conns[MEMBERS - 1].outbox.bytes);
}

/* Enough that two of them have one hash; the tables' key is zero here. */
#define TRIES 400000u

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Two numbers whose ids, made by bytes_put_be32(), have one hash. */
static void find_collision(uint32_t *one, uint32_t *other)
{
	uint64_t *found = malloc(TRIES * sizeof(*found));
	uint8_t id[CHAT_ROOM_ID_BYTES] = { 0 };

	assert_non_null(found);
	for (uint32_t i = 0; i < TRIES; i++) {
		bytes_put_be32(id, i);
		found[i] = (uint64_t)shorthash(relay->hash_key, id, sizeof(id))
				   << 32 |
			   i;
	}
	qsort(found, TRIES, sizeof(*found), compare);
	for (uint32_t i = 1; i < TRIES; i++) {
		if (found[i] >> 32 != found[i - 1] >> 32)
			continue;
		*one = (uint32_t)found[i - 1];
		*other = (uint32_t)found[i];
		free(found);
		return;
	}
	free(found);
	fail_msg("no collision");
}

static void test_ids_with_one_hash_are_two_rooms(void **state)
{
	uint8_t id[CHAT_ROOM_ID_BYTES] = { 0 };
	uint8_t other_id[CHAT_ROOM_ID_BYTES] = { 0 };
	uint32_t one = 0, other = 0;

	find_collision(&one, &other);
	bytes_put_be32(id, one);
	bytes_put_be32(other_id, other);
	enter(0, id, one); /* their device keys have one hash, too */
	enter(1, other_id, 1);
	enter(2, id, other);
	assert_int_equal(HASH_COUNT(conns[0].room->members), 2);
	assert_ptr_not_equal(conns[0].room, conns[1].room);
	assert_ptr_equal(conns[0].room, conns[2].room);
}

static void test_presence_counts_device_keys(void **state)
{
	struct wire_message m;
	size_t at = 0, after;

	enter(0, room_id, 0);
	next(&conns[0], &at, &m, WIRE_STATE_JOINING);
	enter(1, room_id, 7);
	next(&conns[0], &at, &m, WIRE_STATE_JOINED);
	assert_int_equal(m.presence.what, CHAT_PRESENCE_JOINED);
	assert_int_equal(bytes_get_be32(m.presence.device_key), 7);
	after = conns[0].outbox.bytes;
	enter(2, room_id, 7);
	room_leave(&conns[1]);
	assert_int_equal(conns[0].outbox.bytes, after);
	room_leave(&conns[2]);
	next(&conns[0], &at, &m, WIRE_STATE_JOINED);
	assert_int_equal(m.presence.what, CHAT_PRESENCE_LEFT);
}

static void test_an_empty_room_is_gone(void **state)
{
	enter(0, room_id, 0);
	assert_non_null(relay->rooms);
	room_leave(&conns[0]);
	room_leave(&conns[0]);
	assert_null(relay->rooms);
}

#define ROOM_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(test_a_long_roster_comes_in_several_frames),
		ROOM_TEST(test_ids_with_one_hash_are_two_rooms),
		ROOM_TEST(test_presence_counts_device_keys),
		ROOM_TEST(test_an_empty_room_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
