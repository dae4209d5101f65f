/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c - pairing heap with the links inside the elements: what is due next */

#include "loop/heap.h"

#include <stddef.h>

/* Join two roots; either may be NULL. The slot of the result is the caller's
 * to set. */
static struct heap_node *heap_meld(struct heap_node *a, struct heap_node *b)
{
	struct heap_node *less = a, *more = b;

	if (!a || !b)
		return a ? a : b;
	if (b->key < a->key) {
		less = b;
		more = a;
	}
	more->next = less->child;
	if (more->next)
		more->next->slot = &more->next;
	less->child = more;
	more->slot = &less->child;
	less->next = NULL;
	return less;
}

/* Join a row of siblings: in pairs from the left, then the pairs from the
 * right. A loop, because a row may be as long as the heap. */
static struct heap_node *heap_meld_row(struct heap_node *row)
{
	struct heap_node *pairs = NULL, *joined = NULL;

	while (row) {
		struct heap_node *a = row, *b = row->next;

		row = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct heap_node *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		joined = heap_meld(joined, pair);
	}
	return joined;
}

static void heap_set_root(struct heap *h, struct heap_node *root)
{
	h->root = root;
	if (root) {
		root->next = NULL;
		root->slot = &h->root;
	}
}

void heap_insert(struct heap *h, struct heap_node *n)
{
	n->child = NULL;
	n->next = NULL;
	heap_set_root(h, heap_meld(h->root, n));
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *below;

	if (!n->slot)
		return;
	*n->slot = n->next;
	if (n->next)
		n->next->slot = n->slot;
	below = heap_meld_row(n->child);
	n->child = NULL;
	n->next = NULL;
	n->slot = NULL;
	heap_set_root(h, heap_meld(h->root, below));
}
