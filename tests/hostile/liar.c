/* SPDX-License-Identifier: Apache-2.0 */
/* liar.c - a device that answers wrongly on purpose (lies.h)
 *
 * liar --socket-path=PATH [ignored]: serves one front end after another.
 *
 * How it works: echo.c has transport and rings; this answers the requests. An
 * honest answer is that of a cipher which XORs. A session's id is the lie that
 * its operations are answered with, so there is no other state.
 */
#include <endian.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/cryptodev.h"
#include "abi/virtio_cryptodev.h"
#include "frontend/echo.h"
#include "hostile/lies.h"
#include "vhost/span.h"

#define SESSION_ID(lie)  (0x1000u + (lie))
#define SOCKET_OPTION    "--socket-path="
#define INTERRUPTS       1000
#define UNREAD_TRIES     60000
#define HELD_NONE        0xffffffffu
#define PART_BYTES       4096
#define MAGIC_READ_BYTES 4 /* what a probe begins with */
#define PROBE_FIELDS     4 /* that it reads when the magic is right */

static enum lie probe_next, probe_now; /* of HELLO, config and OPEN */
static unsigned int reads_left;        /* of this probe, by QEMU */
static uint32_t held_head = HELD_NONE, held_bytes;

static enum lie lie_of(uint32_t session_id)
{
	uint32_t lie = session_id - SESSION_ID(0);

	return lie < LIES ? lie : LIE_NONE;
}

/* --- configuration ------------------------------------------------------ */

static struct vcd_config config_make(enum lie lie)
{
	uint32_t most = lie == LIE_HELLO_LIMITS_32 ? UINT32_MAX : 4u << 20;
	struct vcd_config config = {
		.magic = htole32(VCD_MAGIC),
		.version_min = htole16(VCD_VERSION),
		.version_max = htole16(VCD_VERSION),
		.config_bytes = htole32(sizeof(config)),
		.queues = htole32(ECHO_QUEUES),
		.capabilities = htole64(UINT64_MAX),
		.max_files = htole32(most),
		.max_sessions = htole32(most),
		.max_request_bytes = htole32(most),
		.max_segments = htole32(most),
		.max_aad_bytes = htole32(most),
	};

	if (lie == LIE_PROBE_MAGIC || lie == LIE_HELLO_MAGIC)
		config.magic = htole32(VCD_MAGIC + 1);
	if (lie == LIE_PROBE_VERSION)
		config.version_min = htole16(VCD_VERSION + 1);
	if (lie == LIE_PROBE_QUEUES_0)
		config.queues = 0;
	if (lie == LIE_PROBE_QUEUES_32)
		config.queues = htole32(UINT32_MAX);
	if (lie == LIE_HELLO_SEGMENTS_1)
		config.max_segments = htole32(1);
	if (lie == LIE_HELLO_REQUEST_0)
		config.max_request_bytes = 0;
	return config;
}

/* UML reads a field, QEMU the whole space for each field. */
static bool begins_probe(uint32_t offset, uint32_t bytes)
{
	if (offset || bytes < sizeof(struct vcd_config))
		return !offset && bytes == MAGIC_READ_BYTES;
	if (reads_left) {
		reads_left--;
		return false;
	}
	if (probe_next != LIE_PROBE_MAGIC && probe_next != LIE_HELLO_MAGIC)
		reads_left = PROBE_FIELDS - 1;
	return true;
}

static void get_config(uint8_t *data, uint32_t offset, uint32_t bytes)
{
	struct vcd_config config;

	if (begins_probe(offset, bytes)) {
		probe_now = probe_next;
		probe_next = LIE_NONE;
	}
	config = config_make(probe_now);
	memcpy(data, (const uint8_t *)&config + offset, bytes);
}

/* --- answers ------------------------------------------------------------- */

/* A request while it is answered. */
struct question {
	struct echo *echo;
	struct vring *ring;
	unsigned int index;
	struct span in, out;
	struct vcd_request head;
	enum lie lie;
};

/* Put an element into the used ring, whatever it says. */
static void use(struct vring *ring, uint32_t id, uint32_t bytes)
{
	uint32_t slot = ring->next_used++ & (ring->size - 1);
	uint32_t *element = (uint32_t *)(void *)&ring->used[2] + 2 * slot;

	element[0] = htole32(id);
	element[1] = htole32(bytes);
}

/* As vring_return() does with the chain's head, but for `id`. */
static void give_back(struct question *q, uint32_t id, uint32_t bytes)
{
	struct vring *ring = q->ring;

	vring_return(ring, q->echo->chain.head, bytes);
	ring->next_used--;
	use(ring, id, bytes);
}

/* Two requests are returned together. */
static void swap(struct question *q, uint32_t bytes)
{
	if (held_head == HELD_NONE) {
		held_head = q->echo->chain.head;
		held_bytes = bytes;
		return;
	}
	give_back(q, q->echo->chain.head, held_bytes);
	use(q->ring, held_head, bytes);
	q->ring->in_flight[held_head / 64] &= ~(UINT64_C(1) << held_head % 64);
	held_head = HELD_NONE;
}

/* Return the chain, of which all is written. */
static void finish(struct question *q)
{
	uint32_t all = (uint32_t)q->echo->chain.writable_bytes;
	uint32_t head = q->echo->chain.head;
	const uint32_t lengths[LIES] = {
		[LIE_USED_LEN_0] = 0,
		[LIE_USED_LEN_15] = 15,
		[LIE_USED_LEN_LESS] = all - 1,
		[LIE_USED_LEN_MORE] = all + 1,
		[LIE_USED_LEN_31] = INT32_MAX,
		[LIE_USED_LEN_32] = UINT32_MAX,
		[LIE_STATUS_ERROR] = UINT32_MAX,
	};
	bool has_length =
		(q->lie >= LIE_USED_LEN_0 && q->lie <= LIE_USED_LEN_32) ||
		q->lie == LIE_STATUS_ERROR;

	if (q->lie == LIE_NEVER)
		return;
	if (q->lie == LIE_USED_SWAPPED) {
		swap(q, all);
		return;
	}
	if (q->lie == LIE_USED_ID_RANGE)
		give_back(q, q->ring->size + 7, all);
	else if (q->lie == LIE_USED_ID_FREE)
		give_back(q, (head + q->ring->size / 2) % q->ring->size, all);
	else
		give_back(q, head, has_length ? lengths[q->lie] : all);
	if (q->lie == LIE_USED_TWICE)
		use(q->ring, head, all);
	if (q->lie == LIE_USED_JUMP)
		q->ring->next_used += 1000;
}

static void answer_status(struct question *q, enum vcd_status status)
{
	struct vcd_reply reply = { .status = htole32(status) };

	(void)span_write(&q->out, &reply, sizeof(reply));
	give_back(q, q->echo->chain.head, sizeof(reply));
}

/* The reply of an operation, which lies where it is told to. */
static void write_reply(struct question *q, uint32_t result, uint32_t value,
			bool has_digest)
{
	struct vcd_reply reply = {
		.flags = htole32(has_digest ? VCD_REPLY_HAS_DIGEST : 0),
		.result_bytes = htole32(result),
		.value = htole32(value),
	};

	if (q->lie == LIE_STATUS_NEXT)
		reply.status = htole32(VCD_STATUSES);
	if (q->lie == LIE_STATUS_32)
		reply.status = htole32(UINT32_MAX);
	if (q->lie == LIE_STATUS_ERROR)
		reply.status = htole32(VCD_STATUS_INVALID);
	if (q->lie == LIE_EXPIRED)
		reply.status = htole32(VCD_STATUS_EXPIRED);
	if (q->lie == LIE_RESULT_LESS)
		reply.result_bytes = htole32(result - 1);
	if (q->lie == LIE_RESULT_MORE)
		reply.result_bytes = htole32(result + 1);
	if (q->lie == LIE_RESULT_32)
		reply.result_bytes = htole32(UINT32_MAX);
	if (q->lie == LIE_VALUE)
		reply.value = htole32(value - 1);
	if (q->lie == LIE_NO_DIGEST)
		reply.flags = 0;
	(void)span_write(&q->out, &reply, sizeof(reply));
}

static void write_fill(struct question *q, uint8_t byte, uint64_t bytes)
{
	uint8_t part[64];

	memset(part, byte, sizeof(part));
	while (bytes) {
		size_t n = bytes < sizeof(part) ? bytes : sizeof(part);

		(void)span_write(&q->out, part, n);
		bytes -= n;
	}
}

/* `bytes` of the destination, from the source as far as it goes. */
static void write_result(struct question *q, uint64_t bytes)
{
	uint8_t part[PART_BYTES];

	while (bytes) {
		size_t n = bytes < sizeof(part) ? bytes : sizeof(part);

		memset(part, 0, n);
		(void)span_read(&q->in, part,
				n < q->in.left_bytes ? n : q->in.left_bytes);
		for (size_t i = 0; i < n; i++)
			part[i] ^= HOSTILE_MASK;
		if (q->lie == LIE_CANARY)
			memcpy(part, HOSTILE_CANARY, sizeof(HOSTILE_CANARY));
		(void)span_write(&q->out, part, n);
		bytes -= n;
	}
}

static void on_hello(struct question *q)
{
	struct vcd_hello_reply answer = {
		.reply.value = htole32(VCD_VERSION),
		.generation = htole64(7),
		.config = config_make(probe_now),
		.ciphers = { UINT64_MAX, UINT64_MAX },
		.macs = { UINT64_MAX, UINT64_MAX },
	};

	q->lie = LIE_NONE;
	if (probe_now == LIE_HELLO_NOTHING) {
		memset(answer.ciphers, 0, sizeof(answer.ciphers));
		memset(answer.macs, 0, sizeof(answer.macs));
	}
	if (probe_now == LIE_HELLO_NEVER)
		q->lie = LIE_NEVER;
	if (probe_now == LIE_HELLO_SHORT)
		q->lie = LIE_USED_LEN_LESS;
	if (probe_now == LIE_HELLO_ERROR)
		answer.reply.status = htole32(VCD_STATUS_IO);
	if (probe_now == LIE_HELLO_VERSION)
		answer.reply.value = htole32(VCD_VERSION + 1);
	if (probe_now == LIE_HELLO_GENERATION_0)
		answer.generation = 0;
	(void)span_write(&q->out, &answer, sizeof(answer));
	finish(q);
}

static void on_open(struct question *q)
{
	struct vcd_reply reply = { .value = htole32(1) };

	if (probe_now == LIE_FILE_ID_0)
		reply.value = 0;
	(void)span_write(&q->out, &reply, sizeof(reply));
	finish(q);
}

/* What an honest device says of these algorithms, for the three sessions that
 * the guest's test opens. */
static struct vcd_session_reply session_make(const struct vcd_session_open *p)
{
	bool is_gcm = le32toh(p->cipher) == CRYPTO_AES_GCM;

	return (struct vcd_session_reply){
		.block_bytes = htole32(is_gcm ? 1 : 16),
		.iv_bytes = htole32(is_gcm ? 12 : 16),
		.digest_bytes = htole32(p->mac ? 20 : 0),
		.tag_bytes = htole32(is_gcm ? 16 : 0),
		.traits = htole32(
			VCD_TRAIT_CIPHER |
			(is_gcm ? VCD_TRAIT_AEAD | VCD_TRAIT_STREAM : 0) |
			(p->mac ? VCD_TRAIT_MAC : 0)),
	};
}

static void on_session_open(struct question *q)
{
	struct vcd_session_open params = { 0 };
	struct vcd_session_reply answer;
	char key[4] = "";

	(void)span_read(&q->in, &params, sizeof(params));
	(void)span_read(&q->in, key, sizeof(key));
	if (memcmp(key, "lie", 3) == 0)
		q->lie = lie_of(SESSION_ID((uint8_t)key[3]));
	if (q->lie >= LIE_PROBE_MAGIC) {
		probe_next = q->lie;
		reads_left = 0;
	}
	if (q->lie == LIE_SESSION_EXPIRED) {
		answer_status(q, VCD_STATUS_EXPIRED);
		return;
	}
	answer = session_make(&params);
	answer.session_id = htole32(SESSION_ID(q->lie));
	if (q->lie == LIE_SESSION_ID_0)
		answer.session_id = 0;
	if (q->lie == LIE_SESSION_BLOCK_0)
		answer.block_bytes = 0;
	if (q->lie == LIE_SESSION_BLOCK_3)
		answer.block_bytes = htole32(3);
	if (q->lie == LIE_SESSION_IV_12)
		answer.iv_bytes = htole32(12);
	if (q->lie == LIE_SESSION_IV_32)
		answer.iv_bytes = htole32(UINT32_MAX);
	if (q->lie == LIE_SESSION_DIGEST_0)
		answer.digest_bytes = 0;
	if (q->lie == LIE_SESSION_DIGEST_64)
		answer.digest_bytes = htole32(64);
	if (q->lie == LIE_SESSION_TAG)
		answer.tag_bytes = htole32(255);
	if (q->lie == LIE_SESSION_TRAITS_0)
		answer.traits = 0;
	if (q->lie == LIE_SESSION_TRAITS_32)
		answer.traits = htole32(UINT32_MAX);
	if (q->lie != LIE_SESSION_UNWRITTEN)
		(void)span_write(&q->out, &answer, sizeof(answer));
	q->lie = LIE_NONE;
	finish(q);
}

static void on_info(struct question *q)
{
	struct vcd_session_info_reply answer = { 0 };

	q->lie = lie_of(le32toh(q->head.session_id));
	memset(answer.cipher_name, 'A', sizeof(answer.cipher_name));
	memset(answer.cipher_driver, 'B', sizeof(answer.cipher_driver));
	memset(answer.mac_name, 'C', sizeof(answer.mac_name));
	memset(answer.mac_driver, 'D', sizeof(answer.mac_driver));
	answer.flags = htole32(UINT32_MAX);
	if (q->lie != LIE_UNWRITTEN)
		(void)span_write(&q->out, &answer, sizeof(answer));
	finish(q);
}

/* Each is an interrupt in the guest. The operation is not over before the front
 * end has read them all: a guest that goes on may stop the device, and then
 * QEMU may not read one (vhost_control_config_changed). */
static void change_config(struct echo *echo)
{
	int unread_bytes = 1;

	for (int i = 0; i < INTERRUPTS; i++)
		(void)vhost_control_config_changed(&echo->control);
	for (int i = 0; i < UNREAD_TRIES && unread_bytes; i++) {
		if (ioctl(echo->fds.backend_req, SIOCOUTQ, &unread_bytes))
			return;
		usleep(1000);
	}
}

static void on_crypt(struct question *q)
{
	struct vcd_crypt params = { 0 };

	q->lie = lie_of(le32toh(q->head.session_id));
	(void)span_read(&q->in, &params, sizeof(params));
	(void)span_skip(&q->in, le32toh(params.iv_bytes));
	write_reply(q, le32toh(params.dst_bytes), 0, params.digest_bytes != 0);
	if (q->lie != LIE_UNWRITTEN) {
		write_result(q, le32toh(params.dst_bytes));
		write_fill(q, HOSTILE_DIGEST, le32toh(params.digest_bytes));
		write_fill(q, HOSTILE_IV, le32toh(params.iv_out_bytes));
	}
	if (q->lie == LIE_CONFIG_CHANGES)
		change_config(q->echo);
	finish(q);
}

static void on_authcrypt(struct question *q)
{
	struct vcd_authcrypt params = { 0 };

	q->lie = lie_of(le32toh(q->head.session_id));
	(void)span_read(&q->in, &params, sizeof(params));
	(void)span_skip(&q->in, le32toh(params.iv_bytes));
	(void)span_skip(&q->in, le32toh(params.auth_bytes));
	write_reply(q, le32toh(params.dst_bytes), le32toh(params.tag_bytes),
		    false);
	if (q->lie != LIE_UNWRITTEN)
		write_result(q, le32toh(params.dst_bytes));
	finish(q);
}

static void answer(struct echo *echo, unsigned int index)
{
	static void (*const on[VCD_OPS])(struct question * q) = {
		[VCD_OP_HELLO] = on_hello,
		[VCD_OP_OPEN] = on_open,
		[VCD_OP_SESSION_OPEN] = on_session_open,
		[VCD_OP_SESSION_INFO] = on_info,
		[VCD_OP_CRYPT] = on_crypt,
		[VCD_OP_AUTHCRYPT] = on_authcrypt,
	};
	struct vring_chain *chain = &echo->chain;
	struct question q = { .echo = echo,
			      .ring = &echo->ring[index],
			      .index = index };
	uint32_t op;

	span_init(&q.in, chain->pieces, chain->readable_count);
	span_init(&q.out, chain->pieces + chain->readable_count,
		  chain->writable_count);
	(void)span_read(&q.in, &q.head, sizeof(q.head));
	op = le32toh(q.head.op);
	if (op < VCD_OPS && on[op])
		on[op](&q);
	else
		answer_status(&q, VCD_STATUS_OK);
}

int main(int argc, char **argv)
{
	static const struct echo_options options = { .get_config = get_config,
						     .answer = answer };
	size_t prefix = strlen(SOCKET_OPTION);
	pid_t pid = -1;

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], SOCKET_OPTION, prefix) == 0)
			pid = echo_listen(&options, argv[i] + prefix);
	if (pid < 0)
		return 1;
	return echo_join(pid);
}
