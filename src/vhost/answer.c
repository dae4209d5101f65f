/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - the end of a message: taken once, answered once */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "vhost/handlers.h"

/*
 * How it works: to send an answer and to note that it was sent are two steps,
 * and who dies between them leaves a successor that cannot know. A front end
 * takes an answer that comes twice for that of its next message, and waits for
 * ever for one that does not come. So the answer on a kept connection goes
 * through a pipe that is kept too: write(2) puts it there as a whole, splice(2)
 * moves it to the socket as a whole, and what is in the pipe says how far it
 * came.
 *
 * Descriptors cannot go that way. Only GET_INFLIGHT_FD is answered with one;
 * who dies while he answers it leaves a connection that must be closed.
 */

static bool is_pipe_empty(const struct vhost_control *control)
{
	struct pollfd out = { .fd = control->answer_pipe[0], .events = POLLIN };

	return poll(&out, 1, 0) != 1;
}

static size_t answer_bytes(const struct vhost_message *answer)
{
	return sizeof(answer->header) + answer->header.payload_bytes;
}

/* Header and payload, without the gap between them. */
static int pipe_fill(const struct vhost_control *control,
		     const struct vhost_message *answer)
{
	uint8_t bytes[sizeof(answer->header) + VHOST_PAYLOAD_MAX];
	size_t count = answer_bytes(answer);
	ssize_t done;

	memcpy(bytes, &answer->header, sizeof(answer->header));
	memcpy(bytes + sizeof(answer->header), &answer->payload,
	       answer->header.payload_bytes);
	do
		done = write(control->answer_pipe[1], bytes, count);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	return (size_t)done == count ? 0 : -EIO;
}

static int pipe_send(const struct vhost_control *control, size_t count)
{
	ssize_t done;

	do
		done = splice(control->answer_pipe[0], NULL,
			      control->channel.fd, NULL, count,
			      SPLICE_F_NONBLOCK);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	return (size_t)done == count ? 0 : -EAGAIN;
}

static int answer_write(struct vhost_control *control)
{
	struct vhost_step *step = &control->state->step;
	int error = 0;

	if (is_pipe_empty(control))
		error = pipe_fill(control, &step->answer);
	if (error)
		return error;
	vhost_moment(control, VHOST_MOMENT_WRITTEN);
	step->phase = VHOST_PHASE_WRITTEN;
	vhost_commit(control);
	vhost_moment(control, VHOST_MOMENT_NOTED);
	return 0;
}

static int answer_send(struct vhost_control *control)
{
	const struct vhost_message *answer = &control->state->step.answer;
	int error = 0;

	if (!is_pipe_empty(control))
		error = pipe_send(control, answer_bytes(answer));
	if (!error)
		vhost_moment(control, VHOST_MOMENT_SENT);
	return error;
}

/* Without a pipe, or with a descriptor. */
static int answer_send_plainly(struct vhost_control *control)
{
	const struct vhost_message *answer = &control->state->step.answer;

	return vhost_channel_send(control->channel.fd, answer,
				  answer->fd_count ? answer->fds[0] : -1);
}

int vhost_step_finish(struct vhost_control *control)
{
	struct vhost_step *step = &control->state->step;
	int error = 0;

	if (step->phase == VHOST_PHASE_APPLIED) {
		error = vhost_channel_take(&control->channel);
		if (error)
			return error;
		vhost_moment(control, VHOST_MOMENT_TAKEN);
		if (step->has_answer && control->channel.is_kept &&
		    step->answer.fd_count == 0)
			error = answer_write(control);
		else if (step->has_answer)
			error = answer_send_plainly(control);
	}
	if (!error && step->phase == VHOST_PHASE_WRITTEN)
		error = answer_send(control);
	if (error)
		return error;
	step->phase = VHOST_PHASE_OPEN;
	vhost_commit(control);
	return 0;
}
