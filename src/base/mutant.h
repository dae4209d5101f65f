/* SPDX-License-Identifier: Apache-2.0 */
/* mutant.h - security checks that a test build can switch off, one at a time */
#ifndef PVX_BASE_MUTANT_H
#define PVX_BASE_MUTANT_H

/*
 * How it works: every security decision is written CHECK(NAME, condition) and
 * means the condition; that is all that a normal build contains. In a build
 * with -Dmutants=true the environment variable PVX_MUTANT, a number of the
 * list below, makes that one check always hold. tools/mutants takes each of
 * tools/mutants.txt in turn and demands that the tests named there fail.
 */
enum mutant {
	MUTANT_none,
	MUTANT_mac_compare,         /* the envelope's HMAC tag */
	MUTANT_provider_answer,     /* a provider's answers before its use */
	MUTANT_signature,           /* the sender's signature inside it */
	MUTANT_replay_window,       /* (chain, generation) seen before */
	MUTANT_replay_floor,        /* older than what is remembered */
	MUTANT_sender_time_bound,   /* no time above every floor */
	MUTANT_forgotten_row,       /* another process remembers more */
	MUTANT_padding,             /* zero, and of the one right length */
	MUTANT_device_proof,        /* a device key's first message */
	MUTANT_identity_pin,        /* a device key's later messages */
	MUTANT_chain_after_fork,    /* no chain in parent and child */
	MUTANT_admission_signature, /* relay: who may enter a room */
	MUTANT_frame_length_bound,  /* wire: frames above the limit */
	MUTANT_aead_tag_compare,    /* libcryptsess: TLS and SRTP forms */
	MUTANT_sender_binding,   /* the envelope names its connection's key */
	MUTANT_message_state,    /* wire: messages at the wrong time */
	MUTANT_sender_window,    /* relay: SENDs without ACK */
	MUTANT_room_binding,     /* relay: the room id is the key's hash */
	MUTANT_device_signature, /* relay: who owns the device key */
	MUTANT_room_separation,  /* relay: only members of the same room */
	MUTANT_aead_final,       /* libcryptsess: the tag of GCM and CCM */

	MUTANT_guest_memory_bound, /* vring: a range ends with its region */
	MUTANT_ring_memory_bound,  /* vring: the ring's parts lie in memory */
	MUTANT_vring_avail_bound,  /* vring: no more heads than entries */
	MUTANT_vring_head_bound,   /* vring: heads lie in the table */
	MUTANT_vring_head_unique,  /* vring: no head twice in flight */
	MUTANT_vring_next_bound,   /* vring: links lie in their table */
	MUTANT_vring_chain_bound,  /* vring: chains fit the ring, no loops */
	MUTANT_vhost_ring_enabled, /* a ring rests until its ENABLE */
	/* device: what a request may reach, and how far */
	MUTANT_device_generation,
	MUTANT_device_stale_file,
	MUTANT_device_stale_session,
	MUTANT_device_session_owner,
	MUTANT_device_session_queue,
	MUTANT_device_readable_length,
	MUTANT_device_writable_length,
	MUTANT_device_request_bound,
	MUTANT_device_auth_bound,
	MUTANT_device_key_bound,
	MUTANT_device_mac_key_bound,
	MUTANT_device_iv_bound,
	MUTANT_device_digest_bound,
	MUTANT_device_destination_bound,
	MUTANT_device_tag_bound,
	MUTANT_device_result_rest, /* what a failed request had written */
	MUTANT_device_state_bound, /* supervisor: what workers count */
	/* device: what a worker that was taken over left, or says */
	MUTANT_device_state_rest,
	MUTANT_device_kept_window,
	MUTANT_device_kept_made,
	MUTANT_device_kept_result,
	MUTANT_device_kept_session,
	MUTANT_device_worker_answer,
	MUTANT_device_worker_end,
	MUTANT_device_sandbox,  /* entered unless it was refused */
	MUTANT_sandbox_process, /* calls of another process's rows */
	MUTANT_sandbox_variant, /* calls of another variant's rows */
	/* store */
	MUTANT_store_once,       /* a message that is kept already */
	MUTANT_store_unsynced,   /* a store that may lose what it has */
	MUTANT_ack_after_commit, /* what is on the disk */
	/* relay: who may come, and who may command */
	MUTANT_address_limit,
	MUTANT_room_limits,
	MUTANT_room_rate,
	MUTANT_device_ban,
	MUTANT_admin_peer,
	/* TLS */
	MUTANT_tls_key_file,     /* a key that others can read */
	MUTANT_plain_listener,   /* relay: no TLS beyond loopback */
	MUTANT_exporter_binding, /* relay: JOIN is signed for its TLS */
	MUTANT_server_pin,       /* client: the relay's key */
	MUTANT_plain_downgrade,  /* client: no TLS to who is known by a key */
	/* client */
	MUTANT_private_file,   /* files that others can read */
	MUTANT_terminal_text,  /* controls in what others send */
	MUTANT_argv_secret,    /* links on the command line */
	MUTANT_withheld_start, /* a chain that begins in the middle */
};

#include "mutant_config.h"

#if PVX_MUTANTS
#include <stdbool.h>
bool mutant_is_on(enum mutant mutant);
#define CHECK(name, condition) (mutant_is_on(MUTANT_##name) || (condition))
#else
#define CHECK(name, condition) (condition)
#endif

#endif
