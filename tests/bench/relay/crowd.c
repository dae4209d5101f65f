/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.c - rooms full of clients who send, read and check every message */

#include "bench/relay/crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/relay/client.h"
#include "bench/relay/protocol.h"

/*
 * How it works: this one process holds both ends, so a message that arrives
 * is compared, whole, with what its sender keeps of it; each receiver counts
 * what it has of each sender, so the number that must come next is known, and
 * a message lost, doubled, changed or out of order cannot pass. A sender may
 * have `window` messages that are not yet with everybody: the same measure
 * for all protocols, whatever they acknowledge.
 *
 * All events of an epoll_wait(2) are served before senders go on, so that a
 * sender's write carries everything that has become possible.
 */
#define CROWD_BATCH     256
#define CROWD_AT_A_TIME 64u /* connections that are being admitted */
#define ENTER_NS        UINT64_C(60000000000)

/* The text's first characters say whose it is; six bits each. */
#define PLACE_CHARS 4u

int crowd_fail(struct crowd *crowd, const struct client *c, const char *what)
{
	if (!crowd->fault[0])
		snprintf(crowd->fault, sizeof(crowd->fault),
			 "client %u of room %u: %s", c->place, c->room, what);
	return -EBADMSG;
}

static bool is_sender(const struct client *c)
{
	return c->place < c->crowd->rooms[c->room].senders;
}

static int client_create(struct crowd *crowd, struct client *c, uint32_t room)
{
	const struct crowd_plan *plan = &crowd->plan;
	size_t window = plan->window;

	c->crowd = crowd;
	c->number = (uint32_t)(c - crowd->clients);
	c->room = room;
	c->place = c->number - crowd->rooms[room].first;
	c->state = calloc(1, plan->protocol->state_bytes + 1);
	c->taken = calloc(crowd->rooms[room].senders + 1u, sizeof(*c->taken));
	if (!c->state || !c->taken)
		return -ENOMEM;
	if (!is_sender(c))
		return 0;
	c->bodies = calloc(window, plan->body_bytes);
	c->sent_ns = calloc(window, sizeof(*c->sent_ns));
	c->left = calloc(window, sizeof(*c->left));
	return c->bodies && c->sent_ns && c->left ? 0 : -ENOMEM;
}

int crowd_create(struct crowd *crowd, const struct crowd_plan *plan)
{
	uint32_t busy = plan->rooms * plan->members, rooms, room = 0;
	int error = 0;

	*crowd = (struct crowd){ .plan = *plan, .client_count = busy };
	crowd->client_count += plan->idle;
	rooms = plan->rooms + (plan->idle + plan->members - 1) / plan->members;
	crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (crowd->epoll_fd < 0)
		return -errno;
	crowd->clients = calloc(crowd->client_count, sizeof(struct client));
	crowd->rooms = calloc(rooms, sizeof(*crowd->rooms));
	crowd->dirty = calloc(crowd->client_count, sizeof(struct client *));
	crowd->buffer = malloc(2 * (size_t)CLIENT_READ_BYTES);
	if (!crowd->clients || !crowd->rooms || !crowd->dirty || !crowd->buffer)
		return -ENOMEM;
	for (uint32_t i = 0; i < crowd->client_count; i++)
		crowd->clients[i].fd = -1;
	for (uint32_t i = 0; i < rooms; i++)
		crowd->rooms[i] = (struct crowd_room){
			.first = i * plan->members,
			.members = plan->members,
			.senders = i < plan->rooms ? plan->senders : 0,
			.receivers =
				plan->members - 1 - (i ? 0 : plan->stalled),
		};
	for (uint32_t i = 0; i < crowd->client_count && !error; i++) {
		room = i / plan->members;
		error = client_create(crowd, &crowd->clients[i], room);
	}
	return error;
}

void crowd_destroy(struct crowd *crowd)
{
	for (uint32_t i = 0; crowd->clients && i < crowd->client_count; i++)
		client_close(&crowd->clients[i]);
	if (crowd->epoll_fd >= 0)
		close(crowd->epoll_fd);
	free(crowd->clients);
	free(crowd->rooms);
	free(crowd->dirty);
	free(crowd->buffer);
	*crowd = (struct crowd){ .epoll_fd = -1 };
}

static void crowd_soil(struct crowd *crowd, struct client *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	crowd->dirty[crowd->dirty_count++] = c;
}

/* A text that differs from message to message in every part, of characters
 * that all protocols carry (no CR, LF, NUL, space). */
static void text_make(uint8_t *text, size_t bytes, const struct client *c)
{
	uint64_t x = c->sent * 0x9e3779b97f4a7c15u + c->number;
	size_t at = 0;

	for (; at + 8 <= bytes; at += 8) {
		uint64_t lane;

		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
		lane = (x & 0x3f3f3f3f3f3f3f3fu) | 0x4040404040404040u;
		memcpy(text + at, &lane, 8);
	}
	for (; at < bytes; at++)
		text[at] = (uint8_t)(0x40 | (x >> at & 0x3f));
	for (unsigned int i = 0; i < PLACE_CHARS; i++)
		text[i] = (uint8_t)(0x40 | (c->place >> 6 * i & 0x3f));
}

static uint32_t text_place(const uint8_t *text)
{
	uint32_t place = 0;

	for (unsigned int i = 0; i < PLACE_CHARS; i++)
		place |= (text[i] & 0x3fu) << 6 * i;
	return place;
}

static int client_say(struct client *c, uint64_t at_ns)
{
	struct crowd *crowd = c->crowd;
	const struct crowd_plan *plan = &crowd->plan;
	uint32_t slot = (uint32_t)(c->sent % plan->window);
	uint8_t *body = c->bodies + (size_t)slot * plan->body_bytes;

	text_make(body + plan->protocol->text_at,
		  plan->body_bytes - plan->protocol->text_at, c);
	if (plan->protocol->stamp)
		plan->protocol->stamp(c, body, c->sent);
	c->sent_ns[slot] = at_ns;
	c->left[slot] = crowd->rooms[c->room].receivers;
	c->sent++;
	return plan->protocol->say(c, body, plan->body_bytes);
}

static bool client_may_say(const struct client *c)
{
	const struct protocol *protocol = c->crowd->plan.protocol;

	return is_sender(c) && c->sent - c->done < c->crowd->plan.window &&
	       (!protocol->allows || protocol->allows(c));
}

static int crowd_send_all(struct crowd *crowd)
{
	int error = 0;

	while (crowd->dirty_count && !error) {
		struct client *c = crowd->dirty[--crowd->dirty_count];

		c->is_dirty = false;
		crowd->now_ns = clock_now_ns();
		while (crowd->is_sending && !crowd->plan.rate &&
		       client_may_say(c) && !error)
			error = client_say(c, crowd->now_ns);
		if (!error && c->out_bytes && !c->is_blocked)
			error = client_flush(c);
	}
	return error;
}

/* Whose turn it is, of all senders of all rooms. */
static struct client *crowd_next_sender(struct crowd *crowd)
{
	uint32_t i = crowd->next_sender++;
	const struct crowd_room *room = &crowd->rooms[i % crowd->plan.rooms];

	return &crowd->clients[room->first +
			       i / crowd->plan.rooms % crowd->plan.senders];
}

/* With a rate: a message counts from when it was due, also when it could not
 * be sent then. */
static int crowd_send_due(struct crowd *crowd)
{
	uint64_t gap_ns;
	int error = 0;

	if (!crowd->is_sending || !crowd->plan.rate)
		return 0;
	gap_ns = 1000000000u / crowd->plan.rate;
	crowd->now_ns = clock_now_ns();
	while (crowd->next_ns <= crowd->now_ns && !error) {
		struct client *c = crowd_next_sender(crowd);

		if (!client_may_say(c)) {
			crowd->next_sender--;
			return 0;
		}
		error = client_say(c, crowd->next_ns);
		crowd->next_ns += gap_ns;
		crowd_soil(crowd, c);
	}
	return error;
}

void crowd_deliver(struct crowd *crowd, struct client *c, const uint8_t *body,
		   size_t bytes)
{
	const struct crowd_plan *plan = &crowd->plan;
	const struct crowd_room *room = &crowd->rooms[c->room];
	struct client *from;
	uint32_t place, slot;

	if (bytes != plan->body_bytes) {
		crowd_fail(crowd, c, "a message of another size");
		return;
	}
	place = text_place(body + plan->protocol->text_at);
	if (place == c->place)
		return; /* the server gives it back to its sender */
	if (place >= room->senders) {
		crowd_fail(crowd, c, "a message of nobody");
		return;
	}
	from = &crowd->clients[room->first + place];
	slot = (uint32_t)(c->taken[place] % plan->window);
	if (c->taken[place] >= from->sent ||
	    memcmp(body, from->bodies + (size_t)slot * bytes, bytes) != 0) {
		crowd_fail(crowd, c, "lost, doubled, changed or out of order");
		return;
	}
	c->taken[place]++;
	crowd->deliveries++;
	if (crowd->is_measured)
		histogram_add(&crowd->latency,
			      crowd->now_ns - from->sent_ns[slot]);
	if (--from->left[slot])
		return;
	from->done++;
	crowd_soil(crowd, from);
}

static int crowd_serve(struct crowd *crowd, struct client *c, uint32_t events)
{
	int error = 0;

	if (c->is_stalled) { /* it is told of its end for ever */
		(void)epoll_ctl(crowd->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
		return 0;
	}
	if (events & EPOLLOUT)
		error = client_flush(c);
	if (!error && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		error = client_read(c);
	/* An acknowledgement or an answer of the handshake. */
	if (!error && (is_sender(c) || (c->out_bytes && !c->is_blocked)))
		crowd_soil(crowd, c);
	if (error)
		crowd_fail(crowd, c, strerror(-error));
	return crowd->fault[0] ? -EBADMSG : 0;
}

/* One turn that ends at `until_ns` at the latest. */
static int crowd_turn(struct crowd *crowd, uint64_t until_ns)
{
	struct epoll_event batch[CROWD_BATCH];
	uint64_t now_ns = clock_now_ns();
	struct timespec patience;
	int error = 0, count;

	if (crowd->is_sending && crowd->plan.rate && crowd->next_ns < until_ns)
		until_ns = crowd->next_ns;
	/* With something to send there is nothing to wait for. */
	until_ns = until_ns > now_ns && !crowd->dirty_count &&
				   !(crowd->plan.is_awake && crowd->is_sending)
			   ? until_ns - now_ns
			   : 0;
	patience.tv_sec = (time_t)(until_ns / 1000000000);
	patience.tv_nsec = (long)(until_ns % 1000000000);
	count = epoll_pwait2(crowd->epoll_fd, batch, CROWD_BATCH, &patience,
			     NULL);
	if (count < 0 && errno != EINTR)
		return -errno;
	if (count == 0 && crowd->is_measured && crowd->plan.is_awake)
		crowd->idle_ns += clock_now_ns() - now_ns;
	for (int i = 0; i < count && !error; i++)
		error = crowd_serve(crowd, batch[i].data.ptr, batch[i].events);
	if (!error)
		error = crowd_send_due(crowd);
	return error ? error : crowd_send_all(crowd);
}

int crowd_run(struct crowd *crowd, uint64_t ns)
{
	uint64_t end_ns = clock_now_ns() + ns;
	int error = 0;

	while (!error && clock_now_ns() < end_ns)
		error = crowd_turn(crowd, end_ns);
	return error;
}

int crowd_enter(struct crowd *crowd, uint32_t first, uint32_t count)
{
	uint64_t end_ns = clock_now_ns() + ENTER_NS;
	uint32_t opened = 0, before = crowd->ready_count;
	int error = 0;

	while (!error && crowd->ready_count < before + count) {
		if (opened < count &&
		    before + opened - crowd->ready_count < CROWD_AT_A_TIME) {
			struct client *c = &crowd->clients[first + opened++];

			error = client_open(c);
			if (error)
				crowd_fail(crowd, c, strerror(-error));
			continue;
		}
		error = crowd_turn(crowd, end_ns);
		if (!error && clock_now_ns() >= end_ns)
			error = crowd_fail(crowd, crowd->clients,
					   "not admitted in time");
	}
	return error;
}

void crowd_start(struct crowd *crowd)
{
	crowd->is_sending = true;
	crowd->next_ns = clock_now_ns();
	for (uint32_t i = 0; i < crowd->client_count; i++)
		if (is_sender(&crowd->clients[i]))
			crowd_soil(crowd, &crowd->clients[i]);
}

static bool crowd_is_done(const struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->client_count; i++)
		if (crowd->clients[i].done < crowd->clients[i].sent)
			return false;
	return true;
}

int crowd_finish(struct crowd *crowd, uint64_t patience_ns)
{
	uint64_t end_ns = clock_now_ns() + patience_ns;
	int error = 0;

	crowd->is_sending = false;
	while (!error && !crowd_is_done(crowd)) {
		error = crowd_turn(crowd, end_ns);
		if (!error && clock_now_ns() >= end_ns)
			error = crowd_fail(crowd, crowd->clients,
					   "not everything arrived");
	}
	return error;
}
