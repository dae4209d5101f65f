/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_paravox.c - the frames of the relay, and of its ceiling */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/relay/protocol.h"
#include "bench/relay/secure.h"
#include "prim/sha256.h"
#include "prim/sign.h"
#include "wire/admission.h"
#include "wire/envelope.h"
#include "wire/message.h"

/*
 * How it works: clients enter with real keys and signatures. A body is an
 * envelope whose public header is what the relay looks at, the sender's device
 * key and a generation of its own for each message; what would be ciphertext
 * and tag is the crowd's text, which no relay can tell from sealed bytes.
 * Frames in masses are made and read by hand, the others through wire/.
 */
#define DELIVER_HEAD (CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD)
#define FIRST_SMALL  1024u /* room for each frame of the handshake */

struct paravox_state {
	uint8_t device_key[CHAT_KEY_BYTES];
	uint8_t chain[CHAT_CHAIN_ID_BYTES];
	uint64_t acked;
	uint64_t sequence; /* the last one of a history */
	uint64_t window;
};

/* Keys of nobody: they protect nothing, so they need no secret memory. */
static void key_make(struct sign_key *key, char what, uint32_t number)
{
	struct secret seed = { { (uint8_t)what } };

	bytes_put_be32(seed.bytes + 1, number);
	sign_key_from_seed(key, &seed);
}

static int put_message(struct client *c, const struct wire_message *m)
{
	uint8_t *room = client_reserve(c, FIRST_SMALL);
	long bytes = room ? wire_encode(m, room, FIRST_SMALL) : -ENOMEM;

	if (bytes < 0)
		return (int)bytes;
	client_put_done(c, (size_t)bytes);
	return 0;
}

static int paravox_greet(struct client *c)
{
	return put_message(
		c, &(struct wire_message){
			   .type = CHAT_HELLO,
			   .hello = { CHAT_MAGIC, CHAT_VERSION, CHAT_VERSION },
		   });
}

static void signature_make(uint8_t *signature, const struct sign_key *key,
			   enum wire_signer signer,
			   const struct wire_admission *about)
{
	uint8_t bytes[WIRE_ADMISSION_MAX];
	long count = wire_admission_encode(bytes, signer, about);

	sign_make(signature, key, bytes, (size_t)count);
}

/* WELCOME is there: sign what it says, clause 7. */
static int paravox_join(struct client *c, const struct wire_message *welcome)
{
	uint8_t preimage[WIRE_ROOM_ID_BYTES], id[SHA256_BYTES];
	uint8_t of_room[CHAT_SIGNATURE_BYTES], of_device[CHAT_SIGNATURE_BYTES];
	struct paravox_state *state = c->state;
	uint8_t exporter[SECURE_EXPORTER_BYTES];
	struct sign_key admission, device;
	const struct wire_admission about = {
		.version = welcome->welcome.version,
		.name = welcome->welcome.name,
		.name_bytes = welcome->welcome.name_bytes,
		.nonce = welcome->welcome.nonce,
		.exporter = c->tls ? exporter : NULL,
		.exporter_bytes = c->tls ? sizeof(exporter) : 0,
		.room_id = id,
		.device_key = device.public_key,
	};

	if (c->tls && secure_exporter(c, exporter))
		return -EPROTO;
	key_make(&admission, 'r', c->room);
	key_make(&device, 'd', c->number);
	wire_room_id_encode(preimage, admission.public_key);
	sha256_bytes(id, preimage, sizeof(preimage));
	signature_make(of_room, &admission, WIRE_SIGNER_ADMISSION, &about);
	signature_make(of_device, &device, WIRE_SIGNER_DEVICE, &about);
	memcpy(state->device_key, device.public_key, CHAT_KEY_BYTES);
	/* New with every connection, as the history wants it. */
	sha256_bytes(state->chain, welcome->welcome.nonce, CHAT_NONCE_BYTES);
	state->window = welcome->welcome.window_messages;
	if (welcome->welcome.window_bytes / c->crowd->plan.body_bytes <
	    state->window)
		state->window = welcome->welcome.window_bytes /
				c->crowd->plan.body_bytes;
	return put_message(
		c, &(struct wire_message){
			   .type = CHAT_JOIN,
			   .join = { id, admission.public_key,
				     device.public_key, of_room, of_device },
		   });
}

static int paravox_serve(struct client *c, const struct wire_message *m)
{
	struct paravox_state *state = c->state;

	switch (m->type) {
	case CHAT_WELCOME:
		c->step = WIRE_STATE_JOINING;
		return paravox_join(c, m);
	case CHAT_JOINED:
		if (m->joined.keys_after)
			return 0;
		c->step = WIRE_STATE_JOINED;
		return 0;
	case CHAT_HISTORY:
		client_is_in(c);
		return 0;
	case CHAT_ACK:
		state->acked = m->ack.up_to;
		return 0;
	case CHAT_PRESENCE:
		return 0;
	case CHAT_PING:
		return put_message(c, &(struct wire_message){
					      .type = CHAT_PONG,
					      .pong.token = m->ping.token });
	case CHAT_ERROR:
	case CHAT_REFUSED:
		return crowd_fail(c->crowd, c,
				  m->type == CHAT_ERROR
					  ? wire_code_text(m->error.code)
					  : wire_code_text(m->refused.code));
	default:
		return crowd_fail(c->crowd, c, wire_type_name(m->type));
	}
}

/* Bytes of the frame at `data`; 0: not whole. */
static long frame_bytes(const uint8_t *data, size_t bytes)
{
	size_t length;

	if (bytes < CHAT_HEADER_BYTES)
		return 0;
	length = bytes_get_be32(data);
	if (!length || length > CHAT_FRAME_MAX - CHAT_LENGTH_BYTES)
		return -EBADMSG;
	return bytes < CHAT_LENGTH_BYTES + length
		       ? 0
		       : (long)(CHAT_LENGTH_BYTES + length);
}

static long paravox_take(struct client *c, const uint8_t *data, size_t bytes)
{
	struct paravox_state *state = c->state;
	long whole = frame_bytes(data, bytes);
	struct wire_message m;
	uint64_t sequence;
	int error;

	if (whole <= 0)
		return whole;
	if (data[CHAT_LENGTH_BYTES] != CHAT_DELIVER) {
		error = wire_decode(&m, data, (size_t)whole, WIRE_SIDE_RELAY,
				    (enum wire_state)c->step);
		if (!error)
			error = paravox_serve(c, &m);
		return error ? error : whole;
	}
	if (whole < DELIVER_HEAD || c->step != WIRE_STATE_JOINED)
		return -EBADMSG;
	sequence = bytes_get_be64(data + CHAT_HEADER_BYTES);
	if (sequence && sequence <= state->sequence)
		return crowd_fail(c->crowd, c, "a sequence that does not grow");
	state->sequence = sequence;
	crowd_deliver(c->crowd, c, data + DELIVER_HEAD,
		      (size_t)whole - DELIVER_HEAD);
	return whole;
}

static void paravox_stamp(struct client *c, uint8_t *body, uint64_t number)
{
	const struct paravox_state *state = c->state;
	static const uint8_t iv[CHAT_IV_BYTES];
	const struct wire_envelope_header header = {
		.version = CHAT_ENVELOPE_VERSION,
		.suite = 1,
		.type = 1,
		.sender = state->device_key,
		.chain = state->chain,
		.generation = number,
		.iv = iv,
	};

	wire_envelope_header_encode(&header, body);
	bytes_put_be32(body + CHAT_ENVELOPE_HEADER_BYTES,
		       c->crowd->plan.body_bytes - CHAT_ENVELOPE_MIN);
}

static int frame_put(struct client *c, enum chat_type type, const uint8_t *body,
		     size_t bytes)
{
	uint8_t *to = client_reserve(c, CHAT_HEADER_BYTES + bytes);

	if (!to)
		return -ENOMEM;
	bytes_put_be32(to, (uint32_t)bytes + 1);
	to[CHAT_LENGTH_BYTES] = (uint8_t)type;
	memcpy(to + CHAT_HEADER_BYTES, body, bytes);
	client_put_done(c, CHAT_HEADER_BYTES + bytes);
	return 0;
}

static int paravox_say(struct client *c, const uint8_t *body, size_t bytes)
{
	return frame_put(c, CHAT_SEND, body, bytes);
}

static uint64_t paravox_allows(const struct client *c)
{
	const struct paravox_state *state = c->state;

	return state->window - (c->sent - state->acked);
}

const struct protocol protocol_paravox = {
	.name = "paravox",
	.least_bytes = CHAT_ENVELOPE_MIN,
	.most_bytes = CHAT_ENVELOPE_MAX,
	.text_at = CHAT_ENVELOPE_HEADER_BYTES + 4,
	.state_bytes = sizeof(struct paravox_state),
	.greet = paravox_greet,
	.take = paravox_take,
	.stamp = paravox_stamp,
	.say = paravox_say,
	.allows = paravox_allows,
};

/* The ceiling has rooms by number, and asks nothing. */
static int ceiling_greet(struct client *c)
{
	uint8_t room[4];

	bytes_put_be32(room, c->room);
	return frame_put(c, CHAT_JOIN, room, sizeof(room));
}

static long ceiling_take(struct client *c, const uint8_t *data, size_t bytes)
{
	long whole = frame_bytes(data, bytes);

	if (whole <= 0)
		return whole;
	if (data[CHAT_LENGTH_BYTES] == CHAT_JOINED)
		client_is_in(c);
	else if (whole < DELIVER_HEAD)
		return -EBADMSG;
	else
		crowd_deliver(c->crowd, c, data + DELIVER_HEAD,
			      (size_t)whole - DELIVER_HEAD);
	return whole;
}

const struct protocol protocol_ceiling = {
	.name = "ceiling",
	.least_bytes = 16,
	.most_bytes = CHAT_ENVELOPE_MAX,
	.greet = ceiling_greet,
	.take = ceiling_take,
	.say = paravox_say,
};
