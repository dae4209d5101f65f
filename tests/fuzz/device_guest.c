/* SPDX-License-Identifier: Apache-2.0 */
/* device_guest.c - requests as a driver lays them, and what must come back */
#include <endian.h>
#include <string.h>

#include "fuzz/device_inner.h"

#define PIECES_MAX 56u /* of each side */
#define FILL       16u /* bytes that no answer has by chance */

struct desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

/* The pieces of one request, still in the driver. */
struct draft {
	struct desc desc[2 * PIECES_MAX];
	unsigned int count;
};

/* Cut [addr, addr + bytes) in one of four manners. */
static void cut(struct draft *draft, unsigned int limit, uint64_t addr,
		uint64_t bytes, unsigned int manner, bool is_writable)
{
	while (bytes > 0 && draft->count < limit) {
		uint64_t here = bytes;

		if (manner == 1)
			here = 1;
		else if (manner == 2)
			here = 1 + world_random() % 97;
		else if (manner == 3)
			here = 1 + bytes / 2;
		if (here > bytes || draft->count + 1 == limit)
			here = bytes;
		draft->desc[draft->count++] = (struct desc){
			.addr = addr,
			.bytes = (uint32_t)here,
			.flags = is_writable ? 2 : 0,
		};
		addr += here;
		bytes -= here;
	}
}

/* Take room, with a gap that nobody may touch behind it. */
static uint64_t arena_take(uint64_t *bytes)
{
	uint64_t start = w.arena;
	uint64_t left = ARENA_END - start;

	if (*bytes > left / 2)
		*bytes = left / 2;
	w.arena += *bytes + 7;
	return start;
}

/* Copy to and from guest memory, over the border of the regions. */
static void copy(uint64_t addr, uint8_t *bytes, size_t count, bool to_guest)
{
	while (count > 0) {
		size_t here =
			REGION_BYTES - (addr - GUEST_START) % REGION_BYTES;

		here = here < count ? here : count;
		if (to_guest)
			memcpy(guest_at(addr), bytes, here);
		else
			memcpy(bytes, guest_at(addr), here);
		addr += here;
		bytes += here;
		count -= here;
	}
}

static void store(uint64_t addr, const void *from, size_t bytes)
{
	copy(addr, (uint8_t *)(uintptr_t)from, bytes, true);
}

static void fill_parts(const struct world_request *r, uint64_t addr,
		       uint64_t bytes)
{
	size_t here = r->data_bytes < bytes ? r->data_bytes : bytes;

	store(addr, r->data, here);
	store(addr + here, w.noise, bytes - here);
}

/* Header, parameters and parts. */
static void draft_readable(const struct world_request *r, struct draft *draft)
{
	uint64_t fixed = sizeof(r->header) + r->params_bytes;
	uint64_t bytes = fixed + r->in_bytes;

	w.readable = arena_take(&bytes);
	cut(draft, PIECES_MAX, w.readable, bytes, r->pieces, false);
	if (bytes > fixed)
		fill_parts(r, w.readable + fixed, bytes - fixed);
	store(w.readable, &r->header,
	      bytes < sizeof(r->header) ? bytes : sizeof(r->header));
	if (bytes >= fixed)
		store(w.readable + sizeof(r->header), r->params,
		      r->params_bytes);
}

/* Not the same for every request: the fuzzer learns what it is compared with,
 * and some parts are answered as they were sent. */
static void draw_pattern(const struct world_request *r, uint64_t bytes)
{
	uint64_t seed = 0xcbf29ce484222325;

	for (size_t i = 0; i < r->data_bytes; i++)
		seed = (seed ^ r->data[i]) * 0x100000001b3;
	for (uint64_t i = 0; i < bytes; i += sizeof(seed)) {
		seed = seed * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
		memcpy(w.pattern + i, &seed, sizeof(seed));
	}
}

/* Answer and parts; or the parts over the source, a little shifted. */
static uint64_t draft_writable(const struct world_request *r,
			       struct draft *draft)
{
	uint64_t bytes = r->answer_bytes;
	uint64_t parts = r->out_bytes;
	uint64_t over = w.readable + sizeof(r->header) + r->params_bytes +
			r->source_at + r->pieces * 5;

	if (!r->is_in_place || over + parts > w.arena ||
	    bytes < sizeof(struct vcd_reply)) {
		bytes += parts;
		parts = 0;
	}
	w.writable = arena_take(&bytes);
	draw_pattern(r, bytes);
	store(w.writable, w.pattern, bytes);
	cut(draft, 2 * PIECES_MAX - 4, w.writable, bytes, r->pieces, true);
	if (parts > 0)
		cut(draft, 2 * PIECES_MAX, over, parts, 0, true);
	return bytes + parts;
}

static uint16_t post(const struct world_request *r, struct draft *draft)
{
	uint64_t start = world_ring(r->queue);
	struct line *line = &w.line[r->queue];
	uint16_t head = r->is_indirect ? 77 : world_random() % 8;
	uint16_t first = r->is_indirect ? 0 : head;
	struct desc table = { .addr = start + TABLE_AT,
			      .bytes = 16 * draft->count,
			      .flags = 4 };

	w.table = start + (r->is_indirect ? TABLE_AT : 0);
	for (unsigned int i = 0; i < draft->count; i++) {
		struct desc *d = &draft->desc[i];

		d->next = (uint16_t)(first + i + 1);
		d->flags |= i + 1 < draft->count ? 1 : 0;
		store(w.table + 16 * (uint64_t)(first + i), d, sizeof(*d));
	}
	if (r->is_indirect)
		store(start + 16 * (uint64_t)head, &table, sizeof(table));
	store(start + AVAIL_AT + 4 + 2 * (line->avail_idx % RING), &head, 2);
	line->avail_idx++;
	store(start + AVAIL_AT + 2, &line->avail_idx, 2);
	return head;
}

/* Every writable byte was written: the pattern is nowhere whole. */
static void check_written(uint64_t bytes)
{
	static uint8_t now[REGIONS * REGION_BYTES];

	copy(w.writable, now, bytes, false);
	for (uint64_t i = 0; i + FILL <= bytes; i += FILL)
		demand(memcmp(now + i, w.pattern + i, FILL) != 0);
}

static void check_answer(struct world_request *r, uint16_t head,
			 uint64_t writable_bytes)
{
	uint64_t used = world_ring(r->queue) + USED_AT;
	struct line *line = &w.line[r->queue];
	struct vcd_reply reply;
	uint32_t element[2];
	uint16_t idx;

	memcpy(&idx, guest_at(used + 2), 2);
	demand((uint16_t)(idx - line->last_used) == 1);
	memcpy(element, guest_at(used + 4 + 8 * (line->last_used % RING)), 8);
	line->last_used = idx;
	demand(element[0] == head);
	if (writable_bytes < sizeof(reply)) {
		demand(element[1] == 0);
		return;
	}
	/* Behind it lie parts, or what comes behind the request. */
	copy(w.writable, r->answer,
	     sizeof(r->answer) < ARENA_END - w.writable
		     ? sizeof(r->answer)
		     : ARENA_END - w.writable,
	     false);
	memcpy(&reply, r->answer, sizeof(reply));
	demand(reply.status < VCD_STATUSES);
	if (reply.status != VCD_STATUS_OK) {
		demand(element[1] == sizeof(reply));
		demand(reply.flags == 0 && reply.result_bytes == 0 &&
		       reply.value == 0);
		return;
	}
	demand(element[1] == writable_bytes);
	demand(r->op < VCD_OPS && r->op > 0 && !r->header.reserved);
	demand(reply.result_bytes <= writable_bytes - r->answer_bytes);
	r->is_ok = true;
}

void world_send(struct world_request *r)
{
	static struct draft draft;
	uint64_t writable_bytes;
	bool is_sound;
	uint16_t head;

	w.queue = r->queue;
	w.is_struck = false;
	w.arena = ARENA;
	draft.count = 0;
	draft_readable(r, &draft);
	writable_bytes = draft_writable(r, &draft);
	if (draft.count == 0)
		return;
	head = post(r, &draft);
	world_snapshot();
	world_strike_all(MOMENTS);
	is_sound = world_serve();
	world_check_memory();
	world_check_tables();
	demand(is_sound || w.is_struck);
	if (!w.is_struck) {
		check_answer(r, head, writable_bytes);
		if (r->is_ok && !r->is_in_place)
			check_written(writable_bytes);
	} else {
		world_reset_ring(w.queue);
	}
	w.strike_count = 0;
	w.death = MOMENTS;
}
