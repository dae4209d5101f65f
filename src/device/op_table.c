/* SPDX-License-Identifier: Apache-2.0 */
/* op_table.c - the ops, and those that make and end files and sessions */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "abi/cryptodev.h"
#include "base/bytes.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "device/task.h"

static enum vcd_status hello_announce(const struct task *task,
				      struct announced *parts)
{
	return task->params.hello.reserved ? VCD_STATUS_MALFORMED
					   : VCD_STATUS_OK;
}

static void close_crypto(struct task *task, const struct state_session *session)
{
	struct engine_crypto *crypto =
		&task->engine->crypto[session - task->state->session];

	cryptsess_close(crypto->session);
	memset(crypto, 0, sizeof(*crypto));
}

static void end_session(struct task *task, struct state_session *session)
{
	uint32_t index = (uint32_t)(session - task->state->session);

	close_crypto(task, session);
	state_end_session(session);
	engine_pool_give(&task->engine->sessions, index);
}

/* A random generation that is not 0 and not the last one. */
static int draw_generation(const struct task *task, uint64_t *generation)
{
	do {
		if (getrandom(generation, sizeof(*generation), 0) !=
		    sizeof(*generation))
			return -EIO;
	} while (*generation == 0 ||
		 *generation == task->state->head->generation);
	return 0;
}

/* Into zeroed room, of which the last byte stays a NUL. */
static void copy_name(uint8_t *name_room, size_t bytes, const char *name)
{
	memcpy(name_room, name, strnlen(name, bytes - 1));
}

static void fill_hello(const struct task *task, struct vcd_hello_reply *answer,
		       uint64_t generation)
{
	const struct engine *engine = task->engine;

	answer->reply.value = htole32(VCD_VERSION);
	answer->generation = htole64(generation);
	answer->config = engine->config;
	for (unsigned int i = 0; i < 2; i++) {
		answer->ciphers[i] = htole64(engine->ciphers[i]);
		answer->macs[i] = htole64(engine->macs[i]);
	}
	copy_name(answer->provider, sizeof(answer->provider),
		  cryptsess_provider_name(engine->provider));
}

/* vcd 4.1, 4.3 and 4.4: every lane's lock is held, so nothing runs. */
static enum vcd_status hello_run(struct task *task)
{
	const struct vcd_hello *hello = &task->params.hello;
	struct state *state = task->state;
	uint64_t generation;

	if (le32toh(hello->magic) != VCD_MAGIC)
		return VCD_STATUS_MALFORMED;
	if (le16toh(hello->version_min) > VCD_VERSION ||
	    le16toh(hello->version_max) < VCD_VERSION)
		return VCD_STATUS_UNSUPPORTED;
	if (draw_generation(task, &generation))
		return VCD_STATUS_IO;
	/* From here on it happens, and nobody meets half of it: should we die,
	 * others are answered EXPIRED until it is done. */
	task->slot->ends_all = 1;
	state->head->generation = 0;
	for (uint32_t i = 0; i < state_sessions(state); i++)
		if (state->session[i].id)
			end_session(task, &state->session[i]);
	engine_moment(task->lane, MOMENT_ENDED);
	for (uint32_t i = 0; i < state_files(state); i++)
		state_end_file(&state->file[i]);
	engine_pool_clear(&task->engine->files);
	fill_hello(task, &task->answer.hello, generation);
	task->slot->generation = generation;
	task->slot->has_generation = 1;
	return VCD_STATUS_OK;
}

static enum vcd_status ping_run(struct task *task)
{
	return VCD_STATUS_OK;
}

static enum vcd_status open_run(struct task *task)
{
	struct state *state = task->state;
	int64_t index = engine_pool_take(&task->engine->files);
	struct state_file *file;

	if (index < 0)
		return VCD_STATUS_NO_SPACE;
	file = &state->file[index];
	if (state->head->file_count <= (uint32_t)index)
		state->head->file_count = (uint32_t)index + 1;
	task->slot->made_file = (uint32_t)index + 1;
	file->id = state_next_id((uint32_t)index, state->limits.max_files,
				 &file->uses);
	engine_moment(task->lane, MOMENT_MADE);
	task->answer.head.value = htole32(file->id);
	return VCD_STATUS_OK;
}

/* vcd 5.8. What was begun on other queues has finished: their locks are held.
 * The slot names the file first, so that a death in between ends the rest. */
static enum vcd_status close_run(struct task *task)
{
	struct state *state = task->state;
	struct state_file *file = task->file;
	uint32_t id = file->id;

	task->slot->ending_file = id;
	for (uint32_t i = 0; i < state_sessions(state); i++) {
		if (state->session[i].id == 0 ||
		    state->session[i].file_id != id)
			continue;
		end_session(task, &state->session[i]);
		engine_moment(task->lane, MOMENT_ENDED);
	}
	state_end_file(file);
	engine_pool_give(&task->engine->files, (uint32_t)(file - state->file));
	return VCD_STATUS_OK;
}

static enum vcd_status session_open_announce(const struct task *task,
					     struct announced *parts)
{
	const struct vcd_session_open *p = &task->params.session_open;

	parts->readable_bytes =
		(uint64_t)le32toh(p->key_bytes) + le32toh(p->mac_key_bytes);
	return VCD_STATUS_OK;
}

/* The index of the counters of what a session does. */
static uint32_t row_of(const struct state_session *session)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; i + 1 < COUNTERS_ROWS_MAX; i++) {
		a = cryptsess_algorithm_at(i);
		if (!a)
			break;
		if (session->cipher ? !a->is_mac && a->id == session->cipher
				    : a->is_mac && a->id == session->mac)
			return i;
	}
	return COUNTERS_ROWS_MAX - 1;
}

static enum vcd_status fill_session(struct task *task,
				    struct state_session *session)
{
	const struct vcd_session_open *p = &task->params.session_open;

	session->file_id = task->file->id;
	session->queue = task->lane->index;
	session->cipher = le32toh(p->cipher);
	session->mac = le32toh(p->mac);
	session->key_bytes = le32toh(p->key_bytes);
	session->mac_key_bytes = le32toh(p->mac_key_bytes);
	session->row = row_of(session);
	if (span_read(&task->in, session->key, session->key_bytes) ||
	    span_read(&task->in, session->mac_key, session->mac_key_bytes))
		return VCD_STATUS_MALFORMED;
	engine_moment(task->lane, MOMENT_MADE);
	return task_open_crypto(task, session, &task->crypto);
}

static void describe_session(const struct engine_crypto *crypto,
			     struct vcd_session_reply *answer)
{
	uint32_t traits = 0;

	if (crypto->cipher) {
		traits |= VCD_TRAIT_CIPHER;
		answer->block_bytes = htole32(crypto->cipher->block_bytes);
		answer->iv_bytes = htole32(crypto->cipher->iv_bytes);
		if (crypto->cipher->is_aead) {
			traits |= VCD_TRAIT_AEAD;
			answer->tag_bytes =
				htole32(crypto->cipher->digest_bytes);
		}
		if (crypto->cipher->is_stream)
			traits |= VCD_TRAIT_STREAM;
	}
	if (crypto->mac) {
		traits |= VCD_TRAIT_MAC;
		answer->digest_bytes = htole32(crypto->mac->digest_bytes);
	}
	answer->traits = htole32(traits);
}

/* vcd 5.9. The entry lives from its id on. */
static enum vcd_status session_open_run(struct task *task)
{
	const struct vcd_session_open *p = &task->params.session_open;
	struct engine *engine = task->engine;
	struct state *state = task->state;
	struct state_session *session;
	enum vcd_status status;
	int64_t index;

	if (!CHECK(device_key_bound,
		   le32toh(p->key_bytes) <= VCD_MAX_KEY_BYTES) ||
	    !CHECK(device_mac_key_bound,
		   le32toh(p->mac_key_bytes) <= VCD_MAX_MAC_KEY_BYTES))
		return VCD_STATUS_INVALID;
	index = engine_pool_take(&engine->sessions);
	if (index < 0)
		return VCD_STATUS_NO_SPACE;
	session = &state->session[index];
	if (state->head->session_count <= (uint32_t)index)
		state->head->session_count = (uint32_t)index + 1;
	task->slot->made_session = (uint32_t)index + 1;
	status = fill_session(task, session);
	if (status != VCD_STATUS_OK) {
		end_session(task, session);
		task->slot->made_session = 0;
		return status;
	}
	session->id = state_next_id((uint32_t)index, state->limits.max_sessions,
				    &session->uses);
	describe_session(task->crypto, &task->answer.session);
	task->answer.session.session_id = htole32(session->id);
	counters_add(&state->queue[task->lane->index]
			      .counters.row[session->row]
			      .sessions,
		     1);
	return VCD_STATUS_OK;
}

static enum vcd_status session_close_run(struct task *task)
{
	task->slot->ending_session = task->session->id;
	engine_moment(task->lane, MOMENT_ENDED);
	end_session(task, task->session);
	return VCD_STATUS_OK;
}

static void fill_names(const struct cryptsess_algorithm *a, const char *driver,
		       uint8_t *name_room, uint8_t *driver_room)
{
	if (!a)
		return;
	copy_name(name_room, VCD_NAME_BYTES, a->kernel_name);
	copy_name(driver_room, VCD_NAME_BYTES, driver);
}

static enum vcd_status session_info_run(struct task *task)
{
	struct vcd_session_info_reply *answer = &task->answer.info;
	struct cryptsess_info info;

	cryptsess_get_info(task->crypto->session, &info);
	fill_names(info.cipher, info.cipher_driver, answer->cipher_name,
		   answer->cipher_driver);
	fill_names(info.mac, info.mac_driver, answer->mac_name,
		   answer->mac_driver);
	/* For the guest it is hardware: no CPU of it does the work. */
	answer->flags = htole32(SIOP_FLAG_KERNEL_DRIVER_ONLY);
	return VCD_STATUS_OK;
}

static enum vcd_status hash_copy_announce(const struct task *task,
					  struct announced *parts)
{
	return task->params.hash_copy.reserved ? VCD_STATUS_MALFORMED
					       : VCD_STATUS_OK;
}

/* vcd 7.8, in its order. The source's queue is locked too. */
static enum vcd_status hash_copy_run(struct task *task)
{
	uint32_t from_id = le32toh(task->params.hash_copy.from_session_id);
	uint32_t to_id = le32toh(task->request.session_id);
	struct state_session *from, *to;
	struct engine_crypto *from_crypto, *to_crypto;
	enum vcd_status status;

	if (from_id == to_id)
		return VCD_STATUS_DEADLOCK;
	from = task_find_session(task, from_id);
	to = task_find_session(task, to_id);
	if (!from || !to)
		return VCD_STATUS_NO_ENTRY;
	if (!CHECK(device_session_queue, to->queue == task->lane->index))
		return VCD_STATUS_WRONG_QUEUE;
	status = task_open_crypto(task, from, &from_crypto);
	if (status == VCD_STATUS_OK)
		status = task_open_crypto(task, to, &to_crypto);
	if (status != VCD_STATUS_OK)
		return status;
	if (task_is_hash_lost(task, from)) {
		task_leave_hash(task, from, 0);
		return VCD_STATUS_LOST;
	}
	status = task_status(
		cryptsess_hash_copy(to_crypto->session, from_crypto->session));
	if (status == VCD_STATUS_OK)
		task_leave_hash(task, to, from->hash_worker);
	return status;
}

const struct op engine_ops[VCD_OPS] = {
	[VCD_OP_HELLO] = {
		.params_bytes = sizeof(struct vcd_hello),
		.answer_bytes = sizeof(struct vcd_hello_reply),
		.flags = OP_IS_FIRST | OP_IS_EXCLUSIVE,
		.announce = hello_announce,
		.run = hello_run,
	},
	[VCD_OP_PING] = {
		.answer_bytes = sizeof(struct vcd_reply),
		.run = ping_run,
	},
	[VCD_OP_OPEN] = {
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_IS_EXCLUSIVE,
		.run = open_run,
	},
	[VCD_OP_CLOSE] = {
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_HAS_FILE | OP_IS_EXCLUSIVE,
		.run = close_run,
	},
	[VCD_OP_SESSION_OPEN] = {
		.params_bytes = sizeof(struct vcd_session_open),
		.answer_bytes = sizeof(struct vcd_session_reply),
		.flags = OP_HAS_FILE | OP_IS_EXCLUSIVE,
		.announce = session_open_announce,
		.run = session_open_run,
	},
	[VCD_OP_SESSION_CLOSE] = {
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_HAS_FILE | OP_HAS_SESSION | OP_IS_EXCLUSIVE,
		.run = session_close_run,
	},
	[VCD_OP_SESSION_INFO] = {
		.answer_bytes = sizeof(struct vcd_session_info_reply),
		.flags = OP_HAS_FILE | OP_HAS_SESSION,
		.run = session_info_run,
	},
	[VCD_OP_CRYPT] = {
		.params_bytes = sizeof(struct vcd_crypt),
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_HAS_FILE | OP_HAS_SESSION,
		.announce = op_crypt_announce,
		.run = op_crypt_run,
	},
	[VCD_OP_AUTHCRYPT] = {
		.params_bytes = sizeof(struct vcd_authcrypt),
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_HAS_FILE | OP_HAS_SESSION,
		.announce = op_auth_announce,
		.run = op_auth_run,
	},
	[VCD_OP_HASH_COPY] = {
		.params_bytes = sizeof(struct vcd_hash_copy),
		.answer_bytes = sizeof(struct vcd_reply),
		.flags = OP_HAS_FILE | OP_FINDS_ITSELF | OP_IS_EXCLUSIVE,
		.announce = hash_copy_announce,
		.run = hash_copy_run,
	},
};
