/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h - a front end connected to an echo device in another process */
#ifndef PVX_TESTS_STAGE_H
#define PVX_TESTS_STAGE_H

#include "frontend/echo.h"
#include "frontend/frontend.h"
#include "frontend/layout.h"

#define STAGE_FEATURES                                                   \
	(VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC | VHOST_F_EVENT_IDX | \
	 VHOST_F_PROTOCOL_FEATURES)
#define STAGE_BYTES (UINT64_C(24) << 20)
#define STAGE_SIZE  64u

struct stage {
	struct frontend fe;
	struct echo_options options;
	pid_t pid;
	struct layout_rng rng;
};

/* All cmocka: a failed step fails the test. */

/* Spawn the device and connect, nothing more. */
void stage_open(struct stage *stage);
/* Negotiate `features`, share memory, start queues [0, queues). */
void stage_start(struct stage *stage, uint64_t features, unsigned int queues);
/* Disconnect; the device must end by itself, with status 0. */
void stage_close(struct stage *stage);
/* Disconnect; the device must have ended with `status`. */
void stage_close_with(struct stage *stage, int status);

/* One request of that many bytes in and out, laid out so; checks the answer,
 * the used length, and that bytes beside the destination are untouched. */
void stage_echo(struct stage *stage, struct frontend_queue *q,
		enum layout_manner manner, uint32_t in_bytes,
		uint32_t out_bytes, bool is_indirect);

/* A small request works on queue `index`. */
void stage_works(struct stage *stage, unsigned int index);

/* And one on a queue that the device can call nobody for. */
void stage_answers_uncalled(struct stage *stage, struct frontend_queue *q);

/* Descriptors and mapped ranges of the device's process. */
unsigned int stage_device_fds(const struct stage *stage);
unsigned int stage_device_maps(const struct stage *stage);

#endif
