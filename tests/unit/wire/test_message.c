/* SPDX-License-Identifier: Apache-2.0 */
/* test_message.c - strict decode: type, side, state, size, values */

#include "base/bytes.h"
#include "wire/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint8_t frame[CHAT_FRAME_MAX + 16];

static size_t build(unsigned int type, const void *body, size_t bytes)
{
	bytes_put_be32(frame, (uint32_t)bytes + 1);
	frame[4] = (uint8_t)type;
	if (body)
		memcpy(frame + 5, body, bytes);
	else
		memset(frame + 5, 0, bytes);
	return bytes + 5;
}

static int decode(size_t bytes, enum wire_side from, enum wire_state state)
{
	struct wire_message m;

	return wire_decode(&m, frame, bytes, from, state);
}

static void test_sizes_outside_the_table_are_refused(void **state)
{
	for (unsigned int type = 1; type < CHAT_TYPES; type++) {
		const struct wire_type *row = wire_type(type);
		enum wire_side side = row->sides & WIRE_SIDE_CLIENT
					      ? WIRE_SIDE_CLIENT
					      : WIRE_SIDE_RELAY;
		enum wire_state s = WIRE_STATE_OPENED;

		while (!(row->states & 1u << s))
			s++;
		if (row->min_body_bytes)
			assert_int_equal(decode(build(type, NULL,
						      row->min_body_bytes - 1),
						side, s),
					 -EBADMSG);
		assert_int_equal(
			decode(build(type, NULL, row->max_body_bytes + 1), side,
			       s),
			-EBADMSG);
	}
}

static void test_unknown_types_are_refused(void **state)
{
	for (unsigned int type = 0; type < 256; type++) {
		if (wire_type(type))
			continue;
		assert_int_equal(decode(build(type, NULL, 8), WIRE_SIDE_CLIENT,
					WIRE_STATE_JOINED),
				 -EPROTO);
	}
}

static void test_the_wrong_side_is_refused(void **state)
{
	assert_int_equal(decode(build(CHAT_ACK, NULL, 8), WIRE_SIDE_RELAY,
				WIRE_STATE_JOINED),
			 0);
	assert_int_equal(decode(build(CHAT_ACK, NULL, 8), WIRE_SIDE_CLIENT,
				WIRE_STATE_JOINED),
			 -EPROTO);
}

static void test_the_wrong_state_is_refused(void **state)
{
	size_t n = build(CHAT_SEND, NULL, CHAT_ENVELOPE_MIN);

	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED), 0);
	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_OPENED),
			 -EILSEQ);
	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_GREETED),
			 -EILSEQ);
	n = build(CHAT_HELLO, NULL, 8);
	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_OPENED), 0);
	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED),
			 -EILSEQ);
}

static void test_a_length_that_lies_is_refused(void **state)
{
	size_t n = build(CHAT_PING, NULL, 8);

	assert_int_equal(decode(n, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED), 0);
	assert_int_equal(decode(n - 1, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED),
			 -EBADMSG);
	assert_int_equal(decode(n + 1, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED),
			 -EBADMSG);
	for (size_t bytes = 0; bytes < 5; bytes++)
		assert_int_equal(
			decode(bytes, WIRE_SIDE_CLIENT, WIRE_STATE_JOINED),
			-EBADMSG);
}

static void test_values_outside_their_sets_are_refused(void **state)
{
	uint8_t presence[33] = { 0 };
	const uint8_t backwards[8] = { 'P', 'V', 'X', 'C', 0, 2, 0, 1 };
	const uint8_t escape[] = { 0, 1, 3, 'a', 0x1b, 'b' };
	const uint8_t longer[] = { 0, 1, 3, 'a', 'b' };
	uint8_t half_key[4 + 48] = { 0 };

	for (presence[0] = 0; presence[0] < 4; presence[0]++)
		assert_int_equal(decode(build(CHAT_PRESENCE, presence, 33),
					WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
				 presence[0] == CHAT_PRESENCE_JOINED ||
						 presence[0] ==
							 CHAT_PRESENCE_LEFT
					 ? 0
					 : -EBADMSG);
	assert_int_equal(decode(build(CHAT_HELLO, backwards, 8),
				WIRE_SIDE_CLIENT, WIRE_STATE_OPENED),
			 -EBADMSG);
	assert_int_equal(decode(build(CHAT_ERROR, escape, sizeof(escape)),
				WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
			 -EBADMSG);
	assert_int_equal(decode(build(CHAT_ERROR, longer, sizeof(longer)),
				WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
			 -EBADMSG);
	assert_int_equal(decode(build(CHAT_JOINED, half_key, sizeof(half_key)),
				WIRE_SIDE_RELAY, WIRE_STATE_JOINING),
			 -EBADMSG);
}

static int decode_want(uint8_t want, uint64_t era, uint64_t from)
{
	uint8_t body[241] = { 0 };

	body[224] = want;
	bytes_put_be64(body + 225, era);
	bytes_put_be64(body + 233, from);
	return decode(build(CHAT_JOIN, body, sizeof(body)), WIRE_SIDE_CLIENT,
		      WIRE_STATE_GREETED);
}

static void test_what_a_want_does_not_use_is_zero(void **state)
{
	assert_int_equal(decode_want(CHAT_WANT_NOTHING, 0, 0), 0);
	assert_int_equal(decode_want(CHAT_WANT_NOTHING, 1, 0), -EBADMSG);
	assert_int_equal(decode_want(CHAT_WANT_NOTHING, 0, 1), -EBADMSG);
	assert_int_equal(decode_want(CHAT_WANT_AFTER, 1, 1), 0);
	assert_int_equal(decode_want(CHAT_WANT_SINCE, 0, 1), 0);
	assert_int_equal(decode_want(CHAT_WANT_SINCE, 1, 1), -EBADMSG);
	assert_int_equal(decode_want(CHAT_WANTS, 0, 0), -EBADMSG);
}

static int decode_fetch(uint64_t from, uint16_t count)
{
	uint8_t body[10];

	bytes_put_be64(body, from);
	bytes_put_be16(body + 8, count);
	return decode(build(CHAT_FETCH, body, sizeof(body)), WIRE_SIDE_CLIENT,
		      WIRE_STATE_JOINED);
}

static void test_a_fetch_is_bounded(void **state)
{
	uint8_t history[25] = { CHAT_HISTORIES };

	assert_int_equal(decode_fetch(1, 1), 0);
	assert_int_equal(decode_fetch(1, CHAT_FETCH_MAX), 0);
	assert_int_equal(decode_fetch(1, CHAT_FETCH_MAX + 1), -EBADMSG);
	assert_int_equal(decode_fetch(1, 0), -EBADMSG);
	assert_int_equal(decode_fetch(0, 1), -EBADMSG);
	assert_int_equal(decode(build(CHAT_HISTORY, history, 25),
				WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
			 -EBADMSG);
	history[0]--;
	assert_int_equal(decode(build(CHAT_HISTORY, history, 25),
				WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
			 0);
}

static void test_encode_needs_room(void **state)
{
	struct wire_message m = { .type = CHAT_PING, .ping.token = 7 };
	uint8_t room[13];

	assert_int_equal(wire_encode(&m, room, 13), 13);
	for (size_t n = 0; n < 13; n++)
		assert_int_equal(wire_encode(&m, room, n), -EMSGSIZE);
}

static void test_encode_refuses_what_decode_would(void **state)
{
	struct wire_message m = {
		.type = CHAT_ERROR,
		.error = { .code = 1, .text = "a\nb", .text_bytes = 3 },
	};

	assert_int_equal(wire_encode(&m, frame, sizeof(frame)), -EINVAL);
	m.error.text = "a b";
	assert_int_equal(wire_encode(&m, frame, sizeof(frame)), 11);
	m.type = CHAT_TYPES;
	assert_int_equal(wire_encode(&m, frame, sizeof(frame)), -EINVAL);
	m = (struct wire_message){ .type = CHAT_SEND }; /* no envelope */
	assert_int_equal(wire_encode(&m, frame, sizeof(frame)), -EINVAL);
}

static void test_the_largest_frame_of_each_state(void **state)
{
	assert_int_equal(
		wire_max_frame_bytes(WIRE_SIDE_CLIENT, WIRE_STATE_OPENED), 13);
	assert_int_equal(
		wire_max_frame_bytes(WIRE_SIDE_CLIENT, WIRE_STATE_GREETED),
		5 + 241);
	assert_int_equal(
		wire_max_frame_bytes(WIRE_SIDE_CLIENT, WIRE_STATE_JOINED),
		5 + CHAT_ENVELOPE_MAX);
	assert_int_equal(
		wire_max_frame_bytes(WIRE_SIDE_RELAY, WIRE_STATE_JOINED),
		CHAT_FRAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_outside_the_table_are_refused),
		cmocka_unit_test(test_unknown_types_are_refused),
		cmocka_unit_test(test_the_wrong_side_is_refused),
		cmocka_unit_test(test_the_wrong_state_is_refused),
		cmocka_unit_test(test_a_length_that_lies_is_refused),
		cmocka_unit_test(test_values_outside_their_sets_are_refused),
		cmocka_unit_test(test_what_a_want_does_not_use_is_zero),
		cmocka_unit_test(test_a_fetch_is_bounded),
		cmocka_unit_test(test_encode_needs_room),
		cmocka_unit_test(test_encode_refuses_what_decode_would),
		cmocka_unit_test(test_the_largest_frame_of_each_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
