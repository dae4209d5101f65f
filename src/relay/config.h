/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - options out of a file */
#ifndef PVX_RELAY_CONFIG_H
#define PVX_RELAY_CONFIG_H

#include "base/option.h"

/* Flags of rows. */
#define OPTION_NO_FILE 1u /* only on the command line */
#define OPTION_LIVE    2u /* a program that runs can change it */

/* The values that options borrow from a file. NULL: none. */
struct config_texts;

/*
 * Set the options that the INI file at `path` names in its section [SECTION],
 * the program's name; `texts` (NULL before the first) keeps their values. Rows
 * with OPTION_NO_FILE are refused. 0, or -errno after a line on standard
 * error for each fault, with its place.
 */
int config_read(const struct option_table *table, void *options,
		const char *path, struct config_texts **texts);

/* NULL is allowed. */
void config_texts_free(struct config_texts *texts);

#endif
