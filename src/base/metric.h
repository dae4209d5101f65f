/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - Prometheus' text format 0.0.4 */
#ifndef PVX_BASE_METRIC_H
#define PVX_BASE_METRIC_H

#include <stdio.h>

/* What stands above the samples of the metric PREFIX NAME: its help, a sentence
 * without its full stop, and its type ("counter", "gauge", "histogram"). */
static inline void metric_family(FILE *out, const char *prefix,
				 const char *name, const char *type,
				 const char *help)
{
	fprintf(out, "# HELP %s%s %s.\n# TYPE %s%s %s\n", prefix, name, help,
		prefix, name, type);
}

#endif
