/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - what a result of SQLite means */
#ifndef PVX_SQL_ERROR_H
#define PVX_SQL_ERROR_H

#include <sqlite3.h>

/*
 * 0 or -errno: -EBUSY while another connection has it, -EBADMSG when it is
 * damaged, no database, or has a row that cannot be, -ENOSPC, -EDQUOT, -EROFS,
 * -EACCES, -ENOMEM, -EIO. `db` (may be NULL) knows what the system said; to be
 * asked at once.
 */
int sql_error(sqlite3 *db, int result);

#endif
