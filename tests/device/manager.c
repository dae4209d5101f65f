/* SPDX-License-Identifier: Apache-2.0 */
/* manager.c - a service manager that keeps a daemon's descriptors */
#include "device/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/receive.h"

#define FIRST_FD 3
#define HIGH_FD  600 /* above everything that is passed */

static struct manager the_manager; /* the child's hook has no context */
/* What the next daemon gets: duplicates, while the thread goes on. */
static struct manager_entry passed[MANAGER_KEPT_MAX];
static unsigned int passed_count;

/* In the daemon before it runs: what a service manager hands over. */
static void pass(void)
{
	static char names[MANAGER_KEPT_MAX * 64], number[16];
	struct manager *m = &the_manager;
	int high[MANAGER_KEPT_MAX];

	for (unsigned int i = 0; i < passed_count; i++)
		high[i] = fcntl(passed[i].fd, F_DUPFD, HIGH_FD);
	(void)close_range(FIRST_FD, HIGH_FD - 1, 0);
	for (unsigned int i = 0; i < passed_count; i++) {
		(void)dup2(high[i], FIRST_FD + (int)i);
		close(high[i]);
		if (i)
			strcat(names, ":");
		strcat(names, passed[i].name);
	}
	setenv("NOTIFY_SOCKET", m->address.sun_path, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%u", passed_count);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
}

static void forget(struct manager *m, unsigned int index)
{
	close(m->entry[index].fd);
	m->entry[index] = m->entry[--m->kept];
}

static void obey(struct manager *m, const char *text, int fd)
{
	const char *name = strstr(text, "FDNAME=");

	if (!name)
		return;
	name += strlen("FDNAME=");
	if (strstr(text, "FDSTOREREMOVE=1")) {
		for (unsigned int i = 0; i < m->kept; i++)
			if (strcmp(m->entry[i].name, name) == 0)
				forget(m, i--);
	} else if (strstr(text, "FDSTORE=1") && fd >= 0 &&
		   m->kept < MANAGER_KEPT_MAX) {
		m->polled += strstr(text, "FDPOLL=0") == NULL;
		snprintf(m->entry[m->kept].name, sizeof(m->entry[0].name), "%s",
			 name);
		m->entry[m->kept++].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
}

static void drain(struct manager *m)
{
	for (;;) {
		char text[256];
		int fd = -1;
		ssize_t got = receive(m->sock, text, sizeof(text) - 1, 0, &fd);

		if (got < 0)
			return;
		text[got] = '\0';
		obey(m, text, fd);
		if (fd >= 0)
			close(fd);
	}
}

void manager_drain(struct manager *m)
{
	pthread_mutex_lock(&m->lock);
	drain(m);
	pthread_mutex_unlock(&m->lock);
}

static void *keep(void *argument)
{
	struct manager *m = argument;

	while (!m->must_stop) {
		(void)frontend_poll(m->sock, 50);
		manager_drain(m);
	}
	return NULL;
}

static void thread_start(void)
{
	struct manager *m = &the_manager;

	m->must_stop = false;
	if (pthread_create(&m->thread, NULL, keep, m))
		abort();
	m->has_thread = true;
}

static void thread_stop(void)
{
	struct manager *m = &the_manager;

	if (!m->has_thread)
		return;
	m->must_stop = true;
	/* It looks when something comes. */
	(void)sendto(m->sock, "", 1, 0, (const void *)&m->address,
		     sizeof(m->address));
	pthread_join(m->thread, NULL);
	m->has_thread = false;
}

struct manager *manager_create(struct driver *driver)
{
	struct manager *m = &the_manager;

	memset(m, 0, sizeof(*m));
	m->address.sun_family = AF_UNIX;
	snprintf(m->address.sun_path, sizeof(m->address.sun_path),
		 "/tmp/pvx-manager-%d", (int)getpid());
	(void)unlink(m->address.sun_path);
	m->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->sock < 0 ||
	    bind(m->sock, (const void *)&m->address, sizeof(m->address)))
		abort();
	pthread_mutex_init(&m->lock, NULL);
	driver->in_child = pass;
	driver->before_fork = thread_stop;
	driver->behind_fork = thread_start;
	driver->keeper_patience_ms = FRONTEND_WAIT_MS;
	driver->expects_deaths = true;
	return m;
}

void manager_destroy(struct manager *m)
{
	thread_stop();
	while (m->kept)
		forget(m, 0);
	close(m->sock);
	(void)unlink(m->address.sun_path);
}

int manager_restart(struct manager *m, struct driver *d)
{
	int status, error;

	(void)kill(d->daemon, SIGKILL);
	while (waitpid(d->daemon, &status, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&m->lock);
	drain(m);
	passed_count = m->kept;
	for (unsigned int i = 0; i < passed_count; i++) {
		passed[i] = m->entry[i];
		passed[i].fd = fcntl(m->entry[i].fd, F_DUPFD_CLOEXEC, 0);
	}
	pthread_mutex_unlock(&m->lock);
	error = driver_start_again(d);
	while (passed_count)
		close(passed[--passed_count].fd);
	m->restarts++;
	return error;
}

void manager_look(struct manager *m)
{
	siginfo_t dead = { .si_pid = 0 };

	if (m->watched &&
	    waitid(P_PID, (id_t)m->watched->daemon, &dead,
		   WEXITED | WNOWAIT | WNOHANG) == 0 &&
	    dead.si_code == CLD_KILLED)
		(void)manager_restart(m, m->watched);
}

static void look(void)
{
	manager_look(&the_manager);
}

void manager_watch(struct manager *m, struct driver *driver)
{
	m->watched = driver;
	driver->fe.while_waiting = look;
}

void manager_unwatch(struct manager *m)
{
	if (m->watched)
		m->watched->fe.while_waiting = NULL;
	m->watched = NULL;
}
