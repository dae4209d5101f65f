/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.c - known answers from files */

#include "lib/vectors.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct vector_file *file;
	struct vector now;
	bool has_fields; /* of `now` */
	char source[128];
};

/* clang-format off */
static const struct bytes_field {
	const char *name;
	size_t offset;
} bytes_fields[] = {
	{ "key", offsetof(struct vector, key) },
	{ "mac-key", offsetof(struct vector, mac_key) },
	{ "iv", offsetof(struct vector, iv) },
	{ "iv-after", offsetof(struct vector, iv_after) },
	{ "aad", offsetof(struct vector, aad) },
	{ "plaintext", offsetof(struct vector, plaintext) },
	{ "aad-after", offsetof(struct vector, aad_after) },
	{ "ciphertext", offsetof(struct vector, ciphertext) },
	{ "digest", offsetof(struct vector, digest) },
	{ "tag", offsetof(struct vector, tag) },
};
/* clang-format on */
#define BYTES_FIELDS (sizeof(bytes_fields) / sizeof(bytes_fields[0]))

static const char *const form_names[] = { [VECTOR_CRYPT] = "crypt",
					  [VECTOR_AEAD] = "aead",
					  [VECTOR_TLS] = "tls",
					  [VECTOR_SRTP] = "srtp" };

static struct vector_bytes *bytes_at(struct vector *v, size_t field)
{
	return (struct vector_bytes *)(void *)((char *)v +
					       bytes_fields[field].offset);
}

static void vector_free(struct vector *v)
{
	for (size_t i = 0; i < BYTES_FIELDS; i++)
		free(bytes_at(v, i)->data);
	memset(v, 0, sizeof(*v));
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* One unit of a value, quoted text or digits, to `data`. Its length, or -1;
 * *end is behind it. */
static long parse_unit(const char *text, uint8_t *data, const char **end)
{
	long bytes = 0;

	if (*text == '"') {
		for (text++; *text && *text != '"'; text++)
			data[bytes++] = (uint8_t)*text;
		*end = text + 1;
		return *text == '"' ? bytes : -1;
	}
	while (hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0) {
		data[bytes++] =
			(uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	*end = text;
	return bytes;
}

/* UNIT, or UNIT * COUNT. */
static int parse_bytes(struct vector_bytes *to, const char *text)
{
	uint8_t *unit = malloc(strlen(text) + 1);
	unsigned long count = 1;
	const char *end;
	long bytes;

	if (!unit || to->is_present)
		goto invalid;
	bytes = parse_unit(text, unit, &end);
	if (bytes < 0)
		goto invalid;
	if (strncmp(end, " * ", 3) == 0) {
		char *after;

		count = strtoul(end + 3, &after, 10);
		end = after;
	}
	if (*end || count == 0 || count > 1u << 24)
		goto invalid;
	to->data = malloc((size_t)bytes * count + 1);
	if (!to->data)
		goto invalid;
	for (unsigned long i = 0; i < count; i++)
		memcpy(to->data + i * (size_t)bytes, unit, (size_t)bytes);
	to->bytes = (size_t)bytes * count;
	to->is_present = true;
	free(unit);
	return 0;
invalid:
	free(unit);
	return -EINVAL;
}

static int copy_text(char *to, size_t room, const char *text)
{
	return snprintf(to, room, "%s", text) < (int)room ? 0 : -EINVAL;
}

static int parse_form(struct vector *v, const char *text)
{
	for (size_t i = 0; i < sizeof(form_names) / sizeof(form_names[0]); i++)
		if (strcmp(form_names[i], text) == 0) {
			v->form = (enum vector_form)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_field(struct parser *p, const char *name, const char *value)
{
	struct vector *v = &p->now;

	if (strcmp(name, "source") == 0)
		return copy_text(p->source, sizeof(p->source), value);
	p->has_fields = true;
	if (strcmp(name, "name") == 0)
		return copy_text(v->name, sizeof(v->name), value);
	if (strcmp(name, "cipher") == 0)
		return copy_text(v->cipher, sizeof(v->cipher), value);
	if (strcmp(name, "mac") == 0)
		return copy_text(v->mac, sizeof(v->mac), value);
	if (strcmp(name, "form") == 0)
		return parse_form(v, value);
	if (strcmp(name, "tag-bytes") == 0) {
		v->tag_bytes = (uint32_t)strtoul(value, NULL, 10);
		return v->tag_bytes ? 0 : -EINVAL;
	}
	if (strcmp(name, "expect") == 0) {
		v->is_bad = true;
		return strcmp(value, "badmsg") == 0 ? 0 : -EINVAL;
	}
	for (size_t i = 0; i < BYTES_FIELDS; i++)
		if (strcmp(bytes_fields[i].name, name) == 0)
			return parse_bytes(bytes_at(v, i), value);
	return -EINVAL;
}

/* A blank line or the end of the file: the vector is complete. */
static int finish_vector(struct parser *p)
{
	struct vector *grown;

	if (!p->has_fields)
		return 0;
	if (!p->now.name[0] || !p->source[0])
		return -EINVAL;
	grown = realloc(p->file->vectors,
			(p->file->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memcpy(p->now.source, p->source, sizeof(p->source));
	grown[p->file->count++] = p->now;
	p->file->vectors = grown;
	memset(&p->now, 0, sizeof(p->now));
	p->has_fields = false;
	return 0;
}

static int parse_line(struct parser *p, char *line)
{
	char *end = line + strlen(line), *equals, *value;

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (*line == '#')
		return 0;
	if (!*line)
		return finish_vector(p);
	equals = strchr(line, '=');
	if (!equals || equals == line || equals[-1] != ' ')
		return -EINVAL;
	equals[-1] = '\0';
	value = equals + 1;
	while (*value == ' ')
		value++;
	return parse_field(p, line, value);
}

int vectors_load(struct vector_file *file, const char *path)
{
	struct parser p = { .file = file };
	FILE *stream = fopen(path, "r");
	unsigned int number = 0;
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	memset(file, 0, sizeof(*file));
	if (!stream) {
		r = -errno;
		perror(path);
		return r;
	}
	while (r == 0 && getline(&line, &room, stream) >= 0) {
		number++;
		r = parse_line(&p, line);
	}
	if (r == 0)
		r = finish_vector(&p);
	if (r == 0 && file->count == 0)
		r = -ENODATA;
	if (r) {
		fprintf(stderr, "%s:%u: %s\n", path, number, strerror(-r));
		vector_free(&p.now);
		vectors_free(file);
	}
	free(line);
	fclose(stream);
	return r;
}

void vectors_free(struct vector_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		vector_free(&file->vectors[i]);
	free(file->vectors);
	memset(file, 0, sizeof(*file));
}
