/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - what others write, made safe to show on a terminal */

#include "client/text.h"

#include "base/mutant.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/*
 * How it works: every code point is looked up by its Unicode category; the
 * table says for each category what becomes of it, and `exceptions` lists the
 * few that the category does not settle. What is not named is replaced: a
 * character that this Unicode version does not know may be a control of the
 * next one.
 */

#define REPLACEMENT    0xfffd
#define MARKS_IN_A_ROW 8
#define TAB_BLANKS     "    "
#define EMOJI_FORM     0xfe0f /* of the character before it */

enum fate {
	FATE_REPLACE, /* zero: what no table names */
	FATE_KEEP,
	FATE_MARK, /* kept, but only so many in a row */
	FATE_BLANK,
	FATE_DROP,
	FATE_NEWLINE,
	FATE_TAB,
};

static const uint8_t fate_of_category[32] = {
	[UTF8PROC_CATEGORY_LU] = FATE_KEEP,  [UTF8PROC_CATEGORY_LL] = FATE_KEEP,
	[UTF8PROC_CATEGORY_LT] = FATE_KEEP,  [UTF8PROC_CATEGORY_LM] = FATE_KEEP,
	[UTF8PROC_CATEGORY_LO] = FATE_KEEP,  [UTF8PROC_CATEGORY_MN] = FATE_MARK,
	[UTF8PROC_CATEGORY_MC] = FATE_MARK,  [UTF8PROC_CATEGORY_ME] = FATE_MARK,
	[UTF8PROC_CATEGORY_ND] = FATE_KEEP,  [UTF8PROC_CATEGORY_NL] = FATE_KEEP,
	[UTF8PROC_CATEGORY_NO] = FATE_KEEP,  [UTF8PROC_CATEGORY_PC] = FATE_KEEP,
	[UTF8PROC_CATEGORY_PD] = FATE_KEEP,  [UTF8PROC_CATEGORY_PS] = FATE_KEEP,
	[UTF8PROC_CATEGORY_PE] = FATE_KEEP,  [UTF8PROC_CATEGORY_PI] = FATE_KEEP,
	[UTF8PROC_CATEGORY_PF] = FATE_KEEP,  [UTF8PROC_CATEGORY_PO] = FATE_KEEP,
	[UTF8PROC_CATEGORY_SM] = FATE_KEEP,  [UTF8PROC_CATEGORY_SC] = FATE_KEEP,
	[UTF8PROC_CATEGORY_SK] = FATE_KEEP,  [UTF8PROC_CATEGORY_SO] = FATE_KEEP,
	[UTF8PROC_CATEGORY_ZS] = FATE_BLANK,
};

/* Ranges in which message text and nicks differ from their category's row. */
static const struct exception {
	utf8proc_int32_t first, last;
	uint8_t in_text, in_nick;
} exceptions[] = {
	{ 0x000a, 0x000a, FATE_NEWLINE, FATE_BLANK },
	{ 0x0009, 0x0009, FATE_TAB, FATE_BLANK },
	/* What our own lines are marked with. */
	{ '!', '!', FATE_KEEP, FATE_REPLACE },
	{ '*', '*', FATE_KEEP, FATE_REPLACE },
	{ ':', ':', FATE_KEEP, FATE_REPLACE },
	{ '(', ')', FATE_KEEP, FATE_REPLACE },
	{ 0x00ad, 0x00ad, FATE_DROP, FATE_DROP },    /* soft hyphen */
	{ 0x034f, 0x034f, FATE_DROP, FATE_DROP },    /* grapheme joiner */
	{ 0x115f, 0x1160, FATE_REPLACE, FATE_DROP }, /* Hangul fillers */
	{ 0x17b4, 0x17b5, FATE_DROP, FATE_DROP },    /* Khmer inherent vowels */
	{ 0x180b, 0x180f, FATE_DROP, FATE_DROP },    /* Mongolian selectors */
	{ 0x200b, 0x200b, FATE_DROP, FATE_DROP },    /* zero width space */
	{ 0x200c, 0x200d, FATE_MARK, FATE_DROP },    /* (non-)joiner: scripts */
	{ 0x2060, 0x2064, FATE_DROP, FATE_DROP },   /* word joiner, operators */
	{ 0x2800, 0x2800, FATE_BLANK, FATE_BLANK }, /* Braille blank */
	{ 0x3164, 0x3164, FATE_REPLACE, FATE_DROP }, /* Hangul filler */
	{ 0xfe00, 0xfe0f, FATE_MARK, FATE_DROP },    /* variations: emoji */
	{ 0xfeff, 0xfeff, FATE_DROP, FATE_DROP },    /* byte order mark */
	{ 0xffa0, 0xffa0, FATE_REPLACE, FATE_DROP }, /* Hangul filler */
	/* What looks like the marks of our lines. */
	{ 0x01c3, 0x01c3, FATE_KEEP, FATE_REPLACE }, /* a click: ! */
	{ 0x02d0, 0x02d0, FATE_KEEP, FATE_REPLACE }, /* length sign: colon */
	{ 0x0589, 0x0589, FATE_KEEP, FATE_REPLACE }, /* Armenian stop */
	{ 0x05c3, 0x05c3, FATE_KEEP, FATE_REPLACE }, /* Hebrew sof pasuq */
	{ 0x066d, 0x066d, FATE_KEEP, FATE_REPLACE }, /* Arabic star */
	{ 0x0703, 0x0704, FATE_KEEP, FATE_REPLACE }, /* Syriac colons */
	{ 0x204e, 0x204e, FATE_KEEP, FATE_REPLACE }, /* low asterisk */
	{ 0x205a, 0x205a, FATE_KEEP, FATE_REPLACE }, /* two dots */
	{ 0x207d, 0x207e, FATE_KEEP, FATE_REPLACE }, /* brackets, raised */
	{ 0x208d, 0x208e, FATE_KEEP, FATE_REPLACE }, /* and lowered */
	{ 0x2217, 0x2217, FATE_KEEP, FATE_REPLACE }, /* asterisk operator */
	{ 0x2236, 0x2236, FATE_KEEP, FATE_REPLACE }, /* ratio */
	{ 0x2768, 0x276b, FATE_KEEP, FATE_REPLACE }, /* ornamental brackets */
	{ 0x27ee, 0x27ef, FATE_KEEP, FATE_REPLACE }, /* flattened ones */
	{ 0x2985, 0x2986, FATE_KEEP, FATE_REPLACE }, /* white ones */
	{ 0x2e28, 0x2e29, FATE_KEEP, FATE_REPLACE }, /* double ones */
	{ 0xa789, 0xa789, FATE_KEEP, FATE_REPLACE }, /* modifier colon */
	{ 0xfd3e, 0xfd3f, FATE_KEEP, FATE_REPLACE }, /* ornate brackets */
	{ 0xfe13, 0xfe15, FATE_KEEP, FATE_REPLACE }, /* vertical : ; ! */
	{ 0xfe35, 0xfe36, FATE_KEEP, FATE_REPLACE }, /* vertical brackets */
	{ 0xfe55, 0xfe5a, FATE_KEEP, FATE_REPLACE }, /* small : ? ! ( ) */
	{ 0xfe61, 0xfe61, FATE_KEEP, FATE_REPLACE }, /* small asterisk */
	{ 0xff01, 0xff01, FATE_KEEP, FATE_REPLACE }, /* full width: ! */
	{ 0xff08, 0xff0a, FATE_KEEP, FATE_REPLACE }, /* ( ) * */
	{ 0xff1a, 0xff1a, FATE_KEEP, FATE_REPLACE }, /* : */
	{ 0xff5f, 0xff60, FATE_KEEP, FATE_REPLACE }, /* white brackets */
	{ 0xe0100, 0xe01ef, FATE_MARK, FATE_DROP },  /* variations */
};

static enum fate fate_of(utf8proc_int32_t c, enum text_form form)
{
	enum fate fate = fate_of_category[utf8proc_category(c) & 31];

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (c >= exceptions[i].first && c <= exceptions[i].last)
			fate = form == TEXT_NICK ? exceptions[i].in_nick
						 : exceptions[i].in_text;
	if (fate == FATE_NEWLINE && form != TEXT_BLOCK)
		return FATE_BLANK;
	if (fate == FATE_TAB && form != TEXT_BLOCK)
		return FATE_BLANK;
	return fate;
}

struct output {
	char *at;
	char *end; /* where the NUL goes at the latest */
	bool is_full;
};

static void put(struct output *out, const void *data, size_t bytes)
{
	if (out->is_full || (size_t)(out->end - out->at) < bytes) {
		out->is_full = true;
		return;
	}
	memcpy(out->at, data, bytes);
	out->at += bytes;
}

static void put_char(struct output *out, utf8proc_int32_t c)
{
	utf8proc_uint8_t utf8[4];

	put(out, utf8, (size_t)utf8proc_encode_char(c, utf8));
}

/* Decode one character of at least one byte; an invalid one is U+FFFD. */
static size_t next_char(const uint8_t *at, size_t bytes, utf8proc_int32_t *c)
{
	utf8proc_ssize_t used = utf8proc_iterate(
		at, bytes > 4 ? 4 : (utf8proc_ssize_t)bytes, c);

	if (used > 0)
		return (size_t)used;
	*c = REPLACEMENT;
	return 1;
}

static void clean(struct output *out, const uint8_t *at, const uint8_t *end,
		  enum text_form form)
{
	/* A nick may not begin with a mark: it would sit on what is before. */
	unsigned int marks = form == TEXT_NICK ? MARKS_IN_A_ROW : 0;
	utf8proc_int32_t c;

	while (at < end && !out->is_full) {
		enum fate fate;

		/* The line ends of others: CR LF is one. */
		if (*at == '\r' && at + 1 < end && at[1] == '\n')
			at++;
		at += next_char(at, (size_t)(end - at), &c);
		fate = fate_of(c, form);
		if (fate == FATE_MARK)
			marks++;
		else if (fate != FATE_DROP)
			marks = 0;
		if (!CHECK(terminal_text, fate != FATE_REPLACE))
			put_char(out, REPLACEMENT);
		else if (fate == FATE_BLANK)
			put(out, " ", 1);
		else if (fate == FATE_NEWLINE)
			put(out, "\n", 1);
		else if (fate == FATE_TAB)
			put(out, TAB_BLANKS, strlen(TAB_BLANKS));
		else if (fate != FATE_DROP && marks <= MARKS_IN_A_ROW)
			put_char(out, c);
	}
	*out->at = '\0';
}

/* Collapse runs of blanks, cut them off at both ends. Returns the length. */
static size_t trim(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++)
		if (*at != ' ' || (to > text && to[-1] != ' '))
			*to++ = *at;
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return (size_t)(to - text);
}

static size_t clean_nick(char *to, size_t room, const void *from, size_t bytes)
{
	char plain[TEXT_ROOM(TEXT_NICK_MAX_BYTES)];
	struct output out = { plain, plain + sizeof(plain) - 1, false };
	size_t max =
		room - 1 < TEXT_NICK_MAX_BYTES ? room - 1 : TEXT_NICK_MAX_BYTES;
	utf8proc_uint8_t *composed;

	clean(&out, from, (const uint8_t *)from + bytes, TEXT_NICK);
	composed = utf8proc_NFC((const utf8proc_uint8_t *)plain);
	if (!composed) {
		*to = '\0';
		return 0;
	}
	trim((char *)composed);
	max = text_cut((char *)composed, strlen((char *)composed), max);
	memcpy(to, composed, max);
	to[max] = '\0';
	free(composed);
	return trim(to);
}

size_t text_clean(char *to, size_t room, const void *from, size_t bytes,
		  enum text_form form)
{
	struct output out = { to, to + room - 1, false };

	if (form == TEXT_NICK)
		return clean_nick(to, room, from, bytes);
	clean(&out, from, (const uint8_t *)from + bytes, form);
	return (size_t)(out.at - to);
}

bool text_nick_is_good(const char *text)
{
	utf8proc_uint8_t *composed;
	char shown[TEXT_NICK_ROOM];
	bool is_good;

	composed = utf8proc_NFC((const utf8proc_uint8_t *)text);
	if (!composed)
		return false;
	text_clean(shown, sizeof(shown), text, strlen(text), TEXT_NICK);
	is_good = *shown && strcmp(shown, (char *)composed) == 0;
	free(composed);
	return is_good;
}

/* Letters that pass for others, in the form that folding leaves: of Greek and
 * Cyrillic those that look Latin, small or capital, and what a quick reader
 * takes for l or o. */
static const struct twin {
	utf8proc_int32_t c;
	char like;
} twins[] = {
	{ '0', 'o' },    { '1', 'l' },    { 'i', 'l' },    { '|', 'l' },
	{ 0x0131, 'l' }, { 0x0251, 'a' }, { 0x0261, 'g' }, { 0x03b1, 'a' },
	{ 0x03b2, 'b' }, { 0x03b5, 'e' }, { 0x03b6, 'z' }, { 0x03b7, 'h' },
	{ 0x03b9, 'l' }, { 0x03ba, 'k' }, { 0x03bc, 'm' }, { 0x03bd, 'n' },
	{ 0x03bf, 'o' }, { 0x03c1, 'p' }, { 0x03c4, 't' }, { 0x03c5, 'y' },
	{ 0x03c7, 'x' }, { 0x0430, 'a' }, { 0x0432, 'b' }, { 0x0433, 'r' },
	{ 0x0435, 'e' }, { 0x043a, 'k' }, { 0x043c, 'm' }, { 0x043d, 'h' },
	{ 0x043e, 'o' }, { 0x0440, 'p' }, { 0x0441, 'c' }, { 0x0442, 't' },
	{ 0x0443, 'y' }, { 0x0445, 'x' }, { 0x0455, 's' }, { 0x0456, 'l' },
	{ 0x0458, 'j' }, { 0x04bb, 'h' }, { 0x04cf, 'l' }, { 0x0501, 'd' },
	{ 0x051b, 'q' }, { 0x051d, 'w' },
};

static utf8proc_int32_t twin_of(utf8proc_int32_t c)
{
	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		if (twins[i].c == c)
			return (utf8proc_int32_t)twins[i].like;
	return c;
}

char *text_nick_look(const char *nick)
{
	utf8proc_uint8_t *look =
		utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)nick);
	uint8_t *from = look, *to = look, *end;
	utf8proc_int32_t c, like;

	if (!look)
		return NULL;
	end = look + strlen((char *)look);
	while (from < end) {
		size_t bytes = next_char(from, (size_t)(end - from), &c);

		like = twin_of(c);
		if (like != c) /* they are all of one byte */
			*to++ = (uint8_t)like;
		else
			to = (uint8_t *)memmove(to, from, bytes) + bytes;
		from += bytes;
	}
	*to = '\0';
	return (char *)look;
}

bool text_nick_is_like(const char *a, const char *b)
{
	char *look_a = text_nick_look(a), *look_b = text_nick_look(b);
	bool is_like = look_a && look_b && strcmp(look_a, look_b) == 0;

	free(look_a);
	free(look_b);
	return is_like;
}

size_t text_columns(const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + bytes;
	size_t columns = 0;
	utf8proc_int32_t c;

	while (at < end) {
		at += next_char(at, (size_t)(end - at), &c);
		if (c == EMOJI_FORM) /* which is wide: one more column */
			columns++;
		else if (c != '\n')
			columns += (size_t)utf8proc_charwidth(c);
	}
	return columns;
}

size_t text_cut(const char *text, size_t bytes, size_t bytes_max)
{
	if (bytes <= bytes_max)
		return bytes;
	while (bytes_max && ((uint8_t)text[bytes_max] & 0xc0) == 0x80)
		bytes_max--;
	return bytes_max;
}
