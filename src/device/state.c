/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what outlives a worker: sessions, journal, counters */
#include "device/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory_file.h"
#include "base/mutant.h"
#include "base/secret.h"

#define STATE_ALIGN 64u

/* The largest answer's bytes beside its destination: the op's structure,
 * digest or tag, IV, TLS padding. */
#define ANSWER_EXTRA_BYTES 1024u

_Static_assert(sizeof(struct state_head) <= STATE_ALIGN, "state_head");

#define STATE_MAGIC 0x76637470u

static size_t room(size_t *total, size_t count, size_t bytes)
{
	size_t at = *total;

	*total += (count * bytes + STATE_ALIGN - 1) & ~(STATE_ALIGN - 1);
	return at;
}

/* Where everything is, relative to the file's start; then from `base`. */
static void lay_out(struct state *state, const struct state_limits *limits,
		    uint8_t *base)
{
	size_t total = STATE_ALIGN; /* the head */
	size_t queue_at =
		room(&total, limits->queues, sizeof(struct state_queue));
	size_t file_at =
		room(&total, limits->max_files, sizeof(struct state_file));
	size_t session_at = room(&total, limits->max_sessions,
				 sizeof(struct state_session));

	state->limits = *limits;
	state->bytes = total;
	state->result_bytes = ((size_t)limits->max_request_bytes +
			       ANSWER_EXTRA_BYTES + 4095) &
			      ~(size_t)4095;
	if (!base)
		return;
	state->head = (void *)base;
	state->queue = (void *)(base + queue_at);
	state->file = (void *)(base + file_at);
	state->session = (void *)(base + session_at);
}

/* Counts up when a field moves, or means something else, and no size tells. */
#define STATE_LAYOUT 2u

static uint32_t layout_number(void)
{
	return (uint32_t)(STATE_LAYOUT * 100003 + sizeof(struct state_session) +
			  11 * sizeof(struct state_head) +
			  1000 * sizeof(struct state_slot) +
			  7 * sizeof(struct state_queue));
}

/* Map both files. Pages are locked as they come into use: tables are mostly
 * empty. */
static int state_map(struct state *state, const struct state_limits *limits,
		     int fd, int results_fd)
{
	uint8_t *base;

	memset(state, 0, sizeof(*state));
	state->fd = fd;
	state->results_fd = results_fd;
	lay_out(state, limits, NULL);
	base = memory_file_map(fd, state->bytes);
	if (base)
		lay_out(state, limits, base);
	state->results = memory_file_map(results_fd,
					 limits->queues * state->result_bytes);
	if (base && state->results &&
	    mlock2(base, state->bytes, MLOCK_ONFAULT) == 0)
		return 0;
	state_leave(state);
	return -ENOMEM;
}

int state_create(struct state *state, const struct state_limits *limits)
{
	int fd, results_fd, error;

	lay_out(state, limits, NULL);
	fd = memory_file_create("cryptodev-state", state->bytes);
	results_fd = memory_file_create("cryptodev-results",
					limits->queues * state->result_bytes);
	error = state_map(state, limits, fd, results_fd);
	if (error)
		return error;
	state->head->magic = STATE_MAGIC;
	state->head->layout = layout_number();
	state->head->limits = *limits;
	return 0;
}

int state_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_SETLKW, &whole))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Whoever had it is gone, and did what it did. */
static int state_await(int fd)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int error = state_lock(fd);

	return !error && fcntl(fd, F_SETLK, &whole) ? -errno : error;
}

int state_adopt(struct state *state, const struct state_limits *limits, int fd,
		int results_fd)
{
	int error = state_map(state, limits, fd, results_fd);

	if (error)
		return error;
	if (state_await(fd) == 0 && state->head->magic == STATE_MAGIC &&
	    state->head->layout == layout_number() &&
	    memcmp(&state->head->limits, limits, sizeof(*limits)) == 0) {
		state->workers = state->head->worker;
		state->deaths = state->head->deaths;
		return 0;
	}
	state_leave(state);
	return -EINVAL;
}

uint32_t state_hire(struct state *state)
{
	/* 0 is nobody's. */
	if (++state->workers == 0)
		state->workers = 1;
	state->head->worker = state->workers;
	return state->workers;
}

void state_bury(struct state *state)
{
	state->head->deaths = ++state->deaths;
}

void state_leave(struct state *state)
{
	if (state->head)
		munmap(state->head, state->bytes);
	if (state->results)
		munmap(state->results,
		       state->limits.queues * state->result_bytes);
	if (state->bytes && state->fd >= 0)
		close(state->fd);
	if (state->bytes && state->results_fd >= 0)
		close(state->results_fd);
	memset(state, 0, sizeof(*state));
}

void state_destroy(struct state *state)
{
	if (state->head)
		state_forget(state);
	state_leave(state);
}

uint8_t *state_result(const struct state *state, unsigned int queue)
{
	return state->results + queue * state->result_bytes;
}

void state_wipe_result(const struct state *state, unsigned int queue)
{
	(void)madvise(state_result(state, queue), state->result_bytes,
		      MADV_REMOVE);
}

static uint32_t bounded(const uint32_t *count, uint32_t entries)
{
	uint32_t now = __atomic_load_n(count, __ATOMIC_RELAXED);

	return CHECK(device_state_bound, now <= entries) ? now : entries;
}

uint32_t state_files(const struct state *state)
{
	return bounded(&state->head->file_count, state->limits.max_files);
}

uint32_t state_sessions(const struct state *state)
{
	return bounded(&state->head->session_count, state->limits.max_sessions);
}

/* Have zeros from `from` to `end`, though the counts say that there are: pages
 * that were never touched are not touched here. */
static void wipe_rest(const struct state *state, void *from, const void *end)
{
	off_t at = (uint8_t *)from - (uint8_t *)state->head;
	off_t bytes = (const uint8_t *)end - (uint8_t *)from;

	if (CHECK(device_state_rest, bytes == 0))
		return;
	if (fallocate(state->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
		      bytes))
		secret_wipe(from, (size_t)bytes);
}

void state_forget(struct state *state)
{
	uint32_t files = state_files(state), sessions = state_sessions(state);

	for (uint32_t i = 0; i < sessions; i++)
		state_end_session(&state->session[i]);
	for (uint32_t i = 0; i < files; i++)
		state_end_file(&state->file[i]);
	wipe_rest(state, &state->session[sessions],
		  &state->session[state->limits.max_sessions]);
	wipe_rest(state, &state->file[files],
		  &state->file[state->limits.max_files]);
	for (uint32_t i = 0; i < state->limits.queues; i++) {
		struct state_queue *queue = &state->queue[i];

		atomic_store(&queue->position, 0);
		secret_wipe(queue->slot, sizeof(queue->slot));
		state_wipe_result(state, i);
	}
	state->head->generation = 0;
}

/* Bits that an index needs, so that index + 1 fits below the uses. */
static unsigned int index_bits(uint32_t entries)
{
	unsigned int bits = 32 - (unsigned int)__builtin_clz(entries | 1);

	return bits < 31 ? bits : 31;
}

uint32_t state_next_id(uint32_t index, uint32_t entries, uint32_t *uses)
{
	unsigned int bits = index_bits(entries);

	(*uses)++;
	return *uses << bits | (index + 1);
}

/* The index that an id names, or UINT32_MAX. */
static uint32_t index_of(uint32_t id, uint32_t entries, uint32_t count)
{
	uint32_t index = id & ((UINT32_C(1) << index_bits(entries)) - 1);

	return index - 1 < count ? index - 1 : UINT32_MAX;
}

struct state_file *state_find_file(const struct state *state, uint32_t id)
{
	uint32_t index =
		index_of(id, state->limits.max_files, state_files(state));

	if (index == UINT32_MAX)
		return NULL;
	return CHECK(device_stale_file, state->file[index].id == id)
		       ? &state->file[index]
		       : NULL;
}

struct state_session *state_find_session(const struct state *state, uint32_t id)
{
	uint32_t index =
		index_of(id, state->limits.max_sessions, state_sessions(state));

	if (index == UINT32_MAX || state->session[index].id == 0)
		return NULL;
	return CHECK(device_stale_session, state->session[index].id == id)
		       ? &state->session[index]
		       : NULL;
}

void state_end_file(struct state_file *file)
{
	file->id = 0;
}

void state_end_session(struct state_session *session)
{
	uint32_t uses = session->uses;

	/* The keys before the id: whoever finds an id finds its keys. */
	secret_wipe(session->key, sizeof(session->key));
	secret_wipe(session->mac_key, sizeof(session->mac_key));
	secret_wipe(session, sizeof(*session));
	session->uses = uses;
}
