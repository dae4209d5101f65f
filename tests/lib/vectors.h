/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - known answers from files; tests/vectors/README.md has the format
 *
 * Needs libc alone, so that programs inside a guest can link it statically.
 */
#ifndef PVX_TESTS_VECTORS_H
#define PVX_TESTS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vector_bytes {
	uint8_t *data; /* not NULL when present, also for 0 bytes */
	size_t bytes;
	bool is_present;
};

enum vector_form {
	VECTOR_CRYPT,
	VECTOR_AEAD,
	VECTOR_TLS,
	VECTOR_SRTP
};

/* One known answer. Texts are "" when absent. */
struct vector {
	char name[128];
	char source[128];
	char cipher[32]; /* names of cryptsess_algorithm */
	char mac[32];
	enum vector_form form;
	bool is_bad;        /* opening it must give EBADMSG */
	uint32_t tag_bytes; /* TLS: 0 is the whole digest */
	struct vector_bytes key, mac_key, iv, iv_after, aad, plaintext;
	struct vector_bytes aad_after, ciphertext, digest, tag;
};

struct vector_file {
	struct vector *vectors;
	size_t count;
};

/* Read a file. 0, or -errno with a line on standard error. */
int vectors_load(struct vector_file *file, const char *path);
void vectors_free(struct vector_file *file);

#endif
