/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h - the IV that an operation leaves behind, from its data */
#ifndef PVX_CRYPTO_CHAIN_H
#define PVX_CRYPTO_CHAIN_H

#include "crypto/provider.h"

/* The caller wipes it. */
struct chain {
	uint8_t next[CRYPTSESS_MAX_IV_BYTES];
};

/* Before the run, when source and destination may be the same memory. */
void chain_begin(struct chain *chain, const struct cryptsess_algorithm *a,
		 const struct cipher_job *job);

/* After a run that succeeded: write the chained IV to `iv`, which may be
 * job->iv. */
void chain_end(struct chain *chain, const struct cryptsess_algorithm *a,
	       const struct cipher_job *job, uint8_t *iv);

#endif
