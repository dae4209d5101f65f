/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - payload in a piece of our own, for the length of one operation */
#ifndef PVX_CRYPTO_SCRATCH_H
#define PVX_CRYPTO_SCRATCH_H

#include "crypto/scatter.h"

/* Ordinary memory: payloads may be larger than what may be locked. It is wiped
 * all the same. */
struct scratch {
	struct iovec piece;
	struct scatter list; /* of that piece */
};

/* Room for `bytes` bytes. 0 or -ENOMEM. */
int scratch_init(struct scratch *scratch, size_t bytes);

/* The same, filled from the list. */
int scratch_copy(struct scratch *scratch, const struct scatter *from,
		 size_t bytes);

/* Wipe and release; safe on a zeroed one. */
void scratch_deinit(struct scratch *scratch);

#endif
