/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - open files, their sessions, and the table of ioctls */

#include "emulator.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "abi/cryptodev.h"

static const struct {
	unsigned int request;
	const char *name;
	int (*run)(struct open_file *f, void *arg); /* NULL: EINVAL (D3) */
} ioctls[] = {
	{ CRIOGET, "CRIOGET", NULL }, /* preload.c: it makes a descriptor */
	{ CIOCGSESSION, "CIOCGSESSION", ioctl_session_open },
	{ CIOCFSESSION, "CIOCFSESSION", ioctl_session_close },
	{ CIOCCRYPT, "CIOCCRYPT", ioctl_crypt },
	{ CIOCKEY, "CIOCKEY", NULL },
	{ CIOCASYMFEAT, "CIOCASYMFEAT", ioctl_asymmetric_features },
	{ CIOCGSESSINFO, "CIOCGSESSINFO", ioctl_session_info },
	{ CIOCAUTHCRYPT, "CIOCAUTHCRYPT", ioctl_authcrypt },
	{ CIOCASYNCCRYPT, "CIOCASYNCCRYPT", NULL },
	{ CIOCASYNCFETCH, "CIOCASYNCFETCH", NULL },
	{ CIOCCPHASH, "CIOCCPHASH", ioctl_hash_copy },
};

#define IOCTLS (sizeof(ioctls) / sizeof(ioctls[0]))

const char *file_ioctl_name(unsigned int request)
{
	for (size_t i = 0; i < IOCTLS; i++)
		if (ioctls[i].request == request)
			return ioctls[i].name;
	return NULL;
}

int file_ioctl(struct open_file *f, unsigned int request, void *arg)
{
	for (size_t i = 0; i < IOCTLS; i++)
		if (ioctls[i].request == request && ioctls[i].run)
			return ioctls[i].run(f, arg);
	return -EINVAL;
}

struct open_file *file_create(void)
{
	struct open_file *f = calloc(1, sizeof(*f));

	if (f) {
		f->refs = 1;
		pthread_mutex_init(&f->lock, NULL);
	}
	return f;
}

unsigned int file_open_sessions(struct open_file *f)
{
	unsigned int count = 0;

	pthread_mutex_lock(&f->lock);
	for (struct session *s = f->sessions; s; s = s->next)
		count += s->owner == getpid();
	pthread_mutex_unlock(&f->lock);
	return count;
}

unsigned int file_destroy(struct open_file *f)
{
	unsigned int count = file_open_sessions(f);

	while (f->sessions) {
		struct session *s = f->sessions;

		f->sessions = s->next;
		session_destroy(s);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
	return count;
}

void session_destroy(struct session *s)
{
	EVP_MD_CTX_free(s->hash.inner);
	pthread_mutex_destroy(&s->busy);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* Called with the file's lock held. */
static struct session *find(struct open_file *f, uint32_t id)
{
	for (struct session *s = f->sessions; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

struct session *session_get(struct open_file *f, uint32_t id)
{
	struct session *s;

	pthread_mutex_lock(&f->lock);
	s = find(f, id);
	if (s)
		s->refs++;
	pthread_mutex_unlock(&f->lock);
	return s;
}

void session_put(struct open_file *f, struct session *s)
{
	bool is_last;

	if (!s)
		return;
	pthread_mutex_lock(&f->lock);
	is_last = --s->refs == 0;
	pthread_mutex_unlock(&f->lock);
	if (is_last)
		session_destroy(s);
}

int session_enter(struct session *s)
{
	pthread_mutex_lock(&s->busy);
	if (!s->is_dead)
		return 0;
	pthread_mutex_unlock(&s->busy);
	return -EINVAL;
}

void session_leave(struct session *s)
{
	pthread_mutex_unlock(&s->busy);
}

/* S9: a random id, never 0, unique in this open file. */
void session_add(struct open_file *f, struct session *s)
{
	pthread_mutex_lock(&f->lock);
	do {
		if (getrandom(&s->id, sizeof(s->id), 0) != sizeof(s->id))
			abort();
	} while (s->id == 0 || find(f, s->id));
	s->refs = 1;
	s->owner = getpid();
	pthread_mutex_init(&s->busy, NULL);
	s->next = f->sessions;
	f->sessions = s;
	pthread_mutex_unlock(&f->lock);
}

bool session_remove(struct open_file *f, uint32_t id)
{
	struct session **at = &f->sessions;
	struct session *s;

	pthread_mutex_lock(&f->lock);
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	s = *at;
	if (s)
		*at = s->next;
	pthread_mutex_unlock(&f->lock);
	if (!s)
		return false;
	/* F1: after the running operation; those that wait find it dead. */
	pthread_mutex_lock(&s->busy);
	s->is_dead = true;
	pthread_mutex_unlock(&s->busy);
	session_put(f, s);
	return true;
}
