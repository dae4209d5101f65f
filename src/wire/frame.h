/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - find the frames in bytes that come in whatever pieces */
#ifndef PVX_WIRE_FRAME_H
#define PVX_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * A frame that is whole in the bytes given is returned in place; one that is
 * not is put together in the owner's memory. The assembler does not allocate:
 * it asks.
 *
 *	while ((found = wire_frame_next(&a, &data, &bytes, &frame)) != 0) {
 *		if (found == -ENOBUFS)
 *			grow a.room to a.wanted_bytes, a.have_bytes kept;
 *		else if (found < 0)
 *			the stream is broken;
 *		else
 *			frame is found bytes, until the next call;
 *	}
 */
struct wire_assembler {
	uint8_t *room; /* borrowed; may be NULL while room_bytes is 0 */
	size_t room_bytes;
	size_t have_bytes;   /* of the frame begun, in room */
	size_t wanted_bytes; /* after -ENOBUFS */
	size_t max_bytes;    /* largest frame that is allowed now */
	uint8_t head[4];     /* of the frame begun, before there is room */
	uint8_t head_bytes;
};

/* `max_bytes` counts the length field; the owner may change it between two
 * calls, as the state moves on. */
void wire_assembler_init(struct wire_assembler *a, size_t max_bytes);

/*
 * Take from `*data`, which is moved on. Returns the size of a whole frame
 * (`*frame`, valid until the next call or until the memory given goes); 0 when
 * all is taken and no frame is whole; -EMSGSIZE for a length above max_bytes,
 * told as soon as four bytes are there (clause 2.3); -EBADMSG for length 0
 * (clause 2.2); -ENOBUFS when room is too small. After -EMSGSIZE and -EBADMSG
 * the stream has no meaning any more, and head holds the four bytes.
 */
long wire_frame_next(struct wire_assembler *a, const uint8_t **data,
		     size_t *bytes, const uint8_t **frame);

/* Whether a frame is begun: what an end of the stream cuts short. */
int wire_frame_is_begun(const struct wire_assembler *a);

#endif
