/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - the relay's key and certificate, and their fingerprint */
#ifndef PVX_TLS_CERTIFICATE_H
#define PVX_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fingerprint is the SHA-256 of the certificate's public key in DER
 * (SubjectPublicKeyInfo): it stays when a certificate is renewed for the same
 * key. As text: "sha256:" and 64 hexadecimal digits.
 */
#define TLS_FINGERPRINT_BYTES 32
#define TLS_FINGERPRINT_ROOM  (7 + 2 * TLS_FINGERPRINT_BYTES + 1)

void tls_fingerprint_print(char text[TLS_FINGERPRINT_ROOM],
			   const uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);
/* 0, or -EINVAL for anything but that text (digits of either case). */
int tls_fingerprint_parse(uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
			  const char *text);

/*
 * Make an Ed25519 key and a certificate for it, signed by itself, and put both
 * as PEM into the new private file `path` (base/file.h). 0; -EEXIST when there
 * is a file; -errno.
 */
int tls_certificate_make(const char *path);

#endif
