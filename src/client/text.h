/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - what others write, made safe to show on a terminal */
#ifndef PVX_CLIENT_TEXT_H
#define PVX_CLIENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The forms differ in what they keep:
 *   BLOCK  newlines (CR LF becomes LF), a tab as four spaces
 *   LINE   a newline becomes a space
 *   NICK   as LINE; normalised (NFC), blanks collapsed and trimmed, without
 *          anything invisible and without the marks of our own lines or what
 *          looks like them, at most TEXT_NICK_MAX_BYTES
 */
enum text_form {
	TEXT_BLOCK,
	TEXT_LINE,
	TEXT_NICK,
	TEXT_FORMS
};

#define TEXT_NICK_MAX_BYTES 64
#define TEXT_NICK_ROOM      (TEXT_NICK_MAX_BYTES + 1)

/* Room that text_clean() of so many bytes never exceeds, NUL included. */
#define TEXT_ROOM(bytes) ((bytes)*4 + 1)

/*
 * Copy `bytes` bytes of `from`, anything at all, to `to` as UTF-8 that cannot
 * act on a terminal or on the reading order: controls (C0, DEL, C1), escape
 * sequences, formatting characters (bidi embeddings, overrides, isolates and
 * marks, tags, annotations), line and paragraph separators, what is invalid
 * or unassigned become U+FFFD; more than eight marks on one character are
 * left out. Ends with a NUL; cut at a character when `room` is short. Returns
 * the length without the NUL.
 */
size_t text_clean(char *to, size_t room, const void *from, size_t bytes,
		  enum text_form form);

/* Whether `text`, a nick as its owner typed it, is shown to others as it is:
 * not empty, and text_clean() changes nothing but its normal form. */
bool text_nick_is_good(const char *text);

/* What a quick reader sees of a nick: it has no case, compatibility forms and
 * invisible characters, and letters and digits that pass for others are these.
 * NULL for what is not UTF-8 or no memory; free() it. */
char *text_nick_look(const char *nick);

/* Whether two nicks look alike. */
bool text_nick_is_like(const char *a, const char *b);

/* Columns that valid UTF-8 takes on a terminal, newlines not counted. */
size_t text_columns(const char *text, size_t bytes);

/* The longest prefix of `text` with at most `bytes_max` bytes that ends
 * between characters; for cutting valid UTF-8 into pieces. */
size_t text_cut(const char *text, size_t bytes, size_t bytes_max);

#endif
