/* SPDX-License-Identifier: Apache-2.0 */
/* test_abi_async.h - the claims about asynchronous jobs, section 10 */
#ifndef PVX_TESTS_GUEST_ASYNC_H
#define PVX_TESTS_GUEST_ASYNC_H

#include <stdbool.h>

bool q1_no_more_than_64(void);
bool q1_refused_at_once(void);
bool q2_fetched_by_another(void);
bool q2_q3_chain(void);
bool q3_in_order(void);
bool q4_digest_and_iv(void);
bool q4_failed_job(void);
bool q5_poll(void);
bool q1_q2_beyond_the_locked_memory(void);
bool q6_closed_under_way(void);

#endif
