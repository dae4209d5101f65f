/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - what must outlive the process, as rows for the client's store */

#include "e2ee/rows.h"
#include "base/cursor.h"
#include "base/mutant.h"
#include "e2ee/rows_codec.h"

#include <errno.h>
#include <string.h>

/* The first byte of a value: the row's layout. */
#define LAYOUT_MEMBER 1
#define LAYOUT_CHAIN  2

#define FLAG_CONTESTED 1u

#define CHAIN_ROW_BYTES (1 + 8 + 8 + 2 * SHA256_BYTES + CHAIN_SEEN_BYTES)

static const uint8_t no_chain[CHAT_CHAIN_ID_BYTES];

_Static_assert(E2EE_ROW_KEY_BYTES == CHAT_KEY_BYTES + CHAT_CHAIN_ID_BYTES,
	       "a key is a device key and a chain id");
_Static_assert(CHAIN_ROW_BYTES <= E2EE_ROW_VALUE_BYTES,
	       "a chain fits into a row");

static void row_begin(struct e2ee_row *row, struct writer *w,
		      const uint8_t *device_key, const uint8_t *chain_id)
{
	memset(row, 0, sizeof(*row));
	memcpy(row->key, device_key, CHAT_KEY_BYTES);
	memcpy(row->key + CHAT_KEY_BYTES, chain_id, CHAT_CHAIN_ID_BYTES);
	writer_init(w, row->value, sizeof(row->value));
}

void member_row_encode(struct e2ee_row *row, const struct member_record *m)
{
	size_t nick_bytes = strlen(m->nick);
	struct writer w;

	row_begin(row, &w, m->device_key, no_chain);
	writer_u8(&w, LAYOUT_MEMBER);
	writer_u8(&w, m->has_contested_nick ? FLAG_CONTESTED : 0);
	writer_bytes(&w, m->identity_key, SIGN_PUBLIC_BYTES);
	writer_u64(&w, m->floor_ms);
	writer_u8(&w, (uint8_t)nick_bytes);
	writer_bytes(&w, m->nick, nick_bytes);
	row->value_bytes = (uint16_t)writer_used(&w);
}

void chain_row_encode(struct e2ee_row *row,
		      const uint8_t device_key[CHAT_KEY_BYTES],
		      const struct chain_record *c)
{
	struct writer w;

	row_begin(row, &w, device_key, c->id);
	writer_u8(&w, LAYOUT_CHAIN);
	writer_u64(&w, c->last_ms);
	writer_u64(&w, c->highest);
	writer_bytes(&w, c->link, SHA256_BYTES);
	writer_bytes(&w, c->carried, SHA256_BYTES);
	writer_bytes(&w, c->seen, CHAIN_SEEN_BYTES);
	row->value_bytes = (uint16_t)writer_used(&w);
}

void chain_row_delete(struct e2ee_row *row,
		      const uint8_t device_key[CHAT_KEY_BYTES],
		      const struct chain_record *c)
{
	chain_row_encode(row, device_key, c);
	row->value_bytes = 0;
}

bool row_is_member(const uint8_t key[E2EE_ROW_KEY_BYTES])
{
	return memcmp(key + CHAT_KEY_BYTES, no_chain, sizeof(no_chain)) == 0;
}

int member_row_decode(struct member_record *m,
		      const uint8_t key[E2EE_ROW_KEY_BYTES],
		      const uint8_t *value, size_t bytes)
{
	uint8_t layout, flags, nick_bytes;
	struct reader r;

	memset(m, 0, sizeof(*m));
	memcpy(m->device_key, key, CHAT_KEY_BYTES);
	reader_init(&r, value, bytes);
	layout = reader_u8(&r);
	flags = reader_u8(&r);
	reader_copy(&r, m->identity_key, SIGN_PUBLIC_BYTES);
	m->floor_ms = reader_u64(&r);
	nick_bytes = reader_u8(&r);
	if (nick_bytes > E2EE_MAX_NICK_BYTES)
		return -EBADMSG;
	reader_copy(&r, m->nick, nick_bytes);
	m->has_contested_nick = flags & FLAG_CONTESTED;
	m->is_pinned = true;
	if (layout != LAYOUT_MEMBER || flags > FLAG_CONTESTED ||
	    strlen(m->nick) != nick_bytes)
		return -EBADMSG;
	return reader_finish(&r);
}

int chain_row_decode(struct chain_record *c,
		     const uint8_t key[E2EE_ROW_KEY_BYTES],
		     const uint8_t *value, size_t bytes)
{
	struct reader r;
	uint8_t layout;

	memset(c, 0, sizeof(*c));
	memcpy(c->id, key + CHAT_KEY_BYTES, CHAT_CHAIN_ID_BYTES);
	reader_init(&r, value, bytes);
	layout = reader_u8(&r);
	c->last_ms = reader_u64(&r);
	c->highest = reader_u64(&r);
	reader_copy(&r, c->link, SHA256_BYTES);
	reader_copy(&r, c->carried, SHA256_BYTES);
	reader_copy(&r, c->seen, CHAIN_SEEN_BYTES);
	if (layout != LAYOUT_CHAIN || c->highest >= CHAIN_MESSAGES)
		return -EBADMSG;
	return reader_finish(&r);
}

int member_record_merge(struct member_record *into,
			const struct member_record *other)
{
	if (into->is_pinned && other->is_pinned &&
	    memcmp(into->identity_key, other->identity_key,
		   SIGN_PUBLIC_BYTES) != 0)
		return -EEXIST;
	if (!into->is_pinned) {
		uint64_t floor_ms = into->floor_ms;

		*into = *other;
		into->floor_ms = floor_ms;
	}
	if (other->floor_ms > into->floor_ms)
		into->floor_ms = other->floor_ms;
	return 0;
}

void chain_record_merge(struct chain_record *into,
			const struct chain_record *other)
{
	for (unsigned int i = 0; i < CHAIN_SEEN_BYTES; i++)
		into->seen[i] |= other->seen[i];
	if (other->last_ms > into->last_ms)
		into->last_ms = other->last_ms;
	if (other->highest > into->highest) {
		into->highest = other->highest;
		memcpy(into->link, other->link, SHA256_BYTES);
		memcpy(into->carried, other->carried, SHA256_BYTES);
	}
}

static int member_row_merge(struct e2ee_row *row, const uint8_t *stored,
			    size_t bytes)
{
	struct member_record mine, other;
	int err;

	err = member_row_decode(&mine, row->key, row->value, row->value_bytes);
	if (!err)
		err = member_row_decode(&other, row->key, stored, bytes);
	if (!err)
		err = member_record_merge(&mine, &other);
	if (!err)
		member_row_encode(row, &mine);
	return err;
}

static int chain_row_merge(struct e2ee_row *row, const uint8_t *stored,
			   size_t bytes)
{
	struct chain_record mine, other;
	uint8_t device_key[CHAT_KEY_BYTES];
	int err;

	err = chain_row_decode(&mine, row->key, row->value, row->value_bytes);
	if (!err)
		err = chain_row_decode(&other, row->key, stored, bytes);
	if (err)
		return err;
	chain_record_merge(&mine, &other);
	memcpy(device_key, row->key, sizeof(device_key));
	chain_row_encode(row, device_key, &mine);
	return 0;
}

/* The floor that stands for a forgotten chain was set behind what its process
 * knew of it. Another process may have accepted newer messages in the chain:
 * their record must stay, or they would be accepted again. */
static int chain_delete_merge(struct e2ee_row *row, const uint8_t *stored,
			      size_t bytes)
{
	struct chain_record mine, other;
	int err;

	err = chain_row_decode(&mine, row->key, row->value, CHAIN_ROW_BYTES);
	if (!err)
		err = chain_row_decode(&other, row->key, stored, bytes);
	if (err || CHECK(forgotten_row, other.last_ms <= mine.last_ms))
		return err;
	row->value_bytes = CHAIN_ROW_BYTES;
	return chain_row_merge(row, stored, bytes);
}

int e2ee_row_merge(struct e2ee_row *row, const uint8_t *stored, size_t bytes)
{
	if (row->value_bytes == 0)
		return chain_delete_merge(row, stored, bytes);
	if (row_is_member(row->key))
		return member_row_merge(row, stored, bytes);
	return chain_row_merge(row, stored, bytes);
}
