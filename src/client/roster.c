/* SPDX-License-Identifier: Apache-2.0 */
/* roster.c - which device keys the relay says are in the room */

#include "client/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct roster_device {
	uint8_t key[CHAT_KEY_BYTES];
	bool is_present; /* else it is awaited */
	bool came_after_us;
	bool is_heard;
	bool is_met;
	UT_hash_handle hh;
};

static struct roster_device *find(const struct roster *roster,
				  const uint8_t *key)
{
	struct roster_device *device;

	HASH_FIND(hh, roster->devices, key, CHAT_KEY_BYTES, device);
	return device;
}

static void drop(struct roster *roster, struct roster_device *device)
{
	HASH_DEL(roster->devices, device);
	free(device);
}

void roster_deinit(struct roster *roster)
{
	struct roster_device *device, *next;

	HASH_ITER(hh, roster->devices, device, next)
	drop(roster, device);
	roster->present = roster->awaited = 0;
}

void roster_restart(struct roster *roster)
{
	struct roster_device *device, *next;

	HASH_ITER(hh, roster->devices, device, next)
	device->is_present = device->is_heard = false;
	roster->awaited += roster->present;
	roster->present = 0;
	roster->is_live = false;
}

static struct roster_device *insert(struct roster *roster, const uint8_t *key)
{
	struct roster_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	memcpy(device->key, key, CHAT_KEY_BYTES);
	HASH_ADD(hh, roster->devices, key, CHAT_KEY_BYTES, device);
	if (!device->hh.tbl) { /* uthash found no memory */
		free(device);
		return NULL;
	}
	return device;
}

int roster_add(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES])
{
	struct roster_device *device = find(roster, key);
	int outcome = 1;

	if (device && device->is_present)
		return 0;
	if (device) {
		roster->awaited--;
		outcome = 2;
	} else {
		if (roster->present + roster->awaited >= ROSTER_MAX)
			return -ENOSPC;
		device = insert(roster, key);
		if (!device)
			return -ENOMEM;
	}
	device->is_present = true;
	device->came_after_us = roster->is_live;
	roster->present++;
	return outcome;
}

int roster_remove(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES])
{
	struct roster_device *device = find(roster, key);

	if (!device || !device->is_present)
		return 0;
	roster->present--;
	drop(roster, device);
	return 1;
}

bool roster_has(const struct roster *roster, const uint8_t key[CHAT_KEY_BYTES])
{
	const struct roster_device *device = find(roster, key);

	return device && device->is_present;
}

void roster_hear(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES])
{
	struct roster_device *device = find(roster, key);

	if (device)
		device->is_heard = true;
}

bool roster_meet(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES])
{
	struct roster_device *device = find(roster, key);
	bool is_first = device && device->is_present && !device->is_met;

	if (device)
		device->is_met = true;
	return is_first;
}

bool roster_owes_all(const struct roster *roster,
		     const uint8_t key[CHAT_KEY_BYTES])
{
	const struct roster_device *device = find(roster, key);

	return !device || !device->is_present || device->came_after_us ||
	       device->is_heard;
}

void roster_forget(struct roster *roster, roster_fn *tell, void *owner)
{
	struct roster_device *device, *next;

	HASH_ITER(hh, roster->devices, device, next)
	{
		if (device->is_present)
			continue;
		if (tell)
			tell(owner, device->key);
		drop(roster, device);
	}
	roster->awaited = 0;
}

void roster_each(const struct roster *roster, roster_fn *tell, void *owner)
{
	struct roster_device *device, *next;

	HASH_ITER(hh, roster->devices, device, next)
	if (device->is_present)
		tell(owner, device->key);
}
