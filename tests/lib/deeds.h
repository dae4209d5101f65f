/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.h - what processes in a sandbox try, in its tests */
#ifndef PVX_TESTS_DEEDS_H
#define PVX_TESTS_DEEDS_H

/* -1 with errno, as system calls say it. */
typedef long deed_fn(void);

struct deed {
	const char *call; /* that does it, as the sandbox names it */
	deed_fn *run;
};

/* What no process of ours may do, and any process can that is in no sandbox. */
#define DEEDS 7
extern const struct deed deeds[DEEDS];

/* What some of them may do. */
deed_fn deed_fork, deed_kill;

/* Whether this kernel has Landlock. */
_Bool deeds_has_landlock(void);

#endif
