/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - the folder in which a relay keeps its files */

#include "relay/state.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int relay_state_path(char *path, size_t room, const char *folder,
		     const char *name)
{
	const char *systemd = getenv("STATE_DIRECTORY");
	char first[PATH_MAX], own[NAME_MAX];
	int result;

	/* systemd.exec(5): of several, a colon between them, ours is first. */
	if (!folder && systemd && *systemd == '/') {
		snprintf(first, sizeof(first), "%.*s",
			 (int)strcspn(systemd, ":"), systemd);
		folder = first;
	}
	if (folder) {
		result = file_path_in(path, room, folder, name);
	} else {
		snprintf(own, sizeof(own), "paravoxd/%s", name);
		result = file_own_path(path, room, "XDG_STATE_HOME",
				       ".local/state", own);
	}
	if (!result)
		return 0;
	log_error("no place for the relay's files: %s: %s%s", path,
		  file_explain(result), folder ? "" : ", or give --state=DIR");
	return result > 0 ? -EACCES : result;
}
