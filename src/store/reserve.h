/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.h - space on the disk that is kept to be given up */
#ifndef PVX_STORE_RESERVE_H
#define PVX_STORE_RESERVE_H

#include <stdbool.h>

/*
 * To forget, a store must write: on a disk that is full to its last block it
 * could not, and would stay full. So it has a file of zeros beside it, whose
 * blocks it gives back then, and takes again when there is plenty. Nothing here
 * is an error: without a reserve all goes as well as it can.
 */
struct reserve {
	int fd; /* 0: none */
	bool is_held;
};

#define RESERVE_BYTES (8 << 20)

/* Open or make PATH's reserve, PATH with another ending, and take it. */
void reserve_open(struct reserve *reserve, const char *path);
/* The file stays. Safe on zeroed and closed ones. */
void reserve_close(struct reserve *reserve);

/* Take it, when the disk has three times as much. */
void reserve_take(struct reserve *reserve);
/* Give the blocks to who needs them now. Whether there were any. */
bool reserve_give(struct reserve *reserve);

#endif
