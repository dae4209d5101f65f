/* SPDX-License-Identifier: Apache-2.0 */
/* self_test.h - whether a provider computes what the suite asks of it */
#ifndef PVX_E2EE_SELF_TEST_H
#define PVX_E2EE_SELF_TEST_H

#include "cryptsess.h"

/*
 * Seal and open a known message (spec/e2ee.md, clause 5.9). 0; -EBADMSG when
 * the provider's answer is wrong: then nothing may be entrusted to it; or the
 * provider's -errno.
 */
int e2ee_provider_check(struct cryptsess_provider *provider);

#endif
