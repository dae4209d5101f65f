/* SPDX-License-Identifier: Apache-2.0 */
/* locked.c - memory for keys, for those who tell the user */

#include "client/locked.h"

#include "base/log.h"
#include "base/secret.h"

#include <errno.h>
#include <string.h>

void *locked_alloc(size_t bytes)
{
	void *memory = secret_alloc(bytes);

	if (!memory)
		log_error("no memory for keys that is never swapped out: %s; "
			  "ulimit -l must allow 256 KiB",
			  strerror(errno));
	return memory;
}
