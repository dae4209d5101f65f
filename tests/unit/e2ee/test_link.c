/* SPDX-License-Identifier: Apache-2.0 */
/* test_link.c - room files and invite links */

#include "base/bytes.h"
#include "e2ee/labels.h"
#include "e2ee/link.h"
#include "prim/base64url.h"
#include "prim/sha256.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void sample(struct room_link *link)
{
	memset(link, 0, sizeof(*link));
	strcpy(link->server, "chat.example.org:7450");
	link->has_secret = true;
	memset(link->secret.bytes, 0x5e, sizeof(link->secret.bytes));
}

static void sample_passphrase(struct room_link *link)
{
	sample(link);
	link->has_passphrase = true;
	memset(link->passphrase.salt, 0xa7, sizeof(link->passphrase.salt));
	link->passphrase.passes = 3;
	link->passphrase.memory_kib = 64 * 1024;
}

/* A text of given fields with a right checksum: what decode must judge. */
static void text_of(char *text, const char *prefix, const char *hex)
{
	uint8_t blob[1200], sum[32];
	int bytes = bytes_from_hex(blob, sizeof(blob), hex);
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_LINK_CHECKSUM,
		  sizeof(LABEL_LINK_CHECKSUM) },
		{ (void *)(uintptr_t)prefix, strlen(prefix) },
		{ blob, (size_t)bytes },
	};

	assert_true(bytes >= 0);
	sha256_parts(sum, parts, 3);
	memcpy(blob + bytes, sum, 8);
	strcpy(text, prefix);
	assert_true(base64url_encode(text + strlen(prefix), 2000, blob,
				     (size_t)bytes + 8) > 0);
}

/* "a:1" and a secret of 32 times 01 */
#define SERVER_FIELD "010003613a31"
#define SECRET_BYTES_01 \
	"0101010101010101010101010101010101010101010101010101010101010101"
#define SECRET_FIELD "020020" SECRET_BYTES_01
#define PASSPHRASE_FIELD \
	"040018"         \
	"00112233445566778899aabbccddeeff0000000300010000"

static int decode_fields(const char *hex)
{
	struct room_link link;
	const char *why = NULL;
	char text[2100];
	int err;

	text_of(text, "paravox1:", hex);
	err = link_decode(&link, LINK_INVITE, text, strlen(text), &why);
	assert_true(err == 0 || why);
	return err;
}

static void test_an_invite_comes_back_as_it_was(void **state)
{
	struct room_link link, back;
	char text[LINK_TEXT_ROOM];
	long bytes;

	sample(&link);
	link.has_certificate = true;
	memset(link.certificate_sha256, 0xce, 32);
	bytes = link_encode(text, sizeof(text), &link, LINK_INVITE);
	assert_int_equal(bytes, strlen(text));
	assert_memory_equal(text, "paravox1:", 9);
	assert_int_equal(
		link_decode(&back, LINK_INVITE, text, (size_t)bytes, NULL), 0);
	assert_memory_equal(&link, &back, sizeof(link));
}

static void test_the_text_is_the_one_of_the_spec(void **state)
{
	struct room_link link = { .server = "a:1", .has_secret = true };
	char text[LINK_TEXT_ROOM], expected[2100];

	memset(link.secret.bytes, 1, 32);
	text_of(expected, "paravox1:", SERVER_FIELD SECRET_FIELD);
	assert_true(link_encode(text, sizeof(text), &link, LINK_INVITE) > 0);
	assert_string_equal(text, expected);
}

static void test_a_passphrase_invite_leaves_the_secret_out(void **state)
{
	struct room_link link, back;
	char file[LINK_TEXT_ROOM], invite[LINK_TEXT_ROOM];
	uint8_t blob[LINK_TEXT_ROOM];
	long bytes;

	sample_passphrase(&link);
	/* The search finds the secret in the room file ... */
	bytes = link_encode(file, sizeof(file), &link, LINK_ROOM_FILE);
	assert_true(bytes > 0);
	bytes = base64url_decode(blob, sizeof(blob), file + 14,
				 strlen(file) - 14);
	assert_non_null(memmem(blob, (size_t)bytes, link.secret.bytes, 32));
	assert_int_equal(
		link_decode(&back, LINK_ROOM_FILE, file, strlen(file), NULL),
		0);
	assert_memory_equal(&link, &back, sizeof(link));
	/* ... and not in the invite. */
	assert_true(link_encode(invite, sizeof(invite), &link, LINK_INVITE) >
		    0);
	bytes = base64url_decode(blob, sizeof(blob), invite + 9,
				 strlen(invite) - 9);
	assert_true(bytes > 0);
	assert_null(memmem(blob, (size_t)bytes, link.secret.bytes, 32));
	assert_int_equal(
		link_decode(&back, LINK_INVITE, invite, strlen(invite), NULL),
		0);
	assert_false(back.has_secret);
	assert_memory_equal(&back.passphrase, &link.passphrase,
			    sizeof(link.passphrase));
}

static void test_one_form_is_not_taken_for_the_other(void **state)
{
	struct room_link link, back;
	char text[LINK_TEXT_ROOM];
	const char *why = NULL;

	sample(&link);
	link_encode(text, sizeof(text), &link, LINK_ROOM_FILE);
	assert_int_equal(
		link_decode(&back, LINK_INVITE, text, strlen(text), &why),
		-EINVAL);
	assert_non_null(strstr(why, "no invite link"));
	/* Nor by a changed prefix: the checksum covers it. */
	memmove(text + 7, text + 12, strlen(text + 12) + 1);
	assert_memory_equal(text, "paravox1:", 9);
	assert_int_equal(
		link_decode(&back, LINK_INVITE, text, strlen(text), &why),
		-EBADMSG);
}

static void test_white_space_around_is_ignored_and_inside_is_not(void **state)
{
	struct room_link link, back;
	char text[LINK_TEXT_ROOM], padded[2 * LINK_TEXT_ROOM];

	sample(&link);
	link_encode(text, sizeof(text), &link, LINK_INVITE);
	snprintf(padded, sizeof(padded), " \r\n%s\t\n", text);
	assert_int_equal(
		link_decode(&back, LINK_INVITE, padded, strlen(padded), NULL),
		0);
	snprintf(padded, sizeof(padded), "%.30s\n%s", text, text + 30);
	assert_int_equal(
		link_decode(&back, LINK_INVITE, padded, strlen(padded), NULL),
		-EINVAL);
}

static void test_every_changed_or_missing_character_is_noticed(void **state)
{
	struct room_link link, back, wiped;
	char text[LINK_TEXT_ROOM];
	size_t bytes;

	memset(&wiped, 0, sizeof(wiped));
	sample(&link);
	bytes = (size_t)link_encode(text, sizeof(text), &link, LINK_INVITE);
	assert_int_equal(link_decode(&back, LINK_INVITE, text, bytes, NULL), 0);
	for (size_t at = 0; at < bytes; at++) {
		char was = text[at];

		text[at] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(
			link_decode(&back, LINK_INVITE, text, bytes, NULL), 0);
		assert_memory_equal(&back, &wiped, sizeof(back));
		text[at] = was;
		assert_int_not_equal(
			link_decode(&back, LINK_INVITE, text, at, NULL), 0);
	}
}

static void test_fields_come_once_and_in_order(void **state)
{
	assert_int_equal(decode_fields(SERVER_FIELD SECRET_FIELD), 0);
	assert_int_equal(decode_fields(SECRET_FIELD SERVER_FIELD), -EINVAL);
	assert_int_equal(decode_fields(SERVER_FIELD SERVER_FIELD SECRET_FIELD),
			 -EINVAL);
	assert_int_equal(decode_fields("000000" SERVER_FIELD SECRET_FIELD),
			 -EINVAL);
}

static void test_a_link_has_what_opens_its_room(void **state)
{
	assert_int_equal(decode_fields(SERVER_FIELD PASSPHRASE_FIELD), 0);
	assert_int_equal(decode_fields(SERVER_FIELD), -EINVAL);
	assert_int_equal(decode_fields(SECRET_FIELD), -EINVAL);
	assert_int_equal(
		decode_fields(SERVER_FIELD SECRET_FIELD PASSPHRASE_FIELD),
		-EINVAL);
	assert_int_equal(decode_fields(""), -EINVAL);
}

static void test_lengths_are_exact(void **state)
{
	/* A secret of 31 and of 33 bytes, a value longer than the link. */
	assert_int_equal(decode_fields(SERVER_FIELD "02001f" SECRET_BYTES_01),
			 -EINVAL);
	assert_int_equal(
		decode_fields(SERVER_FIELD "020021" SECRET_BYTES_01 "01"),
		-EINVAL);
	assert_int_equal(decode_fields(SERVER_FIELD "02ffff" SECRET_BYTES_01),
			 -EINVAL);
	assert_int_equal(decode_fields(SERVER_FIELD SECRET_FIELD "03"),
			 -EINVAL);
}

static void test_unknown_fields_are_refused_or_skipped_by_number(void **state)
{
	assert_int_equal(decode_fields(SERVER_FIELD SECRET_FIELD "050000"),
			 -EPROTONOSUPPORT);
	assert_int_equal(decode_fields(SERVER_FIELD SECRET_FIELD "7f000100"),
			 -EPROTONOSUPPORT);
	assert_int_equal(
		decode_fields(SERVER_FIELD SECRET_FIELD "800002abcdff0000"), 0);
}

static void test_a_newer_version_is_told_from_rubbish(void **state)
{
	struct room_link link;
	const char *why = NULL;

	assert_int_equal(
		link_decode(&link, LINK_INVITE, "paravox2:AAAA", 13, &why),
		-EPROTONOSUPPORT);
	assert_non_null(strstr(why, "newer"));
	assert_int_equal(
		link_decode(&link, LINK_INVITE, "paravox:AAAA", 12, &why),
		-EINVAL);
	assert_int_equal(link_decode(&link, LINK_INVITE, "", 0, &why), -EINVAL);
}

static void test_the_cost_of_a_passphrase_has_bounds(void **state)
{
	static const char salt[] = "00112233445566778899aabbccddeeff";
	static const struct {
		const char *cost;
		int expect;
	} costs[] = {
		{ "0000000300010000", 0 },
		{ "0000000200010000", -ERANGE },
		{ "000000030000ffff", -ERANGE },
		{ "ffffffff00010000", -ERANGE },
		{ "00000003ffffffff", -ERANGE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(costs); i++) {
		char hex[200];

		snprintf(hex, sizeof(hex), SERVER_FIELD "040018%s%s", salt,
			 costs[i].cost);
		assert_int_equal(decode_fields(hex), costs[i].expect);
	}
}

static void test_servers_are_told_from_rubbish(void **state)
{
	static const char *const good[] = {
		"localhost:7450", "127.0.0.1:1",      "[::1]:7450",
		"a-b.c_d:65535",  "[fe80::1%eth0]:1", "unix:/run/paravox.sock",
	};
	static const char *const bad[] = {
		"",       "localhost", "localhost:",  "localhost:0",
		":7450",  "a:65536",   "a:07450",     "a:4294967297",
		"a:+1",   "a:1 ",      "::1:7450",    "[::1]",
		"[::1:1", "[]:1",      "a b:1",       "a\n:1",
		"unix:",  "unix:/",    "unix:path",   "a\x1b[2J:1",
		"a/b:1",  "user@a:1",  "unix:/a\x07", "\xc3\xa4:1",
	};
	char longest[300];

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(link_server_check(good[i]), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(link_server_check(bad[i]), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + LINK_MAX_SERVER_BYTES - 2, ":1");
	assert_int_equal(link_server_check(longest), 0);
	memset(longest, 'a', LINK_MAX_SERVER_BYTES);
	strcpy(longest + LINK_MAX_SERVER_BYTES - 1, ":1");
	assert_int_equal(link_server_check(longest), -EINVAL);
	/* A NUL inside would hide what is behind it. */
	assert_int_equal(decode_fields("010006613a31003a32" SECRET_FIELD),
			 -EINVAL);
}

static void test_nothing_unfit_is_written(void **state)
{
	struct room_link link;
	char text[LINK_TEXT_ROOM];

	sample(&link);
	link.has_secret = false;
	assert_int_equal(link_encode(text, sizeof(text), &link, LINK_INVITE),
			 -EINVAL);
	sample_passphrase(&link);
	link.has_secret = false;
	assert_true(link_encode(text, sizeof(text), &link, LINK_INVITE) > 0);
	assert_int_equal(link_encode(text, sizeof(text), &link, LINK_ROOM_FILE),
			 -EINVAL);
	link.passphrase.passes = 1;
	assert_int_equal(link_encode(text, sizeof(text), &link, LINK_INVITE),
			 -EINVAL);
	sample(&link);
	strcpy(link.server, "nowhere");
	assert_int_equal(link_encode(text, sizeof(text), &link, LINK_INVITE),
			 -EINVAL);
	sample(&link);
	for (size_t room = 0; room < 60; room++)
		assert_int_equal(link_encode(text, room, &link, LINK_INVITE),
				 -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_invite_comes_back_as_it_was),
		cmocka_unit_test(test_the_text_is_the_one_of_the_spec),
		cmocka_unit_test(
			test_a_passphrase_invite_leaves_the_secret_out),
		cmocka_unit_test(test_one_form_is_not_taken_for_the_other),
		cmocka_unit_test(
			test_white_space_around_is_ignored_and_inside_is_not),
		cmocka_unit_test(
			test_every_changed_or_missing_character_is_noticed),
		cmocka_unit_test(test_fields_come_once_and_in_order),
		cmocka_unit_test(test_a_link_has_what_opens_its_room),
		cmocka_unit_test(test_lengths_are_exact),
		cmocka_unit_test(
			test_unknown_fields_are_refused_or_skipped_by_number),
		cmocka_unit_test(test_a_newer_version_is_told_from_rubbish),
		cmocka_unit_test(test_the_cost_of_a_passphrase_has_bounds),
		cmocka_unit_test(test_servers_are_told_from_rubbish),
		cmocka_unit_test(test_nothing_unfit_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
