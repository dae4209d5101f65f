/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c - a driver of virtio-cryptodev without a guest, for tests */
#include "device/driver.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "device/supervisor.h"

#define GUARD       0xee /* around writable pieces */
#define START_TRIES 6000 /* of 10 ms: a busy machine takes its time */
#define PF_EXITING  4u   /* of linux/sched.h: a thread that has done its all */

void driver_init(struct driver *d)
{
	const char *provider = getenv("PVX_TEST_PROVIDER");

	memset(d, 0, sizeof(*d));
	device_options_init(&d->options);
	d->options.queues = DRIVER_QUEUES;
	d->options.log_level = LOG_LEVEL_ERROR;
	/* A process that becomes another user outlives its parent: the kernel
	 * then forgets PR_SET_PDEATHSIG, and a failed test leaves it behind. */
	d->options.user = NULL;
	if (provider)
		d->options.provider = provider;
	/* The emulator works inside of the daemon, by calls of its own. */
	if (strcmp(d->options.provider, "cryptodev") == 0)
		d->options.has_sandbox = false;
	d->queues = DRIVER_QUEUES;
	d->rng.state = 0x9e3779b97f4a7c15;
	d->fe.sock = -1;
}

int driver_start(struct driver *d)
{
	static unsigned int number;

	snprintf(d->path, sizeof(d->path), "/tmp/pvx-device-%d-%u",
		 (int)getpid(), number++);
	d->options.socket_path = d->path;
	return driver_start_again(d);
}

/* Whether a thread of this process runs on. One that was joined may be listed
 * for a moment. */
static bool is_running(const char *thread)
{
	unsigned int flags = PF_EXITING;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", thread);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u", &flags) !=
	    1)
		flags = PF_EXITING;
	fclose(file);
	return !(flags & PF_EXITING);
}

/* The daemon gets all locks as they are, also those that another thread has, of
 * the heap and in libcrypto; and nobody there would ever give them back. */
static pid_t fork_alone(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int threads = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		threads += entry->d_name[0] != '.' && is_running(entry->d_name);
	if (dir)
		closedir(dir);
	if (threads == 1)
		return fork();
	errno = EDEADLK;
	return -1;
}

int driver_start_again(struct driver *d)
{
	struct supervisor_probes probes;
	int error = 0;

	/* Its coming again tells that the daemon listens. */
	(void)unlink(d->path);
	fflush(NULL);
	if (d->before_fork)
		d->before_fork();
	d->daemon = fork_alone();
	if (d->daemon == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)process_init();
		log_init("device", d->options.log_level);
		if (d->in_child)
			d->in_child();
		probes.stop_limit_ms = d->stop_limit_ms;
		probes.keeper_patience_ms = d->keeper_patience_ms;
		probes.at_request = d->at_moment;
		probes.at_control = d->at_control;
		_exit(supervisor_run(&d->options, &probes) ? 1 : 0);
	}
	if (d->daemon < 0)
		error = -errno;
	if (d->behind_fork)
		d->behind_fork();
	if (error)
		return error;
	for (int i = 0; i < START_TRIES && access(d->path, F_OK); i++)
		usleep(10000);
	return 0;
}

int driver_stop(struct driver *d)
{
	bool has_died = d->fe.sock >= 0 && !d->expects_deaths &&
			driver_worker(d) != d->worker;
	int status = 0;

	driver_disconnect(d);
	if (d->daemon <= 0)
		return 0;
	(void)kill(d->daemon, SIGTERM);
	while (waitpid(d->daemon, &status, 0) < 0 && errno == EINTR)
		;
	d->daemon = 0;
	(void)unlink(d->path);
	if (has_died)
		return 2000;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

int driver_connect(struct driver *d, uint64_t features)
{
	struct frontend *fe = &d->fe;
	int error = frontend_init(fe, DRIVER_MEMORY_BYTES, 3);

	if (!error)
		error = frontend_connect(fe, d->path);
	/* The path is there a moment before the daemon listens on it. */
	for (int i = 0; error == -ECONNREFUSED && i < START_TRIES; i++) {
		usleep(10000);
		error = frontend_connect(fe, d->path);
	}
	if (!error)
		error = frontend_negotiate(fe, features, UINT64_MAX);
	if (!error)
		error = frontend_share_memory(fe);
	for (unsigned int i = 0; !error && i < d->queues; i++) {
		error = frontend_queue_init(fe, i, DRIVER_RING);
		if (!error)
			error = frontend_queue_start(&fe->queue[i], 0);
	}
	d->arena_start = fe->arena_used;
	d->worker = driver_worker(d);
	return error;
}

void driver_disconnect(struct driver *d)
{
	if (d->fe.sock < 0)
		return;
	frontend_disconnect(&d->fe);
	frontend_deinit(&d->fe);
	d->fe.sock = -1;
}

/* --- one request ------------------------------------------------------- */

void driver_put(struct driver_request *r, const void *data, size_t bytes)
{
	if (bytes == 0)
		return;
	r->data = realloc(r->data, r->bytes + bytes);
	if (!r->data)
		abort();
	memcpy(r->data + r->bytes, data, bytes);
	r->bytes += (uint32_t)bytes;
}

void driver_begin(struct driver *d, struct driver_request *r, enum vcd_op op,
		  uint32_t file, uint32_t session)
{
	struct vcd_request request = {
		.op = htole32(op),
		.generation = htole64(op == VCD_OP_HELLO ? 0 : d->generation),
		.file_id = htole32(file),
		.session_id = htole32(session),
	};

	memset(r, 0, sizeof(*r));
	driver_put(r, &request, sizeof(request));
	r->writable_bytes = sizeof(struct vcd_reply);
}

/* Lay `bytes` bytes of one side; pieces of writable ones are guarded. */
static int lay(struct driver *d, struct driver_flight *f, unsigned int *count,
	       const uint8_t *data, uint32_t bytes, bool is_writable)
{
	unsigned int at = f->readable + f->writable;
	int made;

	if (bytes == 0)
		return 0;
	made = layout_make(&d->fe, &d->rng, d->manner, bytes, is_writable,
			   &f->piece[at], DRIVER_RING / 6);
	if (made < 0)
		return made;
	if (is_writable)
		for (int i = 0; i < made; i++)
			memset(frontend_at(&d->fe, f->piece[at + i].guest_addr),
			       GUARD, f->piece[at + i].bytes + 1);
	else
		layout_store(&d->fe, &f->piece[at], (unsigned int)made, data,
			     bytes);
	*count += (unsigned int)made;
	return 0;
}

/* Readable before, shared, behind; then writable before, the same memory,
 * behind. */
static int lay_all(struct driver *d, const struct driver_request *r,
		   struct driver_flight *f)
{
	unsigned int shared_first, shared_count;
	uint32_t in_end = r->shared_in + r->shared_bytes;
	uint32_t out_end = r->shared_out + r->shared_bytes;
	int error = lay(d, f, &f->readable, r->data, r->shared_in, false);

	shared_first = f->readable;
	if (!error)
		error = lay(d, f, &f->readable, r->data + r->shared_in,
			    r->shared_bytes, false);
	shared_count = f->readable - shared_first;
	if (!error)
		error = lay(d, f, &f->readable, r->data + in_end,
			    r->bytes - in_end, false);
	if (!error)
		error = lay(d, f, &f->writable, NULL, r->shared_out, true);
	for (unsigned int i = 0; !error && i < shared_count; i++) {
		struct frontend_piece *to =
			&f->piece[f->readable + f->writable++];

		*to = f->piece[shared_first + i];
		to->is_writable = true;
	}
	if (!error)
		error = lay(d, f, &f->writable, NULL,
			    r->writable_bytes - out_end, true);
	return error;
}

int driver_launch(struct driver *d, unsigned int queue,
		  struct driver_request *r, struct driver_flight *f)
{
	unsigned int count;
	uint64_t table = 0;
	int error;

	f->readable = 0;
	f->writable = 0;
	f->writable_bytes = r->writable_bytes;
	error = lay_all(d, r, f);
	free(r->data);
	r->data = NULL;
	if (error)
		return error;
	count = f->readable + f->writable;
	if (d->is_indirect)
		table = frontend_alloc(&d->fe, 16 * (uint64_t)count, 16);
	f->head = frontend_submit(&d->fe.queue[queue], f->piece, count, table);
	return f->head < 0 ? f->head : 0;
}

int driver_land(struct driver *d, unsigned int queue,
		const struct driver_flight *f, struct driver_answer *answer)
{
	const struct frontend_piece *w = &f->piece[f->readable];
	struct frontend_used used;
	struct vcd_reply reply;

	memset(answer, 0, sizeof(*answer));
	if (frontend_wait(&d->fe.queue[queue], &used, FRONTEND_WAIT_MS) != 1)
		return -ETIMEDOUT;
	answer->used_bytes = used.bytes;
	answer->bytes = f->writable_bytes;
	answer->data = malloc(f->writable_bytes + 1);
	if (!answer->data)
		abort();
	layout_load(&d->fe, w, f->writable, answer->data, f->writable_bytes);
	if (used.head != (uint32_t)f->head)
		return -EPROTO;
	if (used.bytes < sizeof(reply))
		return 0;
	memcpy(&reply, answer->data, sizeof(reply));
	answer->status = le32toh(reply.status);
	if (used.bytes != (answer->status == VCD_STATUS_OK ? f->writable_bytes
							   : sizeof(reply)))
		return -EPROTO;
	return 0;
}

/* Bytes behind the pieces are the guard's still. Shared memory has none. */
static bool are_guards_whole(struct driver *d, const struct driver_flight *f)
{
	for (unsigned int i = 0; i < f->writable; i++) {
		const struct frontend_piece *p = &f->piece[f->readable + i];
		const uint8_t *at = frontend_at(&d->fe, p->guest_addr);

		if (at[p->bytes] != GUARD)
			return false;
	}
	return true;
}

void driver_rewind(struct driver *d)
{
	d->fe.arena_used = d->arena_start;
}

int driver_send(struct driver *d, unsigned int queue, struct driver_request *r,
		struct driver_answer *answer)
{
	struct frontend_queue *q = &d->fe.queue[queue];
	bool is_shared = r->shared_bytes;
	struct driver_flight *f = calloc(1, sizeof(*f));
	int error;

	memset(answer, 0, sizeof(*answer));
	if (!f)
		abort();
	error = driver_launch(d, queue, r, f);
	if (!error)
		error = frontend_kick(q);
	if (!error)
		error = driver_land(d, queue, f, answer);
	if (!error && !is_shared && !are_guards_whole(d, f))
		error = -EPROTO;
	free(f);
	driver_rewind(d);
	return error;
}

void driver_answer_free(struct driver_answer *answer)
{
	free(answer->data);
	memset(answer, 0, sizeof(*answer));
}

/* --- the daemon's process ---------------------------------------------- */

unsigned int driver_count(pid_t pid, const char *folder)
{
	unsigned int count = 0;
	char path[64];
	FILE *file;
	DIR *dir;
	int c;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, folder);
	if (strcmp(folder, "maps") == 0) {
		file = fopen(path, "r");
		while (file && (c = fgetc(file)) != EOF)
			count += c == '\n';
		if (file)
			fclose(file);
		return count;
	}
	dir = opendir(path);
	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

pid_t driver_worker(const struct driver *d)
{
	char path[64];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
		 (int)d->daemon, (int)d->daemon);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid;
}

unsigned long driver_cpu_ticks(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file,
		   "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		   "%lu %lu",
		   &user, &system) != 2)
		user = 0;
	fclose(file);
	return user + system;
}
