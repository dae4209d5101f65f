/* SPDX-License-Identifier: Apache-2.0 */
/* frontend.c - connection, messages and guest memory of the front end */
#include "frontend/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/receive.h"

#define GUEST_BASE  UINT64_C(0x2d000000) /* as in UML: not 0 */
#define GUEST_HOLE  UINT64_C(0x40000000)
#define ARENA_START 64u /* nothing lies at the memory's start */

int frontend_init(struct frontend *fe, uint64_t bytes, unsigned int regions)
{
	memset(fe, 0, sizeof(*fe));
	fe->sock = -1;
	fe->memory_fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fe->memory_fd < 0)
		return -errno;
	if (ftruncate(fe->memory_fd, (off_t)bytes))
		return -errno;
	fe->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fe->memory_fd, 0);
	if (fe->memory == MAP_FAILED)
		return -errno;
	fe->memory_bytes = bytes;
	fe->arena_used = ARENA_START;
	fe->region_count = regions;
	for (unsigned int i = 0; i < regions; i++) {
		uint64_t at = i * (bytes / regions);
		bool is_behind_hole = i > 0 && i == regions - 1;

		fe->region[i] = (struct vhost_region){
			.guest_addr = GUEST_BASE + at +
				      (is_behind_hole ? GUEST_HOLE : 0),
			.bytes = bytes / regions,
			.user_addr = (uintptr_t)fe->memory + at,
			.file_offset = at,
		};
	}
	for (unsigned int i = 0; i < FRONTEND_QUEUES_MAX; i++) {
		fe->queue[i].kick_fd = -1;
		fe->queue[i].call_fd = -1;
		fe->queue[i].err_fd = -1;
	}
	return 0;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void frontend_disconnect(struct frontend *fe)
{
	close_if_open(&fe->sock);
}

void frontend_deinit(struct frontend *fe)
{
	if (!fe->memory)
		return;
	frontend_disconnect(fe);
	for (unsigned int i = 0; i < FRONTEND_QUEUES_MAX; i++) {
		close_if_open(&fe->queue[i].kick_fd);
		close_if_open(&fe->queue[i].call_fd);
		close_if_open(&fe->queue[i].err_fd);
	}
	munmap(fe->memory, fe->memory_bytes);
	close_if_open(&fe->memory_fd);
	memset(fe, 0, sizeof(*fe));
}

int frontend_connect(struct frontend *fe, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (struct sockaddr *)&to, sizeof(to))) {
		int error = -errno;

		close(sock);
		return error;
	}
	frontend_adopt(fe, sock);
	return 0;
}

void frontend_adopt(struct frontend *fe, int sock)
{
	frontend_disconnect(fe);
	fe->sock = sock;
	fe->features = 0;
	fe->protocol_features = 0;
}

int frontend_poll(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ready = poll(&p, 1, timeout_ms);

	return ready < 0 ? -errno : ready;
}

int frontend_await(struct frontend *fe, int fd, int timeout_ms)
{
	int ready = 0;

	if (!fe->while_waiting)
		return frontend_poll(fd, timeout_ms);
	for (int i = 0; !ready && i < timeout_ms; i++) {
		fe->while_waiting();
		ready = frontend_poll(fd, 1);
	}
	return ready;
}

int frontend_send_raw(struct frontend *fe, const void *bytes, size_t count,
		      const int *fds, unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes,
			     .iov_len = count };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (fd_count > 64)
		return -EINVAL;
	if (fd_count > 0) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
	}
	sent = sendmsg(fe->sock, &msg, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == count ? 0 : -EIO;
}

int frontend_send(struct frontend *fe, uint32_t request, uint32_t flags,
		  const void *payload, uint32_t payload_bytes, const int *fds,
		  unsigned int fd_count)
{
	struct {
		struct vhost_header header;
		uint8_t payload[VHOST_PAYLOAD_MAX];
	} m = { .header = { .request = request,
			    .flags = VHOST_VERSION | flags,
			    .payload_bytes = payload_bytes } };

	if (payload_bytes > sizeof(m.payload))
		return -EMSGSIZE;
	if (payload_bytes)
		memcpy(m.payload, payload, payload_bytes);
	return frontend_send_raw(fe, &m, sizeof(m.header) + payload_bytes, fds,
				 fd_count);
}

/* Wait for exactly `bytes`; a descriptor that comes along goes to *fd. */
static int receive_exactly(struct frontend *fe, void *to, size_t bytes, int *fd)
{
	uint8_t *at = to;
	ssize_t got;

	while (bytes > 0) {
		if (frontend_await(fe, fe->sock, FRONTEND_WAIT_MS) != 1)
			return -ETIMEDOUT;
		got = receive(fe->sock, at, bytes, 0, fd);
		if (got == 0 || got == -ECONNRESET)
			return -EPIPE;
		if (got < 0)
			return (int)got;
		at += got;
		bytes -= (size_t)got;
	}
	return 0;
}

int frontend_receive(struct frontend *fe, struct vhost_message *message)
{
	int fd = -1;
	int error;

	memset(message, 0, sizeof(*message));
	error = receive_exactly(fe, &message->header, sizeof(message->header),
				&fd);
	if (error)
		return error;
	if (message->header.payload_bytes > VHOST_PAYLOAD_MAX)
		return -EPROTO;
	error = receive_exactly(fe, &message->payload,
				message->header.payload_bytes, &fd);
	if (fd >= 0) {
		message->fds[0] = fd;
		message->fd_count = 1;
	}
	return error;
}

/* What is answered with a u64. */
static int converse(struct frontend *fe, uint32_t request, uint32_t flags,
		    const void *payload, uint32_t payload_bytes, const int *fds,
		    unsigned int fd_count, uint64_t *value)
{
	struct vhost_message reply;
	int error = frontend_send(fe, request, flags, payload, payload_bytes,
				  fds, fd_count);

	if (!error)
		error = frontend_receive(fe, &reply);
	if (error)
		return error;
	if (reply.header.request != request ||
	    reply.header.flags != (VHOST_VERSION | VHOST_FLAG_REPLY) ||
	    reply.header.payload_bytes != sizeof(uint64_t))
		return -EPROTO;
	*value = reply.payload.u64;
	return 0;
}

int frontend_ask(struct frontend *fe, uint32_t request, const void *payload,
		 uint32_t payload_bytes, const int *fds, unsigned int fd_count)
{
	uint64_t refusal;
	int error = converse(fe, request, VHOST_FLAG_NEED_REPLY, payload,
			     payload_bytes, fds, fd_count, &refusal);

	if (error)
		return error;
	return refusal ? -EREMOTEIO : 0;
}

int frontend_get(struct frontend *fe, uint32_t request, uint64_t *value)
{
	return converse(fe, request, 0, NULL, 0, NULL, 0, value);
}

int frontend_ask_u64(struct frontend *fe, uint32_t request, uint64_t value)
{
	return frontend_ask(fe, request, &value, sizeof(value), NULL, 0);
}

int frontend_ask_ring(struct frontend *fe, uint32_t request, uint32_t index,
		      uint32_t value)
{
	struct vhost_ring_word word = { .index = index, .value = value };

	return frontend_ask(fe, request, &word, sizeof(word), NULL, 0);
}

int frontend_negotiate(struct frontend *fe, uint64_t features,
		       uint64_t protocol_features)
{
	uint64_t offered;
	int error = frontend_send(fe, VHOST_SET_OWNER, 0, NULL, 0, NULL, 0);

	if (!error)
		error = frontend_get(fe, VHOST_GET_PROTOCOL_FEATURES, &offered);
	if (error)
		return error;
	fe->protocol_features = offered & protocol_features;
	error = frontend_ask_u64(fe, VHOST_SET_PROTOCOL_FEATURES,
				 fe->protocol_features);
	if (!error)
		error = frontend_get(fe, VHOST_GET_FEATURES, &offered);
	if (error)
		return error;
	fe->features = offered & features;
	return frontend_ask_u64(fe, VHOST_SET_FEATURES, fe->features);
}

int frontend_share_memory(struct frontend *fe)
{
	struct vhost_mem_table table = { .count = fe->region_count };
	int fds[FRONTEND_REGIONS_MAX];

	for (unsigned int i = 0; i < fe->region_count; i++) {
		table.region[i] = fe->region[i];
		fds[i] = fe->memory_fd;
	}
	return frontend_ask(fe, VHOST_SET_MEM_TABLE, &table,
			    8 + fe->region_count *
					    (uint32_t)sizeof(fe->region[0]),
			    fds, fe->region_count);
}

uint64_t frontend_alloc(struct frontend *fe, uint64_t bytes, uint64_t align)
{
	uint64_t region_bytes = fe->region[0].bytes;
	uint64_t at = (fe->arena_used + align - 1) / align * align;

	if (at / region_bytes != (at + bytes - 1) / region_bytes &&
	    bytes <= region_bytes)
		at = (at / region_bytes + 1) * region_bytes;
	if (at + bytes > fe->memory_bytes)
		return 0;
	fe->arena_used = at + bytes;
	return fe->region[at / region_bytes].guest_addr + at % region_bytes;
}

static const struct vhost_region *region_of(const struct frontend *fe,
					    uint64_t guest_addr)
{
	for (unsigned int i = 0; i < fe->region_count; i++)
		if (guest_addr - fe->region[i].guest_addr < fe->region[i].bytes)
			return &fe->region[i];
	return NULL;
}

void *frontend_at(struct frontend *fe, uint64_t guest_addr)
{
	const struct vhost_region *r = region_of(fe, guest_addr);

	return r ? fe->memory + r->file_offset + (guest_addr - r->guest_addr)
		 : NULL;
}

uint64_t frontend_user(struct frontend *fe, uint64_t guest_addr)
{
	const struct vhost_region *r = region_of(fe, guest_addr);

	return r ? r->user_addr + (guest_addr - r->guest_addr) : 0;
}
