/* SPDX-License-Identifier: Apache-2.0 */
/* mutant.c - which check a test build switches off */

#include "base/mutant.h"

#if PVX_MUTANTS
#include <stdlib.h>

bool mutant_is_on(enum mutant mutant)
{
	static int chosen = -1; /* every thread finds the same */

	if (chosen < 0) {
		const char *number = getenv("PVX_MUTANT");

		chosen = number ? atoi(number) : MUTANT_none;
	}
	return chosen == (int)mutant;
}
#endif
