/* SPDX-License-Identifier: GPL-2.0-only */
/* crypt.h - CIOCCRYPT as pieces that the device takes */
#ifndef VCD_CRYPT_H
#define VCD_CRYPT_H

#include <linux/types.h>

#include "abi/cryptodev.h"
#include "kernel/session.h"

/*
 * How it works: an operation is one request, or where the mode allows it and
 * one does not take all, several (vcd 6.7). Small ones are copied into
 * memory of our own, larger ones use the program's pages. Where source and
 * destination meet, the source is copied, so that the device reads all before
 * it writes anything (E4).
 *
 * The device's worker may die between two pieces, and a hash that runs through
 * them is lost (vcd 9.4). When it began with the operation, all pieces are run
 * again: the chained IV is asked for before the first one then, and where
 * source and destination meet the requests are kept, with their copies of the
 * source, up to VCD_KEPT_BYTES_MAX.
 */
struct vcd_plan {
	struct crypt_op op;
	u8 iv[VCD_MAX_IV_BYTES];
	struct vcd_session *session; /* counted by the plan's owner */
	bool is_due;                 /* a digest comes with the last piece */
	bool gives_iv;               /* the chained IV does too */
	bool is_async;               /* pin the destination if it can be */
	bool meets;                  /* source and destination overlap */
	bool is_whole;               /* its hash begins with it */
	bool has_iv;                 /* `iv` goes with the first piece */
	bool is_hash_cut;            /* a hash runs through several pieces */
	u32 piece_bytes;
	struct vcd_call **kept; /* counted, or NULL: see above */
	u32 kept_count;
	/* Out of the last piece. */
	u8 digest[VCD_MAX_DIGEST_BYTES];
};

/* Of an operation whose running hash is lost each time. A request that was
 * begun at three deaths of the device is KILLS before. */
#define VCD_ATTEMPTS_MAX 16

/* Source of one operation that is copied as a whole. */
#define VCD_KEPT_BYTES_MAX VCD_REQUEST_BYTES_MAX

/* E1 up to the second look for the session, which the plan then counts; NULL
 * when it fails. */
int vcd_crypt_take(struct vcd_plan *c, struct vcd_file *f,
		   const void __user *argument, bool is_narrow);
/* With the session locked: the rest of the checks. */
int vcd_crypt_plan(struct vcd_plan *c);
/* With the session locked: all of it, to its end. */
int vcd_crypt_run(struct vcd_plan *c);

/* The bytes of the piece at `at`. */
u32 vcd_crypt_piece_bytes(const struct vcd_plan *c, u32 at);
/* The request for that piece, or an ERR_PTR. */
struct vcd_call *vcd_crypt_piece(const struct vcd_plan *c, u32 at);
/* Whether vcd_crypt_collect() will write that piece's destination. */
bool vcd_crypt_is_copied(const struct vcd_plan *c, const struct vcd_call *call);
/* What the finished piece gave; the destination that was not pinned is
 * written now. 0 or -errno. */
int vcd_crypt_collect(struct vcd_plan *c, struct vcd_call *call, u32 at);
/* Digest and IV to where the program wants them (E3, E8). */
int vcd_crypt_deliver(const struct vcd_plan *c);

#endif
