/* SPDX-License-Identifier: Apache-2.0 */
/* admission.h - who may enter a room (clause 7) */
#ifndef PVX_RELAY_ADMISSION_H
#define PVX_RELAY_ADMISSION_H

#include "wire/admission.h"
#include "wire/message.h"

/*
 * Whether JOIN holds: its room id is the hash of its admission key, and both
 * signatures are about this connection. `about` has what WELCOME said; room
 * and device are taken from JOIN. NULL, or what is wrong, for the log.
 */
const char *admission_fault(const struct wire_message *join,
			    const struct wire_admission *about);

#endif
