/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - the user's long-term key, in a file of its own */

/*
 * How it works (docs/spec/client-files.md, clause 2): one line of text, a
 * prefix that names kind and version, then in base64url the seed and the first
 * bytes of a hash of it. The checksum guards against damage; what protects the
 * seed is that nobody else may read the file.
 */
#include "client/identity.h"

#include "client/locked.h"

#include "base/file.h"
#include "base/log.h"
#include "prim/base64url.h"
#include "prim/random.h"
#include "prim/sha256.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define PREFIX         "paravox-identity1:"
#define PREFIX_CHARS   (sizeof(PREFIX) - 1)
#define OTHER_VERSION  "paravox-identity"
#define LABEL          "paravox v1 identity file" /* hashed with its NUL */
#define CHECKSUM_BYTES 8

struct identity_file {
	uint8_t bytes[SECRET_BYTES + CHECKSUM_BYTES];
	char text[PREFIX_CHARS + BASE64URL_ROOM(SECRET_BYTES + CHECKSUM_BYTES)];
	size_t chars;
};
/* A newline takes the place of the NUL. */
#define FILE_CHARS (sizeof(((struct identity_file *)0)->text))

static void checksum_of(uint8_t checksum[CHECKSUM_BYTES],
			const struct secret *seed)
{
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL, sizeof(LABEL) },
		{ (void *)(uintptr_t)seed->bytes, SECRET_BYTES },
	};
	uint8_t digest[SHA256_BYTES];

	sha256_parts(digest, parts, 2);
	memcpy(checksum, digest, CHECKSUM_BYTES);
	secret_wipe(digest, sizeof(digest));
}

static int file_read(struct secret *seed, struct identity_file *file,
		     const char *path)
{
	uint8_t checksum[CHECKSUM_BYTES];
	int result;

	result = file_read_private(path, file->text, FILE_CHARS, &file->chars);
	if (result)
		return result;
	if (file->chars < PREFIX_CHARS ||
	    memcmp(file->text, PREFIX, PREFIX_CHARS) != 0)
		return memcmp(file->text, OTHER_VERSION,
			      sizeof(OTHER_VERSION) - 1) == 0
			       ? -EPROTONOSUPPORT
			       : -EBADMSG;
	if (file->chars != FILE_CHARS || file->text[FILE_CHARS - 1] != '\n' ||
	    base64url_decode(
		    file->bytes, sizeof(file->bytes), file->text + PREFIX_CHARS,
		    FILE_CHARS - PREFIX_CHARS - 1) != sizeof(file->bytes))
		return -EBADMSG;
	memcpy(seed->bytes, file->bytes, SECRET_BYTES);
	checksum_of(checksum, seed);
	return memcmp(checksum, file->bytes + SECRET_BYTES, CHECKSUM_BYTES)
		       ? -EBADMSG
		       : 0;
}

static int file_create(struct secret *seed, struct identity_file *file,
		       const char *path)
{
	int result = random_bytes(seed->bytes, SECRET_BYTES);

	if (result)
		return result;
	memcpy(file->bytes, seed->bytes, SECRET_BYTES);
	checksum_of(file->bytes + SECRET_BYTES, seed);
	memcpy(file->text, PREFIX, PREFIX_CHARS);
	base64url_encode(file->text + PREFIX_CHARS, FILE_CHARS - PREFIX_CHARS,
			 file->bytes, sizeof(file->bytes));
	file->text[FILE_CHARS - 1] = '\n';
	return file_create_private(path, file->text, FILE_CHARS);
}

static const char *explain(int result)
{
	if (result == -EBADMSG)
		return "it is damaged, or not an identity of Paravox";
	if (result == -EPROTONOSUPPORT)
		return "it was made by a newer version of Paravox";
	return file_explain(result);
}

int identity_load_at(struct secret *seed, bool *is_new, const char *path)
{
	struct identity_file *file = locked_alloc(sizeof(*file));
	int result;

	*is_new = false;
	if (!file)
		return -ENOMEM;
	result = file_read(seed, file, path);
	if (result == -ENOENT) {
		result = file_create(seed, file, path);
		*is_new = !result;
		if (result == -EEXIST) /* another process was first */
			result = file_read(seed, file, path);
	}
	if (result)
		log_error("%s: %s", path, explain(result));
	secret_free(file);
	return result > 0 ? -EACCES : result;
}

int identity_load(struct secret *seed, bool *is_new)
{
	char path[PATH_MAX];
	int result;

	result = file_own_path(path, sizeof(path), "XDG_CONFIG_HOME", ".config",
			       "paravox/identity");
	if (result) {
		log_error("no place for the identity: %s: %s", path,
			  file_explain(result));
		return result > 0 ? -EACCES : result;
	}
	return identity_load_at(seed, is_new, path);
}

bool identity_is_there(void)
{
	char path[PATH_MAX];

	return file_own_path(path, sizeof(path), "XDG_CONFIG_HOME", ".config",
			     "paravox/identity") == 0 &&
	       access(path, F_OK) == 0;
}
