/* SPDX-License-Identifier: Apache-2.0 */
/* afalg_socket.h - AF_ALG sockets and one operation on them */
#ifndef PVX_CRYPTO_AFALG_SOCKET_H
#define PVX_CRYPTO_AFALG_SOCKET_H

#include <sys/types.h>

#include "crypto/provider.h"

/* Descriptors plus one, so that a zeroed one holds none. */
struct afalg_sockets {
	int algorithm_plus_1;
	int operation_plus_1;
};

/* A socket bound to the algorithm; -ENOENT: the kernel has none such. */
int afalg_algorithm_socket(const struct cryptsess_algorithm *a);

/* Bind and set the key. 0, -EINVAL for an algorithm or key that the kernel
 * does not take, -ENOMEM, -EIO. */
int afalg_sockets_open(struct afalg_sockets *s,
		       const struct cryptsess_algorithm *a, const uint8_t *key,
		       uint32_t key_bytes);
void afalg_sockets_close(struct afalg_sockets *s);

/* A new socket for operations in the place of the old one. */
int afalg_operation_renew(struct afalg_sockets *s);
void afalg_operation_close(struct afalg_sockets *s);

struct afalg_request {
	uint16_t direction;
	const uint8_t *iv;
	uint32_t iv_bytes;
	uint32_t auth_bytes; /* AEAD only */
	bool is_aead;
	struct iovec in[2];
	struct iovec out[2];
};

/* Send all of it, receive `out_bytes`. After a failure the socket for
 * operations, which may still hold data, is closed; the next one is new. */
int afalg_request_run(struct afalg_sockets *s,
		      const struct afalg_request *request, size_t out_bytes);

/* A failure at run time: no memory, or the kernel's own. */
int afalg_failure(int error);

#endif
