/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_state.c - whatever a worker that was taken over leaves in the state
 *
 * How it works: a real worker leaves a real state (state_world.c): sessions,
 * and a window on each queue with requests in every phase. The input spoils
 * it, field by field or anywhere, and has it read: statistics, during which it
 * may change at each piece of text that is written; another supervisor that
 * adopts it; the next worker, which repairs it, finishes both windows and
 * executes requests; and the end of the connection, after which nothing is
 * left. state_seeds.py writes the corpus.
 */
#include "fuzz/state_world.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "device/stats.h"

#define STEPS_MAX 24u
#define SPOIL_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- where to spoil ---------------------------------------------------- */

struct place {
	uint8_t *at;
	size_t bytes;
};

/* The fields that anybody reads; state_seeds.py has their order. `of` is what
 * they are in. */
enum owner {
	HEAD,
	QUEUE,
	SLOT,
	FILE_ENTRY,
	SESSION
};

#define FIELD(owner, type, name)                         \
	{                                                \
		owner, offsetof(struct type, name),      \
			sizeof(((struct type *)0)->name) \
	}
static const struct {
	enum owner owner;
	size_t offset;
	size_t bytes;
} fields[] = {
	FIELD(HEAD, state_head, magic),
	FIELD(HEAD, state_head, layout),
	FIELD(HEAD, state_head, limits),
	FIELD(HEAD, state_head, generation),
	FIELD(HEAD, state_head, worker),
	FIELD(HEAD, state_head, file_count),
	FIELD(HEAD, state_head, session_count),
	FIELD(HEAD, state_head, deaths),
	FIELD(HEAD, state_head, log),
	FIELD(QUEUE, state_queue, position),
	FIELD(QUEUE, state_queue, start),
	FIELD(SLOT, state_slot, head),
	FIELD(SLOT, state_slot, attempts),
	FIELD(SLOT, state_slot, worker),
	FIELD(SLOT, state_slot, phase),
	FIELD(SLOT, state_slot, used_bytes),
	FIELD(SLOT, state_slot, made_file),
	FIELD(SLOT, state_slot, made_session),
	FIELD(SLOT, state_slot, ending_file),
	FIELD(SLOT, state_slot, ending_session),
	FIELD(SLOT, state_slot, ends_all),
	FIELD(SLOT, state_slot, session_id),
	FIELD(SLOT, state_slot, hash_worker_before),
	FIELD(SLOT, state_slot, hash_worker),
	FIELD(SLOT, state_slot, has_iv),
	FIELD(SLOT, state_slot, has_hash),
	FIELD(SLOT, state_slot, has_generation),
	FIELD(SLOT, state_slot, generation),
	FIELD(FILE_ENTRY, state_file, id),
	FIELD(FILE_ENTRY, state_file, uses),
	FIELD(SESSION, state_session, id),
	FIELD(SESSION, state_session, uses),
	FIELD(SESSION, state_session, file_id),
	FIELD(SESSION, state_session, queue),
	FIELD(SESSION, state_session, cipher),
	FIELD(SESSION, state_session, mac),
	FIELD(SESSION, state_session, key_bytes),
	FIELD(SESSION, state_session, mac_key_bytes),
	FIELD(SESSION, state_session, row),
	FIELD(SESSION, state_session, hash_worker),
};

/* Slots are those of both windows and around them. */
static uint8_t *owner_at(enum owner owner, uint8_t index)
{
	const struct state *s = &world;
	struct state_queue *queue = &s->queue[index & 1];

	switch (owner) {
	case HEAD:
		return (uint8_t *)s->head;
	case QUEUE:
		return (uint8_t *)queue;
	case SLOT:
		return (uint8_t *)&queue->slot[index >> 1 & 7];
	case FILE_ENTRY:
		return (uint8_t *)&s->file[index % FILES];
	default:
		return (uint8_t *)&s->session[index % SESSIONS];
	}
}

static struct place field_read(struct reader *in)
{
	size_t field = reader_u8(in) % ARRAY_SIZE(fields);
	uint8_t index = reader_u8(in);

	return (struct place){ owner_at(fields[field].owner, index) +
				       fields[field].offset,
			       fields[field].bytes };
}

static struct place anywhere_read(struct reader *in)
{
	uint32_t offset = reader_u32(in) % (uint32_t)world.bytes;
	size_t bytes = reader_u8(in) % SPOIL_MAX;

	if (bytes > world.bytes - offset)
		bytes = world.bytes - offset;
	return (struct place){ (uint8_t *)world.head + offset, bytes };
}

/* --- what changes under a reader --------------------------------------- */

static struct {
	struct place place;
	uint8_t now[SPOIL_MAX]; /* what the place is to have next */
} ambush;

static void ambush_strike(void)
{
	for (size_t i = 0; i < ambush.place.bytes; i++) {
		uint8_t was = ambush.place.at[i];

		ambush.place.at[i] = ambush.now[i];
		ambush.now[i] = was;
	}
}

/* --- the supervisor's statistics --------------------------------------- */

static struct {
	char text[1 << 20];
	size_t bytes;
} told;

static ssize_t tell(void *owner, const char *text, size_t bytes)
{
	demand(bytes <= sizeof(told.text) - 1 - told.bytes);
	memcpy(told.text + told.bytes, text, bytes);
	told.bytes += bytes;
	ambush_strike();
	return (ssize_t)bytes;
}

/* Lines of printable text, whatever the numbers are. */
static void collect(void (*write)(FILE *out, const struct stats *stats))
{
	const cookie_io_functions_t functions = { .write = tell };
	FILE *out = fopencookie(NULL, "w", functions);
	struct stats stats;

	demand(out && !setvbuf(out, NULL, _IONBF, 0));
	told.bytes = 0;
	stats_collect(&stats, &world);
	demand(stats.files <= FILES && stats.sessions <= SESSIONS);
	demand(stats.workers == world.workers);
	demand(stats.deaths == world.deaths);
	write(out, &stats);
	fclose(out);
	demand(told.bytes > 2 && told.text[told.bytes - 1] == '\n');
	for (size_t i = 0; i < told.bytes; i++)
		demand(told.text[i] == '\n' ||
		       (told.text[i] >= ' ' && told.text[i] <= '~'));
	told.text[told.bytes] = '\0';
}

static void step_statistics(struct reader *in)
{
	const char *line;

	collect(stats_write_json);
	demand(told.text[0] == '{' &&
	       !strcmp(told.text + told.bytes - 3, "}}\n"));
	demand(strchr(told.text, '\n') == told.text + told.bytes - 1);
	collect(stats_write_text);
	for (line = told.text; *line; line = strchr(line, '\n') + 1)
		demand(line[0] == '#' ||
		       !strncmp(line, "vhost_user_cryptodev_", 21));
}

/* --- the steps --------------------------------------------------------- */

static void step_spoil_field(struct reader *in)
{
	struct place place = field_read(in);

	reader_copy(in, place.at, place.bytes);
}

static void step_spoil_anywhere(struct reader *in)
{
	struct place place = anywhere_read(in);

	reader_copy(in, place.at, place.bytes);
}

static void step_ambush_field(struct reader *in)
{
	ambush.place = field_read(in);
	reader_copy(in, ambush.now, ambush.place.bytes);
}

static void step_ambush_anywhere(struct reader *in)
{
	ambush.place = anywhere_read(in);
	reader_copy(in, ambush.now, ambush.place.bytes);
}

static void step_next_worker(struct reader *in)
{
	world_next_worker(reader_u8(in), reader_u8(in));
}

static void step_adopt(struct reader *in)
{
	world_adopt();
}

static void step_forget(struct reader *in)
{
	world_forget();
}

static void step_death(struct reader *in)
{
	state_bury(&world);
}

static void (*const steps[])(struct reader *in) = {
	step_spoil_field,     step_spoil_anywhere, step_ambush_field,
	step_ambush_anywhere, step_statistics,     step_next_worker,
	step_adopt,           step_forget,         step_death,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in;

	reader_init(&in, data, size);
	world_begin();
	memset(&ambush, 0, sizeof(ambush));
	for (unsigned int i = 0; i < STEPS_MAX && reader_left(&in); i++)
		steps[reader_u8(&in) % ARRAY_SIZE(steps)](&in);
	return 0;
}
