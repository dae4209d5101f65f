/* SPDX-License-Identifier: Apache-2.0 */
/* show.h - events as lines for people, or as JSON for programs */
#ifndef PVX_CLIENT_SHOW_H
#define PVX_CLIENT_SHOW_H

#include "client/event.h"

#include <stdio.h>

/*
 * One event for people: "HH:MM:SS nick: text", further lines of a message
 * indented below its first; remarks begin with "*", warnings with "!". Nothing
 * is printed for events that only programs care about. `columns` is the width
 * of the terminal, 0 when there is none: then long lines are not broken.
 */
void show_line(FILE *to, const struct event *event, size_t columns);

/* The same with the terminal's own line breaks off meanwhile. */
void show_on_terminal(FILE *to, const struct event *event, size_t columns);

/* The width of the terminal behind a descriptor; 0 when there is none, or none
 * that knows control sequences. */
size_t show_columns(int fd);

/* Whether show_line() prints anything. */
bool show_has_line(const struct event *event);

/* One event as a JSON object on a line; docs/man/paravox.1 has the members. */
void show_json(FILE *to, const struct event *event);

#endif
