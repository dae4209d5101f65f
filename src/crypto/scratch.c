/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.c - payload in a piece of our own, for the length of one operation */

#include "crypto/scratch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/secret.h"

int scratch_init(struct scratch *scratch, size_t bytes)
{
	scratch->piece.iov_base = malloc(bytes ? bytes : 1);
	scratch->piece.iov_len = bytes;
	scratch->list.pieces = &scratch->piece;
	scratch->list.count = 1;
	return scratch->piece.iov_base ? 0 : -ENOMEM;
}

int scratch_copy(struct scratch *scratch, const struct scatter *from,
		 size_t bytes)
{
	int r = scratch_init(scratch, bytes);

	if (r == 0)
		scatter_read(from, 0, scratch->piece.iov_base, bytes);
	return r;
}

void scratch_deinit(struct scratch *scratch)
{
	if (!scratch->piece.iov_base)
		return;
	secret_wipe(scratch->piece.iov_base, scratch->piece.iov_len);
	free(scratch->piece.iov_base);
	scratch->piece.iov_base = NULL;
}
