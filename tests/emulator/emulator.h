/* SPDX-License-Identifier: Apache-2.0 */
/* emulator.h - /dev/crypto in user space, for machines that have none */
#ifndef PVX_TESTS_EMULATOR_H
#define PVX_TESTS_EMULATOR_H

/*
 * How it works: preload.c stands before libc's open, ioctl, close and dup and
 * keeps which descriptors belong to which open file; files.c names the ioctls
 * and finds sessions; session.c, crypt.c and auth.c are one ioctl after the
 * other in the document's order of checks; engine.c computes with OpenSSL;
 * user.c touches the caller's memory as a kernel would, so that a bad pointer
 * is EFAULT; control.c writes the trace and makes calls fail on demand.
 *
 * Written from the description of the interface (the clauses in the comments,
 * S1, E1, A1 ...), and on purpose not from src/crypto, which it tests.
 *
 * Locks, outermost first: the table of descriptors (preload.c), an open
 * file's list of sessions (`lock`), a session (`busy`). None is held when an
 * outer one is taken.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <openssl/evp.h>

#define KEY_MAX        64
#define IV_MAX         16
#define DIGEST_MAX     64
#define HASH_BLOCK_MAX 128
#define PAGE_BYTES     4096

/* engine.c: one row for each algorithm */

enum mode {
	MODE_NULL,
	MODE_ECB,
	MODE_CBC,
	MODE_CTR,
	MODE_CFB,
	MODE_OFB,
	MODE_XTS,
	MODE_GCM,
	MODE_CCM,
};

struct cipher_row {
	uint32_t id;
	enum mode mode;
	const char *kernel_name;
	const char *evp_prefix; /* "AES-", then the bits when there are any, */
	const char *evp_suffix; /* then "-CBC" */
	uint32_t block;
	uint32_t iv;
	uint32_t key_min, key_max, key_step;
};

struct hash_row {
	uint32_t id;
	bool is_hmac;
	const char *kernel_name;
	const char *evp_name;
	uint32_t digest;
	uint32_t block;
};

struct cipher_state {
	const struct cipher_row *row; /* NULL: none */
	uint8_t key[KEY_MAX];
	uint32_t key_bytes;
	uint8_t iv[IV_MAX]; /* the chained IV */
};

struct hash_state {
	const struct hash_row *row;  /* NULL: none */
	uint8_t key[HASH_BLOCK_MAX]; /* HMAC: padded to the block */
	EVP_MD_CTX *inner;
	bool is_finished; /* a digest was taken: the next data starts afresh */
};

const struct cipher_row *cipher_find(uint32_t id);
const struct hash_row *hash_find(uint32_t id);
bool cipher_is_aead(const struct cipher_row *row);
bool cipher_is_stream(const struct cipher_row *row);

/* All return 0 or -errno; the key lengths are checked here (S5). */
int cipher_set_key(struct cipher_state *c, const struct cipher_row *row,
		   const uint8_t *key, uint32_t key_bytes);
int cipher_run(struct cipher_state *c, bool is_encrypt, const uint8_t *in,
	       uint8_t *out, size_t bytes);
/* `out` holds text and tag, or text alone when decrypting. */
int aead_run(struct cipher_state *c, bool is_encrypt, const uint8_t *aad,
	     size_t aad_bytes, const uint8_t *in, size_t text_bytes,
	     uint8_t *out, uint8_t *tag, size_t tag_bytes);
int hash_set_key(struct hash_state *h, const struct hash_row *row,
		 const uint8_t *key, uint32_t key_bytes);
int hash_reset(struct hash_state *h);
int hash_update(struct hash_state *h, const uint8_t *data, size_t bytes);
int hash_final(struct hash_state *h, uint8_t digest[DIGEST_MAX]);

/* files.c: open files and their sessions */

struct session {
	struct session *next;
	uint32_t id;
	unsigned int refs; /* under the file's lock */
	bool is_dead;      /* freed while somebody waited; under busy */
	pid_t owner;       /* a child of fork(2) does not count it as its own */
	pthread_mutex_t busy;
	struct cipher_state cipher;
	struct hash_state hash;
	uint32_t tag_limit; /* with sticky tags (A6) */
};

struct open_file {
	unsigned int refs; /* descriptors and running calls; preload.c's lock */
	pthread_mutex_t lock;
	struct session *sessions; /* under lock */
};

struct open_file *file_create(void);
/* Returns how many sessions the owner had left open. */
unsigned int file_destroy(struct open_file *f);
unsigned int file_open_sessions(struct open_file *f);
/* Name of the ioctl, or NULL (unknown: EINVAL, D3). */
const char *file_ioctl_name(unsigned int request);
int file_ioctl(struct open_file *f, unsigned int request, void *arg);

/* The session `id` of this file, held; NULL when there is none. */
struct session *session_get(struct open_file *f, uint32_t id);
void session_put(struct open_file *f, struct session *s);
/* Take it for an operation: -EINVAL when it was freed meanwhile. */
int session_enter(struct session *s);
void session_leave(struct session *s);
void session_add(struct open_file *f, struct session *s);
/* Whether it was there. */
bool session_remove(struct open_file *f, uint32_t id);
void session_destroy(struct session *s);

int ioctl_session_open(struct open_file *f, void *arg);
int ioctl_session_close(struct open_file *f, void *arg);
int ioctl_session_info(struct open_file *f, void *arg);
int ioctl_hash_copy(struct open_file *f, void *arg);
int ioctl_asymmetric_features(struct open_file *f, void *arg);
int ioctl_crypt(struct open_file *f, void *arg);
int ioctl_authcrypt(struct open_file *f, void *arg);

/* user.c: the caller's memory. 0 or -EFAULT. */
int user_read(void *to, const void *user, size_t bytes);
int user_write(void *user, const void *from, size_t bytes);
/* Whether it could be read and written, without changing it. */
int user_probe(void *user, size_t bytes);
/* Memory for a call, wiped when freed; never NULL for 0 bytes. */
void *scratch_alloc(size_t bytes);
void scratch_free(void *memory, size_t bytes);

/* control.c */
const char *control_path(void);
bool control_is_gone(void);
/* As cryptodev-linux has it: a tag's size can only shrink in a session. */
bool control_has_sticky_tags(void);
/* Whether the device computes wrong answers: PVX_EMULATOR_WRONG is "cipher" or
 * "mac". */
bool control_is_wrong(const char *what);
/* The errno that this call of `name` has to fail with, or 0. */
int control_fault(const char *name);
/* One line: name and result, 0 or -errno. */
void control_trace(const char *name, int result);
/* A line that begins with '#'. */
void control_note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void control_fork_lock(void);
void control_fork_unlock(void);

#endif
