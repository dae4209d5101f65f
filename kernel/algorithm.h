/* SPDX-License-Identifier: GPL-2.0-only */
/* algorithm.h - what the interface says of its algorithms */
#ifndef VCD_ALGORITHM_H
#define VCD_ALGORITHM_H

#include <linux/types.h>

#define VCD_IS_MAC    (1u << 0) /* a mac or hash, else a cipher */
#define VCD_IS_HMAC   (1u << 1) /* takes a key */
#define VCD_IS_AEAD   (1u << 2)
#define VCD_IS_CUT    (1u << 3) /* may be run in pieces, vcd 6.7 */
#define VCD_HAS_HALF  (1u << 4) /* CCM: even tag lengths */
#define VCD_IS_STREAM (1u << 5) /* S11 */

/* A device that says something else of an algorithm is not believed: these
 * decide how much of a program's memory is read and written. */
struct vcd_algorithm {
	u32 flags;
	u8 key_least, key_most, key_step;    /* step 0: only key_least */
	u8 block_bytes, iv_bytes, tag_bytes; /* of a cipher */
	u8 digest_bytes;                     /* of a mac */
};

/* NULL: no cipher, or no mac, has that id (S2, S3). */
const struct vcd_algorithm *vcd_cipher_find(u32 id);
const struct vcd_algorithm *vcd_mac_find(u32 id);

/* S5 */
bool vcd_cipher_takes_key(const struct vcd_algorithm *cipher, u32 bytes);
/* A6, vcd 7.2 */
bool vcd_aead_takes_tag(const struct vcd_algorithm *aead, u32 bytes);

#endif
