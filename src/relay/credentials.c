/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - the relay's certificate: given, or made at the first start */

#include "relay/credentials.h"
#include "base/file.h"
#include "base/log.h"
#include "relay/options.h"
#include "relay/relay.h"
#include "relay/state.h"
#include "tls/context.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define OWN_NAME "tls.pem" /* key and certificate */

/* Two relays that begin at once take the file of whoever made it first. */
static int make_own(const char *path)
{
	int error;

	if (access(path, F_OK) == 0)
		return 0;
	error = tls_certificate_make(path);
	if (error == -EEXIST)
		return 0;
	if (error)
		log_error("%s: cannot make a certificate: %s", path,
			  file_explain(error));
	else
		log_info("made a key and a certificate: %s", path);
	return error;
}

int credentials_find(struct credentials_paths *paths,
		     const struct relay_options *options)
{
	paths->certificate = options->tls_certificate;
	paths->key =
		options->tls_key ? options->tls_key : options->tls_certificate;
	if (paths->certificate)
		return 0;
	paths->certificate = paths->key = paths->own;
	return relay_state_path(paths->own, sizeof(paths->own), options->state,
				OWN_NAME);
}

static bool wants_tls(const struct relay *relay)
{
	for (unsigned int i = 0; i < relay->listener_count; i++)
		if (!relay->listeners[i].is_plain)
			return true;
	return false;
}

int credentials_open(struct relay *relay, const struct relay_options *options)
{
	struct credentials_paths paths;
	char why[PATH_MAX + 128];
	int error;

	if (!wants_tls(relay))
		return 0;
	error = credentials_find(&paths, options);
	if (!error && !options->tls_certificate)
		error = make_own(paths.own);
	if (error)
		return error;
	error = tls_context_create_server(&relay->tls, paths.certificate,
					  paths.key, &relay->held_bytes, why,
					  sizeof(why));
	if (error)
		log_error("TLS: %s", why);
	return error;
}

int credentials_reload(struct relay *relay, const struct relay_options *options)
{
	char why[PATH_MAX + 128], text[TLS_FINGERPRINT_ROOM];
	struct credentials_paths paths;
	int error;

	if (!relay->tls)
		return 0;
	error = credentials_find(&paths, options);
	if (error)
		return error;
	error = tls_context_reload(relay->tls, paths.certificate, paths.key,
				   why, sizeof(why));
	if (error) {
		log_error("TLS: %s", why);
		return error;
	}
	tls_fingerprint_print(text, tls_context_fingerprint(relay->tls));
	log_info("TLS: the fingerprint is %s", text);
	return 0;
}
