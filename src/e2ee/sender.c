/* SPDX-License-Identifier: Apache-2.0 */
/* sender.c - the chain that this process seals its messages on */

/*
 * How it works: chain ids are random, so a process has keys of its own. Where
 * randomness comes twice (a virtual machine that two copies were made of, a
 * kernel without entropy) a key does, too; then the IV, which depends on what
 * is said as well, still is another one for another message.
 */
#include "e2ee/sender.h"
#include "base/bytes.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "e2ee/labels.h"
#include "e2ee/rows_codec.h"
#include "prim/hkdf.h"
#include "prim/random.h"
#include "prim/sha256.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page with a mark that the kernel erases in a child: exact, while a
 * compared process id may come again. */
static uint8_t *fork_mark_create(void)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, bytes, MADV_WIPEONFORK) == 0)
		return page;
	error = errno;
	munmap(page, bytes);
	errno = error;
	return NULL;
}

int sender_init(struct sender *sender, const struct room_keys *room,
		const struct e2ee_identity *identity,
		const struct e2ee_device *device,
		struct cryptsess_provider *provider)
{
	memset(sender, 0, sizeof(*sender));
	sender->room = room;
	sender->identity = identity;
	sender->device = device;
	sender->provider = provider;
	sender->generation = CHAIN_MESSAGES; /* so the first begins a chain */
	sender->fork_mark = fork_mark_create();
	if (!sender->fork_mark)
		return -errno;
	sender->scratch = secret_alloc(sizeof(*sender->scratch));
	return sender->scratch ? 0 : -errno;
}

void sender_deinit(struct sender *sender)
{
	if (sender->fork_mark)
		munmap(sender->fork_mark, (size_t)sysconf(_SC_PAGESIZE));
	secret_free(sender->scratch);
	secret_wipe(sender, sizeof(*sender));
}

/* The link goes on from chain to chain, but not from parent to child. */
static int chain_begin(struct sender *sender, bool is_forked)
{
	int err = random_bytes(sender->chain_id, sizeof(sender->chain_id));

	if (err)
		return err;
	if (is_forked)
		memset(sender->link, 0, sizeof(sender->link));
	sender->generation = 0;
	*sender->fork_mark = 1;
	return 0;
}

/* What the message will say, in one hash (spec/e2ee.md, clause 5.10). */
static void words_hash(uint8_t hash[SHA256_BYTES], const struct sender *sender,
		       const struct e2ee_content *content)
{
	uint8_t fixed[8 + 1 + 1];
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_MESSAGE_WORDS,
		  sizeof(LABEL_MESSAGE_WORDS) },
		{ (void *)(uintptr_t)sender->link, sizeof(sender->link) },
		{ fixed, sizeof(fixed) },
		{ (void *)(uintptr_t)content->nick, content->nick_bytes },
		{ (void *)(uintptr_t)content->text, content->text_bytes },
	};

	bytes_put_be64(fixed, content->sender_time_ms);
	fixed[8] = (uint8_t)content->type;
	fixed[9] = (uint8_t)content->nick_bytes;
	sha256_parts(hash, parts, ARRAY_SIZE(parts));
}

/* Random, and of this message: see above. */
static int iv_make(uint8_t iv[CHAT_IV_BYTES], const struct sender *sender,
		   const struct e2ee_content *content)
{
	struct {
		uint8_t random[CHAT_IV_BYTES];
		uint8_t words[SHA256_BYTES];
	} context;
	struct secret derived;
	int err = random_bytes(context.random, sizeof(context.random));

	if (err)
		return err;
	words_hash(context.words, sender, content);
	hkdf_derive(&derived, &sender->identity->device_root, LABEL_MESSAGE_IV,
		    &context, sizeof(context));
	memcpy(iv, derived.bytes, CHAT_IV_BYTES);
	secret_wipe(&derived, sizeof(derived));
	secret_wipe(&context, sizeof(context));
	return 0;
}

long sender_seal(struct sender *sender, const struct e2ee_content *content,
		 uint8_t envelope[CHAT_ENVELOPE_MAX], struct sealed *sealed)
{
	bool is_forked = !CHECK(chain_after_fork, *sender->fork_mark != 0);
	uint8_t iv[CHAT_IV_BYTES];
	struct message_input input = {
		.room = sender->room,
		.identity_key = &sender->identity->key,
		.device_key = sender->device->key.public_key,
		.device_proof = sender->device->proof,
		.chain_id = sender->chain_id,
		.iv = iv,
		.link = sender->link,
		.content = content,
	};
	long bytes = 0;

	if (e2ee_plaintext_bytes(content) == 0)
		return -EINVAL;
	if (is_forked || sender->generation >= CHAIN_MESSAGES)
		bytes = chain_begin(sender, is_forked);
	if (!bytes)
		bytes = iv_make(iv, sender, content);
	if (bytes)
		return bytes;
	input.generation = sender->generation++;
	bytes = message_seal(envelope, sender->scratch, sender->provider,
			     &input);
	if (bytes < 0)
		return bytes;
	memcpy(sealed->chain_id, sender->chain_id, sizeof(sealed->chain_id));
	sealed->generation = input.generation;
	memcpy(sealed->carried, sender->link, SHA256_BYTES);
	message_link(sender->link, envelope, (size_t)bytes);
	memcpy(sealed->link, sender->link, SHA256_BYTES);
	return bytes;
}
