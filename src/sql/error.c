/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - what a result of SQLite means */

#include "sql/error.h"

#include <errno.h>

int sql_error(sqlite3 *db, int result)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT: /* a number is there that cannot be */
		return -EBADMSG;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EROFS || system == EDQUOT
			       ? -system
			       : -EIO;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return system ? -system : -EACCES;
	default:
		return -EIO;
	}
}
