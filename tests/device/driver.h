/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h - a driver of virtio-cryptodev without a guest, for tests */
#ifndef PVX_TESTS_DRIVER_H
#define PVX_TESTS_DRIVER_H

#include "abi/virtio_cryptodev.h"
#include "device/journal.h"
#include "device/options.h"
#include "frontend/frontend.h"
#include "frontend/layout.h"

/*
 * How it works: a daemon of our own, a child that runs supervisor_run(), and a
 * front end on its socket. A request is written as the bytes of the contract;
 * the driver lays them in guest memory in some manner, sends them on a queue
 * and hands the answer's bytes back.
 *
 * Functions return 0 or -errno of the transport; -EPROTO also when used.len,
 * or the bytes around a writable piece, are not as the contract says. What the
 * device answered is in driver_answer.
 */
#define DRIVER_MEMORY_BYTES (UINT64_C(40) << 20)
#define DRIVER_QUEUES       4
#define DRIVER_RING         1024
#define DRIVER_FEATURES                                                  \
	(VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC | VHOST_F_EVENT_IDX | \
	 VHOST_F_PROTOCOL_FEATURES)

struct driver {
	struct device_options options; /* set before driver_start() */
	/* When the daemon's processes come to those moments. */
	void (*at_moment)(unsigned int queue, enum journal_moment moment);
	void (*at_control)(unsigned int moment);
	uint64_t stop_limit_ms; /* 0: as ever */
	int keeper_patience_ms; /* the same */
	void (*in_child)(void); /* before the daemon runs; NULL: nothing */
	/* Around the fork: whoever has threads ends and starts them. */
	void (*before_fork)(void);
	void (*behind_fork)(void);
	bool expects_deaths; /* of workers; else driver_stop() fails */
	pid_t daemon;
	pid_t worker; /* when it connected */
	char path[64];
	struct frontend fe;
	unsigned int queues;
	struct layout_rng rng;
	uint64_t arena_start; /* of requests, in guest memory */
	uint64_t generation;
	/* How requests are laid; changed at will. */
	enum layout_manner manner;
	bool is_indirect;
	bool is_in_place; /* of CRYPT and AEAD: one memory */
};

/* The request's bytes, built one after the other. */
struct driver_request {
	uint8_t *data; /* freed by driver_send() */
	uint32_t bytes;
	uint32_t writable_bytes;
	/* Bytes that source and destination have in common, and where they
	 * begin in the readable and in the writable bytes; 0: none. */
	uint32_t shared_bytes;
	uint32_t shared_in;
	uint32_t shared_out;
};

struct driver_answer {
	uint32_t used_bytes;
	uint32_t bytes; /* of data: all that was writable */
	uint8_t *data;  /* free() */
	enum vcd_status status;
};

/* Options as they stand after device_options_init(), but for the provider that
 * PVX_TEST_PROVIDER names; and a daemon of them. */
void driver_init(struct driver *driver);
int driver_start(struct driver *driver); /* -EDEADLK: it has threads */
/* Another daemon on the same path, after the last one has died. */
int driver_start_again(struct driver *driver);
/* SIGTERM; its exit status, 1000 and the signal's number, or 2000 when a
 * worker has died meanwhile. */
int driver_stop(struct driver *driver);

/* Connect, negotiate, start every queue. */
int driver_connect(struct driver *driver, uint64_t features);
void driver_disconnect(struct driver *driver);

/* Begin a request with its header. */
void driver_begin(struct driver *driver, struct driver_request *r,
		  enum vcd_op op, uint32_t file, uint32_t session);
void driver_put(struct driver_request *r, const void *data, size_t bytes);

/* Send and wait; `answer` is the caller's to free. */
int driver_send(struct driver *driver, unsigned int queue,
		struct driver_request *r, struct driver_answer *answer);
void driver_answer_free(struct driver_answer *answer);

/* In two steps, for requests in flight together. The descriptors are laid in
 * memory that stays taken until driver_rewind(). */
struct driver_flight {
	struct frontend_piece piece[DRIVER_RING];
	unsigned int readable, writable; /* pieces */
	int head;
	uint32_t writable_bytes;
};
int driver_launch(struct driver *driver, unsigned int queue,
		  struct driver_request *r, struct driver_flight *flight);
/* Wait for the queue's next answer, which must be to `flight`. 0, -ETIMEDOUT,
 * or -EPROTO for another request's or one of a wrong length. */
int driver_land(struct driver *driver, unsigned int queue,
		const struct driver_flight *flight,
		struct driver_answer *answer);
void driver_rewind(struct driver *driver);

/* --- the ops, well-formed ---------------------------------------------- */

int driver_hello(struct driver *driver);
/* The id, or 0 with *status. */
uint32_t driver_open(struct driver *driver, unsigned int queue,
		     enum vcd_status *status);
/* An op without parameters: CLOSE, SESSION_CLOSE, PING. */
enum vcd_status driver_simple(struct driver *driver, unsigned int queue,
			      enum vcd_op op, uint32_t file, uint32_t session);

struct driver_key {
	uint32_t cipher;
	uint32_t mac;
	const void *key;
	uint32_t key_bytes;
	const void *mac_key;
	uint32_t mac_key_bytes;
};

/* The status; on OK the reply in host order... little-endian is ours too. */
enum vcd_status driver_session_open(struct driver *driver, unsigned int queue,
				    uint32_t file, const struct driver_key *key,
				    struct vcd_session_reply *reply);

struct driver_crypt {
	uint16_t direction;
	uint16_t flags;
	const void *iv;
	uint32_t iv_bytes;
	const void *src;
	uint32_t src_bytes;
	uint32_t dst_bytes;
	uint32_t digest_bytes;
	uint32_t iv_out_bytes;
};

void driver_crypt_begin(struct driver *driver, struct driver_request *r,
			uint32_t file, uint32_t session,
			const struct driver_crypt *op);
/* The answer: struct vcd_reply, destination, digest, IV. */
int driver_crypt(struct driver *driver, unsigned int queue, uint32_t file,
		 uint32_t session, const struct driver_crypt *op,
		 struct driver_answer *answer);

struct driver_auth {
	uint16_t direction;
	uint16_t flags;
	const void *iv;
	uint32_t iv_bytes;
	const void *auth;
	uint32_t auth_bytes;
	uint32_t offset; /* SRTP */
	const void *src; /* not SRTP */
	uint32_t payload_bytes;
	uint32_t tag_bytes;
	const void *tag; /* SRTP, decrypting */
	uint32_t tag_in_bytes;
	uint32_t dst_bytes;
	uint32_t tag_out_bytes;
	uint32_t iv_out_bytes;
};

void driver_auth_begin(struct driver *driver, struct driver_request *r,
		       uint32_t file, uint32_t session,
		       const struct driver_auth *op);
int driver_auth(struct driver *driver, unsigned int queue, uint32_t file,
		uint32_t session, const struct driver_auth *op,
		struct driver_answer *answer);

enum vcd_status driver_hash_copy(struct driver *driver, unsigned int queue,
				 uint32_t file, uint32_t to, uint32_t from);

/* Open descriptors, mappings and threads of a process; 0 when it may not be
 * looked at. */
unsigned int driver_count(pid_t pid, const char *folder);
/* What it has used of the processor, in ticks of sysconf(_SC_CLK_TCK). */
unsigned long driver_cpu_ticks(pid_t pid);
/* The worker of the daemon, or 0. */
pid_t driver_worker(const struct driver *driver);

#endif
