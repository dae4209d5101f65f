/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - a request while it is being executed: what ops ask of it */
#include "device/task.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/mutant.h"

enum vcd_status task_status(int error)
{
	static const struct {
		int error;
		enum vcd_status status;
	} map[] = {
		{ 0, VCD_STATUS_OK },
		{ -EINVAL, VCD_STATUS_INVALID },
		{ -EFAULT, VCD_STATUS_FAULT },
		{ -EBADMSG, VCD_STATUS_BAD_MESSAGE },
		{ -ENOMEM, VCD_STATUS_NO_MEMORY },
		{ -ENOSPC, VCD_STATUS_NO_SPACE },
		{ -E2BIG, VCD_STATUS_TOO_BIG },
		{ -EOVERFLOW, VCD_STATUS_OVERFLOW },
		{ -ENOENT, VCD_STATUS_NO_ENTRY },
		{ -EDEADLK, VCD_STATUS_DEADLOCK },
		{ -ENOSYS, VCD_STATUS_NOT_POSSIBLE },
		{ -ENODEV, VCD_STATUS_NO_DEVICE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].error == error)
			return map[i].status;
	return VCD_STATUS_IO;
}

struct state_session *task_find_session(const struct task *task, uint32_t id)
{
	struct state_session *session = state_find_session(task->state, id);

	if (!session)
		return NULL;
	return CHECK(device_session_owner, session->file_id == task->file->id)
		       ? session
		       : NULL;
}

enum vcd_status task_open_crypto(struct task *task,
				 const struct state_session *session,
				 struct engine_crypto **crypto)
{
	struct engine_crypto *c =
		&task->engine->crypto[session - task->state->session];
	struct cryptsess_params params = {
		.cipher = session->cipher,
		.mac = session->mac,
		.key = session->key,
		.key_bytes = session->key_bytes,
		.mac_key = session->mac_key,
		.mac_key_bytes = session->mac_key_bytes,
	};
	struct cryptsess_info info;
	int error;

	*crypto = c;
	if (c->session)
		return VCD_STATUS_OK;
	error = cryptsess_open(&c->session, task->engine->provider, &params);
	if (error) {
		c->session = NULL;
		return task_status(error);
	}
	cryptsess_set_iv(c->session, session->iv);
	cryptsess_get_info(c->session, &info);
	c->cipher = info.cipher;
	c->mac = info.mac;
	return VCD_STATUS_OK;
}

bool task_is_hash_lost(const struct task *task,
		       const struct state_session *session)
{
	return session->hash_worker &&
	       session->hash_worker != task->engine->worker;
}

void task_leave_hash(struct task *task, const struct state_session *session,
		     uint32_t worker)
{
	task->slot->session_id = session->id;
	task->slot->has_hash = 1;
	task->slot->hash_worker_before = session->hash_worker;
	task->slot->hash_worker = worker;
}

void task_leave_iv(struct task *task)
{
	task->slot->session_id = task->session->id;
	task->slot->has_iv = 1;
	cryptsess_get_iv(task->crypto->session, task->slot->iv);
}
