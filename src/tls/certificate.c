/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - the relay's key and certificate, and their fingerprint */

#include "tls/certificate.h"
#include "base/bytes.h"
#include "base/file.h"
#include "prim/random.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define PREFIX       "sha256:"
#define PREFIX_CHARS (sizeof(PREFIX) - 1)
#define SERIAL_BYTES 16

void tls_fingerprint_print(char text[TLS_FINGERPRINT_ROOM],
			   const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	memcpy(text, PREFIX, PREFIX_CHARS);
	bytes_to_hex(text + PREFIX_CHARS, fingerprint, TLS_FINGERPRINT_BYTES);
}

int tls_fingerprint_parse(uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
			  const char *text)
{
	if (strncmp(text, PREFIX, PREFIX_CHARS) != 0)
		return -EINVAL;
	if (bytes_from_hex(fingerprint, TLS_FINGERPRINT_BYTES,
			   text + PREFIX_CHARS) != TLS_FINGERPRINT_BYTES)
		return -EINVAL;
	return 0;
}

/* What a certificate says of itself besides the key. Nobody goes by it: who
 * connects compares the key. */
static int add_extensions(X509 *certificate)
{
	static const struct {
		int nid;
		const char *value;
	} extensions[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_alt_name, "DNS:paravoxd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(
			NULL, NULL, extensions[i].nid, extensions[i].value);
		int is_added = e && X509_add_ext(certificate, e, -1);

		X509_EXTENSION_free(e);
		if (!is_added)
			return -EIO;
	}
	return 0;
}

static int set_serial(X509 *certificate)
{
	uint8_t random[SERIAL_BYTES];
	BIGNUM *number;
	int error = random_bytes(random, sizeof(random));

	if (error)
		return error;
	random[0] = (random[0] & 0x7f) | 0x40; /* positive, of full length */
	number = BN_bin2bn(random, sizeof(random), NULL);
	if (!number ||
	    !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)))
		error = -ENOMEM;
	BN_free(number);
	return error;
}

/* RFC 5280, 4.1.2.5, has these times for what never expires. */
static int set_times(X509 *certificate)
{
	return ASN1_TIME_set_string(X509_getm_notBefore(certificate),
				    "20200101000000Z") &&
			       ASN1_TIME_set_string(
				       X509_getm_notAfter(certificate),
				       "99991231235959Z")
		       ? 0
		       : -EIO;
}

/* NULL with `*error`. */
static X509 *certify(EVP_PKEY *key, int *error)
{
	X509 *certificate = X509_new();
	X509_NAME *name;

	*error = certificate ? 0 : -ENOMEM;
	if (!*error)
		*error = set_serial(certificate);
	if (!*error)
		*error = set_times(certificate);
	if (!*error)
		*error = add_extensions(certificate);
	name = certificate ? X509_get_subject_name(certificate) : NULL;
	if (!*error && (!X509_set_version(certificate, X509_VERSION_3) ||
			!X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
						    (const uint8_t *)"paravoxd",
						    -1, -1, 0) ||
			!X509_set_issuer_name(certificate, name) ||
			!X509_set_pubkey(certificate, key) ||
			!X509_sign(certificate, key, NULL)))
		*error = -EIO;
	if (!*error)
		return certificate;
	X509_free(certificate);
	return NULL;
}

int tls_certificate_make(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *text = BIO_new(BIO_s_secmem()); /* wiped when freed */
	int error = key && text ? 0 : -ENOMEM;
	X509 *certificate = NULL;
	char *pem;
	long bytes;

	if (!error)
		certificate = certify(key, &error);
	if (!error &&
	    (!PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) ||
	     !PEM_write_bio_X509(text, certificate)))
		error = -EIO;
	if (!error) {
		bytes = BIO_get_mem_data(text, &pem);
		error = file_create_private(path, pem, (size_t)bytes);
	}
	X509_free(certificate);
	BIO_free(text);
	EVP_PKEY_free(key);
	return error;
}
