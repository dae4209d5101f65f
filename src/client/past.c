/* SPDX-License-Identifier: Apache-2.0 */
/* past.c - how far we have the messages that the relay keeps of the room */

#include "client/past.h"

#include <errno.h>
#include <string.h>

int past_load(struct past *past, struct state *state,
	      const uint8_t room_id[CHAT_ROOM_ID_BYTES])
{
	int error = state_position(state, room_id, &past->era, &past->last);

	past->is_known = !error;
	return error == -ENOENT ? 0 : error;
}

int past_store(struct past *past, struct state *state,
	       const uint8_t room_id[CHAT_ROOM_ID_BYTES])
{
	bool has_gone_back = past->has_gone_back;

	past->has_moved = past->has_gone_back = false;
	return state_set_position(state, room_id, past->era, past->last,
				  has_gone_back);
}

void past_begin(struct past *past, struct wire_message *join)
{
	past->is_answered = past->is_given = past->is_asking = false;
	past->is_catching_up = past->is_fetching = false;
	past->caught = 0;
	past->seen = past->is_known ? past->last : 0;
	join->join.want = CHAT_WANT_NOTHING;
	if (past->since.want && !past->was_asked) {
		past->is_asking = true;
		join->join.want = past->since.want;
		join->join.from = past->since.from;
	} else if (past->is_known) {
		join->join.want = CHAT_WANT_AFTER;
		join->join.from = past->last;
	}
	if (join->join.want == CHAT_WANT_AFTER)
		join->join.era = past->era;
}

/* Whether the numbers are others than those of the connection before: `past`
 * begins anew then, so that nothing of the new ones is taken for old. */
static bool begins_anew(struct past *past, const struct wire_message *m)
{
	bool is_other = past->is_known && (m->history.era != past->era ||
					   m->history.last < past->last);
	/* Where nothing was ever said there is nothing to lose. */
	bool was_lost = is_other && past->last;

	if (is_other) {
		past->last = past->seen = 0;
		past->since.from = 0; /* a number of those that are gone */
		past->has_gone_back = true;
	}
	past->era = m->history.era;
	return was_lost;
}

static unsigned int take_begins(struct past *past, const struct wire_message *m,
				uint64_t *missing)
{
	bool is_first = !past->is_known;
	unsigned int news = begins_anew(past, m) ? PAST_WAS_LOST : 0;
	uint64_t first = m->history.first;

	*missing = first > past->last ? first - past->last - 1 : 0;
	if (!news && !is_first && *missing &&
	    !(past->since.want == CHAT_WANT_SINCE && !past->was_asked))
		news |= PAST_HAS_EXPIRED;
	/* What is not given is not had; what was had is not moved back. */
	past->last += *missing;
	if (!past->shown || news & PAST_WAS_LOST)
		past->shown = first;
	past->given = 0;
	past->is_known = past->is_given = past->is_catching_up = true;
	past->was_asked = true;
	return news;
}

static unsigned int take_live(struct past *past, const struct wire_message *m)
{
	unsigned int news = PAST_HAS_CAUGHT_UP;

	if (!past->is_catching_up && begins_anew(past, m))
		news |= PAST_WAS_LOST;
	past->is_catching_up = false;
	past->is_known = past->is_given = past->was_asked = true;
	if (m->history.last > past->last)
		past->last = m->history.last;
	if (!past->shown || news & PAST_WAS_LOST)
		past->shown = m->history.last + 1;
	past->has_moved = true;
	return news;
}

unsigned int past_take(struct past *past, const struct wire_message *m,
		       uint64_t *missing)
{
	*missing = 0;
	past->is_answered = true;
	switch (m->history.what) {
	case CHAT_HISTORY_BEGINS:
		return take_begins(past, m, missing);
	case CHAT_HISTORY_LIVE:
		return take_live(past, m);
	case CHAT_HISTORY_FETCHED:
		if (!past->is_fetching)
			return 0;
		past->is_fetching = false;
		if (m->history.first <= m->history.last &&
		    m->history.first < past->shown)
			past->shown = m->history.first;
		return PAST_IS_FETCHED;
	case CHAT_HISTORY_UNREADABLE:
		past->is_fetching = past->is_catching_up = false;
		return PAST_IS_UNREADABLE;
	default:
		if (!past->is_fetching)
			return 0;
		past->is_fetching = false;
		return PAST_IS_NOT_KEPT;
	}
}

bool past_is_old(const struct past *past, uint64_t sequence)
{
	if (sequence <= past->given)
		return false;
	if (past->is_fetching)
		return sequence < past->shown;
	return past->is_catching_up && past->since.want &&
	       sequence <= past->seen;
}

bool past_is_asked_for(const struct past *past, uint64_t sequence)
{
	return past->is_catching_up && past->is_asking &&
	       sequence > past->given;
}

bool past_is_wanted(const struct past *past, uint64_t sequence)
{
	return !sequence || !past->is_catching_up ||
	       past->since.want != CHAT_WANT_AFTER ||
	       sequence > past->since.from;
}

void past_move(struct past *past, uint64_t sequence, uint64_t messages)
{
	if (past->is_fetching && past_is_old(past, sequence)) {
		past->fetched += messages;
		past->given = sequence;
	} else if (past->is_catching_up) {
		past->caught += messages;
		past->given = sequence;
	}
	if (!past->is_given || sequence <= past->last)
		return;
	past->last = sequence;
	past->has_moved = true;
}

int past_fetch(struct past *past, uint16_t count, struct wire_message *fetch)
{
	uint64_t before = past->shown;

	if (past->is_fetching)
		return -EBUSY;
	if (before <= 1)
		return -ENOENT;
	if (count > CHAT_FETCH_MAX)
		count = CHAT_FETCH_MAX;
	if (count >= before)
		count = (uint16_t)(before - 1);
	fetch->type = CHAT_FETCH;
	fetch->fetch.from = before - count;
	fetch->fetch.count = count;
	past->is_fetching = true;
	past->fetched = past->given = 0;
	return 0;
}
