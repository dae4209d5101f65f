/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_device.c - any requests against the device's engine
 *
 * How it works: the input is a list of steps for two queues of one engine,
 * served in this thread in the way of src/device/queue.c. A step sends a
 * request, whose header and parameters are the input's, or well-formed where it
 * says so; or lays an ambush: at one moment of the next request guest memory
 * changes under the device, or the worker dies and another goes on.
 *
 * The world ends the process unless each request is answered once, with a
 * length and a status of the contract, with every promised byte written and no
 * other byte of guest memory changed, and with tables that agree with each
 * other and hold no key of what has ended. tests/fuzz/device_seeds.py writes
 * the corpus from the known answers.
 */
#include <endian.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz/device_world.h"

#define STEPS_MAX 128u
#define DATA_MAX  4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of a request's manner. */
#define HOW_QUEUE_1  (1u << 0)
#define HOW_INDIRECT (1u << 1)
#define HOW_PIECES   2 /* shift; 2 bits */
#define HOW_IN_PLACE (1u << 4)
#define HOW_FITTED   (1u << 5) /* lengths become those of the session */
#define HOW_EXACT    (1u << 6) /* descriptors have the input's lengths */
#define HOW_ODD_IDS  (1u << 7)

static size_t params_bytes(uint32_t op)
{
	static const uint8_t bytes[VCD_OPS] = {
		[VCD_OP_HELLO] = sizeof(struct vcd_hello),
		[VCD_OP_SESSION_OPEN] = sizeof(struct vcd_session_open),
		[VCD_OP_CRYPT] = sizeof(struct vcd_crypt),
		[VCD_OP_AUTHCRYPT] = sizeof(struct vcd_authcrypt),
		[VCD_OP_HASH_COPY] = sizeof(struct vcd_hash_copy),
	};

	return op < VCD_OPS ? bytes[op] : 0;
}

static size_t answer_bytes(uint32_t op)
{
	switch (op) {
	case VCD_OP_HELLO:
		return sizeof(struct vcd_hello_reply);
	case VCD_OP_SESSION_OPEN:
		return sizeof(struct vcd_session_reply);
	case VCD_OP_SESSION_INFO:
		return sizeof(struct vcd_session_info_reply);
	default:
		return sizeof(struct vcd_reply);
	}
}

/* What the guest knows: ids by the places that the input names. */
struct guest {
	uint64_t generation;
	uint32_t file[4];
	struct vcd_session_reply session[8];
};

static struct guest guest;

/* --- lengths that fit the session -------------------------------------- */

static void fit_crypt(struct vcd_crypt *p, const struct vcd_session_reply *s)
{
	uint32_t traits = le32toh(s->traits);
	uint32_t block = le32toh(s->block_bytes);
	uint32_t bytes = le32toh(p->payload_bytes) % DATA_MAX;
	uint16_t flags = le16toh(p->flags);
	bool is_due = traits & VCD_TRAIT_MAC &&
		      (flags & VCD_FLAG_FINAL || !(flags & VCD_FLAG_UPDATE));

	if (block)
		bytes -= bytes % block;
	is_due = is_due || (traits & VCD_TRAIT_MAC && bytes == 0);
	p->payload_bytes = htole32(bytes);
	p->direction &= htole16(1);
	p->dst_bytes = htole32(traits & VCD_TRAIT_CIPHER ? bytes : 0);
	p->iv_bytes = p->iv_bytes ? s->iv_bytes : 0;
	p->digest_bytes = is_due ? s->digest_bytes : 0;
	p->iv_out_bytes =
		flags & VCD_FLAG_WRITE_IV && p->iv_out_bytes ? s->iv_bytes : 0;
	p->reserved = 0;
}

static void fit_auth(struct vcd_authcrypt *p, const struct vcd_session_reply *s)
{
	uint32_t traits = le32toh(s->traits);
	uint32_t block = le32toh(s->block_bytes);
	uint32_t bytes = le32toh(p->payload_bytes) % DATA_MAX;
	uint16_t flags = le16toh(p->flags);
	uint32_t most = le32toh(traits & VCD_TRAIT_MAC ? s->digest_bytes
						       : s->tag_bytes);
	uint32_t tag = le32toh(p->tag_bytes) % (most + 1);
	uint32_t used = tag ? tag : most;
	bool is_srtp = flags & VCD_FLAG_SRTP;

	p->direction &= htole16(1);
	p->auth_bytes = htole32(le32toh(p->auth_bytes) % VCD_MAX_AAD_BYTES);
	p->tag_bytes = htole32(tag);
	p->iv_bytes = p->iv_bytes ? s->iv_bytes : 0;
	p->iv_out_bytes =
		flags & VCD_FLAG_WRITE_IV && p->iv_out_bytes ? s->iv_bytes : 0;
	p->tag_in_bytes = htole32(is_srtp && p->direction ? used : 0);
	p->tag_out_bytes = htole32(is_srtp && !p->direction ? used : 0);
	p->reserved = 0;
	if (is_srtp) {
		p->auth_payload_offset =
			htole32(le32toh(p->auth_payload_offset) % 300);
	} else if (p->direction) {
		p->auth_payload_offset = 0;
		if (traits & VCD_TRAIT_AEAD)
			bytes = bytes < used ? used : bytes;
		else if (block)
			bytes -= bytes % block;
	} else {
		p->auth_payload_offset = 0;
	}
	p->payload_bytes = htole32(bytes);
	if (!is_srtp && traits & VCD_TRAIT_AEAD)
		bytes = p->direction ? bytes - used : bytes + used;
	else if (!is_srtp && !p->direction)
		bytes += block > 1 ? used + block - (bytes + used) % block
				   : used;
	p->dst_bytes = htole32(bytes);
}

/* --- a request --------------------------------------------------------- */

static void fit(struct world_request *r, const struct vcd_session_reply *s)
{
	if (r->op == VCD_OP_CRYPT)
		fit_crypt((void *)r->params, s);
	else if (r->op == VCD_OP_AUTHCRYPT)
		fit_auth((void *)r->params, s);
}

/* What the parameters announce, and where destination and source are. */
static void announce(struct world_request *r)
{
	const struct vcd_session_open *open = (const void *)r->params;
	const struct vcd_crypt *crypt = (const void *)r->params;
	const struct vcd_authcrypt *auth = (const void *)r->params;

	if (r->op == VCD_OP_SESSION_OPEN) {
		r->in_bytes = (uint64_t)le32toh(open->key_bytes) +
			      le32toh(open->mac_key_bytes);
	} else if (r->op == VCD_OP_CRYPT) {
		r->source_at = le32toh(crypt->iv_bytes);
		r->in_bytes =
			(uint64_t)r->source_at + le32toh(crypt->payload_bytes);
		r->out_bytes = (uint64_t)le32toh(crypt->dst_bytes) +
			       le32toh(crypt->digest_bytes) +
			       le32toh(crypt->iv_out_bytes);
	} else if (r->op == VCD_OP_AUTHCRYPT) {
		r->source_at =
			le32toh(auth->iv_bytes) + le32toh(auth->auth_bytes);
		r->in_bytes =
			(uint64_t)r->source_at + le32toh(auth->tag_in_bytes);
		if (!(le16toh(auth->flags) & VCD_FLAG_SRTP))
			r->in_bytes += le32toh(auth->payload_bytes);
		r->out_bytes = (uint64_t)le32toh(auth->dst_bytes) +
			       le32toh(auth->tag_out_bytes) +
			       le32toh(auth->iv_out_bytes);
	}
}

static void spoil_ids(struct reader *in, struct vcd_request *h)
{
	uint8_t what = reader_u8(in);

	if (what & 1)
		h->generation = htole64(le64toh(h->generation) + 1);
	if (what & 2)
		h->generation = 0;
	if (what & 4)
		h->file_id = htole32(le32toh(h->file_id) ^ reader_u16(in));
	if (what & 8)
		h->session_id =
			htole32(le32toh(h->session_id) ^ reader_u16(in));
	if (what & 16)
		h->reserved = htole32(reader_u8(in));
	if (what & 32)
		h->session_id = guest.session[reader_u8(in) % 8].session_id;
}

/* The guest learns from a good answer. */
static void learn(const struct world_request *r, uint8_t file, uint8_t session)
{
	const struct vcd_hello_reply *hello = (const void *)r->answer;
	const struct vcd_session_reply *made = (const void *)r->answer;
	const struct vcd_reply *head = (const void *)r->answer;

	if (!r->is_ok)
		return;
	if (r->op == VCD_OP_HELLO)
		guest.generation = le64toh(hello->generation);
	else if (r->op == VCD_OP_OPEN)
		guest.file[file % 4] = le32toh(head->value);
	else if (r->op == VCD_OP_SESSION_OPEN)
		guest.session[session % 8] = *made;
}

static void step_request(struct reader *in)
{
	static struct world_request r;
	static uint8_t data[DATA_MAX];
	uint8_t how = reader_u8(in);
	uint8_t op = reader_u8(in);
	uint8_t file = reader_u8(in);
	uint8_t session = reader_u8(in);
	const struct vcd_session_reply *s = &guest.session[session % 8];
	const uint8_t *bytes;

	memset(&r, 0, sizeof(r));
	r.op = op;
	r.header.op = htole32(op);
	r.header.generation =
		htole64(op == VCD_OP_HELLO ? 0 : guest.generation);
	if (op > VCD_OP_OPEN)
		r.header.file_id = htole32(guest.file[file % 4]);
	if (op > VCD_OP_SESSION_OPEN)
		r.header.session_id = s->session_id;
	if (how & HOW_ODD_IDS)
		spoil_ids(in, &r.header);
	r.params_bytes = params_bytes(op);
	bytes = reader_bytes(in, r.params_bytes);
	if (bytes)
		memcpy(r.params, bytes, r.params_bytes);
	if (op == VCD_OP_HASH_COPY)
		memcpy(r.params, &guest.session[r.params[0] % 8].session_id, 4);
	if (how & HOW_FITTED)
		fit(&r, s);
	announce(&r);
	r.answer_bytes = answer_bytes(op);
	if (how & HOW_EXACT) {
		r.in_bytes = reader_u16(in);
		r.out_bytes = reader_u16(in);
		r.params_bytes -= r.params_bytes ? reader_u8(in) & 3 : 0;
		r.answer_bytes -= reader_u8(in) % (r.answer_bytes + 1);
	}
	r.data_bytes = reader_u16(in) % DATA_MAX;
	if (r.data_bytes > reader_left(in))
		r.data_bytes = reader_left(in);
	bytes = reader_bytes(in, r.data_bytes);
	if (bytes && r.data_bytes)
		memcpy(data, bytes, r.data_bytes);
	r.data = data;
	r.queue = how & HOW_QUEUE_1;
	r.is_indirect = how & HOW_INDIRECT;
	r.is_in_place = how & HOW_IN_PLACE;
	r.pieces = how >> HOW_PIECES & 3;
	world_send(&r);
	learn(&r, file, session);
}

static void step_strike(struct reader *in)
{
	struct world_strike strike;

	strike.moment = reader_u8(in) % (MOMENTS + 1);
	strike.where = reader_u8(in) % WORLD_PLACES;
	strike.offset = reader_u16(in);
	strike.flip = reader_u8(in);
	world_strike(&strike);
}

static void step_death(struct reader *in)
{
	world_die_at(reader_u8(in) % MOMENTS);
}

/* The front end goes, or only the ring is started again. */
static void step_restart(struct reader *in)
{
	if (reader_u8(in) & 1) {
		world_forget();
		guest.generation = 0;
	} else {
		world_restart_rings();
	}
}

static void begin(void)
{
	static const uint8_t steps[] = {
		0,    VCD_OP_HELLO,
		0,    0, /* magic, versions, reserved */
		0x70, 0x76,
		0x63, 0x64,
		1,    0,
		1,    0,
		0,    0,
		0,    0,
		0,    0,
		0,    0,
		0,    0, /* no data */
		0,    VCD_OP_OPEN,
		0,    0,
		0,    0,
	};
	struct reader in;

	reader_init(&in, steps, sizeof(steps));
	step_request(&in);
	step_request(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in;
	uint8_t options;

	world_init();
	memset(&guest, 0, sizeof(guest));
	reader_init(&in, data, size);
	options = reader_u8(&in);
	if (!(options & 1))
		begin();
	for (unsigned int i = 0;
	     i < STEPS_MAX && reader_left(&in) > 0 && !in.has_failed; i++) {
		switch (reader_u8(&in) % 8) {
		case 5:
			step_strike(&in);
			break;
		case 6:
			step_death(&in);
			break;
		case 7:
			step_restart(&in);
			break;
		default:
			step_request(&in);
		}
	}
	world_end();
	return 0;
}
