/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - every number that bounds the relay, with its default */
#ifndef PVX_RELAY_LIMITS_H
#define PVX_RELAY_LIMITS_H

#include <stdint.h>

/* Those that an option sets; options.c has the table with the defaults. */
struct relay_limits {
	uint64_t max_clients;
	uint64_t max_address_clients;  /* of one network; 0: any */
	uint64_t max_rooms;            /* 0: any */
	uint64_t max_room_clients;     /* 0: any */
	uint64_t handshake_timeout_ms; /* accept to JOIN */
	uint64_t ping_interval_ms;     /* of silence, before a PING */
	uint64_t idle_timeout_ms;      /* of silence, before TIMEOUT */
	uint64_t progress_timeout_ms;  /* of a queue that does not move */
	uint64_t room_patience_ms;     /* of a room for one that is behind */
	uint64_t room_grace_ms;        /* and that takes nothing */
	uint64_t window_messages;      /* SENDs without ACK, per sender */
	uint64_t window_bytes;         /* of their envelopes */
	uint64_t high_water_bytes;     /* queued: its room waits */
	uint64_t hard_bound_bytes;     /* queued: it is cut off */
	uint64_t memory_bytes;         /* queued for all clients */
	uint64_t rate_messages; /* frames per second, per sender; 0: no */
	uint64_t burst_messages;
	uint64_t rate_rooms; /* begun per hour, per network; 0: no limit */
	uint64_t burst_rooms;
	uint64_t rate_bytes; /* per second, per sender; 0: no limit */
	uint64_t burst_bytes;
	uint64_t history_age_s; /* of what is kept; 0: no limit, as below */
	uint64_t history_room_messages;
	uint64_t history_room_bytes;
	uint64_t history_bytes; /* of all rooms */
	uint64_t history_rooms;
};

/* Those that are fixed. */
#define RELAY_READ_BYTES         (256u << 10) /* one read(2) */
#define RELAY_FLUSH_BYTES        (256u << 10) /* queued: write now */
#define RELAY_IOVECS             128u         /* gathered in one write */
#define RELAY_NOTSENT_BYTES      (256u << 10) /* TCP_NOTSENT_LOWAT */
#define RELAY_KEEP_BYTES         4096u        /* of a frame's room, when idle */
#define RELAY_PROGRESS_MIN_BYTES 4096         /* less is no progress */
#define RELAY_WARNED_MS          600000u      /* a room remembers SLOW */
#define RELAY_WARNED_DIVISOR     6u           /* of its progress timeout */
#define RELAY_LEFT_DIVISOR       4u           /* of a room, left behind */
#define RELAY_STALL_MS           1000u        /* when memory is short */
#define RELAY_SAVE_INTERVAL_MS   250u         /* between looks for it */
#define RELAY_CLOSE_TIMEOUT_MS   3000u        /* to flush and linger */
#define RELAY_DISCARD_BYTES      (1u << 20)   /* read while lingering */
#define RELAY_STOP_TIMEOUT_MS    2000u        /* to say BYE to everybody */
#define RELAY_REFUSALS_MAX       64u          /* told FULL at the same time */
#define RELAY_ACCEPTS_PER_TURN   64u
#define RELAY_IDLE_ADDRESSES_MAX 65536u /* remembered for their rooms */
#define RELAY_ACCEPT_PAUSE_MS    100u   /* out of descriptors */
#define RELAY_LISTENERS_MAX      16u
#define RELAY_DRAIN_S            30u /* to send all away */
#define RELAY_DRAIN_MAX_S        86400u
#define RELAY_DRAIN_STEP_MS      100u
#define RELAY_TAKEOVER_S         60u    /* for the other relay to end */
#define RELAY_SUCCESSOR_MS       60000u /* for its start, once it asked */
#define RELAY_LOG_RATE           1u     /* lines per second that peers cause */
#define RELAY_LOG_BURST          100u

/* Of TLS. */
#define RELAY_HANDSHAKES_MAX        256u  /* at the same time */
#define RELAY_HANDSHAKES_PER_TURN   8u    /* steps of them */
#define RELAY_HANDSHAKE_PATIENCE_MS 2000u /* when others wait */

/* Of the history. */
#define RELAY_STORE_BYTES         (32u << 20) /* waiting for the disk */
#define RELAY_READS_MAX           64u         /* of the past, at a time */
#define RELAY_CATCHUP_BYTES       (64u << 20) /* of one read, all together */
#define RELAY_CATCHUP_LEAST_BYTES 4096u       /* each of them */
#define RELAY_CATCHUP_MOST_BYTES  (256u << 10)
#define RELAY_CATCHUP_LOW_BYTES   (64u << 10) /* queued: read on */

#endif
