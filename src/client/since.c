/* SPDX-License-Identifier: Apache-2.0 */
/* since.c - from where on a user wants to see the past */

#include "client/since.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	char unit;
	uint64_t ms;
} units[] = {
	{ 's', 1000 },
	{ 'm', 60000 },
	{ 'h', 3600000 },
	{ 'd', 86400000 },
};

static int parse_date(struct since *since, const char *text)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };

	for (int i = 0; i < 2; i++) {
		struct tm time = { 0 };
		const char *end = strptime(text, forms[i], &time);
		time_t seconds;

		if (!end || *end)
			continue;
		seconds = timegm(&time);
		if (seconds < 0)
			return -EINVAL;
		since->want = CHAT_WANT_SINCE;
		since->from = (uint64_t)seconds * 1000;
		return 0;
	}
	return -EINVAL;
}

int since_parse(struct since *since, const char *text, uint64_t now_ms)
{
	uint64_t number;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	if (!*end) {
		since->want = CHAT_WANT_AFTER;
		since->from = number;
		return 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !end[1];
	     i++) {
		uint64_t ago_ms;

		if (*end != units[i].unit)
			continue;
		if (__builtin_mul_overflow(number, units[i].ms, &ago_ms))
			return -EINVAL;
		since->want = CHAT_WANT_SINCE;
		since->from = ago_ms < now_ms ? now_ms - ago_ms : 0;
		return 0;
	}
	return parse_date(since, text);
}
