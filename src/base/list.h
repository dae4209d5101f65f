/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - doubly linked list with the links inside the elements */
#ifndef PVX_BASE_LIST_H
#define PVX_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A head, or a link inside an element. A link that is in no list points to
 * itself, so list_remove() may be called twice. */
struct list {
	struct list *prev;
	struct list *next;
};

#define list_entry(link, type, member) \
	((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The body may not remove `link`; in the _safe form it may. */
#define list_for_each(link, head)                              \
	for (struct list *link = (head)->next; link != (head); \
	     link = link->next)
#define list_for_each_safe(link, head)                                    \
	for (struct list *link = (head)->next, *link##_next = link->next; \
	     link != (head); link = link##_next, link##_next = link->next)

static inline void list_init(struct list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
