/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cryptsess.c - sessions with any parameters, operations in any order
 *
 * Each operation runs twice, on two sessions with the same history: apart in
 * one piece, and in place or crosswise overlapping in pieces. Result, output,
 * digest, tag and chained IV must agree. All memory is exactly as large as the
 * request says, so that a sanitizer sees each byte too far.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "lib/sessions.h"

#define PAYLOAD_MAX    2048
#define OPERATIONS_MAX 32
#define SURE_TAG_BYTES 8 /* one byte fits a wrong payload once in 256 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The two sessions and the input. */
struct pair {
	struct cryptsess *s[2];
	struct reader input;
	struct test_random random;
};

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static struct cryptsess_provider *the_provider(void)
{
	static struct cryptsess_provider *provider;

	if (!provider)
		demand(cryptsess_provider_open(&provider, "openssl", NULL, 0) ==
		       0);
	return provider;
}

/* Half of the ids are valid ones. */
static uint32_t pick_id(struct reader *in, bool is_mac)
{
	uint8_t choice = reader_u8(in);
	const struct cryptsess_algorithm *a =
		cryptsess_algorithm_at(choice & 31);

	if (choice & 128)
		return choice & 127;
	return a && a->is_mac == is_mac ? a->id : 0;
}

static uint8_t *exact(size_t bytes)
{
	uint8_t *memory = calloc(1, bytes ? bytes : 1);

	demand(memory != NULL);
	return memory;
}

static bool open_pair(struct pair *p)
{
	struct cryptsess_params params = { 0 };
	uint8_t *key, *mac_key;
	int r[2];

	params.cipher = pick_id(&p->input, false);
	params.mac = pick_id(&p->input, true);
	params.key_bytes = reader_u8(&p->input) % 72;
	params.mac_key_bytes = reader_u16(&p->input) % 520;
	p->random.state = reader_u32(&p->input);
	key = exact(params.key_bytes);
	mac_key = exact(params.mac_key_bytes);
	test_random_fill(&p->random, key, params.key_bytes);
	test_random_fill(&p->random, mac_key, params.mac_key_bytes);
	params.key = key;
	params.mac_key = mac_key;
	for (int i = 0; i < 2; i++)
		r[i] = cryptsess_open(&p->s[i], the_provider(), &params);
	demand(r[0] == r[1]);
	free(key);
	free(mac_key);
	return r[0] == 0;
}

/* What one operation is made of, read from the input. */
struct shape {
	uint16_t direction, flags;
	uint32_t payload_bytes, auth_bytes, offset, tag_bytes;
	bool has_iv, has_mac;
	uint32_t cut;
	int shift; /* of the destination, second run */
};

static void read_shape(struct pair *p, struct shape *shape)
{
	struct reader *in = &p->input;
	uint8_t bits = reader_u8(in);

	shape->direction = (bits & 3) == 3 ? 2 : bits & 1;
	shape->has_iv = bits & 4;
	shape->has_mac = bits & 8;
	shape->flags = reader_u8(in);
	shape->payload_bytes = reader_u16(in) % (PAYLOAD_MAX + 1);
	if (bits & 16)
		shape->payload_bytes &= ~15u;
	shape->auth_bytes = reader_u16(in) % 4200;
	shape->offset = reader_u16(in) % 300;
	shape->tag_bytes = reader_u8(in) % 70;
	shape->cut = 1 + reader_u8(in);
	shape->shift = bits & 32 ? (int)reader_u8(in) - 128 : 0;
}

static void check_ivs(struct pair *p)
{
	uint8_t a[CRYPTSESS_MAX_IV_BYTES] = { 0 };
	uint8_t b[CRYPTSESS_MAX_IV_BYTES] = { 0 };

	cryptsess_get_iv(p->s[0], a);
	cryptsess_get_iv(p->s[1], b);
	demand(memcmp(a, b, sizeof(a)) == 0);
}

/* Apart, whole. */
static int crypt_apart(struct pair *p, const struct shape *shape,
		       const uint8_t *text, uint8_t *out, uint8_t *mac,
		       uint8_t *iv)
{
	struct test_pieces src, dst;
	struct cryptsess_crypt op = { .direction = shape->direction,
				      .flags = shape->flags,
				      .payload_bytes = shape->payload_bytes,
				      .mac = shape->has_mac ? mac : NULL,
				      .iv = shape->has_iv ? iv : NULL };

	test_pieces_one(&src, text, shape->payload_bytes);
	test_pieces_one(&dst, out, shape->payload_bytes);
	op.src = src.list;
	op.src_count = src.count;
	op.dst = dst.list;
	op.dst_count = dst.count;
	return cryptsess_crypt(p->s[0], &op);
}

/* In one buffer, `shift` bytes apart, in pieces. */
static int crypt_cut(struct pair *p, const struct shape *shape, uint8_t *src,
		     uint8_t *dst, uint8_t *mac, uint8_t *iv)
{
	struct test_pieces from, to;
	struct cryptsess_crypt op = { .direction = shape->direction,
				      .flags = shape->flags,
				      .payload_bytes = shape->payload_bytes,
				      .mac = shape->has_mac ? mac : NULL,
				      .iv = shape->has_iv ? iv : NULL };

	test_pieces_cut(&from, src, shape->payload_bytes, shape->cut,
			&p->random);
	test_pieces_cut(&to, dst, shape->payload_bytes, shape->cut + 3,
			&p->random);
	op.src = from.list;
	op.src_count = from.count;
	op.dst = to.list;
	op.dst_count = to.count;
	return cryptsess_crypt(p->s[1], &op);
}

static void do_crypt(struct pair *p, const struct shape *shape)
{
	size_t bytes = shape->payload_bytes;
	size_t ahead = shape->shift < 0 ? (size_t)-shape->shift : 0;
	size_t behind = shape->shift > 0 ? (size_t)shape->shift : 0;
	uint8_t *text = exact(bytes), *out = exact(bytes);
	uint8_t *both = exact(ahead + bytes + behind);
	uint8_t *src = both + ahead, *dst = src + shape->shift;
	uint8_t mac[2][CRYPTSESS_MAX_DIGEST_BYTES] = { { 0 } };
	uint8_t iv[2][CRYPTSESS_MAX_IV_BYTES];
	struct cryptsess_info info;
	int r[2];

	test_random_fill(&p->random, text, bytes);
	test_random_fill(&p->random, iv[0], sizeof(iv[0]));
	memcpy(iv[1], iv[0], sizeof(iv[0]));
	memcpy(src, text, bytes);
	r[0] = crypt_apart(p, shape, text, out, mac[0], iv[0]);
	r[1] = crypt_cut(p, shape, src, dst, mac[1], iv[1]);
	demand(r[0] == r[1]);
	cryptsess_get_info(p->s[0], &info);
	if (r[0] == 0) {
		demand(memcmp(mac[0], mac[1], sizeof(mac[0])) == 0);
		demand(memcmp(iv[0], iv[1], sizeof(iv[0])) == 0);
		demand(!info.cipher || memcmp(out, dst, bytes) == 0);
	}
	check_ivs(p);
	free(text);
	free(out);
	free(both);
}

/* One of the two runs of a CIOCAUTHCRYPT: its memory and its result. */
struct side {
	struct cryptsess *s;
	uint8_t *auth, *buffer, *apart; /* owned */
	uint8_t *src, *dst;             /* in the above */
	size_t room_bytes;
	uint32_t cut;
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES];
	uint8_t tag[70];
	uint32_t tag_bytes, out_bytes; /* of the last run */
};

/* Whether the form wants one buffer for source and destination. */
static bool is_in_place(const struct shape *shape)
{
	return shape->flags & (CRYPTSESS_AEAD_TLS | CRYPTSESS_AEAD_SRTP);
}

/* Whether the payload is put into the packet, as SRTP wants it. */
static bool is_in_packet(const struct shape *shape)
{
	return shape->flags & CRYPTSESS_AEAD_SRTP &&
	       shape->auth_bytes >= shape->offset + shape->payload_bytes;
}

static void side_init(struct side *side, struct pair *p, int which,
		      const struct shape *shape, struct test_random contents)
{
	memset(side, 0, sizeof(*side));
	side->s = p->s[which];
	side->cut = which ? shape->cut : PAYLOAD_MAX * 4;
	side->room_bytes = shape->payload_bytes + 64u + 16u;
	side->auth = exact(shape->auth_bytes);
	side->buffer = exact(side->room_bytes);
	side->apart = exact(side->room_bytes);
	side->src = side->buffer;
	if (is_in_packet(shape)) {
		side->src = side->auth + shape->offset;
		side->room_bytes = shape->payload_bytes;
	}
	side->dst = which || is_in_place(shape) ? side->src : side->apart;
	test_random_fill(&contents, side->iv, sizeof(side->iv));
	side->iv[0] &= 7; /* what CCM likes */
	test_random_fill(&contents, side->tag, sizeof(side->tag));
	test_random_fill(&contents, side->auth, shape->auth_bytes);
	test_random_fill(&contents, side->src, shape->payload_bytes);
}

static void side_deinit(struct side *side)
{
	free(side->auth);
	free(side->buffer);
	free(side->apart);
}

static int side_run(struct side *side, struct pair *p,
		    const struct shape *shape)
{
	struct test_pieces src, dst, auth;
	struct cryptsess_authcrypt op = {
		.direction = shape->direction,
		.flags = shape->flags,
		.payload_bytes = shape->payload_bytes,
		.auth_bytes = shape->auth_bytes,
		.auth_payload_offset = shape->offset,
		.tag = shape->has_mac ? side->tag : NULL,
		.tag_bytes = shape->tag_bytes,
		.iv = shape->has_iv ? side->iv : NULL,
	};
	int r;

	test_pieces_cut(&src, side->src, side->room_bytes, side->cut,
			&p->random);
	test_pieces_cut(&dst, side->dst, side->room_bytes, side->cut,
			&p->random);
	test_pieces_cut(&auth, side->auth, shape->auth_bytes, side->cut,
			&p->random);
	op.src = src.list;
	op.src_count = src.count;
	op.dst = dst.list;
	op.dst_count = dst.count;
	op.auth = auth.list;
	op.auth_count = auth.count;
	r = cryptsess_authcrypt(side->s, &op);
	side->tag_bytes = op.tag_bytes;
	side->out_bytes = r ? 0 : op.out_bytes;
	demand(side->out_bytes <= side->room_bytes);
	return r;
}

/* Turn a bit of what was sealed, in its tag or in its middle. True if it must
 * be refused, whatever the key: not so in the middle, by a short tag.
 */
static bool spoil(struct side *side, const struct shape *shape, bool is_aead)
{
	bool is_tag = shape->cut & 1;

	if (is_tag && shape->flags & CRYPTSESS_AEAD_SRTP) {
		side->tag[0] ^= 1;
		return true;
	}
	if (is_tag && is_aead) {
		side->dst[side->out_bytes - 1] ^= 1;
		return true;
	}
	if (side->out_bytes)
		side->dst[side->out_bytes / 2] ^= 1;
	return side->tag_bytes >= SURE_TAG_BYTES;
}

/* What was sealed opens again, and not when a bit of it is wrong. */
static void open_again(struct pair *p, struct side *side,
		       const struct shape *shape, const uint8_t *iv,
		       const uint8_t *text)
{
	struct shape again = *shape;
	bool is_wrong = shape->shift & 1, is_refused = true;
	struct cryptsess_info info;
	int r;

	cryptsess_get_info(side->s, &info);
	again.direction = CRYPTSESS_DECRYPT;
	again.payload_bytes = side->out_bytes;
	again.has_iv = true;
	memcpy(side->iv, iv, sizeof(side->iv));
	side->src = side->dst;
	if (is_wrong)
		is_refused = spoil(side, shape, info.cipher->is_aead);
	r = side_run(side, p, &again);
	if (shape->flags & CRYPTSESS_AEAD_SRTP &&
	    (shape->payload_bytes < 64 || !info.mac))
		return; /* tags longer than the payload: clause A17 */
	if (is_wrong && (info.mac || info.cipher->is_aead))
		demand(r == -EBADMSG || (r == 0 && !is_refused));
	else if (!is_wrong)
		demand(r == 0 && side->out_bytes == shape->payload_bytes &&
		       memcmp(side->dst, text, shape->payload_bytes) == 0);
}

static void do_authcrypt(struct pair *p, const struct shape *shape)
{
	struct test_random contents = p->random;
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES] = { 0 };
	uint8_t *text = exact(shape->payload_bytes);
	struct side sides[2];
	int r[2];

	cryptsess_get_iv(p->s[0], iv);
	for (int i = 0; i < 2; i++)
		side_init(&sides[i], p, i, shape, contents);
	if (shape->has_iv)
		memcpy(iv, sides[0].iv, sizeof(iv));
	memcpy(text, sides[0].src, shape->payload_bytes);
	for (int i = 0; i < 2; i++)
		r[i] = side_run(&sides[i], p, shape);
	demand(r[0] == r[1] && sides[0].out_bytes == sides[1].out_bytes);
	demand(memcmp(sides[0].dst, sides[1].dst, sides[0].out_bytes) == 0);
	demand(memcmp(sides[0].tag, sides[1].tag, sizeof(sides[0].tag)) == 0);
	check_ivs(p);
	if (r[0] == 0 && shape->direction == CRYPTSESS_ENCRYPT)
		for (int i = 0; i < 2; i++)
			open_again(p, &sides[i], shape, iv, text);
	check_ivs(p);
	for (int i = 0; i < 2; i++)
		side_deinit(&sides[i]);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair p = { 0 };

	reader_init(&p.input, data, size);
	if (open_pair(&p)) {
		for (int i = 0; i < OPERATIONS_MAX && reader_left(&p.input);
		     i++) {
			uint8_t what = reader_u8(&p.input);
			struct shape shape;

			read_shape(&p, &shape);
			if (what % 8 == 0)
				demand(cryptsess_hash_copy(p.s[0], p.s[1]) ==
				       cryptsess_hash_copy(p.s[1], p.s[0]));
			else if (what % 2)
				do_crypt(&p, &shape);
			else
				do_authcrypt(&p, &shape);
		}
	}
	cryptsess_close(p.s[0]);
	cryptsess_close(p.s[1]);
	return 0;
}
