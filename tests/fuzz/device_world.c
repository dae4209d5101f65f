/* SPDX-License-Identifier: Apache-2.0 */
/* device_world.c - a device's engine and its deaths, in one thread
 *
 * How it works: two regions of guest memory, each in an allocation of its own
 * size, so that a sanitizer sees each byte too far; a copy of them tells what
 * has changed. Rings lie at the start of the first region, requests behind and
 * on into the second. A worker's death is a long jump out of the engine; the
 * next engine then goes on from the state as queue_start() does.
 */
#include "fuzz/device_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define STRIKE_WITHIN 0x2000u

struct world w;

uint8_t world_random(void)
{
	w.random ^= w.random << 13;
	w.random ^= w.random >> 7;
	w.random ^= w.random << 17;
	return (uint8_t)(w.random >> 32);
}

/* --- guest memory ------------------------------------------------------ */

uint8_t *guest_at(uint64_t guest_addr)
{
	uint64_t offset = guest_addr - GUEST_START;

	demand(offset < (uint64_t)REGIONS * REGION_BYTES);
	return w.memory.map[offset / REGION_BYTES].host + offset % REGION_BYTES;
}

uint64_t world_ring(unsigned int queue)
{
	return GUEST_START + (uint64_t)queue * RING_BYTES;
}

static void allow(const uint8_t *host, size_t bytes)
{
	for (unsigned int i = 0; i < REGIONS; i++) {
		uintptr_t offset =
			(uintptr_t)host - (uintptr_t)w.memory.map[i].host;

		if (offset < REGION_BYTES) {
			demand(bytes <= REGION_BYTES - offset);
			memset(w.may_change[i] + offset, 1, bytes);
			return;
		}
	}
	abort(); /* a piece outside of guest memory */
}

void world_snapshot(void)
{
	for (unsigned int i = 0; i < REGIONS; i++) {
		memcpy(w.was[i], w.memory.map[i].host, REGION_BYTES);
		memset(w.may_change[i], 0, REGION_BYTES);
	}
	/* The used ring with the wish for kicks. */
	allow(guest_at(world_ring(w.queue) + USED_AT), 6 + 8 * RING);
}

/* No byte has changed that the chain did not offer. */
void world_check_memory(void)
{
	for (unsigned int i = 0; i < REGIONS; i++) {
		const uint8_t *now = w.memory.map[i].host;

		for (unsigned int n = 0; n < REGION_BYTES; n++) {
			if (n % 64 == 0 && !memcmp(now + n, w.was[i] + n, 64))
				n += 63;
			else
				demand(now[n] == w.was[i][n] ||
				       w.may_change[i][n]);
		}
	}
}

static void allow_chain(const struct vring_chain *chain)
{
	for (unsigned int i = 0; i < chain->writable_count; i++) {
		const struct iovec *piece =
			&chain->pieces[chain->readable_count + i];

		allow(piece->iov_base, piece->iov_len);
	}
}

/* --- strikes and deaths ------------------------------------------------ */

void world_strike(const struct world_strike *strike)
{
	if (w.strike_count < STRIKES_MAX)
		w.strike[w.strike_count++] = *strike;
}

void world_die_at(unsigned int moment)
{
	w.death = moment;
}

static void strike(const struct world_strike *s)
{
	const uint64_t places[WORLD_PLACES] = {
		[WORLD_READABLE] = w.readable,
		[WORLD_WRITABLE] = w.writable,
		[WORLD_DESCRIPTORS] = w.table,
		[WORLD_RING] = world_ring(w.queue),
	};
	uint64_t addr =
		places[s->where] +
		s->offset %
			(s->where == WORLD_DESCRIPTORS ? 256u : STRIKE_WITHIN);
	uint64_t offset = addr - GUEST_START;

	if (offset >= (uint64_t)REGIONS * REGION_BYTES)
		return;
	*guest_at(addr) ^= s->flip;
	w.was[offset / REGION_BYTES][offset % REGION_BYTES] ^= s->flip;
	/* Any byte may be the answer's, if only the source was meant. */
	w.is_struck = true;
}

void world_strike_all(unsigned int moment)
{
	for (unsigned int i = 0; i < w.strike_count; i++)
		if (w.strike[i].moment == moment)
			strike(&w.strike[i]);
}

static void at_moment(unsigned int queue, enum journal_moment moment)
{
	demand(queue == w.queue);
	world_strike_all(moment);
	if (w.death != (unsigned int)moment)
		return;
	w.death = MOMENTS;
	longjmp(w.grave, 1);
}

/* --- the worker -------------------------------------------------------- */

static void worker_start(void)
{
	demand(engine_init(&w.engine, &w.state, w.provider, ++w.worker) == 0);
	engine_take_over(&w.engine);
	w.engine.at_moment = at_moment;
}

/* As the attach() of queue.c. */
static void line_attach(unsigned int queue)
{
	struct line *line = &w.line[queue];
	struct state_queue *kept = &w.state.queue[queue];
	struct vring_position position;

	demand(vring_attach(&line->ring, &line->layout,
			    VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC,
			    &w.memory, 0) == 0);
	if (!journal_resume(&line->journal, kept, 1)) {
		journal_reset(&line->journal, kept, 1, line->ring.next_avail,
			      line->ring.next_used);
		return;
	}
	position.next_avail = line->journal.next_avail;
	position.next_used = line->journal.next_used;
	position.published = line->journal.next_used;
	vring_set_position(&line->ring, &position);
	for (unsigned int i = 0; i < line->journal.count; i++)
		demand(vring_adopt(&line->ring,
				   journal_slot(&line->journal, i)->head) == 0);
}

/* A ring as it was made. */
void world_reset_ring(unsigned int queue)
{
	struct line *line = &w.line[queue];

	memset(guest_at(world_ring(queue)), 0, RING_BYTES);
	memset(w.was[0] + queue * RING_BYTES, 0, RING_BYTES);
	line->avail_idx = 0;
	line->last_used = 0;
	journal_forget(&w.state.queue[queue]);
	line_attach(queue);
}

static void publish(struct line *line)
{
	struct engine_lane *lane = &w.engine.lane[w.queue];

	for (unsigned int i = 0; i < line->journal.count; i++) {
		const struct state_slot *slot = journal_slot(&line->journal, i);

		demand(slot->phase == SLOT_COMMITTED);
		vring_return(&line->ring, slot->head, slot->used_bytes);
	}
	engine_moment(lane, MOMENT_RETURNED);
	(void)vring_publish(&line->ring);
	engine_moment(lane, MOMENT_PUBLISHED);
	journal_settle(&line->journal);
	engine_moment(lane, MOMENT_SETTLED);
}

/* Whether the window of a dead worker could be finished. */
static bool finish_window(struct line *line)
{
	for (unsigned int i = 0; i < line->journal.count; i++) {
		struct state_slot *slot = journal_slot(&line->journal, i);

		if (slot->phase == SLOT_COMMITTED)
			continue;
		if (vring_walk(&line->ring, slot->head, &w.chain) != 1) {
			state_wipe_result(&w.state, w.queue);
			return false;
		}
		allow_chain(&w.chain);
		engine_enter(&w.engine.lane[w.queue]);
		(void)engine_execute(&w.engine.lane[w.queue], slot, &w.chain);
		engine_leave(&w.engine.lane[w.queue]);
	}
	publish(line);
	return true;
}

/* Whether the ring is sound still. */
static bool serve(struct line *line)
{
	struct engine_lane *lane = &w.engine.lane[w.queue];

	for (unsigned int i = 0; i < TAKES_MAX; i++) {
		int got = vring_take(&line->ring, &w.chain);
		struct state_slot *slot;

		if (got <= 0)
			return got == 0;
		allow_chain(&w.chain);
		engine_moment(lane, MOMENT_TAKEN);
		slot = journal_begin(&line->journal, w.chain.head,
				     line->ring.next_avail);
		engine_enter(lane);
		(void)engine_execute(lane, slot, &w.chain);
		engine_leave(lane);
		publish(line);
	}
	return true;
}

/* Serve through all deaths. Whether the ring is sound. */
bool world_serve(void)
{
	struct line *line = &w.line[w.queue];

	if (setjmp(w.grave)) {
		engine_deinit(&w.engine);
		worker_start();
		line_attach(w.queue);
	}
	return finish_window(line) && serve(line);
}

/* --- what must be ------------------------------------------------------ */

static bool is_zero(const void *bytes, size_t count)
{
	const uint8_t *b = bytes;

	return b[0] == 0 && memcmp(b, b + 1, count - 1) == 0;
}

static void check_session(uint32_t index)
{
	const struct state_session *s = &w.state.session[index];
	bool is_used = w.engine.sessions.used[0] >> index & 1;

	demand(is_used == (s->id != 0));
	if (s->id) {
		demand(s->key_bytes <= sizeof(s->key));
		demand(s->mac_key_bytes <= sizeof(s->mac_key));
		demand(s->queue < QUEUES && s->row < COUNTERS_ROWS_MAX);
		demand(state_find_file(&w.state, s->file_id) != NULL);
		demand(s->hash_worker <= w.worker);
		return;
	}
	/* It has ended: its keys with it. */
	demand(!w.engine.crypto[index].session);
	demand(is_zero(s->key, sizeof(s->key)) &&
	       is_zero(s->mac_key, sizeof(s->mac_key)) &&
	       is_zero(s->iv, sizeof(s->iv)) && s->key_bytes == 0);
}

void world_check_tables(void)
{
	const struct state_head *head = w.state.head;

	demand(head->file_count <= FILES && head->session_count <= SESSIONS);
	for (uint32_t i = 0; i < SESSIONS; i++)
		check_session(i);
	for (uint32_t i = 0; i < FILES; i++)
		demand((w.engine.files.used[0] >> i & 1) ==
		       (w.state.file[i].id != 0));
	/* Requests that overlap leave nothing behind. */
	for (unsigned int i = 0; i < QUEUES; i++)
		demand(is_zero(state_result(&w.state, i),
			       w.state.result_bytes) &&
		       is_zero(w.engine.lane[i].scratch, w.state.result_bytes));
}

/* --- the whole --------------------------------------------------------- */

static void world_make(void)
{
	static const struct state_limits limits = {
		.queues = QUEUES,
		.max_files = FILES,
		.max_sessions = SESSIONS,
		.max_request_bytes = REQUEST_MAX,
	};

	log_init("fuzz", LOG_LEVEL_ERROR);
	w.random = 1;
	for (size_t i = 0; i < sizeof(w.noise); i++)
		w.noise[i] = world_random();
	demand(state_create(&w.state, &limits) == 0);
	demand(cryptsess_provider_open(&w.provider, "openssl", NULL, 0) == 0);
	w.memory.count = REGIONS;
	for (unsigned int i = 0; i < REGIONS; i++) {
		w.was[i] = malloc(REGION_BYTES);
		w.may_change[i] = malloc(REGION_BYTES);
		w.memory.map[i] = (struct guest_mapping){
			.guest_addr = GUEST_START + (uint64_t)i * REGION_BYTES,
			.user_addr = GUEST_START + (uint64_t)i * REGION_BYTES,
			.bytes = REGION_BYTES,
			.host = malloc(REGION_BYTES),
		};
		demand(w.was[i] && w.may_change[i] && w.memory.map[i].host);
	}
	for (unsigned int i = 0; i < QUEUES; i++)
		w.line[i].layout = (struct vring_layout){
			.size = RING,
			.desc_user = world_ring(i),
			.avail_user = world_ring(i) + AVAIL_AT,
			.used_user = world_ring(i) + USED_AT,
		};
}

void world_restart_rings(void)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		world_reset_ring(i);
}

void world_init(void)
{
	if (!w.provider)
		world_make();
	w.random = 0x9e3779b97f4a7c15;
	w.strike_count = 0;
	w.death = MOMENTS;
	w.worker = 0;
	for (unsigned int i = 0; i < REGIONS; i++)
		memset(w.memory.map[i].host, 0, REGION_BYTES);
	worker_start();
	world_restart_rings();
}

/* A worker does not outlive its front end. */
void world_forget(void)
{
	engine_deinit(&w.engine);
	state_forget(&w.state);
	for (uint32_t i = 0; i < SESSIONS; i++)
		demand(is_zero(w.state.session[i].key, VCD_MAX_KEY_BYTES));
	worker_start();
	world_restart_rings();
}

void world_end(void)
{
	engine_deinit(&w.engine);
	state_forget(&w.state);
}
