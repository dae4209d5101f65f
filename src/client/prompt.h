/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - ask the user for something secret, or for a yes */
#ifndef PVX_CLIENT_PROMPT_H
#define PVX_CLIENT_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Read a line from standard input into `to` (memory of secret_alloc()), which
 * has room for `room` bytes with the NUL; the newline is cut off. On a
 * terminal `question` is asked there and what is typed is not shown; the
 * terminal is as before when this returns, also after a signal. Standard input
 * is read no further than the newline. Returns the length; -ENODATA at the
 * end of the input, -EMSGSIZE, -EINTR after a signal that ends the program,
 * or -errno.
 */
long prompt_secret(const char *question, char *to, size_t room);

/* Ask on the terminal; true after "y" or "yes". False without a terminal. */
bool prompt_yes(const char *question);

#endif
