/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c - ask the user for something secret, or for a yes */

#include "client/prompt.h"

#include "base/bytes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

static void on_signal(int number)
{
	/* Only there to interrupt read(2). */
}

static void catch_signals(struct sigaction *old)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &action, &old[i]);
}

static void release_signals(const struct sigaction *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &old[i], NULL);
}

/* Byte by byte: what is behind the newline is for the next reader. */
static long read_line(char *to, size_t room)
{
	size_t length = 0;
	ssize_t got;
	char c;

	to[0] = '\0';
	for (;;) {
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
	struct sigaction old_actions[ARRAY_SIZE(caught)];
	struct termios shown, hidden;
	long result;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return read_line(to, room);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	catch_signals(old_actions);
	ask(question);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		result = -errno;
	else
		result = read_line(to, room);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	release_signals(old_actions);
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
	length = read_line(answer, sizeof(answer));
	return length > 0 &&
	       (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0);
}
