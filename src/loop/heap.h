/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h - pairing heap with the links inside the elements: what is due next */
#ifndef PVX_LOOP_HEAP_H
#define PVX_LOOP_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed node is in no heap. */
struct heap_node {
	uint64_t key; /* set by the owner before heap_insert() */
	struct heap_node *child;
	struct heap_node *next;  /* right sibling */
	struct heap_node **slot; /* what points to this node; NULL: no heap */
};

/* Zeroed is empty. Nothing here allocates or fails. */
struct heap {
	struct heap_node *root; /* the smallest key */
};

/* O(1). The node must be in no heap. */
void heap_insert(struct heap *h, struct heap_node *n);

/* O(log n) amortised. A node that is in no heap is left alone. */
void heap_remove(struct heap *h, struct heap_node *n);

static inline bool heap_has(const struct heap_node *n)
{
	return n->slot != 0;
}

#endif
