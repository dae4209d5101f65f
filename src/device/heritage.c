/* SPDX-License-Identifier: Apache-2.0 */
/* heritage.c - the state that one supervisor leaves to the next */
#include "device/heritage.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"

/* What is kept for a successor, beside what record.c keeps. */
#define NAME_STATE   "pvx-state"
#define NAME_RESULTS "pvx-results"

/* The state that a supervisor before us left. */
static int adopt_state(struct state *state, struct keeper *keeper,
		       const struct state_limits *limits)
{
	int fd = keeper_take(keeper, NAME_STATE);
	int results_fd = keeper_take(keeper, NAME_RESULTS);

	if (fd >= 0 && results_fd >= 0)
		return state_adopt(state, limits, fd, results_fd);
	if (fd >= 0)
		close(fd);
	if (results_fd >= 0)
		close(results_fd);
	return -ENOENT;
}

int heritage_open(struct state *state, struct record *record,
		  struct keeper *keeper, const struct state_limits *limits)
{
	bool is_adopted = adopt_state(state, keeper, limits) == 0;
	int error = 0;

	if (!is_adopted) {
		(void)keeper_remove(keeper, NAME_STATE);
		(void)keeper_remove(keeper, NAME_RESULTS);
		error = state_create(state, limits);
	}
	if (error) {
		log_error("no locked memory for %u sessions: raise "
			  "RLIMIT_MEMLOCK or lower --max-sessions",
			  limits->max_sessions);
		return error;
	}
	error = record_open(record, keeper, is_adopted);
	if (error < 0)
		return error;
	record_store(record, NAME_STATE, state->fd, is_adopted);
	record_store(record, NAME_RESULTS, state->results_fd, is_adopted);
	return 0;
}
