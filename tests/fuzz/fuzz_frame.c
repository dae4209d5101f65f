/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame.c - the frame assembler, the decoder and the encoder */

#include "wire/envelope.h"
#include "wire/frame.h"
#include "wire/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
	if (!holds)
		abort();
}

/* What decodes must encode to the same bytes, and never be over the bounds. */
static void try_frame(const uint8_t *frame, size_t bytes, enum wire_side side,
		      enum wire_state state)
{
	static uint8_t again[CHAT_FRAME_MAX];
	struct wire_envelope e;
	struct wire_message m;

	if (wire_decode(&m, frame, bytes, side, state))
		return;
	demand(bytes <= wire_max_frame_bytes(side, state));
	demand(wire_encode(&m, again, sizeof(again)) == (long)bytes);
	demand(memcmp(again, frame, bytes) == 0);
	if (m.type == CHAT_SEND)
		(void)wire_envelope_decode(&e, m.send.envelope,
					   m.send.envelope_bytes);
}

/* The first byte says side, state and size of the pieces; the rest is the
 * stream. The frames must be the same in pieces and at once. */
static size_t run(const uint8_t *data, size_t size, size_t piece,
		  enum wire_side side, enum wire_state state)
{
	struct wire_assembler a;
	size_t total = 0;

	wire_assembler_init(&a, wire_max_frame_bytes(side, state));
	while (size) {
		size_t n = size < piece ? size : piece;
		uint8_t *copy = malloc(n);
		const uint8_t *at = copy, *frame;
		long found;

		demand(copy != NULL);
		memcpy(copy, data, n);
		data += n;
		size -= n;
		while ((found = wire_frame_next(&a, &at, &n, &frame)) != 0) {
			if (found == -ENOBUFS) {
				demand(a.wanted_bytes <= a.max_bytes);
				a.room = realloc(a.room, a.wanted_bytes);
				demand(a.room != NULL);
				a.room_bytes = a.wanted_bytes;
				continue;
			}
			if (found < 0)
				break;
			total = total * 31 + (size_t)found;
			try_frame(frame, (size_t)found, side, state);
		}
		free(copy);
		if (found < 0)
			break;
	}
	free(a.room);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum wire_side side;
	enum wire_state state;
	size_t piece;

	if (size < 1)
		return 0;
	side = data[0] & 1 ? WIRE_SIDE_RELAY : WIRE_SIDE_CLIENT;
	state = (enum wire_state)(data[0] >> 1 & 3);
	piece = 1 + (size_t)(data[0] >> 3);
	data++;
	size--;
	demand(run(data, size, piece, side, state) ==
	       run(data, size, size ? size : 1, side, state));
	return 0;
}
