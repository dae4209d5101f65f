/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - many requests in flight, each checked to the byte */
#include "device/load.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* At most what may pass between two turns; more was the caller's. */
#define TURN_NS UINT64_C(1000000000)

static const uint8_t key[16] = { 1, 2, 3, 4 };

#define FRONT_BYTES (sizeof(struct vcd_request) + sizeof(struct vcd_crypt))

/* Memory for one piece. */
static uint8_t *piece_make(struct load *load, struct frontend_piece *piece,
			   uint32_t bytes, bool is_writable)
{
	uint64_t at = frontend_alloc(&load->driver->fe, bytes, 1);

	*piece = (struct frontend_piece){ at, bytes, is_writable };
	return at ? frontend_at(&load->driver->fe, at) : NULL;
}

static int slot_init(struct load *load, struct load_slot *slot, bool in_place)
{
	slot->head = -1;
	slot->request = piece_make(load, &slot->piece[0], FRONT_BYTES, false);
	slot->source = piece_make(load, &slot->piece[1], LOAD_BYTES, false);
	slot->reply = piece_make(load, &slot->piece[2],
				 sizeof(struct vcd_reply), true);
	if (in_place) {
		slot->piece[3] = slot->piece[1];
		slot->piece[3].is_writable = true;
		slot->destination = slot->source;
	} else {
		slot->destination =
			piece_make(load, &slot->piece[3], LOAD_BYTES, true);
	}
	return slot->destination ? 0 : -ENOMEM;
}

static int queue_init(struct load *load, unsigned int index)
{
	const struct driver_key device_key = { .cipher = CRYPTSESS_AES_CBC,
					       .key = key,
					       .key_bytes = sizeof(key) };
	const struct cryptsess_params params = { .cipher = CRYPTSESS_AES_CBC,
						 .key = key,
						 .key_bytes = sizeof(key) };
	struct load_queue *q = &load->queue[index];
	struct vcd_session_reply reply;
	int error = 0;

	if (driver_session_open(load->driver, index, load->file, &device_key,
				&reply) != VCD_STATUS_OK)
		return -EPROTO;
	q->session = reply.session_id;
	error = cryptsess_open(&q->reference, load->provider, &params);
	for (unsigned int i = 0; !error && i < LOAD_DEPTH; i++)
		error = slot_init(load, &q->slot[i], index & 1);
	return error;
}

int load_init(struct load *load, struct driver *driver)
{
	enum vcd_status status;
	int error;

	memset(load, 0, sizeof(*load));
	load->driver = driver;
	error = cryptsess_provider_open(&load->provider, "openssl", NULL, 0);
	if (error)
		return error;
	load->file = driver_open(driver, 0, &status);
	/* Sessions first: they rewind the arena behind them. */
	for (unsigned int i = 0; !error && i < driver->queues; i++) {
		error = queue_init(load, i);
		driver->arena_start = driver->fe.arena_used;
	}
	return error;
}

void load_deinit(struct load *load)
{
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		cryptsess_close(load->queue[i].reference);
	cryptsess_provider_close(load->provider);
	memset(load, 0, sizeof(*load));
}

/* What the session of this process makes of the same source. */
static int expect(struct load_queue *q, struct load_slot *slot)
{
	struct iovec src = { slot->source, LOAD_BYTES };
	struct iovec dst = { slot->expected, LOAD_BYTES };
	struct cryptsess_crypt op = { .payload_bytes = LOAD_BYTES,
				      .src = &src,
				      .src_count = 1,
				      .dst = &dst,
				      .dst_count = 1 };

	return cryptsess_crypt(q->reference, &op);
}

static int launch(struct load *load, unsigned int index, struct load_slot *slot)
{
	struct driver *d = load->driver;
	struct load_queue *q = &load->queue[index];
	const struct vcd_request request = {
		.op = htole32(VCD_OP_CRYPT),
		.generation = htole64(d->generation),
		.file_id = htole32(load->file),
		.session_id = htole32(q->session),
	};
	const struct vcd_crypt params = {
		.payload_bytes = htole32(LOAD_BYTES),
		.dst_bytes = htole32(LOAD_BYTES),
	};
	int error;

	memcpy(slot->request, &request, sizeof(request));
	memcpy(slot->request + sizeof(request), &params, sizeof(params));
	for (size_t i = 0; i + 8 <= LOAD_BYTES; i += 512) {
		uint64_t word = load->launched * 77 + i;

		memcpy(slot->source + i, &word, sizeof(word));
	}
	memset(slot->reply, 0xff, sizeof(struct vcd_reply));
	error = expect(q, slot);
	if (error)
		return error;
	slot->head = frontend_submit(&d->fe.queue[index], slot->piece, 4, 0);
	if (slot->head < 0)
		return slot->head;
	q->in_flight++;
	load->launched++;
	return 0;
}

static struct load_slot *slot_of(struct load_queue *q, uint32_t head)
{
	for (unsigned int i = 0; i < LOAD_DEPTH; i++)
		if (q->slot[i].head == (int)head)
			return &q->slot[i];
	return NULL;
}

static int land(struct load *load, unsigned int index,
		const struct frontend_used *used)
{
	struct load_queue *q = &load->queue[index];
	struct load_slot *slot = slot_of(q, used->head);
	struct vcd_reply reply;

	if (!slot) {
		fprintf(stderr, "queue %u: head %u is not in flight\n", index,
			used->head);
		return -EPROTO;
	}
	memcpy(&reply, slot->reply, sizeof(reply));
	if (reply.status || used->bytes != sizeof(reply) + LOAD_BYTES ||
	    memcmp(slot->destination, slot->expected, LOAD_BYTES)) {
		fprintf(stderr, "queue %u: status %u, %u bytes, answer %llu\n",
			index, le32toh(reply.status), used->bytes,
			(unsigned long long)load->answered);
		return -EPROTO;
	}
	slot->head = -1;
	q->in_flight--;
	q->answered++;
	q->silent_ns = 0;
	load->answered++;
	return 0;
}

static int harvest(struct load *load, unsigned int index)
{
	struct frontend_used used;
	int got;

	while ((got = frontend_harvest(&load->driver->fe.queue[index],
				       &used)) == 1) {
		int error = land(load, index, &used);

		if (error)
			return error;
	}
	if (got < 0)
		fprintf(stderr, "queue %u: %s\n", index, strerror(-got));
	return got;
}

/* The connection may be gone, which the rings do not tell. */
static int count_silence(struct load_queue *q, uint64_t passed_ns)
{
	q->silent_ns += passed_ns < TURN_NS ? passed_ns : TURN_NS;
	if (q->silent_ns <= FRONTEND_WAIT_MS * UINT64_C(1000000))
		return 0;
	fprintf(stderr, "no answer in %d ms\n", FRONTEND_WAIT_MS);
	return -ETIMEDOUT;
}

int load_turn(struct load *load)
{
	uint64_t now_ns = clock_now_ns(), passed_ns = now_ns - load->turn_ns;
	int error = 0;

	load->turn_ns = now_ns;
	for (unsigned int i = 0; !error && i < load->driver->queues; i++) {
		struct load_queue *q = &load->queue[i];
		bool is_new = false;

		error = count_silence(q, passed_ns);
		if (!error)
			error = harvest(load, i);
		for (unsigned int k = 0; !error && k < LOAD_DEPTH; k++)
			if (q->slot[k].head < 0) {
				error = launch(load, i, &q->slot[k]);
				is_new = true;
			}
		if (!error && is_new)
			error = frontend_kick(&load->driver->fe.queue[i]);
	}
	return error;
}

int load_drain(struct load *load)
{
	for (unsigned int i = 0; i < load->driver->queues; i++) {
		struct load_queue *q = &load->queue[i];

		while (q->in_flight) {
			struct frontend_used used;
			int got = frontend_wait(&load->driver->fe.queue[i],
						&used, FRONTEND_WAIT_MS);
			int error = got == 1 ? land(load, i, &used)
				    : got    ? got
					     : -ETIMEDOUT;

			if (error)
				return error;
		}
	}
	return 0;
}
