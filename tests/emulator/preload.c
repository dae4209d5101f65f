/* SPDX-License-Identifier: Apache-2.0 */
/* preload.c - stands before libc's calls on descriptors */

/* The plain names are wanted here, not the 64-bit ones under their symbols,
 * and no inline checkers. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "emulator.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/cryptodev.h"

/*
 * How it works: an open of our path opens /dev/null, a character device like
 * the real node, and enters the descriptor in a table; a duplicate shares the
 * entry. What is not in the table goes to libc untouched. A child of fork(2)
 * has a copy of everything; one of vfork(2), which runs in our memory, must
 * not touch the table. exec(2) forgets it.
 */
#define FD_MAX   65536
#define EXPORTED __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct open_file *served[FD_MAX]; /* under lock */
static pid_t table_owner;

/* What stands behind us: libc, or a sanitizer before it. */
#define REAL(name)                                                          \
	({                                                                  \
		static __typeof__(&name) real_;                             \
		if (!real_)                                                 \
			real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
		if (!real_)                                                 \
			abort();                                            \
		real_;                                                      \
	})

EXPORTED int __open_2(const char *path, int flags);
EXPORTED int __open64_2(const char *path, int flags);
EXPORTED int __openat_2(int folder, const char *path, int flags);
EXPORTED int __openat64_2(int folder, const char *path, int flags);

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
	control_fork_lock();
}

static void after_fork(void)
{
	control_fork_unlock();
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	table_owner = getpid();
	after_fork();
}

static __attribute__((constructor)) void start(void)
{
	table_owner = getpid();
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* What a well-behaved program leaves: nothing. */
static __attribute__((destructor)) void finish(void)
{
	unsigned int sessions = 0, files = 0;

	if (getpid() != table_owner)
		return;
	pthread_mutex_lock(&lock);
	for (int fd = 0; fd < FD_MAX; fd++)
		if (served[fd]) {
			files++;
			sessions += file_open_sessions(served[fd]);
		}
	pthread_mutex_unlock(&lock);
	if (files)
		control_note("exit open-descriptors %u open-sessions %u", files,
			     sessions);
}

static bool is_ours(int fd)
{
	return fd >= 0 && fd < FD_MAX &&
	       __atomic_load_n(&served[fd], __ATOMIC_ACQUIRE) &&
	       getpid() == table_owner;
}

static struct open_file *file_hold(int fd)
{
	struct open_file *f = NULL;

	if (!is_ours(fd))
		return NULL;
	pthread_mutex_lock(&lock);
	f = served[fd];
	if (f)
		f->refs++;
	pthread_mutex_unlock(&lock);
	return f;
}

static void file_release(struct open_file *f)
{
	bool is_last;

	if (!f)
		return;
	pthread_mutex_lock(&lock);
	is_last = --f->refs == 0;
	pthread_mutex_unlock(&lock);
	if (is_last)
		control_note("close open-sessions %u", file_destroy(f));
}

/* Consumes the caller's hold on `f`. */
static void table_set(int fd, struct open_file *f)
{
	struct open_file *old = NULL;

	pthread_mutex_lock(&lock);
	if (fd >= 0 && fd < FD_MAX) {
		old = served[fd];
		__atomic_store_n(&served[fd], f, __ATOMIC_RELEASE);
		f = NULL;
	}
	pthread_mutex_unlock(&lock);
	file_release(old);
	file_release(f);
}

static bool is_our_path(const char *path)
{
	return path && strcmp(path, control_path()) == 0;
}

static int open_ours(int flags)
{
	int error = control_is_gone() ? ENOENT : control_fault("open");
	struct open_file *f;
	int fd;

	if (error) {
		control_note("open %s", strerrorname_np(error));
		errno = error;
		return -1;
	}
	f = file_create();
	fd = f ? REAL(open)("/dev/null", (flags & O_CLOEXEC) | O_RDWR) : -1;
	if (fd < 0 || fd >= FD_MAX) {
		if (f)
			file_destroy(f);
		errno = fd < 0 ? errno : EMFILE;
		return -1;
	}
	table_set(fd, f);
	control_note("open 0");
	return fd;
}

#define MODE_ARGUMENT(flags, mode)                          \
	do {                                                \
		if (((flags)&O_CREAT) ||                    \
		    ((flags)&__O_TMPFILE) == __O_TMPFILE) { \
			va_list args_;                      \
			va_start(args_, flags);             \
			mode = va_arg(args_, mode_t);       \
			va_end(args_);                      \
		}                                           \
	} while (0)

EXPORTED int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	if (is_our_path(path))
		return open_ours(flags);
	return REAL(open)(path, flags, mode);
}

EXPORTED int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	if (is_our_path(path))
		return open_ours(flags);
	return REAL(open64)(path, flags, mode);
}

EXPORTED int openat(int folder, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	if (is_our_path(path))
		return open_ours(flags);
	return REAL(openat)(folder, path, flags, mode);
}

EXPORTED int openat64(int folder, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_ARGUMENT(flags, mode);
	if (is_our_path(path))
		return open_ours(flags);
	return REAL(openat64)(folder, path, flags, mode);
}

EXPORTED int __open_2(const char *path, int flags)
{
	return is_our_path(path) ? open_ours(flags)
				 : REAL(__open_2)(path, flags);
}

EXPORTED int __open64_2(const char *path, int flags)
{
	return is_our_path(path) ? open_ours(flags)
				 : REAL(__open64_2)(path, flags);
}

EXPORTED int __openat_2(int folder, const char *path, int flags)
{
	return is_our_path(path) ? open_ours(flags)
				 : REAL(__openat_2)(folder, path, flags);
}

EXPORTED int __openat64_2(int folder, const char *path, int flags)
{
	return is_our_path(path) ? open_ours(flags)
				 : REAL(__openat64_2)(folder, path, flags);
}

EXPORTED int close(int fd)
{
	if (is_ours(fd))
		table_set(fd, NULL);
	return REAL(close)(fd);
}

EXPORTED int close_range(unsigned int first, unsigned int last, int flags)
{
	for (unsigned int fd = first; !flags && fd <= last && fd < FD_MAX; fd++)
		if (is_ours((int)fd))
			table_set((int)fd, NULL);
	return REAL(close_range)(first, last, flags);
}

/* `fd` is what libc made of a duplicate of `from`. */
static int duplicated(int from, int fd)
{
	int error = errno;

	if (fd >= 0 && fd != from && (is_ours(from) || is_ours(fd)))
		table_set(fd, file_hold(from));
	errno = error;
	return fd;
}

EXPORTED int dup(int fd)
{
	return duplicated(fd, REAL(dup)(fd));
}

EXPORTED int dup2(int fd, int to)
{
	return duplicated(fd, REAL(dup2)(fd, to));
}

EXPORTED int dup3(int fd, int to, int flags)
{
	return duplicated(fd, REAL(dup3)(fd, to, flags));
}

#define FCNTL_BODY(name)                                              \
	do {                                                          \
		va_list args_;                                        \
		void *argument_;                                      \
		va_start(args_, command);                             \
		argument_ = va_arg(args_, void *);                    \
		va_end(args_);                                        \
		fd_ = REAL(name)(fd, command, argument_);             \
		if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) \
			return duplicated(fd, fd_);                   \
		return fd_;                                           \
	} while (0)

EXPORTED int fcntl(int fd, int command, ...)
{
	int fd_;

	FCNTL_BODY(fcntl);
}

EXPORTED int fcntl64(int fd, int command, ...)
{
	int fd_;

	FCNTL_BODY(fcntl64);
}

/* C1: the lowest free descriptor, without close-on-exec. C2, C3. */
static int crioget(int fd, void *arg)
{
	int other = REAL(fcntl)(fd, F_DUPFD, 0);

	if (other < 0)
		return -errno;
	duplicated(fd, other);
	if (user_write(arg, &other, sizeof(other)) == 0)
		return 0;
	close(other);
	return -EFAULT;
}

static int ioctl_ours(struct open_file *f, int fd, unsigned int request,
		      void *arg)
{
	const char *name = file_ioctl_name(request);
	int ret;

	if (control_is_gone())
		ret = -ENODEV;
	else if (name && (ret = control_fault(name)) != 0)
		ret = -ret;
	else if (request == CRIOGET)
		ret = crioget(fd, arg);
	else
		ret = file_ioctl(f, request, arg);
	control_trace(name ? name : "unknown", ret);
	return ret;
}

EXPORTED int ioctl(int fd, unsigned long request, ...)
{
	struct open_file *f = file_hold(fd);
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!f)
		return REAL(ioctl)(fd, request, arg);
	ret = ioctl_ours(f, fd, (unsigned int)request, arg);
	file_release(f);
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : ret;
}
