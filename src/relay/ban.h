/* SPDX-License-Identifier: Apache-2.0 */
/* ban.h - devices that may not enter any room */
#ifndef PVX_RELAY_BAN_H
#define PVX_RELAY_BAN_H

#include "abi/chat_wire.h"
#include "relay/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define BANS_MAX 100000u

struct ban {
	uint8_t device_key[CHAT_KEY_BYTES];
	UT_hash_handle hh;
};

/*
 * How it works: a set of device keys, in memory and, when there is a file, in
 * it: a key in hexadecimal digits on each line. A change is written to another
 * file, synced, and renamed; what cannot be written does not hold either.
 */
struct bans {
	struct ban *table;
	const uint8_t *hash_key; /* borrowed, SHORTHASH_KEY_BYTES */
	const char *path;        /* borrowed; NULL: memory only */
};

/* Read the file, which may be absent. 0, or -errno after a line in the log:
 * -EINVAL for a file that is none of ours. `bans` is zeroed or deinited. */
int bans_init(struct bans *bans, const uint8_t *hash_key, const char *path);
void bans_deinit(struct bans *bans);

bool bans_has(const struct bans *bans, const uint8_t key[CHAT_KEY_BYTES]);

/* 0; -EEXIST or -ENOENT when it is so already, -ENOSPC above BANS_MAX, or
 * another -errno when it could not be kept: then nothing has changed. */
int bans_add(struct bans *bans, const uint8_t key[CHAT_KEY_BYTES]);
int bans_remove(struct bans *bans, const uint8_t key[CHAT_KEY_BYTES]);

#endif
