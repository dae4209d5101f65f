/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - what a message says: the bytes inside the ciphertext */

#include "e2ee/content.h"
#include "base/bytes.h"
#include "base/cursor.h"
#include "base/mutant.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEAD_BYTES (SIGN_PUBLIC_BYTES + SIGN_BYTES) /* before the body */

static const size_t buckets[] = { 256, 512, 1024, 2048, 4096 };

/* Which contents carry text: none, maybe, or always. */
enum text_rule {
	TEXT_NONE,
	TEXT_MAY,
	TEXT_MUST
};

static const struct {
	bool is_known;
	enum text_rule text;
} types[E2EE_CONTENT_TYPES] = {
	[E2EE_CONTENT_TEXT] = { true, TEXT_MUST },
	[E2EE_CONTENT_JOIN] = { true, TEXT_NONE },
	[E2EE_CONTENT_NICK] = { true, TEXT_NONE },
	[E2EE_CONTENT_LEAVE] = { true, TEXT_MAY },
};

/* Padme: keep as many leading bits of the length as its logarithm has, so
 * that a length of n bits tells about log2(n) of them (at most 12 % more). */
static size_t padme_bytes(size_t bytes)
{
	unsigned int exponent = 0, bits = 0;
	size_t mask;

	while (bytes >> (exponent + 1))
		exponent++;
	while (exponent >> bits)
		bits++;
	mask = ((size_t)1 << (exponent - bits)) - 1;
	return (bytes + mask) & ~mask;
}

size_t e2ee_padded_bytes(size_t bytes)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(buckets); i++)
		if (bytes <= buckets[i])
			return buckets[i];
	return padme_bytes(bytes);
}

static bool has_no_nul(const char *text, size_t bytes)
{
	return bytes == 0 || !memchr(text, '\0', bytes);
}

static bool content_is_valid(const struct e2ee_content *c)
{
	unsigned int type = c->type;

	if (type >= E2EE_CONTENT_TYPES || !types[type].is_known)
		return false;
	if (!CHECK(sender_time_bound, c->sender_time_ms <= E2EE_MAX_TIME_MS))
		return false;
	if (c->nick_bytes < 1 || c->nick_bytes > E2EE_MAX_NICK_BYTES ||
	    c->text_bytes > E2EE_MAX_TEXT_BYTES)
		return false;
	if ((types[type].text == TEXT_MUST && c->text_bytes == 0) ||
	    (types[type].text == TEXT_NONE && c->text_bytes != 0))
		return false;
	return has_no_nul(c->nick, c->nick_bytes) &&
	       has_no_nul(c->text, c->text_bytes);
}

size_t e2ee_plaintext_bytes(const struct e2ee_content *content)
{
	if (!content_is_valid(content))
		return 0;
	return e2ee_padded_bytes(E2EE_CONTENT_OVERHEAD + content->nick_bytes +
				 content->text_bytes);
}

int e2ee_body_encode(uint8_t *out, size_t body_bytes,
		     const struct e2ee_body *body)
{
	const struct e2ee_content *c = &body->content;
	struct writer w;
	size_t used;

	if (e2ee_plaintext_bytes(c) != HEAD_BYTES + body_bytes)
		return -EINVAL;
	writer_init(&w, out, body_bytes);
	writer_bytes(&w, body->device_proof, SIGN_BYTES);
	writer_bytes(&w, body->link, SHA256_BYTES);
	writer_u64(&w, c->sender_time_ms);
	writer_u8(&w, (uint8_t)c->type);
	writer_u8(&w, (uint8_t)c->nick_bytes);
	writer_bytes(&w, c->nick, c->nick_bytes);
	writer_u32(&w, (uint32_t)c->text_bytes);
	writer_bytes(&w, c->text, c->text_bytes);
	used = writer_used(&w);
	memset(out + used, 0, body_bytes - used);
	return 0;
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
	uint8_t all = 0;

	for (size_t i = 0; i < bytes; i++)
		all |= data[i];
	return all == 0;
}

int e2ee_body_decode(struct e2ee_body *body, const uint8_t *data,
		     size_t body_bytes)
{
	struct e2ee_content *c = &body->content;
	size_t padding_bytes;
	struct reader r;

	reader_init(&r, data, body_bytes);
	body->device_proof = reader_bytes(&r, SIGN_BYTES);
	body->link = reader_bytes(&r, SHA256_BYTES);
	c->sender_time_ms = reader_u64(&r);
	c->type = (enum e2ee_content_type)reader_u8(&r);
	c->nick_bytes = reader_u8(&r);
	c->nick = (const char *)reader_bytes(&r, c->nick_bytes);
	c->text_bytes = reader_u32(&r);
	c->text = (const char *)reader_bytes(&r, c->text_bytes);
	padding_bytes = reader_left(&r);
	data = reader_bytes(&r, padding_bytes);
	if (reader_finish(&r) || !content_is_valid(c))
		return -EBADMSG;
	if (!CHECK(padding,
		   e2ee_plaintext_bytes(c) == HEAD_BYTES + body_bytes &&
			   is_zero(data, padding_bytes)))
		return -EBADMSG;
	return 0;
}
