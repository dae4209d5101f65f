/* SPDX-License-Identifier: Apache-2.0 */
/* driver_ops.c - well-formed requests of every op */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/driver.h"

/* Send a request of which only the answer's structure matters. */
static enum vcd_status send_for(struct driver *d, unsigned int queue,
				struct driver_request *r, void *reply,
				size_t reply_bytes)
{
	struct driver_answer answer;
	enum vcd_status status = VCD_STATUSES;

	r->writable_bytes = (uint32_t)reply_bytes;
	if (driver_send(d, queue, r, &answer) == 0) {
		status = answer.status;
		memcpy(reply, answer.data, reply_bytes);
	}
	driver_answer_free(&answer);
	return status;
}

int driver_hello(struct driver *d)
{
	struct vcd_hello hello = { .magic = htole32(VCD_MAGIC),
				   .version_min = htole16(VCD_VERSION),
				   .version_max = htole16(VCD_VERSION) };
	struct vcd_hello_reply reply;
	struct driver_request r;

	driver_begin(d, &r, VCD_OP_HELLO, 0, 0);
	driver_put(&r, &hello, sizeof(hello));
	if (send_for(d, 0, &r, &reply, sizeof(reply)) != VCD_STATUS_OK)
		return -EPROTO;
	d->generation = le64toh(reply.generation);
	return le32toh(reply.reply.value) == VCD_VERSION && d->generation
		       ? 0
		       : -EPROTO;
}

uint32_t driver_open(struct driver *d, unsigned int queue,
		     enum vcd_status *status)
{
	struct vcd_reply reply;
	struct driver_request r;

	driver_begin(d, &r, VCD_OP_OPEN, 0, 0);
	*status = send_for(d, queue, &r, &reply, sizeof(reply));
	return *status == VCD_STATUS_OK ? le32toh(reply.value) : 0;
}

enum vcd_status driver_simple(struct driver *d, unsigned int queue,
			      enum vcd_op op, uint32_t file, uint32_t session)
{
	struct vcd_reply reply;
	struct driver_request r;

	driver_begin(d, &r, op, file, session);
	return send_for(d, queue, &r, &reply, sizeof(reply));
}

enum vcd_status driver_session_open(struct driver *d, unsigned int queue,
				    uint32_t file, const struct driver_key *key,
				    struct vcd_session_reply *reply)
{
	struct vcd_session_open params = {
		.cipher = htole32(key->cipher),
		.mac = htole32(key->mac),
		.key_bytes = htole32(key->key_bytes),
		.mac_key_bytes = htole32(key->mac_key_bytes),
	};
	struct driver_request r;

	driver_begin(d, &r, VCD_OP_SESSION_OPEN, file, 0);
	driver_put(&r, &params, sizeof(params));
	driver_put(&r, key->key, key->key_bytes);
	driver_put(&r, key->mac_key, key->mac_key_bytes);
	return send_for(d, queue, &r, reply, sizeof(*reply));
}

void driver_crypt_begin(struct driver *d, struct driver_request *r,
			uint32_t file, uint32_t session,
			const struct driver_crypt *op)
{
	struct vcd_crypt params = {
		.direction = htole16(op->direction),
		.flags = htole16(op->flags),
		.payload_bytes = htole32(op->src_bytes),
		.iv_bytes = htole32(op->iv_bytes),
		.dst_bytes = htole32(op->dst_bytes),
		.digest_bytes = htole32(op->digest_bytes),
		.iv_out_bytes = htole32(op->iv_out_bytes),
	};

	driver_begin(d, r, VCD_OP_CRYPT, file, session);
	driver_put(r, &params, sizeof(params));
	driver_put(r, op->iv, op->iv_bytes);
	if (d->is_in_place && op->dst_bytes == op->src_bytes) {
		r->shared_bytes = op->src_bytes;
		r->shared_in = r->bytes;
		r->shared_out = r->writable_bytes;
	}
	driver_put(r, op->src, op->src_bytes);
	r->writable_bytes +=
		op->dst_bytes + op->digest_bytes + op->iv_out_bytes;
}

int driver_crypt(struct driver *d, unsigned int queue, uint32_t file,
		 uint32_t session, const struct driver_crypt *op,
		 struct driver_answer *answer)
{
	struct driver_request r;

	driver_crypt_begin(d, &r, file, session, op);
	return driver_send(d, queue, &r, answer);
}

void driver_auth_begin(struct driver *d, struct driver_request *r,
		       uint32_t file, uint32_t session,
		       const struct driver_auth *op)
{
	struct vcd_authcrypt params = {
		.direction = htole16(op->direction),
		.flags = htole16(op->flags),
		.payload_bytes = htole32(op->payload_bytes),
		.iv_bytes = htole32(op->iv_bytes),
		.auth_bytes = htole32(op->auth_bytes),
		.auth_payload_offset = htole32(op->offset),
		.tag_bytes = htole32(op->tag_bytes),
		.tag_in_bytes = htole32(op->tag_in_bytes),
		.dst_bytes = htole32(op->dst_bytes),
		.tag_out_bytes = htole32(op->tag_out_bytes),
		.iv_out_bytes = htole32(op->iv_out_bytes),
	};
	uint32_t src_bytes = op->flags & VCD_FLAG_SRTP ? 0 : op->payload_bytes;

	driver_begin(d, r, VCD_OP_AUTHCRYPT, file, session);
	driver_put(r, &params, sizeof(params));
	driver_put(r, op->iv, op->iv_bytes);
	driver_put(r, op->auth, op->auth_bytes);
	if (d->is_in_place) {
		r->shared_bytes =
			src_bytes < op->dst_bytes ? src_bytes : op->dst_bytes;
		r->shared_in = r->bytes;
		r->shared_out = r->writable_bytes;
	}
	driver_put(r, op->src, src_bytes);
	driver_put(r, op->tag, op->tag_in_bytes);
	r->writable_bytes +=
		op->dst_bytes + op->tag_out_bytes + op->iv_out_bytes;
}

int driver_auth(struct driver *d, unsigned int queue, uint32_t file,
		uint32_t session, const struct driver_auth *op,
		struct driver_answer *answer)
{
	struct driver_request r;

	driver_auth_begin(d, &r, file, session, op);
	return driver_send(d, queue, &r, answer);
}

enum vcd_status driver_hash_copy(struct driver *d, unsigned int queue,
				 uint32_t file, uint32_t to, uint32_t from)
{
	struct vcd_hash_copy params = { .from_session_id = htole32(from) };
	struct vcd_reply reply;
	struct driver_request r;

	driver_begin(d, &r, VCD_OP_HASH_COPY, file, to);
	driver_put(&r, &params, sizeof(params));
	return send_for(d, queue, &r, &reply, sizeof(reply));
}
