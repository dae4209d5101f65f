/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - what must outlive the process, as rows for the client's store */
#ifndef PVX_E2EE_ROWS_H
#define PVX_E2EE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How it works: the state of a room (who is known, which messages were
 * accepted) changes by a few rows per message. The client keeps them by key,
 * per room, unread. Several processes of one user may store into one file, so
 * a row is never replaced but merged, in one transaction: read what is stored
 * under the key, e2ee_row_merge() it into the new row, write the row. Only
 * then is the message shown.
 */
#define E2EE_ROW_KEY_BYTES   64
#define E2EE_ROW_VALUE_BYTES 256
#define E2EE_MAX_CHANGES     4 /* rows that one message changes */

struct e2ee_row {
	uint8_t key[E2EE_ROW_KEY_BYTES];
	uint8_t value[E2EE_ROW_VALUE_BYTES];
	uint16_t value_bytes; /* 0: the row is to be deleted; then the value is
			       * what is known of it here */
};

struct e2ee_changes {
	unsigned int count;
	struct e2ee_row rows[E2EE_MAX_CHANGES];
};

/*
 * Merge what is stored under the same key into `row`: what either has seen, the
 * merged row has seen. A deletion becomes a row again when another process has
 * stored more than was known to the one that forgets. 0; -EBADMSG when the
 * stored bytes are not a row's, -EEXIST when they pin the device key to another
 * identity: then the stored row stays as it is and the message is not shown.
 */
int e2ee_row_merge(struct e2ee_row *row, const uint8_t *stored, size_t bytes);

#endif
