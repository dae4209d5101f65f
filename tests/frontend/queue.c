/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - the driver's end of a split virtqueue */
#include "frontend/frontend.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AVAIL_NO_CALL 1u
#define USED_NO_KICK  1u

static uint16_t load(const uint16_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *at, uint16_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static uint16_t *used_event(struct frontend_queue *q)
{
	return &q->avail[2 + q->size];
}

static uint16_t *avail_event(struct frontend_queue *q)
{
	return &q->used[2 + 4 * q->size];
}

void frontend_queue_clear(struct frontend_queue *q)
{
	memset(q->desc, 0, 16 * (size_t)q->size);
	memset(q->avail, 0, 6 + 2 * (size_t)q->size);
	memset(q->used, 0, 6 + 8 * (size_t)q->size);
	q->avail_idx = 0;
	q->kicked = 0;
	q->last_used = 0;
	q->free_head = 0;
	q->free_count = q->size;
	for (uint32_t i = 0; i < q->size; i++)
		q->next_free[i] = (uint16_t)(i + 1);
}

int frontend_queue_init(struct frontend *fe, unsigned int index, uint32_t size)
{
	struct frontend_queue *q = &fe->queue[index];

	q->fe = fe;
	q->index = index;
	q->size = size;
	q->has_event_idx = fe->features & VHOST_F_EVENT_IDX;
	q->desc_guest = frontend_alloc(fe, 16 * (uint64_t)size, 16);
	q->avail_guest = frontend_alloc(fe, 6 + 2 * (uint64_t)size, 2);
	q->used_guest = frontend_alloc(fe, 6 + 8 * (uint64_t)size, 4);
	if (!q->desc_guest || !q->avail_guest || !q->used_guest)
		return -ENOMEM;
	q->desc = frontend_at(fe, q->desc_guest);
	q->avail = frontend_at(fe, q->avail_guest);
	q->used = frontend_at(fe, q->used_guest);
	q->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->kick_fd < 0 || q->call_fd < 0 || q->err_fd < 0)
		return -errno;
	frontend_queue_clear(q);
	return 0;
}

int frontend_queue_set_addr(struct frontend_queue *q)
{
	struct vhost_ring_addresses a = {
		.index = q->index,
		.desc_user = frontend_user(q->fe, q->desc_guest),
		.avail_user = frontend_user(q->fe, q->avail_guest),
		.used_user = frontend_user(q->fe, q->used_guest),
	};

	return frontend_ask(q->fe, VHOST_SET_VRING_ADDR, &a, sizeof(a), NULL,
			    0);
}

int frontend_queue_set_fd(struct frontend_queue *q, uint32_t request, int fd)
{
	uint64_t value = q->index | (fd < 0 ? VHOST_RING_NO_FD : 0);

	return frontend_ask(q->fe, request, &value, sizeof(value), &fd,
			    fd < 0 ? 0 : 1);
}

int frontend_queue_start(struct frontend_queue *q, uint16_t base)
{
	struct frontend *fe = q->fe;
	int error =
		frontend_ask_ring(fe, VHOST_SET_VRING_NUM, q->index, q->size);

	if (!error)
		error = frontend_ask_ring(fe, VHOST_SET_VRING_BASE, q->index,
					  base);
	if (!error)
		error = frontend_queue_set_addr(q);
	if (!error)
		error = frontend_queue_set_fd(q, VHOST_SET_VRING_CALL,
					      q->call_fd);
	if (!error)
		error = frontend_queue_set_fd(q, VHOST_SET_VRING_ERR,
					      q->err_fd);
	if (!error)
		error = frontend_queue_set_fd(q, VHOST_SET_VRING_KICK,
					      q->kick_fd);
	if (!error && fe->features & VHOST_F_PROTOCOL_FEATURES)
		error = frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, q->index,
					  1);
	return error;
}

int frontend_queue_stop(struct frontend_queue *q, uint16_t *base)
{
	struct vhost_ring_word word = { .index = q->index };
	struct vhost_message reply;
	int error =
		frontend_ask_ring(q->fe, VHOST_SET_VRING_ENABLE, q->index, 0);

	if (!error)
		error = frontend_send(q->fe, VHOST_GET_VRING_BASE, 0, &word,
				      sizeof(word), NULL, 0);
	if (!error)
		error = frontend_receive(q->fe, &reply);
	if (error)
		return error;
	if (reply.header.request != VHOST_GET_VRING_BASE ||
	    reply.header.payload_bytes != sizeof(word) ||
	    reply.payload.ring_word.index != q->index)
		return -EPROTO;
	if (base)
		*base = (uint16_t)reply.payload.ring_word.value;
	return 0;
}

static void desc_fill(struct frontend_desc *d,
		      const struct frontend_piece *piece, bool has_next,
		      uint16_t next)
{
	d->addr = piece->guest_addr;
	d->bytes = piece->bytes;
	d->flags = (uint16_t)((piece->is_writable ? FRONTEND_DESC_WRITE : 0) |
			      (has_next ? FRONTEND_DESC_NEXT : 0));
	d->next = has_next ? next : 0;
}

/* The request as a table of its own, behind one descriptor. */
static void submit_indirect(struct frontend_queue *q, uint16_t head,
			    const struct frontend_piece *pieces,
			    unsigned int count, uint64_t table)
{
	uint8_t *to = frontend_at(q->fe, table);

	for (unsigned int i = 0; i < count; i++) {
		struct frontend_desc d;

		desc_fill(&d, &pieces[i], i + 1 < count, (uint16_t)(i + 1));
		memcpy(to + i * sizeof(d), &d, sizeof(d));
	}
	q->desc[head] = (struct frontend_desc){
		.addr = table,
		.bytes = (uint32_t)(count * sizeof(struct frontend_desc)),
		.flags = FRONTEND_DESC_INDIRECT,
	};
}

int frontend_submit(struct frontend_queue *q,
		    const struct frontend_piece *pieces, unsigned int count,
		    uint64_t table)
{
	unsigned int descs = table ? 1 : count;
	uint16_t head = q->free_head;
	uint16_t at = head;

	if (descs == 0 || descs > q->free_count)
		return -ENOSPC;
	if (table)
		submit_indirect(q, head, pieces, count, table);
	for (unsigned int i = 0; i < descs; i++) {
		uint16_t next = q->next_free[at];

		if (!table)
			desc_fill(&q->desc[at], &pieces[i], i + 1 < descs,
				  next);
		if (i + 1 < descs)
			at = next;
	}
	q->free_head = q->next_free[at];
	q->free_count -= descs;
	q->chain_descs[head] = (uint16_t)descs;
	frontend_make_available(q, head);
	return head;
}

void frontend_make_available(struct frontend_queue *q, uint16_t head)
{
	uint16_t *slot = &q->avail[2 + (q->avail_idx & (q->size - 1))];

	__atomic_store_n(slot, head, __ATOMIC_RELAXED);
	q->avail_idx++;
}

int frontend_kick_always(struct frontend_queue *q)
{
	const uint64_t one = 1;

	store(&q->avail[1], q->avail_idx);
	q->kicked = q->avail_idx;
	return write(q->kick_fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

int frontend_kick(struct frontend_queue *q)
{
	const uint64_t one = 1;
	uint16_t old = q->kicked;
	bool must_kick;

	store(&q->avail[1], q->avail_idx);
	/* avail.idx before the device's wish; pairs with vring_listen(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->has_event_idx) {
		uint16_t event = load(avail_event(q));

		must_kick = (uint16_t)(q->avail_idx - event - 1) <
			    (uint16_t)(q->avail_idx - old);
	} else {
		must_kick = !(load(&q->used[0]) & USED_NO_KICK);
	}
	q->kicked = q->avail_idx;
	if (!must_kick)
		return 0;
	return write(q->kick_fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static void chain_free(struct frontend_queue *q, uint16_t head)
{
	uint16_t count = q->chain_descs[head];
	uint16_t last = head;

	for (uint16_t i = 1; i < count; i++)
		last = q->next_free[last];
	q->next_free[last] = q->free_head;
	q->free_head = head;
	q->free_count += count;
	q->chain_descs[head] = 0;
}

int frontend_harvest(struct frontend_queue *q, struct frontend_used *used)
{
	const uint32_t *element;

	if (load(&q->used[1]) == q->last_used)
		return 0;
	element = (const uint32_t *)(const void *)&q->used[2] +
		  2 * (size_t)(q->last_used & (q->size - 1));
	used->head = __atomic_load_n(&element[0], __ATOMIC_RELAXED);
	used->bytes = __atomic_load_n(&element[1], __ATOMIC_RELAXED);
	q->last_used++;
	if (used->head >= q->size || q->chain_descs[used->head] == 0)
		return -EPROTO;
	chain_free(q, (uint16_t)used->head);
	return 1;
}

int frontend_wait_call(struct frontend_queue *q, int timeout_ms)
{
	uint64_t count;
	int got;

	if (q->has_event_idx)
		store(used_event(q), q->last_used);
	else
		store(&q->avail[0], 0);
	/* The wish before used.idx; pairs with vring_publish(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load(&q->used[1]) != q->last_used)
		return 1;
	got = frontend_await(q->fe, q->call_fd, timeout_ms);
	if (got <= 0)
		return got;
	if (read(q->call_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	return 1;
}

int frontend_wait(struct frontend_queue *q, struct frontend_used *used,
		  int timeout_ms)
{
	for (;;) {
		int got = frontend_harvest(q, used);

		if (got)
			return got;
		got = frontend_wait_call(q, timeout_ms);
		if (got <= 0)
			return got;
	}
}
