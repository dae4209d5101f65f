/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - paravoxd check: look the history over, and put it right */
#ifndef PVX_RELAY_CHECK_H
#define PVX_RELAY_CHECK_H

/* argv[0] is "check". The exit status: 0 all is right, or was put right; 1 it
 * is not, or could not be looked at; 2 wrong usage. */
int check_main(int argc, char **argv);

#endif
