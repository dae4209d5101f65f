/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - the connection, as the next supervisor finds it */
#include "device/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory_file.h"

#define MAGIC 0x70767872u

#define NAME_FILE     "pvx-record"
#define NAME_PIPE_OUT "pvx-answers-out"
#define NAME_PIPE_IN  "pvx-answers-in"

static void slot_name(char name[KEEPER_NAME_BYTES], unsigned int slot,
		      uint32_t serial)
{
	snprintf(name, KEEPER_NAME_BYTES, "pvx-fd-%u-%u", slot, serial);
}

static struct record_copy *holding(const struct record *record)
{
	return &record->file->copy[record->file->current & 1];
}

/* --- what is kept for good --------------------------------------------- */

static void fixed_sync(struct record *record)
{
	for (unsigned int i = 0; i < record->fixed_count; i++) {
		if (record->fixed[i].is_stored)
			continue;
		record->fixed[i].is_stored =
			keeper_store(record->keeper, record->fixed[i].name,
				     record->fixed[i].fd) == 0;
		record->is_whole &= record->fixed[i].is_stored;
	}
}

void record_store(struct record *record, const char *name, int fd,
		  bool is_stored)
{
	if (!record->file)
		return;
	record->fixed[record->fixed_count].name = name;
	record->fixed[record->fixed_count].fd = fd;
	record->fixed[record->fixed_count].is_stored = is_stored;
	record->fixed_count++;
	fixed_sync(record);
}

/* --- the file and the pipe --------------------------------------------- */

static int file_map(struct record *record)
{
	record->file = memory_file_map(record->fd, sizeof(*record->file));
	if (!record->file)
		return -ENOMEM;
	if (madvise(record->file, sizeof(*record->file), MADV_DONTFORK))
		return -errno;
	return 0;
}

static void unmap_and_close(struct record *record)
{
	int *each[] = { &record->fd, &record->pipe[0], &record->pipe[1] };

	if (record->file)
		munmap(record->file, sizeof(*record->file));
	record->file = NULL;
	for (unsigned int i = 0; i < 3; i++) {
		if (*each[i] >= 0)
			close(*each[i]);
		*each[i] = -1;
	}
}

/* Whatever was passed is taken, of use or not. */
static int adopt(struct record *record, bool should_adopt)
{
	record->fd = keeper_take(record->keeper, NAME_FILE);
	record->pipe[0] = keeper_take(record->keeper, NAME_PIPE_OUT);
	record->pipe[1] = keeper_take(record->keeper, NAME_PIPE_IN);
	if (should_adopt && record->fd >= 0 && record->pipe[0] >= 0 &&
	    record->pipe[1] >= 0 && file_map(record) == 0 &&
	    record->file->magic == MAGIC &&
	    record->file->bytes == sizeof(*record->file))
		return 0;
	unmap_and_close(record);
	return -ENOENT;
}

static int create(struct record *record)
{
	int error;

	/* What was passed under these names was of no use. */
	(void)keeper_remove(record->keeper, NAME_FILE);
	(void)keeper_remove(record->keeper, NAME_PIPE_OUT);
	(void)keeper_remove(record->keeper, NAME_PIPE_IN);
	record->fd =
		memory_file_create("cryptodev-record", sizeof(*record->file));
	error = record->fd < 0 ? record->fd : file_map(record);
	if (!error && pipe2(record->pipe, O_CLOEXEC | O_NONBLOCK))
		error = -errno;
	if (error) {
		unmap_and_close(record);
		return error;
	}
	record->file->magic = MAGIC;
	record->file->bytes = sizeof(*record->file);
	return 0;
}

int record_open(struct record *record, struct keeper *keeper, bool should_adopt)
{
	bool is_adopted;

	memset(record, 0, sizeof(*record));
	record->keeper = keeper;
	record->is_whole = true;
	record->fd = -1;
	record->pipe[0] = -1;
	record->pipe[1] = -1;
	for (unsigned int i = 0; i < RECORD_SLOTS; i++)
		record->slot[i].fd = -1;
	if (!keeper_is_there(keeper))
		return 0;
	is_adopted = adopt(record, should_adopt) == 0;
	if (!is_adopted) {
		int error = create(record);

		if (error)
			return error;
	}
	record_store(record, NAME_FILE, record->fd, is_adopted);
	record_store(record, NAME_PIPE_OUT, record->pipe[0], is_adopted);
	record_store(record, NAME_PIPE_IN, record->pipe[1], is_adopted);
	return is_adopted;
}

void record_close(struct record *record)
{
	if (!record->file)
		return;
	for (unsigned int i = 0; i < record->fixed_count; i++)
		(void)keeper_remove(record->keeper, record->fixed[i].name);
	unmap_and_close(record);
	memset(record, 0, sizeof(*record));
}

int record_restore(struct record *record, struct vhost_state *vhost,
		   struct vhost_fds *fds, int *control_fd)
{
	const struct record_copy *copy;
	int now[RECORD_SLOTS];
	char name[KEEPER_NAME_BYTES];
	int result;

	*control_fd = -1;
	memset(fds, 0xff, sizeof(*fds));
	if (!record->file)
		return 0;
	copy = holding(record);
	/* What it names all the same is nobody's: keeper_drop_rest(). */
	if (!copy->is_connected)
		return 0;
	result = copy->is_whole ? 1 : -ENOENT;
	*vhost = copy->vhost;
	for (unsigned int i = 0; i < RECORD_SLOTS; i++) {
		record->slot[i].serial = copy->serial[i];
		slot_name(name, i, copy->serial[i]);
		now[i] = copy->serial[i] ? keeper_take(record->keeper, name)
					 : -1;
		record->slot[i].fd = now[i];
		if (copy->serial[i] && now[i] < 0)
			result = -ENOENT;
	}
	memcpy(fds, now, sizeof(*fds));
	*control_fd = now[RECORD_FDS];
	return result;
}

/* --- a commit ---------------------------------------------------------- */

static void old_remove(struct record *record)
{
	char name[KEEPER_NAME_BYTES];

	while (record->old_count) {
		slot_name(name, record->old[record->old_count - 1].slot,
			  record->old[record->old_count - 1].serial);
		if (keeper_remove(record->keeper, name))
			return;
		record->old_count--;
	}
}

/* A descriptor that took another's place was open beside it, and so has another
 * number. */
static void slot_stage(struct record *record, unsigned int index, int fd,
		       bool may_store)
{
	struct record_slot *slot = &record->slot[index];
	char name[KEEPER_NAME_BYTES];

	if (fd == slot->fd && (fd < 0) == (slot->serial == 0))
		return;
	if (slot->serial) {
		record->old[record->old_count].slot = index;
		record->old[record->old_count++].serial = slot->serial;
	}
	slot->serial = 0;
	slot->fd = fd;
	if (fd < 0)
		return;
	slot_name(name, index, ++record->file->last_serial);
	if (may_store && keeper_store(record->keeper, name, fd) == 0)
		slot->serial = record->file->last_serial;
	else
		record->is_whole = false;
}

void record_stage(struct record *record, const struct vhost_fds *fds,
		  int control_fd)
{
	int now[RECORD_SLOTS];
	bool may_store;

	if (!record->file)
		return;
	memcpy(now, fds, sizeof(*fds));
	now[RECORD_FDS] = control_fd;
	record->is_whole = true;
	old_remove(record);
	fixed_sync(record);
	may_store = record->old_count == 0;
	for (unsigned int i = 0; i < RECORD_SLOTS; i++)
		slot_stage(record, i, now[i], may_store);
}

void record_flip(struct record *record, const struct vhost_state *vhost)
{
	struct record_copy *copy;
	uint32_t next;

	if (!record->file)
		return;
	next = ~record->file->current & 1;
	copy = &record->file->copy[next];
	copy->vhost = *vhost;
	copy->is_connected = record->slot[RECORD_FDS].fd >= 0;
	copy->is_whole = record->is_whole;
	for (unsigned int i = 0; i < RECORD_SLOTS; i++)
		copy->serial[i] = record->slot[i].serial;
	atomic_store(&record->file->current, next);
}

void record_clean(struct record *record)
{
	if (record->file)
		old_remove(record);
}

bool record_is_settled(const struct record *record)
{
	return !record->file || (record->is_whole && record->old_count == 0);
}
