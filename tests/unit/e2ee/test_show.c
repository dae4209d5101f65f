/* SPDX-License-Identifier: Apache-2.0 */
/* test_show.c - to show a message again: judged alike, and nothing changes */

#include "people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static enum e2ee_verdict show(struct scene *scene, const struct envelope *e,
			      struct e2ee_opened *opened)
{
	return e2ee_show(scene->bob, e->bytes, e->length, opened);
}

static void test_what_was_accepted_can_be_shown_again(void **state)
{
	struct scene *scene = *state;
	struct e2ee_opened before, opened;

	assert_int_equal(people_hear(scene->bob, &scene->first, &before),
			 E2EE_ACCEPTED);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(show(scene, &scene->first, &opened),
				 E2EE_ACCEPTED);
		assert_memory_equal(opened.identity, before.identity,
				    sizeof(opened.identity));
		assert_int_equal(opened.content.text_bytes,
				 before.content.text_bytes);
		assert_int_equal(opened.generation, before.generation);
	}
}

static void test_showing_accepts_pins_and_remembers_nothing(void **state)
{
	struct scene *scene = *state;
	struct e2ee_member member;
	struct e2ee_opened opened;

	assert_int_equal(show(scene, &scene->second, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, 0);
	assert_int_equal(opened.changes.count, 0);
	for (unsigned int i = 0;
	     e2ee_room_member_at(scene->bob, i, &member) == 0; i++)
		assert_memory_not_equal(member.device_key, opened.sender, 32);
	/* Both are still to be accepted, once, with nothing missing. */
	assert_int_equal(people_hear(scene->bob, &scene->first, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(people_hear(scene->bob, &scene->second, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(opened.notes & (E2EE_NOTE_GAP | E2EE_NOTE_LATE), 0);
	/* Showing is no way around the refusal of what is live. */
	assert_int_equal(show(scene, &scene->second, &opened), E2EE_ACCEPTED);
	assert_int_equal(people_hear(scene->bob, &scene->second, &opened),
			 E2EE_REPLAYED);
}

static void test_what_was_changed_is_not_shown(void **state)
{
	struct scene *scene = *state;
	struct e2ee_opened opened;
	struct envelope *e = &scene->first;

	for (size_t at = CHAT_ENVELOPE_AT_SENDER; at < e->length; at += 7) {
		e->bytes[at] ^= 1;
		assert_int_not_equal(show(scene, e, &opened), E2EE_ACCEPTED);
		assert_null(opened.content.text);
		e->bytes[at] ^= 1;
	}
	assert_int_equal(show(scene, e, &opened), E2EE_ACCEPTED);
}

static void test_a_pinned_device_shows_no_other_identity(void **state)
{
	struct scene *scene = *state;
	struct e2ee_opened opened;

	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	craft_seal(&scene->eve, &scene->crafted);
	assert_int_equal(show(scene, &scene->crafted, &opened),
			 E2EE_IDENTITY_CHANGED);
}

static void test_a_device_without_a_proof_is_not_shown(void **state)
{
	struct scene *scene = *state;
	struct e2ee_opened opened;

	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	craft_seal(&scene->eve, &scene->crafted);
	assert_int_equal(show(scene, &scene->crafted, &opened), E2EE_FORGED);
}

#define CLAIM(test) \
	cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_what_was_accepted_can_be_shown_again),
		CLAIM(test_showing_accepts_pins_and_remembers_nothing),
		CLAIM(test_what_was_changed_is_not_shown),
		CLAIM(test_a_pinned_device_shows_no_other_identity),
		CLAIM(test_a_device_without_a_proof_is_not_shown),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
