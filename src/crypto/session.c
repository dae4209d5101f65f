/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - opening, describing, copying and closing sessions */

#include "crypto/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

/* What cryptsess_open() has found out before it allocates. */
struct plan {
	const struct cryptsess_algorithm *cipher;
	const struct cryptsess_algorithm *mac;
	const struct provider *ops;
	size_t cipher_at; /* offsets of the states; 0: none */
	size_t aead_at;
	size_t hash_at;
	size_t spare_at;
	size_t total_bytes;
};

static size_t plan_state(struct plan *plan, size_t state_bytes)
{
	size_t at = (plan->total_bytes + 15) & ~(size_t)15;

	plan->total_bytes = at + state_bytes;
	return at;
}

/* The first checks of clause S1. */
static int plan_make(struct plan *plan, const struct provider *ops,
		     const struct cryptsess_params *params)
{
	*plan = (struct plan){ .ops = ops };
	if (!params->cipher && !params->mac)
		return -EINVAL;
	if (params->cipher) {
		plan->cipher = cryptsess_cipher_by_id(params->cipher);
		if (!plan->cipher)
			return -EINVAL;
	}
	if (params->mac) {
		plan->mac = cryptsess_mac_by_id(params->mac);
		if (!plan->mac)
			return -EINVAL;
	}
	plan->total_bytes = sizeof(struct cryptsess);
	if (plan->cipher && plan->cipher->is_aead) {
		plan->aead_at = plan_state(plan, ops->aead_bytes);
		return 0;
	}
	if (plan->cipher)
		plan->cipher_at = plan_state(plan, ops->cipher_bytes);
	if (plan->mac)
		plan->hash_at = plan_state(plan, ops->hash_bytes);
	/* For the TLS form, which only pads with these. */
	if (plan->mac && plan->cipher && plan->cipher->block_bytes > 1 &&
	    ops->has_cheap_copy)
		plan->spare_at = plan_state(plan, ops->hash_bytes);
	return 0;
}

static bool is_key_length(const struct cryptsess_algorithm *a, uint32_t bytes)
{
	return bytes >= a->key_min_bytes && bytes <= a->key_max_bytes &&
	       (bytes - a->key_min_bytes) % a->key_step_bytes == 0;
}

/* Clauses S4 and S5. */
static int check_key(struct cryptsess_provider *provider,
		     const struct cryptsess_algorithm *a,
		     const struct cryptsess_params *params)
{
	if (params->key_bytes > CRYPTSESS_MAX_KEY_BYTES)
		return -EINVAL;
	if (!params->key && params->key_bytes)
		return -EFAULT;
	if (!cryptsess_provider_has(provider, a))
		return -EINVAL;
	return is_key_length(a, params->key_bytes) ? 0 : -EINVAL;
}

/* Clauses S6 and S7. */
static int check_mac_key(struct cryptsess_provider *provider,
			 const struct plan *plan,
			 const struct cryptsess_params *params)
{
	bool is_aead = plan->cipher && plan->cipher->is_aead;

	if (is_aead && params->mac_key_bytes == 0)
		return 0;
	if (params->mac_key_bytes > CRYPTSESS_MAX_MAC_KEY_BYTES)
		return -EINVAL;
	if (!params->mac_key && params->mac_key_bytes &&
	    (is_aead || plan->mac->is_keyed))
		return -EFAULT;
	if (is_aead || !cryptsess_provider_has(provider, plan->mac))
		return -EINVAL;
	return 0;
}

static int open_cipher(struct cryptsess *s, const struct plan *plan,
		       const struct cryptsess_params *params)
{
	void *state = s->provider->state;
	int r = check_key(s->provider, plan->cipher, params);

	if (r)
		return r;
	if (plan->aead_at) {
		s->aead_state = (uint8_t *)s + plan->aead_at;
		return s->ops->aead_open(state, s->aead_state, s->cipher,
					 params->key, params->key_bytes);
	}
	s->cipher_state = (uint8_t *)s + plan->cipher_at;
	return s->ops->cipher_open(state, s->cipher_state, s->cipher,
				   params->key, params->key_bytes);
}

static int open_mac(struct cryptsess *s, const struct plan *plan,
		    const struct cryptsess_params *params)
{
	const struct cryptsess_algorithm *a = plan->mac;
	uint32_t key_bytes = a->is_keyed ? params->mac_key_bytes : 0;
	void *state = s->provider->state;
	int r;

	if (!plan->hash_at)
		return 0;
	s->mac = a;
	s->hash_state = (uint8_t *)s + plan->hash_at;
	r = s->ops->hash_open(state, s->hash_state, a, params->mac_key,
			      key_bytes);
	if (r || !plan->spare_at)
		return r;
	s->spare_hash = (uint8_t *)s + plan->spare_at;
	return s->ops->hash_open(state, s->spare_hash, a, params->mac_key,
				 key_bytes);
}

int cryptsess_open(struct cryptsess **session,
		   struct cryptsess_provider *provider,
		   const struct cryptsess_params *params)
{
	struct cryptsess *s = NULL;
	struct plan plan;
	int r;

	r = plan_make(&plan, provider->ops, params);
	if (r)
		return r;
	s = secret_alloc(plan.total_bytes);
	if (!s)
		return -ENOMEM;
	s->provider = provider;
	s->ops = provider->ops;
	s->cipher = plan.cipher;
	if (plan.cipher)
		r = open_cipher(s, &plan, params);
	if (r == 0 && (plan.mac || (plan.aead_at && params->mac_key_bytes)))
		r = check_mac_key(provider, &plan, params);
	if (r == 0 && plan.mac)
		r = open_mac(s, &plan, params);
	if (r) {
		cryptsess_close(s);
		return r;
	}
	*session = s;
	return 0;
}

void cryptsess_close(struct cryptsess *s)
{
	if (!s)
		return;
	if (s->cipher_state)
		s->ops->cipher_close(s->cipher_state);
	if (s->aead_state)
		s->ops->aead_close(s->aead_state);
	if (s->hash_state)
		s->ops->hash_close(s->hash_state);
	if (s->spare_hash)
		s->ops->hash_close(s->spare_hash);
	secret_free(s); /* wipes */
}

/* "cbc(aes)" of openssl is "cbc-aes-openssl". */
static void driver_name(char *text, size_t room,
			const struct cryptsess_algorithm *a,
			const struct cryptsess *s)
{
	size_t used = 0;

	text[0] = '\0';
	if (!a)
		return;
	for (const char *c = a->kernel_name; *c && used + 1 < room; c++)
		if (*c != ')')
			text[used++] = (char)(*c == '(' ? '-' : *c);
	snprintf(text + used, room - used, "-%s", s->ops->name);
}

void cryptsess_get_info(const struct cryptsess *s, struct cryptsess_info *info)
{
	memset(info, 0, sizeof(*info));
	info->cipher = s->cipher;
	info->mac = s->mac;
	driver_name(info->cipher_driver, sizeof(info->cipher_driver), s->cipher,
		    s);
	driver_name(info->mac_driver, sizeof(info->mac_driver), s->mac, s);
}

void cryptsess_get_iv(const struct cryptsess *s, uint8_t *iv)
{
	if (s->cipher && s->cipher->iv_bytes)
		memcpy(iv, s->iv, s->cipher->iv_bytes);
}

void cryptsess_set_iv(struct cryptsess *s, const uint8_t *iv)
{
	if (s->cipher && s->cipher->iv_bytes)
		memcpy(s->iv, iv, s->cipher->iv_bytes);
}

/* Clauses H1 and H2. */
int cryptsess_hash_copy(struct cryptsess *to, const struct cryptsess *from)
{
	int r;

	if (!to || !from)
		return -ENOENT;
	if (to == from)
		return -EDEADLK;
	if (!to->mac || to->mac != from->mac || to->provider != from->provider)
		return -EINVAL;
	if (!to->ops->hash_copy)
		return -ENOSYS;
	if (from->hash_phase == HASH_RUNNING) {
		r = to->ops->hash_copy(to->hash_state, from->hash_state);
		if (r)
			return r;
	}
	to->hash_phase = from->hash_phase;
	return 0;
}
