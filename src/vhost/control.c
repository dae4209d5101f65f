/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - the back end's side of a vhost-user connection */
#include "vhost/control.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutant.h"
#include "vhost/event.h"
#include "vhost/handlers.h"

#define NO_ANSWER  0u /* only what NEED_REPLY asks for */
#define HAS_ANSWER 1u /* an answer of its own */
/* A failure that nobody asked to be told of closes the connection: the front
 * end would go on with memory or rings that we do not have. */
#define IS_VITAL 2u

struct message_rule {
	const char *name;
	uint32_t payload_min;
	uint32_t payload_max;
	uint32_t fds_min;
	uint32_t fds_max;
	uint64_t protocol; /* VHOST_PROTOCOL_* that must be negotiated */
	unsigned int flags;
	uint32_t answer_bytes;
	vhost_check *check; /* NULL: nothing to judge, nothing to stop */
	vhost_apply *apply;
};

void vhost_fd_replace(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

int vhost_message_take_fd(struct vhost_message *in, unsigned int index)
{
	int fd = in->fds[index];

	in->fds[index] = -1;
	return fd;
}

#define RULE(request, ...) [VHOST_##request] = { .name = #request, __VA_ARGS__ }
#define EXACTLY(bytes)     .payload_min = (bytes), .payload_max = (bytes)
#define FDS(min, max)      .fds_min = (min), .fds_max = (max)
#define ANSWERS(bytes)     .flags = HAS_ANSWER, .answer_bytes = (bytes)
#define U64                sizeof(uint64_t)
#define WORD               sizeof(struct vhost_ring_word)

static const struct message_rule rules[VHOST_REQUESTS] = {
	RULE(GET_FEATURES, ANSWERS(U64), .apply = vhost_apply_get_features),
	RULE(SET_FEATURES, EXACTLY(U64), .flags = IS_VITAL,
	     .check = vhost_check_set_features,
	     .apply = vhost_apply_set_features),
	RULE(SET_OWNER, .check = vhost_check_stop_all,
	     .apply = vhost_apply_set_owner),
	RULE(RESET_OWNER, .apply = vhost_apply_nothing),
	RULE(SET_MEM_TABLE, .payload_min = 8,
	     .payload_max = sizeof(struct vhost_mem_table),
	     FDS(0, VHOST_TABLE_REGIONS), .flags = IS_VITAL,
	     .check = vhost_check_mem_table, .apply = vhost_apply_mem_table),
	RULE(SET_VRING_NUM, EXACTLY(WORD), .flags = IS_VITAL,
	     .check = vhost_check_vring_num, .apply = vhost_apply_vring_num),
	RULE(SET_VRING_ADDR, EXACTLY(sizeof(struct vhost_ring_addresses)),
	     .flags = IS_VITAL, .check = vhost_check_vring_addr,
	     .apply = vhost_apply_vring_addr),
	RULE(SET_VRING_BASE, EXACTLY(WORD), .flags = IS_VITAL,
	     .check = vhost_check_vring_base, .apply = vhost_apply_vring_base),
	RULE(GET_VRING_BASE, EXACTLY(WORD), ANSWERS(WORD),
	     .check = vhost_check_get_vring_base,
	     .apply = vhost_apply_get_vring_base),
	RULE(SET_VRING_KICK, EXACTLY(U64), FDS(0, 1),
	     .check = vhost_check_vring_fd, .apply = vhost_apply_vring_kick),
	RULE(SET_VRING_CALL, EXACTLY(U64), FDS(0, 1),
	     .check = vhost_check_vring_fd, .apply = vhost_apply_vring_call),
	RULE(SET_VRING_ERR, EXACTLY(U64), FDS(0, 1),
	     .check = vhost_check_vring_fd, .apply = vhost_apply_vring_err),
	RULE(GET_PROTOCOL_FEATURES, ANSWERS(U64),
	     .apply = vhost_apply_get_protocol_features),
	RULE(SET_PROTOCOL_FEATURES, EXACTLY(U64), .flags = IS_VITAL,
	     .check = vhost_check_set_protocol_features,
	     .apply = vhost_apply_set_protocol_features),
	RULE(GET_QUEUE_NUM, ANSWERS(U64), .protocol = VHOST_PROTOCOL_MQ,
	     .apply = vhost_apply_get_queue_num),
	RULE(SET_VRING_ENABLE, EXACTLY(WORD), .check = vhost_check_vring_enable,
	     .apply = vhost_apply_vring_enable),
	RULE(SET_BACKEND_REQ_FD, FDS(1, 1),
	     .protocol = VHOST_PROTOCOL_BACKEND_REQ,
	     .apply = vhost_apply_set_backend_req_fd),
	RULE(GET_CONFIG, .payload_min = VHOST_CONFIG_HEAD_BYTES,
	     .payload_max = sizeof(struct vhost_config_access),
	     ANSWERS(VHOST_CONFIG_HEAD_BYTES),
	     .protocol = VHOST_PROTOCOL_CONFIG,
	     .apply = vhost_apply_get_config),
	RULE(SET_CONFIG, .payload_min = VHOST_CONFIG_HEAD_BYTES,
	     .payload_max = sizeof(struct vhost_config_access),
	     .protocol = VHOST_PROTOCOL_CONFIG,
	     .apply = vhost_apply_set_config),
	RULE(GET_INFLIGHT_FD, .payload_min = VHOST_INFLIGHT_AREA_BYTES_MIN,
	     .payload_max = sizeof(struct vhost_inflight_area),
	     ANSWERS(sizeof(struct vhost_inflight_area)),
	     .protocol = VHOST_PROTOCOL_INFLIGHT_SHMFD,
	     .check = vhost_check_get_inflight_fd,
	     .apply = vhost_apply_get_inflight_fd),
	RULE(SET_INFLIGHT_FD, .payload_min = VHOST_INFLIGHT_AREA_BYTES_MIN,
	     .payload_max = sizeof(struct vhost_inflight_area), FDS(1, 1),
	     .protocol = VHOST_PROTOCOL_INFLIGHT_SHMFD, .flags = IS_VITAL,
	     .check = vhost_check_set_inflight_fd,
	     .apply = vhost_apply_set_inflight_fd),
	RULE(RESET_DEVICE, .protocol = VHOST_PROTOCOL_RESET_DEVICE,
	     .check = vhost_check_stop_all, .apply = vhost_apply_reset_device),
	RULE(GET_MAX_MEM_SLOTS, ANSWERS(U64),
	     .protocol = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS,
	     .apply = vhost_apply_get_max_mem_slots),
	RULE(ADD_MEM_REG, EXACTLY(sizeof(struct vhost_mem_slot)), FDS(1, 1),
	     .protocol = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS, .flags = IS_VITAL,
	     .check = vhost_check_add_mem_reg,
	     .apply = vhost_apply_add_mem_reg),
	RULE(REM_MEM_REG, EXACTLY(sizeof(struct vhost_mem_slot)), FDS(0, 1),
	     .protocol = VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS, .flags = IS_VITAL,
	     .check = vhost_check_rem_mem_reg,
	     .apply = vhost_apply_rem_mem_reg),
};

static const struct message_rule *rule_of(uint32_t request)
{
	if (request >= ARRAY_SIZE(rules) || !rules[request].apply)
		return NULL;
	return &rules[request];
}

const char *vhost_request_name(uint32_t request)
{
	const struct message_rule *rule = rule_of(request);

	return rule ? rule->name : "?";
}

/* What the table says about the message's shape. */
static int rule_check(const struct vhost_control *control,
		      const struct message_rule *rule,
		      const struct vhost_message *in)
{
	if (in->header.payload_bytes < rule->payload_min ||
	    in->header.payload_bytes > rule->payload_max ||
	    in->fd_count < rule->fds_min || in->fd_count > rule->fds_max)
		return -EBADMSG;
	if (rule->protocol & ~control->state->protocol_features)
		return -EOPNOTSUPP;
	return 0;
}

uint64_t vhost_control_running(const struct vhost_control *control)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < control->device->queues; i++)
		if (control->state->ring[i].is_running)
			mask |= UINT64_C(1) << i;
	return mask;
}

static void ring_complain(const struct vhost_control *control,
			  unsigned int index, int error)
{
	int err = control->fds->err[index];

	log_warning("vhost-user: queue %u cannot run: %s", index,
		    strerror(-error));
	/* We never wait: the front end has the flag for that, too. */
	if (err >= 0 && vhost_event_check(err) == 0)
		(void)vhost_event_signal(err, vhost_event_is_socket(err));
}

/* Note which rings shall run and do not. The first failure's -errno. */
static int rings_choose(struct vhost_control *control)
{
	int result = 0;

	for (unsigned int i = 0; i < control->device->queues; i++) {
		struct vhost_ring_state *ring = &control->state->ring[i];
		int error;

		if (ring->is_running || !ring->is_started ||
		    !CHECK(vhost_ring_enabled, ring->is_enabled) ||
		    !ring->has_addresses)
			continue;
		error = vring_layout_check(&ring->layout,
					   &control->state->memory);
		if (!error) {
			ring->is_running = true;
			ring->starts++;
			control->starting |= UINT64_C(1) << i;
			continue;
		}
		ring_complain(control, i, error);
		result = result ? result : error;
	}
	return result;
}

/* Start them. The first failure's -errno. */
static int rings_start(struct vhost_control *control)
{
	int result = 0;

	for (unsigned int i = 0; i < control->device->queues; i++) {
		int error = 0;

		if (control->starting >> i & 1)
			error = control->device->start(control->owner, i);
		if (!error)
			continue;
		control->state->ring[i].is_running = false;
		ring_complain(control, i, error);
		result = result ? result : error;
	}
	control->starting = 0;
	return result;
}

void vhost_commit(struct vhost_control *control)
{
	if (control->channel.is_kept)
		control->device->commit(control->owner);
}

void vhost_moment(const struct vhost_control *control, enum vhost_moment moment)
{
	if (control->channel.is_kept && control->device->at_moment)
		control->device->at_moment(control->owner, moment);
}

/*
 * Note the message's own answer, or the one that NEED_REPLY asks for; judged
 * after the message took effect, since UML sets NEED_REPLY on the very message
 * that negotiates it. 0, or -EPROTO for a failure that nobody is told of, but
 * would have to be.
 */
static int answer_note(struct vhost_control *control,
		       const struct message_rule *rule, int error)
{
	const struct vhost_message *in = &control->channel.in;
	struct vhost_step *step = &control->state->step;
	struct vhost_message *answer = &step->answer;
	bool has_own = rule && rule->flags & HAS_ANSWER && !error;

	step->has_answer =
		has_own ||
		(in->header.flags & VHOST_FLAG_NEED_REPLY &&
		 control->state->protocol_features & VHOST_PROTOCOL_REPLY_ACK);
	answer->header.request = in->header.request;
	answer->header.flags = VHOST_VERSION | VHOST_FLAG_REPLY;
	if (!has_own) {
		answer->header.payload_bytes = sizeof(answer->payload.u64);
		answer->payload.u64 = error ? 1 : 0;
	}
	if (error && !step->has_answer && rule &&
	    rule->flags & (HAS_ANSWER | IS_VITAL))
		return -EPROTO;
	return 0;
}

/* Be done with the message, which came to `error`: 1 or -errno. */
static int message_finish(struct vhost_control *control,
			  const struct message_rule *rule, int error)
{
	uint32_t request = control->channel.in.header.request;
	struct vhost_step *step = &control->state->step;
	int result = answer_note(control, rule, error);
	int started;

	step->phase = VHOST_PHASE_APPLIED;
	vhost_moment(control, VHOST_MOMENT_ACTED);
	if (!result)
		vhost_commit(control);
	vhost_moment(control, VHOST_MOMENT_APPLIED);
	started = rings_start(control);
	/* A ring that cannot run is this message's failure, unless the message
	 * has an answer: that is then the truth about itself. */
	if (started && !error && !(rule->flags & HAS_ANSWER)) {
		error = started;
		result = answer_note(control, rule, error);
	}
	vhost_moment(control, VHOST_MOMENT_STARTED);
	if (error)
		log_warning("vhost-user: %s (%u) refused: %s",
			    vhost_request_name(request), request,
			    strerror(-error));
	if (!result)
		result = vhost_step_finish(control);
	for (unsigned int i = 0; i < step->answer.fd_count; i++)
		close(step->answer.fds[i]);
	memset(step, 0, sizeof(*step));
	vhost_channel_next(&control->channel);
	control->is_pending = false;
	return result ? result : 1;
}

/* Rings stand still: act. */
static int message_apply(struct vhost_control *control, bool have_stopped)
{
	struct vhost_message *in = &control->channel.in;
	const struct message_rule *rule = rule_of(in->header.request);
	struct vhost_message *answer = &control->state->step.answer;
	int error, chosen;

	if (have_stopped) {
		vhost_commit(control);
		vhost_moment(control, VHOST_MOMENT_STOPPED);
	}
	answer->header.payload_bytes = rule->answer_bytes;
	error = rule->apply(control, in, answer);
	chosen = rings_choose(control);
	if (!error && !(rule->flags & HAS_ANSWER))
		error = chosen;
	return message_finish(control, rule, error);
}

/* Stop what must stand still, then act; now or later. */
static int message_handle(struct vhost_control *control)
{
	struct vhost_message *in = &control->channel.in;
	const struct message_rule *rule = rule_of(in->header.request);
	uint64_t stop = 0;
	int error = rule ? rule_check(control, rule, in) : -EOPNOTSUPP;

	vhost_moment(control, VHOST_MOMENT_RECEIVED);
	if (!error && rule->check)
		error = rule->check(control, in, &stop);
	if (error)
		return message_finish(control, rule, error);
	stop &= vhost_control_running(control);
	for (unsigned int i = 0; i < control->device->queues; i++)
		if (stop >> i & 1)
			control->state->ring[i].is_running = false;
	if (stop &&
	    control->device->stop(control->owner, stop) == VHOST_PENDING) {
		control->is_pending = true;
		return -EINPROGRESS;
	}
	return message_apply(control, stop != 0);
}

int vhost_control_read(struct vhost_control *control)
{
	int got;

	if (control->is_pending)
		return -EINPROGRESS;
	got = vhost_channel_receive(&control->channel);
	return got == 1 ? message_handle(control) : got;
}

int vhost_control_continue(struct vhost_control *control)
{
	return control->is_pending ? message_apply(control, true) : 0;
}

int vhost_control_config_changed(struct vhost_control *control)
{
	struct vhost_message message;

	if (control->fds->backend_req < 0)
		return -ENOTCONN;
	memset(&message, 0, sizeof(message));
	message.header.request = VHOST_BACKEND_CONFIG_CHANGE;
	message.header.flags = VHOST_VERSION;
	return vhost_channel_send(control->fds->backend_req, &message, -1);
}

static void fds_init(struct vhost_fds *fds)
{
	/* Every member is a descriptor, and -1 has all bits set. */
	memset(fds, 0xff, sizeof(*fds));
}

void vhost_control_resume(struct vhost_control *control,
			  const struct vhost_device *device, void *owner,
			  struct vhost_state *state, struct vhost_fds *fds,
			  int fd)
{
	memset(control, 0, sizeof(*control));
	control->device = device;
	control->owner = owner;
	control->state = state;
	control->fds = fds;
	vhost_channel_init(&control->channel, fd);
}

void vhost_control_init(struct vhost_control *control,
			const struct vhost_device *device, void *owner,
			struct vhost_state *state, struct vhost_fds *fds,
			int fd)
{
	memset(state, 0, sizeof(*state));
	fds_init(fds);
	vhost_control_resume(control, device, owner, state, fds, fd);
}

int vhost_control_keep(struct vhost_control *control, const int pipe_fds[2])
{
	struct vhost_step *step = &control->state->step;
	int error = vhost_state_check(control->state, control->fds,
				      control->device);

	if (error)
		return error;
	memcpy(control->answer_pipe, pipe_fds, sizeof(control->answer_pipe));
	if (step->phase != VHOST_PHASE_OPEN) {
		control->channel.is_kept = true;
		/* The descriptor of its answer died with the other process. */
		error = step->has_answer && step->answer.fd_count
				? -ESTALE
				: vhost_step_finish(control);
	}
	memset(step, 0, sizeof(*step));
	return error ? error : vhost_channel_keep(&control->channel);
}

void vhost_control_deinit(struct vhost_control *control)
{
	int fd = control->channel.fd;
	int *each = (int *)control->fds;

	if (!control->state)
		return;
	vhost_channel_deinit(&control->channel);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < sizeof(*control->fds) / sizeof(int); i++)
		vhost_fd_replace(&each[i], -1);
	memset(control->state, 0, sizeof(*control->state));
	memset(control, 0, sizeof(*control));
}
