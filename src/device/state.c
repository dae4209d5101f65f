/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what outlives a worker: sessions, journal, counters */
#include "device/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mutant.h"
#include "base/secret.h"

#define STATE_ALIGN 64u

/* The largest answer's bytes beside its destination: the op's structure,
 * digest or tag, IV, TLS padding. */
#define ANSWER_EXTRA_BYTES 1024u

_Static_assert(sizeof(struct state_head) <= STATE_ALIGN, "state_head");

static size_t room(size_t *total, size_t count, size_t bytes)
{
	size_t at = *total;

	*total += (count * bytes + STATE_ALIGN - 1) & ~(STATE_ALIGN - 1);
	return at;
}

/* Map a new file of that size for good; it can be neither cut nor grown. */
static void *file_map(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *base = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)bytes) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		    0) {
		base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0);
		if (base == MAP_FAILED)
			base = NULL;
	}
	close(fd);
	if (base && madvise(base, bytes, MADV_DONTDUMP)) {
		munmap(base, bytes);
		return NULL;
	}
	return base;
}

int state_create(struct state *state, const struct state_limits *limits)
{
	size_t total = STATE_ALIGN; /* the head */
	size_t queue_at =
		room(&total, limits->queues, sizeof(struct state_queue));
	size_t file_at =
		room(&total, limits->max_files, sizeof(struct state_file));
	size_t session_at = room(&total, limits->max_sessions,
				 sizeof(struct state_session));
	uint8_t *base;

	memset(state, 0, sizeof(*state));
	state->limits = *limits;
	state->bytes = total;
	state->result_bytes = ((size_t)limits->max_request_bytes +
			       ANSWER_EXTRA_BYTES + 4095) &
			      ~(size_t)4095;
	base = file_map("cryptodev-state", total);
	state->results = file_map("cryptodev-results",
				  limits->queues * state->result_bytes);
	if (!base || !state->results)
		goto failed;
	state->head = (void *)base;
	/* Pages are locked as they come into use: tables are mostly empty. */
	if (mlock2(base, total, MLOCK_ONFAULT))
		goto failed;
	state->queue = (void *)(base + queue_at);
	state->file = (void *)(base + file_at);
	state->session = (void *)(base + session_at);
	return 0;
failed:
	if (base)
		state->head = (void *)base;
	state_destroy(state);
	return -ENOMEM;
}

void state_destroy(struct state *state)
{
	if (state->head) {
		if (state->session)
			state_forget(state);
		munmap(state->head, state->bytes);
	}
	if (state->results)
		munmap(state->results,
		       state->limits.queues * state->result_bytes);
	memset(state, 0, sizeof(*state));
}

uint8_t *state_result(const struct state *state, unsigned int queue)
{
	return state->results + queue * state->result_bytes;
}

void state_forget(struct state *state)
{
	struct state_head *head = state->head;

	for (uint32_t i = 0; i < head->session_count; i++)
		state_end_session(&state->session[i]);
	for (uint32_t i = 0; i < head->file_count; i++)
		state_end_file(&state->file[i]);
	for (uint32_t i = 0; i < state->limits.queues; i++) {
		struct state_queue *queue = &state->queue[i];

		atomic_store(&queue->position, 0);
		secret_wipe(queue->slot, sizeof(queue->slot));
	}
	/* Gives the pages back, so that payload does not stay either. */
	(void)madvise(state->results,
		      state->limits.queues * state->result_bytes, MADV_REMOVE);
	head->generation = 0;
}

/* Bits that an index needs, so that index + 1 fits below the uses. */
static unsigned int index_bits(uint32_t entries)
{
	unsigned int bits = 1;

	while (bits < 31 && UINT32_C(1) << bits <= entries)
		bits++;
	return bits;
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
		index_of(id, state->limits.max_files, state->head->file_count);

	if (index == UINT32_MAX)
		return NULL;
	return CHECK(device_stale_file, state->file[index].id == id)
		       ? &state->file[index]
		       : NULL;
}

struct state_session *state_find_session(const struct state *state, uint32_t id)
{
	uint32_t index = index_of(id, state->limits.max_sessions,
				  state->head->session_count);

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
