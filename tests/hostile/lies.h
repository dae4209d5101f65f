/* SPDX-License-Identifier: Apache-2.0 */
/* lies.h - what a hostile device does, as its guest orders it
 *
 * The order is in a session's key: "lie", then one of these. It holds for the
 * answer to SESSION_OPEN itself, for the operations of that session, or for
 * the next probe of the device.
 */
#ifndef PVX_TESTS_LIES_H
#define PVX_TESTS_LIES_H

enum lie {
	LIE_NONE,
	/* Used ring */
	LIE_USED_ID_RANGE, /* outside the ring */
	LIE_USED_ID_FREE,  /* of no request */
	LIE_USED_TWICE,    /* the same again */
	LIE_USED_JUMP,     /* the index runs away */
	LIE_USED_SWAPPED,  /* two requests, each with the other's length */
	LIE_USED_LEN_0,
	LIE_USED_LEN_15, /* less than a status */
	LIE_USED_LEN_LESS,
	LIE_USED_LEN_MORE,
	LIE_USED_LEN_31, /* 0x7fffffff */
	LIE_USED_LEN_32, /* 0xffffffff */
	LIE_NEVER,
	/* Answers */
	LIE_STATUS_NEXT, /* the first that nobody knows */
	LIE_STATUS_32,
	LIE_STATUS_ERROR, /* INVALID, and a length beyond the request */
	LIE_EXPIRED,
	LIE_RESULT_LESS,
	LIE_RESULT_MORE,
	LIE_RESULT_32,
	LIE_VALUE, /* another tag length */
	LIE_NO_DIGEST,
	LIE_UNWRITTEN,      /* all is said to be written, and nothing is */
	LIE_CANARY,         /* writes HOSTILE_CANARY: for the search itself */
	LIE_CONFIG_CHANGES, /* many interrupts, and a right answer */
	/* SESSION_OPEN */
	LIE_SESSION_ID_0,
	LIE_SESSION_BLOCK_0,
	LIE_SESSION_BLOCK_3,
	LIE_SESSION_IV_12,
	LIE_SESSION_IV_32,
	LIE_SESSION_DIGEST_0,
	LIE_SESSION_DIGEST_64,
	LIE_SESSION_TAG,
	LIE_SESSION_TRAITS_0,
	LIE_SESSION_TRAITS_32,
	LIE_SESSION_UNWRITTEN,
	LIE_SESSION_EXPIRED,
	/* SESSION_INFO */
	LIE_INFO_ENDLESS, /* names that do not end */
	/* The next probe, and what it leads to */
	LIE_PROBE_MAGIC,
	LIE_PROBE_VERSION,
	LIE_PROBE_QUEUES_0,
	LIE_PROBE_QUEUES_32,
	LIE_HELLO_NEVER,
	LIE_HELLO_MAGIC,
	LIE_HELLO_VERSION,
	LIE_HELLO_GENERATION_0,
	LIE_HELLO_SEGMENTS_1,
	LIE_HELLO_REQUEST_0,
	LIE_HELLO_SHORT,
	LIE_HELLO_ERROR,
	LIE_HELLO_LIMITS_32, /* all of them 0xffffffff: accepted */
	LIE_HELLO_NOTHING,   /* no algorithm: accepted */
	LIE_FILE_ID_0,       /* OPEN */
	LIES
};

#define HOSTILE_CANARY "stale bytes of the kernel's"
#define HOSTILE_MASK   0x5a /* a result is the source XOR this */
#define HOSTILE_DIGEST 0xd1
#define HOSTILE_IV     0x77

#endif
