/* SPDX-License-Identifier: Apache-2.0 */
/* test_golden.c - the bytes of every message, against tests/vectors/wire.txt */

#include "base/bytes.h"
#include "wire/admission.h"
#include "wire/envelope.h"
#include "wire/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The lines of wire.txt that have this name, as bytes. */
static size_t golden(const char *wanted, uint8_t *out, size_t room)
{
	const char *path = getenv("WIRE_VECTORS");
	static char line[8192];
	size_t bytes = 0;
	FILE *file;

	assert_non_null(path);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *space = strchr(line, ' ');
		int n;

		if (!space)
			continue;
		*space = '\0';
		space[1 + strcspn(space + 1, "\n")] = '\0';
		if (strcmp(line, wanted) != 0)
			continue;
		n = bytes_from_hex(out, room, space + 1);
		assert_true(n > 0);
		bytes = (size_t)n;
	}
	fclose(file);
	if (!bytes)
		fail_msg("no %s in %s", wanted, path);
	return bytes;
}

/* The first side and state that the table allows for a type. */
static void somewhere(unsigned int type, enum wire_side *side,
		      enum wire_state *state)
{
	const struct wire_type *row = wire_type(type);

	*side = row->sides & WIRE_SIDE_CLIENT ? WIRE_SIDE_CLIENT
					      : WIRE_SIDE_RELAY;
	*state = WIRE_STATE_OPENED;
	while (!(row->states & 1u << *state))
		(*state)++;
}

static void decode_golden(struct wire_message *m, enum chat_type type,
			  uint8_t *bytes, size_t room)
{
	size_t n = golden(wire_type_name(type), bytes, room);
	enum wire_side side;
	enum wire_state state;

	somewhere(type, &side, &state);
	assert_int_equal(wire_decode(m, bytes, n, side, state), 0);
	assert_int_equal(m->type, type);
}

static void test_every_message_decodes_and_encodes_again(void **state)
{
	int count = 0;

	for (unsigned int type = 0; type < CHAT_TYPES; type++) {
		uint8_t bytes[1024], again[1024];
		struct wire_message m;
		size_t n;

		if (!wire_type(type))
			continue;
		n = golden(wire_type_name(type), bytes, sizeof(bytes));
		decode_golden(&m, (enum chat_type)type, bytes, sizeof(bytes));
		assert_int_equal(wire_encode(&m, again, sizeof(again)), n);
		assert_memory_equal(bytes, again, n);
		count++;
	}
	assert_int_equal(count, 15);
}

static void test_fields_are_where_the_specification_says(void **state)
{
	uint8_t b[1024];
	struct wire_message m;

	decode_golden(&m, CHAT_HELLO, b, sizeof(b));
	assert_int_equal(m.hello.magic, CHAT_MAGIC);
	assert_int_equal(m.hello.version_max, 1);
	decode_golden(&m, CHAT_WELCOME, b, sizeof(b));
	assert_int_equal(m.welcome.nonce[31], 127);
	assert_int_equal(m.welcome.max_envelope_bytes, CHAT_ENVELOPE_MAX);
	assert_int_equal(m.welcome.window_messages, 256);
	assert_int_equal(m.welcome.window_bytes, 1048576);
	assert_int_equal(m.welcome.ping_interval_ms, 30000);
	assert_int_equal(m.welcome.name_bytes, strlen("relay.example"));
	assert_memory_equal(m.welcome.name, "relay.example", 13);
	decode_golden(&m, CHAT_JOINED, b, sizeof(b));
	assert_int_equal(m.joined.keys_after, 3);
	assert_int_equal(m.joined.count, 2);
	assert_int_equal(m.joined.keys[32], 7);
	decode_golden(&m, CHAT_ACK, b, sizeof(b));
	assert_true(m.ack.up_to == 0x1122334455667788);
	decode_golden(&m, CHAT_REFUSED, b, sizeof(b));
	assert_int_equal(m.refused.index, 5);
	assert_int_equal(m.refused.code, CHAT_CODE_SENDER);
	assert_memory_equal(m.refused.text, "another sender", 14);
	decode_golden(&m, CHAT_PRESENCE, b, sizeof(b));
	assert_int_equal(m.presence.what, CHAT_PRESENCE_LEFT);
	decode_golden(&m, CHAT_JOIN, b, sizeof(b));
	assert_int_equal(m.join.want, CHAT_WANT_AFTER);
	assert_true(m.join.era == 0x1112131415161718);
	assert_true(m.join.from == 0x2122232425262728);
	decode_golden(&m, CHAT_HISTORY, b, sizeof(b));
	assert_int_equal(m.history.what, CHAT_HISTORY_LIVE);
	assert_true(m.history.era == 0x1112131415161718);
	assert_int_equal(m.history.first, 3);
	assert_int_equal(m.history.last, 9);
	decode_golden(&m, CHAT_FETCH, b, sizeof(b));
	assert_true(m.fetch.from == 0x0102030405060708);
	assert_int_equal(m.fetch.count, 50);
	decode_golden(&m, CHAT_ERROR, b, sizeof(b));
	assert_int_equal(m.error.code, CHAT_CODE_WINDOW);
	assert_int_equal(m.error.text_bytes, 0);
}

static void test_the_envelope_has_its_layout(void **state)
{
	uint8_t b[1024], again[CHAT_ENVELOPE_HEADER_BYTES];
	struct wire_envelope_header h;
	struct wire_envelope e;
	struct wire_message m;

	decode_golden(&m, CHAT_DELIVER, b, sizeof(b));
	assert_int_equal(wire_envelope_decode(&e, m.deliver.envelope,
					      m.deliver.envelope_bytes),
			 0);
	assert_int_equal(e.header.version, 1);
	assert_int_equal(e.header.suite, 1);
	assert_int_equal(e.header.type, 1);
	assert_int_equal(e.header.epoch, 0);
	assert_true(e.header.generation == 0x0102030405060708);
	assert_int_equal(e.header.chain[0], 64);
	assert_int_equal(e.header.iv[15], 0x11);
	assert_int_equal(e.tag[0], 0x22);
	assert_int_equal(e.ciphertext_bytes, 6);
	assert_memory_equal(e.ciphertext, "sealed", 6);
	wire_envelope_header_encode(&e.header, again);
	assert_memory_equal(again, e.header_bytes, sizeof(again));
	assert_int_equal(wire_envelope_header_decode(&h, e.header_bytes, 95),
			 -EBADMSG);
	for (uint32_t n = 0; n < m.deliver.envelope_bytes; n++)
		assert_int_equal(
			wire_envelope_decode(&e, m.deliver.envelope, n),
			-EBADMSG);
}

static void check_signed(const char *name, enum wire_signer signer)
{
	uint8_t w[1024], j[1024], wanted[512], out[WIRE_ADMISSION_MAX];
	struct wire_message welcome, join;
	size_t n = golden(name, wanted, sizeof(wanted));

	decode_golden(&welcome, CHAT_WELCOME, w, sizeof(w));
	decode_golden(&join, CHAT_JOIN, j, sizeof(j));
	struct wire_admission a = {
		.version = welcome.welcome.version,
		.name = welcome.welcome.name,
		.name_bytes = welcome.welcome.name_bytes,
		.nonce = welcome.welcome.nonce,
		.room_id = join.join.room_id,
		.device_key = join.join.device_key,
	};
	assert_int_equal(wire_admission_encode(out, signer, &a), n);
	assert_memory_equal(out, wanted, n);
	a.name_bytes = CHAT_NAME_MAX + 1;
	assert_int_equal(wire_admission_encode(out, signer, &a), -EINVAL);
}

static void test_the_signed_bytes_of_the_admission_key(void **state)
{
	check_signed("signed-admission", WIRE_SIGNER_ADMISSION);
}

static void test_the_signed_bytes_of_the_device_key(void **state)
{
	check_signed("signed-device", WIRE_SIGNER_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_message_decodes_and_encodes_again),
		cmocka_unit_test(test_fields_are_where_the_specification_says),
		cmocka_unit_test(test_the_envelope_has_its_layout),
		cmocka_unit_test(test_the_signed_bytes_of_the_admission_key),
		cmocka_unit_test(test_the_signed_bytes_of_the_device_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
