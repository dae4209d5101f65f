/* SPDX-License-Identifier: Apache-2.0 */
/* proto.h - the vhost-user protocol's numbers and layouts */
#ifndef PVX_VHOST_PROTO_H
#define PVX_VHOST_PROTO_H

#include <stddef.h>
#include <stdint.h>

/*
 * As in QEMU's docs/interop/vhost-user.rst. Integers are in the byte order of
 * the machine that both peers run on. A message is a header and a payload;
 * file descriptors travel beside it as SCM_RIGHTS.
 */

#define VHOST_VERSION          1u
#define VHOST_FLAG_VERSION     0x3u /* mask */
#define VHOST_FLAG_REPLY       0x4u
#define VHOST_FLAG_NEED_REPLY  0x8u
#define VHOST_PAYLOAD_MAX      512
#define VHOST_MESSAGE_FDS_MAX  8
#define VHOST_TABLE_REGIONS    8   /* SET_MEM_TABLE carries at most these */
#define VHOST_CONFIG_BYTES_MAX 256 /* of a configuration space */
#define VHOST_QUEUES_MAX       64
#define VHOST_RING_INDEX_MASK  0xffu
#define VHOST_RING_NO_FD       0x100u /* in SET_VRING_KICK, CALL, ERR */

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_LOG_BASE = 6,
	VHOST_SET_LOG_FD = 7,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_GET_INFLIGHT_FD = 31,
	VHOST_SET_INFLIGHT_FD = 32,
	VHOST_RESET_DEVICE = 34,
	VHOST_GET_MAX_MEM_SLOTS = 36,
	VHOST_ADD_MEM_REG = 37,
	VHOST_REM_MEM_REG = 38,
	VHOST_SET_STATUS = 39,
	VHOST_GET_STATUS = 40,
	VHOST_REQUESTS
};

/* From the back end, on the socket of SET_BACKEND_REQ_FD. */
enum vhost_backend_request {
	VHOST_BACKEND_CONFIG_CHANGE = 2,
};

/* Feature bits of virtio that the transport itself knows. */
#define VHOST_F_NOTIFY_ON_EMPTY   (UINT64_C(1) << 24)
#define VHOST_F_INDIRECT_DESC     (UINT64_C(1) << 28)
#define VHOST_F_EVENT_IDX         (UINT64_C(1) << 29)
#define VHOST_F_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define VHOST_F_VERSION_1         (UINT64_C(1) << 32)

#define VHOST_PROTOCOL_MQ                  (UINT64_C(1) << 0)
#define VHOST_PROTOCOL_REPLY_ACK           (UINT64_C(1) << 3)
#define VHOST_PROTOCOL_BACKEND_REQ         (UINT64_C(1) << 5)
#define VHOST_PROTOCOL_CONFIG              (UINT64_C(1) << 9)
#define VHOST_PROTOCOL_INFLIGHT_SHMFD      (UINT64_C(1) << 12)
#define VHOST_PROTOCOL_RESET_DEVICE        (UINT64_C(1) << 13)
#define VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS (UINT64_C(1) << 15)

struct vhost_header {
	uint32_t request; /* enum vhost_request */
	uint32_t flags;   /* VHOST_FLAG_* */
	uint32_t payload_bytes;
};

struct vhost_ring_word {
	uint32_t index;
	uint32_t value;
};

struct vhost_ring_addresses {
	uint32_t index;
	uint32_t flags;
	uint64_t desc_user; /* addresses of the front end's process */
	uint64_t used_user;
	uint64_t avail_user;
	uint64_t log_guest;
};

struct vhost_region {
	uint64_t guest_addr;
	uint64_t bytes;
	uint64_t user_addr;
	uint64_t file_offset;
};

struct vhost_mem_table {
	uint32_t count;
	uint32_t padding;
	struct vhost_region region[VHOST_TABLE_REGIONS];
};

struct vhost_mem_slot {
	uint64_t padding;
	struct vhost_region region;
};

struct vhost_config_access {
	uint32_t offset;
	uint32_t bytes;
	uint32_t flags; /* 1: for live migration */
	uint8_t data[VHOST_CONFIG_BYTES_MAX];
};
#define VHOST_CONFIG_HEAD_BYTES 12u

struct vhost_inflight_area {
	uint64_t bytes;
	uint64_t file_offset;
	uint16_t queues;
	uint16_t ring_size;
	uint32_t padding; /* some front ends leave it out */
};
#define VHOST_INFLIGHT_AREA_BYTES_MIN 20u

struct vhost_message {
	struct vhost_header header;
	union {
		uint64_t u64;
		struct vhost_ring_word ring_word;
		struct vhost_ring_addresses ring_addresses;
		struct vhost_mem_table mem_table;
		struct vhost_mem_slot mem_slot;
		struct vhost_config_access config;
		struct vhost_inflight_area inflight;
		uint8_t bytes[VHOST_PAYLOAD_MAX];
	} payload;
	int fds[VHOST_MESSAGE_FDS_MAX];
	unsigned int fd_count;
};

_Static_assert(sizeof(struct vhost_header) == 12, "vhost_header");
_Static_assert(sizeof(struct vhost_ring_word) == 8, "vhost_ring_word");
_Static_assert(sizeof(struct vhost_ring_addresses) == 40, "ring_addresses");
_Static_assert(sizeof(struct vhost_region) == 32, "vhost_region");
_Static_assert(sizeof(struct vhost_mem_table) == 264, "vhost_mem_table");
_Static_assert(sizeof(struct vhost_mem_slot) == 40, "vhost_mem_slot");
_Static_assert(sizeof(struct vhost_config_access) == 268, "config_access");
_Static_assert(sizeof(struct vhost_inflight_area) == 24, "inflight_area");

#endif
