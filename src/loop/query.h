/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - questions on a Unix socket, and their answers */
#ifndef PVX_LOOP_QUERY_H
#define PVX_LOOP_QUERY_H

#include "loop/listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * How it works: who connects sends one question and gets one answer, and the
 * end. All of it happens in the owner's loop, which never waits for a client:
 * each has a buffer of its own and a few seconds, and there are no more than
 * QUERY_CLIENTS at a time; others wait in the backlog.
 */
#define QUERY_CLIENTS      8
#define QUERY_BYTES        2048
#define QUERY_SOCKET_BYTES 8192 /* of the kernel's, for a slow client */
#define QUERY_TIME_MS      3000

struct query_client {
	struct query_server *server; /* NULL: free */
	int fd;
	struct loop_watch watch;
	struct loop_timer limit;
	char question[QUERY_BYTES + 1];
	size_t question_bytes;
	char *answer; /* NULL: the question is not complete */
	size_t answer_bytes;
	size_t sent_bytes;
};

struct query_service {
	/* Whether who connected may ask. NULL: everybody. */
	bool (*is_welcome)(int fd);
	/* Whether the question is all there. NULL: a line is. */
	bool (*is_complete)(const char *question);
	/* Write what `client->question` asks for. 0, or -errno: the connection
	 * ends without an answer. */
	int (*answer)(void *owner, struct query_client *client, FILE *out);
};

struct query_server {
	struct loop_listener listener;
	const struct query_service *service; /* NULL: closed */
	void *owner;                         /* borrowed */
	struct query_client client[QUERY_CLIENTS];
};

/* Serve on `path` (borrowed), to whom `mode` lets write to it. 0 or -errno
 * after a line in the log. */
int query_server_open(struct query_server *server, struct loop *loop,
		      const char *path, mode_t mode,
		      const struct query_service *service, void *owner);
/* The same on a descriptor that listens already (owned); nothing is removed
 * at the end. */
int query_server_adopt(struct query_server *server, struct loop *loop, int fd,
		       const struct query_service *service, void *owner);
/* Safe on a zeroed one. */
void query_server_close(struct query_server *server);

#endif
