/* SPDX-License-Identifier: Apache-2.0 */
/* keep_world.c - a supervisor's connection, its deaths, and its manager
 *
 * How it works: record, keeper and control are the real ones, put together as
 * supervisor.c does. Descriptors of the supervisor have the numbers from the
 * floor to HIGH, those of manager and front end higher ones. A death is a long
 * jump out of a hook; then all descriptors of the supervisor are closed, as the
 * kernel would, and the next one gets the manager's.
 */
#include "fuzz/keep_world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/record.h"
#include "fuzz/demand.h"
#include "lib/receive.h"

#define FLOOR_MAX   128
#define HIGH        512
#define QUEUES      2u
#define ENTRIES_MAX 256u

struct entry {
	char name[KEEPER_NAME_BYTES];
	int fd;
};

static struct {
	struct keeper keeper;
	struct record record;
	struct vhost_control control;
	struct vhost_state vhost;
	struct vhost_fds fds;
	uint64_t running; /* what the worker was told */
	bool is_connected;
} s; /* the supervisor, which dies */

static struct {
	int floor;
	bool is_kept;
	bool is_slow_to_stop;
	bool is_asleep, has_slept;
	bool was_spoiled, was_refused;
	unsigned int moment, passes; /* of the death that was ordered */
	jmp_buf death;
	int manager_end, supervisor_end; /* of the manager's socket */
	unsigned int entry_count;
	struct entry entry[ENTRIES_MAX];
} w; /* who sees it die */

const uint64_t keep_protocol_features =
	VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK |
	VHOST_PROTOCOL_BACKEND_REQ | VHOST_PROTOCOL_CONFIG |
	VHOST_PROTOCOL_INFLIGHT_SHMFD | VHOST_PROTOCOL_RESET_DEVICE |
	VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS;

int keep_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	demand(fd >= 0 && high >= 0);
	close(fd);
	return high;
}

int keep_floor(void)
{
	int highest = FLOOR_MAX, fd;

	while (highest > 0 && fcntl(highest, F_GETFD) < 0)
		highest--;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		demand(fd >= 0 && fd < FLOOR_MAX);
	} while (fd < highest);
	close(fd);
	return fd;
}

/* --- the manager ------------------------------------------------------- */

static void entry_drop(unsigned int index)
{
	close(w.entry[index].fd);
	w.entry[index] = w.entry[--w.entry_count];
}

static void obey(const char *text, int fd)
{
	const char *name = strstr(text, "FDNAME=");

	demand(name != NULL);
	name += strlen("FDNAME=");
	if (strstr(text, "FDSTOREREMOVE=1")) {
		for (unsigned int i = w.entry_count; i-- > 0;)
			if (strcmp(w.entry[i].name, name) == 0)
				entry_drop(i);
		return;
	}
	demand(fd >= 0 && w.entry_count < ENTRIES_MAX);
	snprintf(w.entry[w.entry_count].name, KEEPER_NAME_BYTES, "%s", name);
	w.entry[w.entry_count++].fd = keep_high(fd);
}

static void manager_turn(void)
{
	while (w.is_kept && !w.is_asleep) {
		char text[128];
		int fd = -1;
		ssize_t got = receive(w.manager_end, text, sizeof(text) - 1,
				      MSG_DONTWAIT, &fd);

		if (got < 0)
			return;
		text[got] = '\0';
		obey(text, fd);
	}
}

void keep_manager_sleeps(bool does)
{
	w.is_asleep = does;
	w.has_slept |= does;
	manager_turn();
}

/* --- the supervisor ---------------------------------------------------- */

static void moment_comes(unsigned int moment)
{
	manager_turn();
	if (moment != w.moment || w.passes-- > 0)
		return;
	w.moment = SUPERVISOR_MOMENTS;
	longjmp(w.death, 1);
}

static void on_moment(void *owner, enum vhost_moment moment)
{
	moment_comes(moment);
}

static void on_commit(void *owner)
{
	record_stage(&s.record, &s.fds,
		     s.is_connected ? s.control.channel.fd : -1);
	moment_comes(SUPERVISOR_STORED);
	record_flip(&s.record, &s.vhost);
	moment_comes(SUPERVISOR_FLIPPED);
	record_clean(&s.record);
	manager_turn();
}

static void on_get_config(void *owner, uint8_t *data, uint32_t offset,
			  uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(offset + i);
}

/* The worker: told once, of a ring that lies in memory that is there. */
static int on_start(void *owner, unsigned int index)
{
	const struct guest_layout *memory = &s.vhost.memory;

	demand(!(s.running >> index & 1));
	demand(!vring_layout_check(&s.vhost.ring[index].layout, memory));
	for (uint32_t i = 0; i < memory->count; i++)
		demand(w.was_spoiled ||
		       !guest_file_check(s.fds.memory[i], &memory->region[i]));
	s.running |= UINT64_C(1) << index;
	return 0;
}

static int on_stop(void *owner, uint64_t mask)
{
	demand(!(mask & ~s.running));
	s.running &= ~mask;
	return w.is_slow_to_stop ? VHOST_PENDING : 0;
}

static int on_remap(void *owner)
{
	demand(!s.running);
	return 0;
}

static void on_reset(void *owner)
{
	demand(!s.running);
}

static const struct vhost_device device = {
	.features = VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC |
		    VHOST_F_EVENT_IDX | VHOST_F_PROTOCOL_FEATURES,
	.protocol_features = keep_protocol_features,
	.queues = QUEUES,
	.config_bytes = 64,
	.get_config = on_get_config,
	.start = on_start,
	.stop = on_stop,
	.remap = on_remap,
	.reset = on_reset,
	.commit = on_commit,
	.at_moment = on_moment,
};

static void disconnect(void)
{
	s.is_connected = false;
	(void)shutdown(s.control.channel.fd, SHUT_RDWR);
	vhost_control_deinit(&s.control);
	on_commit(NULL);
}

/* What a process that was just started has from the manager. */
static void keeper_begin(void)
{
	memset(&s, 0, sizeof(s));
	s.keeper.sock = fcntl(w.supervisor_end, F_DUPFD_CLOEXEC, 0);
	for (unsigned int i = 0; i < w.entry_count; i++) {
		struct keeper_inherited *in =
			&s.keeper.inherited[s.keeper.inherited_count++];

		memcpy(in->name, w.entry[i].name, sizeof(in->name));
		in->fd = fcntl(w.entry[i].fd, F_DUPFD_CLOEXEC, 0);
	}
}

/* As in supervisor.c. Whether there is a connection. */
static bool resume(void)
{
	int got, fd, error;

	keeper_begin();
	demand(record_open(&s.record, &s.keeper, true) >= 0);
	got = record_restore(&s.record, &s.vhost, &s.fds, &fd);
	if (got == 0) {
		keeper_drop_rest(&s.keeper);
		return false;
	}
	vhost_control_resume(&s.control, &device, NULL, &s.vhost, &s.fds, fd);
	s.is_connected = true;
	error = got < 0 ? got : 0;
	if (!error)
		error = vhost_control_keep(&s.control, s.record.pipe);
	if (!error)
		s.running = vhost_control_running(&s.control);
	else
		disconnect();
	keeper_drop_rest(&s.keeper);
	manager_turn();
	return !error;
}

static void spoil(const uint8_t *bytes, uint16_t where, size_t count)
{
	size_t at = where % sizeof(struct record_file);
	struct record_file *file = NULL;

	w.was_spoiled = true;
	if (count == 0 && w.entry_count)
		entry_drop(where % w.entry_count);
	for (unsigned int i = 0; count && i < w.entry_count; i++)
		if (strcmp(w.entry[i].name, "pvx-record") == 0)
			file = mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE,
				    MAP_SHARED, w.entry[i].fd, 0);
	if (!file)
		return;
	demand(file != MAP_FAILED);
	if (count > sizeof(*file) - at)
		count = sizeof(*file) - at;
	memcpy((uint8_t *)file + at, bytes, count);
	munmap(file, sizeof(*file));
}

/* It is dead: the kernel closes and unmaps; then another begins. */
static bool bury(const uint8_t *bytes, uint16_t where, size_t count)
{
	bool had_reason = w.has_slept || s.control.channel.in.header.request ==
						 VHOST_GET_INFLIGHT_FD;
	bool was_connected = s.is_connected;
	bool goes_on;

	if (s.record.file)
		munmap(s.record.file, sizeof(*s.record.file));
	(void)close_range((unsigned int)w.floor, HIGH - 1, 0);
	manager_turn();
	if (bytes)
		spoil(bytes, where, count);
	/* Who dies while it begins is followed by another in the same way. */
	goes_on = resume();
	w.was_refused |= was_connected && !goes_on;
	demand(!w.was_refused || had_reason || w.was_spoiled);
	return goes_on;
}

bool keep_die_now(const uint8_t *bytes, uint16_t where, size_t count)
{
	w.moment = SUPERVISOR_MOMENTS;
	return bury(bytes, where, count);
}

void keep_order_death(unsigned int moment, unsigned int passes)
{
	w.moment = moment;
	w.passes = passes;
}

static bool read_all(void)
{
	int got;

	do {
		if (s.control.is_pending)
			got = vhost_control_continue(&s.control);
		else
			got = vhost_control_read(&s.control);
	} while (got == 1 || got == -EINPROGRESS);
	if (got < 0)
		disconnect();
	return got == 0;
}

bool keep_turn(void)
{
	if (setjmp(w.death) == 0)
		return s.is_connected && read_all();
	/* In the one that follows, the same turn begins again. */
	for (;;) {
		if (setjmp(w.death) == 0)
			return bury(NULL, 0, 0) && read_all();
	}
}

const struct vhost_state *keep_state(void)
{
	return &s.vhost;
}

bool keep_was_spoiled(void)
{
	return w.was_spoiled;
}

bool keep_was_refused(void)
{
	return w.was_refused;
}

void keep_begin(int floor, int fd, bool is_kept, bool is_slow_to_stop)
{
	int pair[2];

	memset(&w, 0, sizeof(w));
	w.floor = floor;
	w.is_kept = is_kept;
	w.is_slow_to_stop = is_slow_to_stop;
	w.moment = SUPERVISOR_MOMENTS;
	if (is_kept) {
		demand(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				   pair));
		w.manager_end = keep_high(pair[0]);
		w.supervisor_end = keep_high(pair[1]);
		keeper_begin();
	} else {
		memset(&s, 0, sizeof(s));
		s.keeper.sock = -1;
	}
	demand(record_open(&s.record, &s.keeper, false) == 0);
	vhost_control_init(&s.control, &device, NULL, &s.vhost, &s.fds, fd);
	s.is_connected = true;
	if (is_kept) {
		demand(!vhost_control_keep(&s.control, s.record.pipe));
		on_commit(NULL);
	}
}

void keep_end(void)
{
	w.moment = SUPERVISOR_MOMENTS;
	keep_manager_sleeps(false);
	if (s.is_connected)
		disconnect();
	record_close(&s.record);
	manager_turn();
	keeper_deinit(&s.keeper);
	/* A clean end leaves nothing to go on with. */
	demand(!w.entry_count || w.has_slept || w.was_spoiled);
	while (w.entry_count)
		entry_drop(0);
	if (w.is_kept) {
		close(w.manager_end);
		close(w.supervisor_end);
	}
}
