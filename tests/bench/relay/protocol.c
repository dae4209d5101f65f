/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.c - the servers' languages, one row each */

#include "bench/relay/protocol.h"

#include <string.h>

#include "base/bytes.h"

static const struct protocol *const protocols[] = {
	&protocol_paravox, &protocol_ceiling, &protocol_nats,
	&protocol_redis,   &protocol_mqtt,    &protocol_irc,
};

const struct protocol *protocol_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	return NULL;
}

size_t protocol_line_bytes(const uint8_t *data, size_t bytes)
{
	const uint8_t *end = memchr(data, '\n', bytes);

	return end ? (size_t)(end - data) + 1 : 0;
}
