/* SPDX-License-Identifier: Apache-2.0 */
/* engine_setup.c - make an engine from a state, and describe the device */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mutant.h"
#include "base/secret.h"
#include "device/task.h"

static void bit_set(uint64_t set[2], uint32_t id)
{
	if (id < 128)
		set[id / 64] |= UINT64_C(1) << id % 64;
}

/* The provider's algorithms; whether one of them is an AEAD. */
static bool list_algorithms(struct cryptsess_provider *provider,
			    uint64_t ciphers[2], uint64_t macs[2])
{
	const struct cryptsess_algorithm *a;
	bool has_aead = false;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		if (!cryptsess_provider_has(provider, a))
			continue;
		bit_set(a->is_mac ? macs : ciphers, a->id);
		has_aead = has_aead || a->is_aead;
	}
	return has_aead;
}

void engine_describe(struct vcd_config *config,
		     const struct state_limits *limits,
		     struct cryptsess_provider *provider)
{
	uint64_t capabilities = VCD_CAP_TLS | VCD_CAP_SRTP | VCD_CAP_HASH_COPY |
				VCD_CAP_RECOVERY;
	uint64_t ciphers[2] = { 0, 0 }, macs[2] = { 0, 0 };

	if (list_algorithms(provider, ciphers, macs))
		capabilities |= VCD_CAP_AEAD;
	memset(config, 0, sizeof(*config));
	config->magic = htole32(VCD_MAGIC);
	config->version_min = htole16(VCD_VERSION);
	config->version_max = htole16(VCD_VERSION);
	config->config_bytes = htole32(sizeof(*config));
	config->queues = htole32(limits->queues);
	config->capabilities = htole64(capabilities);
	config->max_files = htole32(limits->max_files);
	config->max_sessions = htole32(limits->max_sessions);
	config->max_request_bytes = htole32(limits->max_request_bytes);
	config->max_segments = htole32(VRING_SIZE_MAX);
	config->max_aad_bytes = htole32(VCD_MAX_AAD_BYTES);
}

/* Whether a worker that is sound can have left the entry. */
static bool session_is_sound(const struct state *state,
			     struct state_session *session)
{
	return CHECK(device_kept_session,
		     state_find_session(state, session->id) == session &&
			     state_find_file(state, session->file_id) &&
			     session->queue < state->limits.queues &&
			     session->row < COUNTERS_ROWS_MAX &&
			     session->key_bytes <= sizeof(session->key) &&
			     session->mac_key_bytes <=
				     sizeof(session->mac_key));
}

void engine_take_over(struct engine *engine)
{
	const struct state *state = engine->state;

	journal_repair(state);
	for (uint32_t i = 0; i < state_files(state); i++) {
		struct state_file *file = &state->file[i];

		if (state_find_file(state, file->id) == file)
			engine_pool_mark(&engine->files, i);
		else
			state_end_file(file);
	}
	for (uint32_t i = 0; i < state_sessions(state); i++) {
		struct state_session *session = &state->session[i];

		if (session->id == 0)
			continue;
		if (session_is_sound(state, session))
			engine_pool_mark(&engine->sessions, i);
		else
			state_end_session(session);
	}
}

static int lanes_init(struct engine *engine)
{
	uint32_t queues = engine->state->limits.queues;

	engine->lane = aligned_alloc(_Alignof(struct engine_lane),
				     queues * sizeof(engine->lane[0]));
	if (!engine->lane)
		return -ENOMEM;
	memset(engine->lane, 0, queues * sizeof(engine->lane[0]));
	for (uint32_t i = 0; i < queues; i++) {
		struct engine_lane *lane = &engine->lane[i];

		lane->engine = engine;
		lane->index = i;
		pthread_mutex_init(&lane->lock, NULL);
		lane->scratch = mmap(
			NULL, engine->state->result_bytes,
			PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (lane->scratch == MAP_FAILED) {
			lane->scratch = NULL;
			return -ENOMEM;
		}
		if (madvise(lane->scratch, engine->state->result_bytes,
			    MADV_DONTDUMP))
			return -errno;
	}
	return 0;
}

int engine_init(struct engine *engine, struct state *state,
		struct cryptsess_provider *provider, uint32_t worker)
{
	int error;

	memset(engine, 0, sizeof(*engine));
	engine->state = state;
	engine->provider = provider;
	engine->worker = worker;
	engine_describe(&engine->config, &state->limits, provider);
	(void)list_algorithms(provider, engine->ciphers, engine->macs);
	pthread_mutex_init(&engine->exclusive, NULL);
	error = engine_pool_init(&engine->files, state->limits.max_files);
	if (!error)
		error = engine_pool_init(&engine->sessions,
					 state->limits.max_sessions);
	if (!error)
		error = lanes_init(engine);
	engine->crypto =
		calloc(state->limits.max_sessions, sizeof(engine->crypto[0]));
	if (!error && !engine->crypto)
		error = -ENOMEM;
	if (error)
		engine_deinit(engine);
	return error;
}

void engine_deinit(struct engine *engine)
{
	uint32_t queues = engine->state ? engine->state->limits.queues : 0;

	if (engine->crypto)
		for (uint32_t i = 0; i < engine->state->limits.max_sessions;
		     i++)
			cryptsess_close(engine->crypto[i].session);
	free(engine->crypto);
	for (uint32_t i = 0; engine->lane && i < queues; i++) {
		struct engine_lane *lane = &engine->lane[i];

		if (lane->scratch)
			munmap(lane->scratch, engine->state->result_bytes);
	}
	free(engine->lane);
	engine_pool_deinit(&engine->files);
	engine_pool_deinit(&engine->sessions);
	memset(engine, 0, sizeof(*engine));
}
