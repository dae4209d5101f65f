/* SPDX-License-Identifier: Apache-2.0 */
/* stage.c - a front end connected to an echo device in another process */
#include "frontend/stage.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define GUARD 0xee /* around destinations */

void stage_open(struct stage *stage)
{
	struct echo_options options = stage->options;
	int sock;

	memset(stage, 0, sizeof(*stage));
	stage->options = options;
	stage->rng.state = 0x9e3779b97f4a7c15;
	assert_int_equal(frontend_init(&stage->fe, STAGE_BYTES, 3), 0);
	stage->pid = echo_spawn(&stage->options, &sock);
	assert_true(stage->pid > 0);
	frontend_adopt(&stage->fe, sock);
}

void stage_start(struct stage *stage, uint64_t features, unsigned int queues)
{
	struct frontend *fe = &stage->fe;

	assert_int_equal(frontend_negotiate(fe, features, UINT64_MAX), 0);
	assert_int_equal(frontend_share_memory(fe), 0);
	for (unsigned int i = 0; i < queues; i++) {
		assert_int_equal(frontend_queue_init(fe, i, STAGE_SIZE), 0);
		assert_int_equal(frontend_queue_start(&fe->queue[i], 0), 0);
	}
}

void stage_close_with(struct stage *stage, int status)
{
	frontend_disconnect(&stage->fe);
	assert_int_equal(echo_join(stage->pid), status);
	frontend_deinit(&stage->fe);
}

void stage_close(struct stage *stage)
{
	stage_close_with(stage, 0);
}

static void fill_random(struct layout_rng *rng, uint8_t *data, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)layout_random(rng, 256);
}

/* The byte behind each writable piece is still the guard's. */
static void check_guards(struct frontend *fe,
			 const struct frontend_piece *pieces,
			 unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const uint8_t *at = frontend_at(fe, pieces[i].guest_addr);

		if (pieces[i].is_writable)
			assert_int_equal(at[pieces[i].bytes], GUARD);
	}
}

static void check_answer(struct frontend *fe,
			 const struct frontend_piece *pieces,
			 unsigned int count, const uint8_t *in, uint32_t bytes)
{
	uint8_t *out = malloc(bytes + 1);

	assert_non_null(out);
	layout_load(fe, pieces, count, out, bytes);
	for (uint32_t i = 0; i < bytes; i++)
		if (out[i] != (in[i] ^ ECHO_MASK))
			fail_msg("byte %u of the answer is wrong", i);
	free(out);
}

void stage_echo(struct stage *stage, struct frontend_queue *q,
		enum layout_manner manner, uint32_t in_bytes,
		uint32_t out_bytes, bool is_indirect)
{
	uint32_t expected = in_bytes < out_bytes ? in_bytes : out_bytes;
	struct frontend_piece pieces[FRONTEND_RING_MAX];
	uint64_t arena_used = stage->fe.arena_used;
	struct frontend *fe = &stage->fe;
	struct frontend_used used;
	uint8_t *in = malloc(in_bytes + 1);
	int readable, writable, head;
	uint64_t table = 0;

	assert_non_null(in);
	fill_random(&stage->rng, in, in_bytes);
	readable = layout_make(fe, &stage->rng, manner, in_bytes, false, pieces,
			       q->size / 2);
	assert_true(readable >= 0);
	layout_store(fe, pieces, (unsigned int)readable, in, in_bytes);
	writable = layout_make(fe, &stage->rng, manner, out_bytes, true,
			       pieces + readable, q->size / 2);
	assert_true(writable >= 0);
	for (int i = readable; i < readable + writable; i++)
		memset(frontend_at(fe, pieces[i].guest_addr), GUARD,
		       pieces[i].bytes + 1);
	if (is_indirect)
		table = frontend_alloc(fe, 16 * (uint64_t)(readable + writable),
				       16);
	head = frontend_submit(q, pieces, (unsigned int)(readable + writable),
			       table);
	assert_true(head >= 0);
	assert_int_equal(frontend_kick(q), 0);
	assert_int_equal(frontend_wait(q, &used, FRONTEND_WAIT_MS), 1);
	assert_int_equal(used.head, head);
	assert_int_equal(used.bytes, expected);
	check_answer(fe, pieces + readable, (unsigned int)writable, in,
		     expected);
	check_guards(fe, pieces, (unsigned int)(readable + writable));
	fe->arena_used = arena_used;
	free(in);
}

void stage_works(struct stage *stage, unsigned int index)
{
	stage_echo(stage, &stage->fe.queue[index], LAYOUT_WHOLE, 100, 100,
		   false);
}

void stage_answers_uncalled(struct stage *stage, struct frontend_queue *q)
{
	const struct frontend_piece piece = {
		.guest_addr = frontend_alloc(&stage->fe, 8, 8), .bytes = 8
	};
	struct frontend_used used;
	int got = 0;

	frontend_submit(q, &piece, 1, 0);
	frontend_kick_always(q);
	for (unsigned int i = 0; i < FRONTEND_WAIT_MS && !got; i++) {
		got = frontend_harvest(q, &used);
		usleep(1000);
	}
	assert_int_equal(got, 1);
}

unsigned int stage_device_fds(const struct stage *stage)
{
	unsigned int count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)stage->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

unsigned int stage_device_maps(const struct stage *stage)
{
	unsigned int count = 0;
	char path[64];
	FILE *file;
	int c;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)stage->pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}
