/* SPDX-License-Identifier: Apache-2.0 */
/* test_takeover.c - a worker that was taken over reaches nobody else
 *
 * It has broken out of its sandbox here already, so the sandbox is off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "device/link.h"
#include "device/reaper.h"
#include "device/stand.h"
#include "device/stats.h"
#include "device/task.h"

#define WORKER_LINK 3 /* worker.c: the first descriptor behind stderr */
#define SENT_FDS    20
#define LINGER_S    10

/* --- what it says ------------------------------------------------------ */

/* What the worker does at its next answer; shared with it. */
enum deed {
	DEED_NONE,
	DEED_SEND_KNOWN,
	DEED_SEND_MORE,
	DEED_SEND_SHORT,
	DEED_SAY,
	DEED_SAY_NOTHING /* what the end of a link looks like */
};

static struct shared {
	volatile int deed;
	volatile bool has_outlived;  /* what ends a worker */
	struct link_message message; /* to be said */
} * shared;

/* A message with descriptors, fewer or more than it announces. */
static ssize_t send_descriptors(enum deed how)
{
	static struct link_message message;
	struct iovec piece = { &message,
			       how == DEED_SEND_SHORT ? 8 : sizeof(message) };
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(SENT_FDS * sizeof(int))];
	} control;
	struct msghdr header = { .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	int fds[SENT_FDS];

	for (unsigned int i = 0; i < SENT_FDS; i++)
		fds[i] = STDERR_FILENO;
	message.type = LINK_STOPPED;
	message.present = how == DEED_SEND_KNOWN ? (1u << SENT_FDS) - 1 : 1;
	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	return sendmsg(WORKER_LINK, &header, MSG_NOSIGNAL);
}

/* Live on, but not for ever: the claim may not hold. */
static void linger(void)
{
	sleep(LINGER_S);
	shared->has_outlived = true;
	_exit(1);
}

static void do_deed(unsigned int queue, enum journal_moment moment)
{
	enum deed how = (enum deed)shared->deed;
	ssize_t done = 0;

	if (moment != MOMENT_EXECUTED || how == DEED_NONE)
		return;
	/* Before: the supervisor ends us for it, and a successor is not to do
	 * it again. The claim fails when nothing was sent. */
	shared->deed = DEED_NONE;
	if (how <= DEED_SEND_SHORT)
		done = send_descriptors(how);
	else if (how == DEED_SAY)
		done = send(WORKER_LINK, &shared->message,
			    sizeof(shared->message), MSG_NOSIGNAL);
	else
		done = send(WORKER_LINK, "", 0, MSG_NOSIGNAL);
	if (done < 0)
		shared->deed = how;
	else if (how > DEED_SEND_SHORT)
		linger();
}

/* The supervisor answers a question, so it has seen what came before. */
static void supervisor_turns(void)
{
	uint64_t features;

	for (unsigned int i = 0; i < 3; i++) {
		stand_works();
		assert_int_equal(
			frontend_get(&stand.fe, VHOST_GET_FEATURES, &features),
			0);
	}
}

static void test_descriptors_of_a_worker_are_closed(void **state)
{
	unsigned int before, after;

	supervisor_turns();
	before = driver_count(stand.daemon, "fd");
	assert_true(before > 0);
	for (int how = DEED_SEND_KNOWN; how <= DEED_SEND_SHORT; how++) {
		shared->deed = how;
		assert_int_equal(driver_simple(&stand, 0, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
		assert_int_equal(shared->deed, DEED_NONE);
		supervisor_turns();
		for (int i = 0; i < 100; i++) {
			after = driver_count(stand.daemon, "fd");
			if (after == before)
				break;
			usleep(10000);
		}
		assert_int_equal(after, before);
	}
}

/* It does the deed and lives on: another one answers, and the connection is
 * what it was. */
static void assert_replaced_for(enum deed how)
{
	pid_t worker = driver_worker(&stand);

	assert_true(worker > 0);
	shared->deed = how;
	shared->has_outlived = false;
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_PING, 0, 0),
			 VCD_STATUS_OK);
	assert_int_equal(shared->deed, DEED_NONE);
	assert_false(shared->has_outlived);
	assert_int_not_equal(driver_worker(&stand), worker);
	supervisor_turns();
}

static void test_a_worker_that_seems_gone_is_ended(void **state)
{
	assert_replaced_for(DEED_SAY_NOTHING);
}

static void test_a_message_that_cannot_be_ends_its_worker(void **state)
{
	static const struct link_message messages[] = {
		{ .type = 0 },
		{ .type = LINK_START },
		{ .type = LINK_STOP },
		{ .type = LINK_FAILED + 1 },
		{ .type = LINK_STOPPED },
		{ .type = LINK_STOPPED, .mask = 1 },
		{ .type = LINK_FAILED, .error = 0 },
		{ .type = LINK_FAILED, .error = 5 },
		{ .type = LINK_FAILED, .error = INT32_MIN },
		{ .type = LINK_FAILED, .error = -5, .queue = DRIVER_QUEUES },
		{ .type = LINK_FAILED, .error = -5, .queue = UINT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		shared->message = messages[i];
		assert_replaced_for(DEED_SAY);
	}
}

/* --- what it leaves ---------------------------------------------------- */

/* A state of our own, and its next worker. */
static const struct state_limits limits = { .queues = 2,
					    .max_files = 4,
					    .max_sessions = 8,
					    .max_request_bytes = 4096 };
static struct state own;
static struct engine engine;
static struct cryptsess_provider *provider;

static int own_open(void **state)
{
	return state_create(&own, &limits) ||
	       cryptsess_provider_open(&provider, "openssl", NULL, 0);
}

static int own_close(void **state)
{
	engine_deinit(&engine);
	state_destroy(&own);
	cryptsess_provider_close(provider);
	return 0;
}

static void next_worker(void)
{
	engine_deinit(&engine);
	assert_int_equal(engine_init(&engine, &own, provider, state_hire(&own)),
			 0);
	engine_take_over(&engine);
}

/* As a sound worker leaves it: the index is the id. */
static struct state_session *make_session(uint32_t index)
{
	struct state_session *s = &own.session[index];
	struct state_file *file = &own.file[0];

	own.head->file_count = limits.max_files;
	own.head->session_count = limits.max_sessions;
	if (!file->id)
		file->id = state_next_id(0, limits.max_files, &file->uses);
	memset(s, 0, sizeof(*s));
	s->file_id = file->id;
	s->queue = 1;
	s->cipher = CRYPTSESS_AES_CBC;
	s->key_bytes = 16;
	memset(s->key, 7, sizeof(s->key));
	s->id = state_next_id(index, limits.max_sessions, &s->uses);
	return s;
}

/* A window of one slot on queue 0. */
static struct state_slot *make_window(uint32_t phase)
{
	struct journal journal;
	struct state_slot *slot;

	journal_reset(&journal, &own.queue[0], 1, 0, 0);
	slot = journal_begin(&journal, 3, 1);
	slot->phase = phase;
	return slot;
}

static bool has_window(void)
{
	struct journal journal;

	return journal_resume(&journal, &own.queue[0], 1);
}

static bool is_zero(const void *bytes, size_t count)
{
	const uint8_t *b = bytes;

	return b[0] == 0 && memcmp(b, b + 1, count - 1) == 0;
}

/* The next guest's sessions would begin with it. */
static void test_nothing_of_a_guest_is_left_wherever_it_was_written(void **s)
{
	for (uint32_t count = 0; count <= limits.max_files; count++) {
		memset(own.session, 0xff,
		       limits.max_sessions * sizeof(own.session[0]));
		memset(own.file, 0xff, limits.max_files * sizeof(own.file[0]));
		memset(own.queue[1].slot, 0xff, sizeof(own.queue[1].slot));
		memset(own.results, 0xff, limits.queues * own.result_bytes);
		own.head->file_count = count;
		own.head->session_count = count;
		state_forget(&own);
		for (uint32_t i = 0; i < count; i++) {
			own.session[i].uses = 0;
			own.file[i].uses = 0;
		}
		assert_true(
			is_zero(own.session,
				limits.max_sessions * sizeof(own.session[0])));
		assert_true(is_zero(own.file,
				    limits.max_files * sizeof(own.file[0])));
		assert_true(
			is_zero(own.queue[1].slot, sizeof(own.queue[1].slot)));
		assert_true(
			is_zero(own.results, limits.queues * own.result_bytes));
	}
}

static void test_counts_beyond_the_tables_mean_the_tables(void **state)
{
	(void)make_session(limits.max_sessions - 1);
	own.head->file_count = UINT32_MAX;
	own.head->session_count = UINT32_MAX;
	next_worker();
	assert_int_equal(engine.files.used[0] & 0xf, 1);
	assert_int_equal(engine.sessions.used[0] & 0xff, 0x80);
}

static void test_a_window_that_is_too_long_is_forgotten(void **state)
{
	(void)make_window(SLOT_BEGUN);
	next_worker();
	assert_true(has_window());
	own.queue[0].position |= (uint64_t)(VRING_SIZE_MAX + 1) << 32;
	next_worker();
	assert_false(has_window());
}

static void test_an_entry_behind_the_table_is_not_taken_back(void **state)
{
	const size_t gap = (uint8_t *)own.session - (uint8_t *)own.file;
	struct state_session *session = make_session(0);
	struct state_slot *slot = make_window(SLOT_BEGUN);
	uint32_t id = session->id;

	/* That file would be the session. */
	assert_int_equal(gap % sizeof(own.file[0]), 0);
	slot->made_file = (uint32_t)(gap / sizeof(own.file[0])) + 1;
	assert_true(slot->made_file > limits.max_files);
	next_worker();
	assert_int_equal(session->id, id);
	assert_false(has_window());
	slot = make_window(SLOT_BEGUN);
	slot->made_session = UINT32_MAX;
	next_worker();
	assert_false(has_window());
	/* And one that is in the table is. */
	slot = make_window(SLOT_BEGUN);
	slot->made_session = 1;
	next_worker();
	assert_true(has_window());
	assert_int_equal(session->id, 0);
}

static void test_a_result_that_is_too_long_is_forgotten(void **state)
{
	struct state_slot *slot = make_window(SLOT_RECORDED);

	slot->used_bytes = (uint32_t)own.result_bytes;
	next_worker();
	assert_true(has_window());
	slot->used_bytes++;
	next_worker();
	assert_false(has_window());
}

static void test_a_session_that_cannot_be_is_ended(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} lies[] = {
		{ offsetof(struct state_session, id), 3 },
		{ offsetof(struct state_session, id), UINT32_MAX },
		{ offsetof(struct state_session, file_id), 2 },
		{ offsetof(struct state_session, queue), 2 },
		{ offsetof(struct state_session, row), COUNTERS_ROWS_MAX },
		{ offsetof(struct state_session, key_bytes),
		  VCD_MAX_KEY_BYTES + 1 },
		{ offsetof(struct state_session, mac_key_bytes),
		  VCD_MAX_MAC_KEY_BYTES + 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct state_session *spoilt = make_session(3);
		struct state_session *other = make_session(4);

		memcpy((uint8_t *)spoilt + lies[i].offset, &lies[i].value,
		       sizeof(lies[i].value));
		next_worker();
		assert_int_not_equal(other->id, 0);
		assert_int_equal(spoilt->id, 0);
		assert_true(is_zero(spoilt->key, sizeof(spoilt->key)));
		assert_int_equal(engine.sessions.used[0] & 0xff, 1 << 4);
	}
}

static void test_a_file_that_cannot_be_is_ended(void **state)
{
	own.head->file_count = limits.max_files;
	own.file[0].id = state_next_id(0, limits.max_files, &own.file[0].uses);
	own.file[1].id = own.file[0].id; /* of another place */
	own.file[2].id = UINT32_MAX;
	next_worker();
	assert_int_not_equal(own.file[0].id, 0);
	assert_int_equal(own.file[1].id, 0);
	assert_int_equal(own.file[2].id, 0);
	assert_int_equal(engine.files.used[0] & 0xf, 1);
}

/* Who is looked for by these numbers does not write them. */
static void test_deaths_are_counted_by_who_sees_them(void **state)
{
	uint32_t worker = state_hire(&own);
	struct stats stats;

	state_bury(&own);
	state_bury(&own);
	own.head->deaths = 0;
	own.head->worker = 0;
	stats_collect(&stats, &own);
	assert_int_equal(stats.deaths, 2);
	assert_int_equal(stats.workers, worker);
	assert_int_equal(state_hire(&own), worker + 1);
	/* A number that is none is nobody's. */
	own.workers = UINT32_MAX;
	assert_int_equal(state_hire(&own), 1);
}

/* --- all --------------------------------------------------------------- */

static int setup(void **state)
{
	shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	driver_init(&stand);
	stand.options.has_sandbox = false;
	stand.at_moment = do_deed;
	stand.expects_deaths = true;
	return stand_open();
}

#define SAYS(name) cmocka_unit_test_setup(test_##name, stand_begin)
#define LEAVES(name) \
	cmocka_unit_test_setup_teardown(test_##name, own_open, own_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS(descriptors_of_a_worker_are_closed),
		SAYS(a_worker_that_seems_gone_is_ended),
		SAYS(a_message_that_cannot_be_ends_its_worker),
		LEAVES(nothing_of_a_guest_is_left_wherever_it_was_written),
		LEAVES(counts_beyond_the_tables_mean_the_tables),
		LEAVES(a_window_that_is_too_long_is_forgotten),
		LEAVES(an_entry_behind_the_table_is_not_taken_back),
		LEAVES(a_result_that_is_too_long_is_forgotten),
		LEAVES(a_session_that_cannot_be_is_ended),
		LEAVES(a_file_that_cannot_be_is_ended),
		LEAVES(deaths_are_counted_by_who_sees_them),
	};

	return cmocka_run_group_tests_name("takeover", tests, setup,
					   stand_close);
}
