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

/* The same, of what may reach another process; the last asks a node of
 * cryptodev. deeds_prepare() has what they need: 0 or -1. */
int deeds_prepare(void);
deed_fn deed_pass, deed_send_connected, deed_send_elsewhere, deed_own,
	deed_signal_another, deed_signal_itself, deed_type, deed_ask_node;

/* Whether this kernel has Landlock. */
_Bool deeds_has_landlock(void);

#endif
