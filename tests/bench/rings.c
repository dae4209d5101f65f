/* SPDX-License-Identifier: Apache-2.0 */
/* rings.c - keep a device's rings full of one kind of request */
#include "bench/rings.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

uint64_t rings_thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Time on a CPU of all threads of the worker. */
static uint64_t worker_cpu_ns(const struct driver *d)
{
	pid_t worker = driver_worker(d);
	struct dirent *entry;
	uint64_t sum = 0;
	char path[320];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)worker);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		uint64_t ns;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
			 (int)worker, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (file && fscanf(file, "%" SCNu64, &ns) == 1)
			sum += ns;
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* --- requests ---------------------------------------------------------- */

/* The readable bytes before the payload. */
static uint32_t front_build(uint8_t *to, const struct driver *d, uint32_t file,
			    uint32_t session, const struct bench_algorithm *a,
			    uint32_t bytes)
{
	struct vcd_request request = {
		.op = htole32(VCD_OP_PING),
		.generation = htole64(d->generation),
	};
	struct vcd_crypt crypt = {
		.payload_bytes = htole32(bytes),
		.iv_bytes = htole32(a ? a->iv_bytes : 0),
		.dst_bytes = htole32(a && a->cipher ? bytes : 0),
		.digest_bytes = htole32(a ? a->extra_bytes : 0),
	};
	struct vcd_authcrypt auth = {
		.payload_bytes = htole32(bytes),
		.iv_bytes = htole32(a ? a->iv_bytes : 0),
		.dst_bytes = htole32(bytes + (a ? a->extra_bytes : 0)),
	};
	bool is_aead = a && a->cipher && a->extra_bytes;
	uint32_t at = sizeof(request);

	if (a) {
		request.op = htole32(is_aead ? VCD_OP_AUTHCRYPT : VCD_OP_CRYPT);
		request.file_id = htole32(file);
		request.session_id = htole32(session);
	}
	memcpy(to, &request, sizeof(request));
	if (!a)
		return at;
	if (is_aead) {
		memcpy(to + at, &auth, sizeof(auth));
		at += sizeof(auth);
	} else {
		memcpy(to + at, &crypt, sizeof(crypt));
		at += sizeof(crypt);
	}
	memcpy(to + at, bench_iv, a->iv_bytes);
	return at + a->iv_bytes;
}

static uint8_t *piece_make(struct rings *r, struct rings_slot *slot,
			   uint32_t bytes, bool is_writable)
{
	struct frontend *fe = &r->driver->fe;
	uint64_t at = frontend_alloc(fe, bytes, 64);

	slot->piece[slot->pieces++] =
		(struct frontend_piece){ at, bytes, is_writable };
	return at ? frontend_at(fe, at) : NULL;
}

/* Header, payload; reply, destination. */
static int slot_init(struct rings *r, struct rings_slot *slot, uint32_t session,
		     const struct bench_algorithm *a, uint32_t bytes)
{
	uint8_t front[256], *at;
	uint32_t front_bytes =
		front_build(front, r->driver, r->file, session, a, bytes);

	at = piece_make(r, slot, front_bytes, false);
	if (!at)
		return -ENOMEM;
	memcpy(at, front, front_bytes);
	if (a) {
		slot->source = piece_make(r, slot, bytes, false);
		if (!slot->source)
			return -ENOMEM;
		memset(slot->source, 0x5a, bytes);
	}
	if (!piece_make(r, slot, sizeof(struct vcd_reply), true))
		return -ENOMEM;
	if (a) {
		slot->destination = piece_make(
			r, slot, (a->cipher ? bytes : 0) + a->extra_bytes,
			true);
		if (!slot->destination)
			return -ENOMEM;
	}
	slot->table = frontend_alloc(&r->driver->fe, 64, 64);
	return slot->table ? 0 : -ENOMEM;
}

static int session_open(struct rings *r, unsigned int queue,
			const struct bench_algorithm *a, uint32_t *session)
{
	const struct driver_key key = {
		.cipher = a->cipher,
		.mac = a->mac,
		.key = bench_key,
		.key_bytes = a->cipher ? a->key_bytes : 0,
		.mac_key = bench_key,
		.mac_key_bytes = a->cipher ? 0 : a->key_bytes,
	};
	struct vcd_session_reply reply;

	if (driver_session_open(r->driver, queue, r->file, &key, &reply) !=
	    VCD_STATUS_OK)
		return -EPROTO;
	*session = reply.session_id;
	return 0;
}

int rings_init(struct rings *r, struct driver *d,
	       const struct bench_algorithm *a, uint32_t bytes,
	       unsigned int queues, unsigned int depth)
{
	enum vcd_status status;
	uint32_t session[RINGS_QUEUES_MAX] = { 0 };
	int error = 0;

	memset(r, 0, sizeof(*r));
	r->driver = d;
	r->queues = queues;
	r->depth = depth;
	driver_rewind(d);
	r->file = driver_open(d, 0, &status);
	if (!r->file)
		return -EPROTO;
	/* Sessions first: their requests rewind the arena. */
	for (unsigned int q = 0; !error && a && q < queues; q++)
		error = session_open(r, q, a, &session[q]);
	for (unsigned int q = 0; q < queues; q++)
		for (unsigned int i = 0; !error && i < depth; i++)
			error = slot_init(r, &r->slot[q][i], session[q], a,
					  bytes);
	return error;
}

void rings_deinit(struct rings *r)
{
	if (!r->driver)
		return;
	driver_rewind(r->driver);
	(void)driver_simple(r->driver, 0, VCD_OP_CLOSE, r->file, 0);
	memset(r, 0, sizeof(*r));
}

/* --- the run ----------------------------------------------------------- */

static int submit(struct rings *r, unsigned int q, unsigned int slot)
{
	struct rings_slot *s = &r->slot[q][slot];
	int head = frontend_submit(&r->driver->fe.queue[q], s->piece, s->pieces,
				   s->table);

	if (head < 0)
		return head;
	r->slot_of[q][head] = (uint16_t)slot;
	return 0;
}

/* Take all that is there and, until the end, submit it again. Returns how
 * many, or -errno. */
static int turn(struct rings *r, unsigned int q, bool is_last)
{
	struct frontend_queue *queue = &r->driver->fe.queue[q];
	struct frontend_used used;
	int taken = 0, got;

	while ((got = frontend_harvest(queue, &used)) == 1) {
		unsigned int slot = r->slot_of[q][used.head];
		struct rings_slot *s = &r->slot[q][slot];
		int error = 0;

		if (used.bytes <= sizeof(struct vcd_reply) && s->destination)
			return -EPROTO;
		if (!is_last)
			error = submit(r, q, slot);
		if (error)
			return error;
		taken++;
	}
	if (got < 0)
		return got;
	if (taken && !is_last && frontend_kick(queue) < 0)
		return -EIO;
	return taken;
}

/* Something has come back on some queue, or will soon have. */
static int idle(struct rings *r, unsigned int *idle_turns)
{
	struct frontend_queue *queue = &r->driver->fe.queue[0];
	int got;

	if (r->queues > 1)
		return sched_yield();
	if ((*idle_turns)++ < r->spin_turns)
		return 0;
	*idle_turns = 0;
	got = frontend_wait_call(queue, FRONTEND_WAIT_MS);
	return got == 0 ? -ETIMEDOUT : got < 0 ? got : 0;
}

static int fill(struct rings *r)
{
	int error = 0;

	for (unsigned int q = 0; q < r->queues; q++) {
		for (unsigned int i = 0; !error && i < r->depth; i++)
			error = submit(r, q, i);
		if (!error)
			error = frontend_kick(&r->driver->fe.queue[q]);
	}
	return error;
}

int rings_run(struct rings *r, uint64_t run_ns, struct rings_run *run)
{
	uint64_t cpu_ns = worker_cpu_ns(r->driver);
	uint64_t front_ns = rings_thread_ns(), begun_ns = clock_now_ns();
	unsigned int in_flight = r->queues * r->depth, idle_turns = 0;
	bool is_last = false;
	int got = fill(r);

	memset(run, 0, sizeof(*run));
	while (got >= 0 && in_flight) {
		int sum = 0;

		for (unsigned int q = 0; got >= 0 && q < r->queues; q++) {
			got = turn(r, q, is_last);
			sum += got > 0 ? got : 0;
		}
		run->ops += (unsigned int)sum;
		if (is_last)
			in_flight -= (unsigned int)sum;
		else if (clock_now_ns() - begun_ns >= run_ns)
			is_last = true;
		if (got >= 0 && sum == 0)
			got = idle(r, &idle_turns);
	}
	run->wall_ns = clock_now_ns() - begun_ns;
	run->front_ns = rings_thread_ns() - front_ns;
	/* A thread's time is written down when it goes to sleep. */
	usleep(300);
	run->cpu_ns = worker_cpu_ns(r->driver) - cpu_ns;
	return got < 0 ? got : 0;
}

int rings_run_sessions(struct rings *r, const struct bench_algorithm *a,
		       uint64_t run_ns, struct rings_run *run)
{
	uint64_t cpu_ns = worker_cpu_ns(r->driver);
	uint64_t begun_ns = clock_now_ns();
	int error = 0;

	memset(run, 0, sizeof(*run));
	while (!error && clock_now_ns() - begun_ns < run_ns) {
		uint32_t session;

		error = session_open(r, 0, a, &session);
		if (!error && driver_simple(r->driver, 0, VCD_OP_SESSION_CLOSE,
					    r->file, session))
			error = -EPROTO;
		run->ops++;
	}
	run->wall_ns = clock_now_ns() - begun_ns;
	usleep(300);
	run->cpu_ns = worker_cpu_ns(r->driver) - cpu_ns;
	return error;
}
