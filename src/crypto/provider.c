/* SPDX-License-Identifier: Apache-2.0 */
/* provider.c - the list of providers, and opening one by its name */

#include "crypto/provider.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* In order of preference. */
static const struct provider *const providers[] = {
	&provider_openssl,
	&provider_cryptodev,
	&provider_afalg,
};

const char *cryptsess_provider_name_at(unsigned int index,
				       const char **description)
{
	if (index >= ARRAY_SIZE(providers))
		return NULL;
	if (description)
		*description = providers[index]->description;
	return providers[index]->name;
}

/* The provider of "NAME" or "NAME:PATH"; *path is NULL without a path. */
static const struct provider *find(const char *name, const char **path)
{
	const char *colon = strchr(name, ':');
	size_t length = colon ? (size_t)(colon - name) : strlen(name);

	*path = colon ? colon + 1 : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		const struct provider *ops = providers[i];

		if (strlen(ops->name) != length ||
		    memcmp(ops->name, name, length) != 0)
			continue;
		if (colon && (!ops->takes_path || colon[1] == '\0'))
			return NULL;
		return ops;
	}
	return NULL;
}

static void say_unknown(const char *name, char *why, size_t why_bytes)
{
	int used =
		snprintf(why, why_bytes,
			 "no crypto provider is called '%s'; there are:", name);

	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		if (used < 0 || (size_t)used >= why_bytes)
			return;
		used += snprintf(why + used, why_bytes - (size_t)used, " %s%s",
				 providers[i]->name,
				 providers[i]->takes_path ? "[:PATH]" : "");
	}
}

int cryptsess_provider_open(struct cryptsess_provider **provider,
			    const char *name, char *why, size_t why_bytes)
{
	const struct provider *ops;
	struct cryptsess_provider *p;
	const char *path;
	char unread[1];
	int r = -ENOMEM;

	if (!why || why_bytes == 0) {
		why = unread;
		why_bytes = sizeof(unread);
	}
	why[0] = '\0';
	ops = find(name, &path);
	if (!ops) {
		say_unknown(name, why, why_bytes);
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (p)
		p->name = strdup(name);
	if (!p || !p->name) {
		snprintf(why, why_bytes, "no memory");
		goto out;
	}
	p->ops = ops;
	r = ops->open(&p->state, path, why, why_bytes);
	if (r)
		goto out;
	*provider = p;
	return 0;
out:
	if (p)
		free(p->name);
	free(p);
	return r;
}

void cryptsess_provider_close(struct cryptsess_provider *provider)
{
	if (!provider)
		return;
	provider->ops->close(provider->state);
	free(provider->name);
	free(provider);
}

const char *cryptsess_provider_name(const struct cryptsess_provider *provider)
{
	return provider->name;
}

bool cryptsess_provider_has(struct cryptsess_provider *provider,
			    const struct cryptsess_algorithm *algorithm)
{
	return provider->ops->has(provider->state, algorithm);
}
