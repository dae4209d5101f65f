/* SPDX-License-Identifier: Apache-2.0 */
/* afalg_socket.c - AF_ALG sockets and one operation on them */

#include "crypto/afalg_socket.h"

#include <errno.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the direction, the AAD's length and the IV. */
#define CONTROL_BYTES                       \
	(2 * CMSG_SPACE(sizeof(uint32_t)) + \
	 CMSG_SPACE(sizeof(struct af_alg_iv) + CRYPTSESS_MAX_IV_BYTES))

static void socket_close(int *plus_1)
{
	if (*plus_1)
		close(*plus_1 - 1);
	*plus_1 = 0;
}

void afalg_sockets_close(struct afalg_sockets *s)
{
	socket_close(&s->operation_plus_1);
	socket_close(&s->algorithm_plus_1);
}

int afalg_failure(int error)
{
	return error == ENOMEM || error == ENOBUFS ? -ENOMEM : -EIO;
}

int afalg_algorithm_socket(const struct cryptsess_algorithm *a)
{
	struct sockaddr_alg address = { .salg_family = AF_ALG };
	const char *type = a->is_mac    ? "hash"
			   : a->is_aead ? "aead"
					: "skcipher";
	int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf((char *)address.salg_type, sizeof(address.salg_type), "%s",
		 type);
	snprintf((char *)address.salg_name, sizeof(address.salg_name), "%s",
		 a->kernel_name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int afalg_operation_renew(struct afalg_sockets *s)
{
	int fd = accept4(s->algorithm_plus_1 - 1, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return afalg_failure(errno);
	socket_close(&s->operation_plus_1);
	s->operation_plus_1 = fd + 1;
	return 0;
}

int afalg_sockets_open(struct afalg_sockets *s,
		       const struct cryptsess_algorithm *a, const uint8_t *key,
		       uint32_t key_bytes)
{
	static const uint8_t empty[1];
	bool has_key = a->is_mac ? a->is_keyed : key_bytes > 0;
	int fd = afalg_algorithm_socket(a);

	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : afalg_failure(-fd);
	s->algorithm_plus_1 = fd + 1;
	/* The lengths have been checked: what the kernel refuses now is a key
	 * that it does not take (clause S5). */
	if (has_key && setsockopt(fd, SOL_ALG, ALG_SET_KEY, key ? key : empty,
				  key_bytes) < 0)
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	return 0;
}

static struct cmsghdr *control_put(struct msghdr *message, struct cmsghdr *at,
				   int type, size_t bytes)
{
	at = at ? CMSG_NXTHDR(message, at) : CMSG_FIRSTHDR(message);
	at->cmsg_level = SOL_ALG;
	at->cmsg_type = type;
	at->cmsg_len = CMSG_LEN(bytes);
	return at;
}

static void control_put_u32(struct msghdr *message, struct cmsghdr **at,
			    int type, uint32_t value)
{
	*at = control_put(message, *at, type, sizeof(value));
	memcpy(CMSG_DATA(*at), &value, sizeof(value));
}

static ssize_t request_send(int fd, const struct afalg_request *request)
{
	struct iovec in[] = { request->in[0], request->in[1] };
	char control[CONTROL_BYTES] __attribute__((aligned(8))) = { 0 };
	struct msghdr message = { .msg_iov = in,
				  .msg_iovlen = 2,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	const struct af_alg_iv head = { .ivlen = request->iv_bytes };
	struct cmsghdr *at = NULL;
	ssize_t sent;

	control_put_u32(&message, &at, ALG_SET_OP,
			request->direction == CRYPTSESS_ENCRYPT
				? ALG_OP_ENCRYPT
				: ALG_OP_DECRYPT);
	if (request->is_aead)
		control_put_u32(&message, &at, ALG_SET_AEAD_ASSOCLEN,
				request->auth_bytes);
	if (request->iv_bytes) {
		at = control_put(&message, at, ALG_SET_IV,
				 sizeof(head) + request->iv_bytes);
		memcpy(CMSG_DATA(at), &head, sizeof(head));
		memcpy(CMSG_DATA(at) + sizeof(head), request->iv,
		       request->iv_bytes);
	}
	message.msg_controllen =
		(size_t)((char *)at + CMSG_ALIGN(at->cmsg_len) - control);
	/* Never wait for room: nobody else would make any. */
	do
		sent = sendmsg(fd, &message, MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent;
}

int afalg_request_run(struct afalg_sockets *s,
		      const struct afalg_request *request, size_t out_bytes)
{
	struct iovec out[] = { request->out[0], request->out[1] };
	struct msghdr message = { .msg_iov = out, .msg_iovlen = 2 };
	size_t in_bytes = request->in[0].iov_len + request->in[1].iov_len;
	ssize_t done;
	int r;

	if (!s->operation_plus_1) {
		r = afalg_operation_renew(s);
		if (r)
			return r;
	}
	done = request_send(s->operation_plus_1 - 1, request);
	r = done < 0 ? afalg_failure(errno) : -EIO;
	if (done == (ssize_t)in_bytes) {
		do
			done = recvmsg(s->operation_plus_1 - 1, &message, 0);
		while (done < 0 && errno == EINTR);
		if (done == (ssize_t)out_bytes)
			return 0;
		if (done < 0 && errno == EBADMSG && request->is_aead)
			r = -EBADMSG;
		else if (done < 0)
			r = afalg_failure(errno);
	}
	socket_close(&s->operation_plus_1);
	return r;
}

void afalg_operation_close(struct afalg_sockets *s)
{
	socket_close(&s->operation_plus_1);
}
