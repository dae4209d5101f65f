/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.h - paravoxd ctl: ask a running relay */
#ifndef PVX_RELAY_CTL_H
#define PVX_RELAY_CTL_H

/* argv[0] is "ctl". The exit status: 0 done, 1 refused or out of reach, 2 wrong
 * usage. */
int ctl_main(int argc, char **argv);

#endif
