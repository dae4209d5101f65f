/* SPDX-License-Identifier: Apache-2.0 */
/* secure.h - a client's TLS, straight on libssl: no code of the relay's */
#ifndef BENCH_RELAY_SECURE_H
#define BENCH_RELAY_SECURE_H

#include "bench/relay/client.h"

#define SECURE_EXPORTER_BYTES 32

/* Begin TLS 1.3 on the client's socket; any certificate will do. 0 or
 * -errno. */
int secure_open(struct client *c);
void secure_close(struct client *c);

/* As much as is there, at most `room` (16 KiB or more). 0 at the end of the
 * stream, -EAGAIN, or -EPROTO. Read again until -EAGAIN. */
ssize_t secure_read(struct client *c, uint8_t *to, size_t room);

/* How much went; -EAGAIN: when the socket can be written, or, in the
 * handshake, when something was read. Or -EPROTO. */
ssize_t secure_write(struct client *c, const uint8_t *data, size_t bytes);

/* RFC 9266, tls-exporter. 0 or -EPROTO. */
int secure_exporter(const struct client *c,
		    uint8_t exporter[SECURE_EXPORTER_BYTES]);

#endif
