/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c - ask the user for something secret, or for a yes */

#include "client/prompt.h"

#include "base/bytes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

/* What the signals meant before; they are blocked but while we wait. */
struct signals {
	struct sigaction actions[ARRAY_SIZE(caught)];
	sigset_t mask;
};

static void on_signal(int number)
{
	/* Only there to interrupt ppoll(2). */
}

static void catch_signals(struct signals *old)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&blocked, caught[i]);
	sigprocmask(SIG_BLOCK, &blocked, &old->mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &action, &old->actions[i]);
}

static void release_signals(const struct signals *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &old->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* Byte by byte: what is behind the newline is for the next reader. `waiting`
 * is the mask while there is nothing to read, NULL: as it is. */
static long read_line(char *to, size_t room, const sigset_t *waiting)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t length = 0;
	ssize_t got;
	char c;

	to[0] = '\0';
	for (;;) {
		if (waiting && ppoll(&input, 1, NULL, waiting) < 0)
			return -errno;
		got = read(STDIN_FILENO, &c, 1);
		if (got < 0)
			return -errno;
		if (got == 0 && length == 0)
			return -ENODATA;
		if (got == 0 || c == '\n')
			break;
		if (length + 1 == room)
			return -EMSGSIZE;
		to[length++] = c;
	}
	if (length && to[length - 1] == '\r')
		length--;
	to[length] = '\0';
	return (long)length;
}

static void ask(const char *question)
{
	fputs(question, stderr);
	fflush(stderr);
}

long prompt_secret(const char *question, char *to, size_t room)
{
	struct termios shown, hidden;
	struct signals old;
	long result;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return read_line(to, room, NULL);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	catch_signals(&old);
	/* Hidden first: who answers at once must not be shown. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0) {
		result = -errno;
	} else {
		ask(question);
		result = read_line(to, room, &old.mask);
	}
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	release_signals(&old);
	if (result < 0)
		fputc('\n', stderr);
	return result;
}

bool prompt_yes(const char *question)
{
	char answer[8];
	long length;

	if (!isatty(STDIN_FILENO))
		return false;
	ask(question);
	length = read_line(answer, sizeof(answer), NULL);
	return length > 0 &&
	       (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0);
}
