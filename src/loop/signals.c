/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - signals as events of the loop (signalfd) */

#include "loop/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void signals_ready(struct loop_watch *watch, unsigned int events)
{
	struct loop_signals *s = list_entry(watch, struct loop_signals, watch);
	struct signalfd_siginfo info;

	(void)events;
	/* One at a time: the handler may close us, and what is left makes the
	 * descriptor ready again. */
	if (read(s->fd, &info, sizeof(info)) == sizeof(info))
		s->on_signal(s, (int)info.ssi_signo);
}

int loop_signals_open(struct loop *loop, struct loop_signals *s,
		      const int *numbers, unsigned int count,
		      loop_signals_fn *on_signal)
{
	sigset_t set;
	int error;

	*s = (struct loop_signals){ .fd = -1, .on_signal = on_signal };
	sigemptyset(&set);
	for (unsigned int i = 0; i < count; i++)
		sigaddset(&set, numbers[i]);
	error = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (error)
		return -error;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0)
		return -errno;
	error = loop_watch_add(loop, &s->watch, s->fd, LOOP_READ,
			       signals_ready);
	if (error) {
		close(s->fd);
		s->fd = -1;
	}
	return error;
}

void loop_signals_close(struct loop_signals *s)
{
	if (!s->watch.loop)
		return;
	loop_watch_remove(&s->watch);
	close(s->fd);
	s->fd = -1;
}
