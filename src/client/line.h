/* SPDX-License-Identifier: Apache-2.0 */
/* line.h - a line editor that lets the loop run and others print above it */
#ifndef PVX_CLIENT_LINE_H
#define PVX_CLIENT_LINE_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct line; /* opaque; one per process */

/*
 * Edit on the terminal when standard input and output are one that can move
 * its cursor; else read plain lines. Returns 0 or -errno.
 */
int line_open(struct line **line, struct loop *loop);
/* Restores the terminal. NULL is allowed. */
void line_close(struct line *line);

/* Whether lines are edited, and the columns of the terminal (0: none). */
bool line_is_edited(const struct line *line);
size_t line_columns(const struct line *line);

/* What stands before the line from the next drawing on. Clean text. */
void line_set_prompt(struct line *line, const char *prompt);

/*
 * Run the loop until the user has entered a line: its length, and the text
 * without the newline in `text` (owned by `line`, until the next call). A
 * pasted text may have newlines inside. Returns -ENODATA at the end of the
 * input or after line_end(), or -errno.
 */
long line_read(struct line *line, const char **text);

/* Make line_read() return soon. To be called from the loop. */
void line_end(struct line *line);

/* Around whatever else is printed on the terminal: take the line away, and
 * draw it again. May be nested. */
void line_hide(struct line *line);
void line_show(struct line *line);

/* The window has changed its size. */
void line_resize(struct line *line);

/* Give the terminal back and stop, as the suspend key asks; comes back when
 * the process goes on. */
void line_suspend(struct line *line);

#endif
