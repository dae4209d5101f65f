/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - what the store's reading thread does */
#ifndef PVX_STORE_READER_H
#define PVX_STORE_READER_H

#include "store/db.h"

/* Used by one thread at a time. Zeroed is closed. */
struct reader {
	struct db db;
	const char *path; /* borrowed */
};

/* Find and hand on what is asked for; opens the database when it has to. Sets
 * what the read says is set, its error too. */
void reader_serve(struct reader *reader, struct store_read *read);

void reader_close(struct reader *reader);

#endif
