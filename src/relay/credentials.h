/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - the relay's certificate: given, or made at the first start */
#ifndef PVX_RELAY_CREDENTIALS_H
#define PVX_RELAY_CREDENTIALS_H

#include <linux/limits.h>

struct relay;
struct relay_options;

struct credentials_paths {
	const char *certificate, *key;
	char own[PATH_MAX]; /* where both point, without --tls-cert */
};

/* Where certificate and key are. 0, or -errno after a line in the log. */
int credentials_find(struct credentials_paths *paths,
		     const struct relay_options *options);

/* If any listener wants TLS: load the certificate that the options name, or our
 * own, which is made when there is none yet: relay.tls. 0, or -errno after a
 * line in the log. */
int credentials_open(struct relay *relay, const struct relay_options *options);

/* The same again for connections to come: the files may have changed. Those
 * that are there stay. 0, or -errno after a line: the old one stays. Nothing
 * happens in a relay without TLS. */
int credentials_reload(struct relay *relay,
		       const struct relay_options *options);

#endif
