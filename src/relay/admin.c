/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c - what an operator asks a running relay */

#include "relay/admin.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/mutant.h"
#include "base/option.h"
#include "relay/conn.h"
#include "relay/counters.h"
#include "relay/drain.h"
#include "relay/options.h"
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY_DIGITS (2 * CHAT_KEY_BYTES)

struct command {
	const char *name;
	const char *operand; /* as shown; "" for none */
	const char *help;
	bool needs_operand;
	/* NULL, or why not. `operand` is "" without one. */
	const char *(*run)(struct relay *relay, const char *operand, FILE *out);
};

/* --- one device, by the first digits of its key ------------------------- */

/* Whether `key` begins with the digits; all of it may be given. */
static bool key_begins(const uint8_t key[CHAT_KEY_BYTES], const char *digits)
{
	char text[KEY_DIGITS + 1];

	bytes_to_hex(text, key, CHAT_KEY_BYTES);
	return strncasecmp(text, digits, strlen(digits)) == 0;
}

static bool is_prefix(const char *digits)
{
	size_t count = strlen(digits);

	return count >= ADMIN_PREFIX_MIN && count <= KEY_DIGITS &&
	       strspn(digits, "0123456789abcdefABCDEF") == count;
}

/* What a search by first digits has come to. */
struct found {
	uint8_t key[CHAT_KEY_BYTES];
	bool is_found;
	bool is_several;
};

static void found_add(struct found *found, const uint8_t *key,
		      const char *digits)
{
	if (!key_begins(key, digits))
		return;
	if (found->is_found && memcmp(found->key, key, CHAT_KEY_BYTES) != 0)
		found->is_several = true;
	memcpy(found->key, key, CHAT_KEY_BYTES);
	found->is_found = true;
}

static const char *found_fault(const struct found *found, const char *digits)
{
	if (!is_prefix(digits))
		return "a device is named by 8 to 64 hexadecimal digits";
	if (found->is_several)
		return "several devices begin so: give more digits";
	return found->is_found ? NULL : "no such device";
}

/* Of those that are here. NULL, or why there is no one. */
static const char *device_find(struct relay *relay, const char *digits,
			       uint8_t key[CHAT_KEY_BYTES])
{
	struct found found = { .is_found = false };

	if (is_prefix(digits))
		list_for_each (link, &relay->conns) {
			struct conn *conn = list_entry(link, struct conn, link);

			if (conn->member)
				found_add(&found, conn->member->device_key,
					  digits);
		}
	memcpy(key, found.key, CHAT_KEY_BYTES);
	return found_fault(&found, digits);
}

static unsigned int device_remove(struct relay *relay,
				  const uint8_t key[CHAT_KEY_BYTES])
{
	unsigned int count = 0;

	list_for_each (link, &relay->conns) {
		struct conn *conn = list_entry(link, struct conn, link);

		if (!conn->member ||
		    memcmp(conn->member->device_key, key, CHAT_KEY_BYTES) != 0)
			continue;
		conn_doom(conn, CHAT_CODE_REMOVED, "by the operator");
		count++;
	}
	return count;
}

static void print_key(FILE *out, const uint8_t *bytes, size_t count)
{
	char text[KEY_DIGITS + 1];

	bytes_to_hex(text, bytes, count);
	fputs(text, out);
}

/* --- commands ----------------------------------------------------------- */

static const char *run_stats(struct relay *relay, const char *operand,
			     FILE *out)
{
	counters_write_text(out, relay);
	return NULL;
}

static void print_members(const struct room *room, FILE *out)
{
	const struct member *m = room->members;

	for (; m; m = m->hh.next) {
		fputs("  ", out);
		print_key(out, m->device_key, ADMIN_DEVICE_BYTES);
		fprintf(out, " %u\n", m->conn_count);
	}
}

/* All of them; with the first digits of one, its devices too. */
static const char *run_rooms(struct relay *relay, const char *operand,
			     FILE *out)
{
	for (struct room *r = relay->rooms; r; r = r->hh.next) {
		if (!key_begins(r->id, operand))
			continue;
		print_key(out, r->id, ADMIN_ID_BYTES);
		fprintf(out, " %u devices, %u connections\n",
			HASH_COUNT(r->members), r->conn_count);
		if (*operand)
			print_members(r, out);
	}
	return NULL;
}

static const char *run_kick(struct relay *relay, const char *operand, FILE *out)
{
	uint8_t key[CHAT_KEY_BYTES];
	const char *fault = device_find(relay, operand, key);

	if (fault)
		return fault;
	fprintf(out, "%u connections ended\n", device_remove(relay, key));
	return NULL;
}

/* One that is here, or any by its whole key. */
static const char *run_ban(struct relay *relay, const char *operand, FILE *out)
{
	uint8_t key[CHAT_KEY_BYTES];
	const char *fault = NULL;
	int error;

	if (strlen(operand) != KEY_DIGITS ||
	    bytes_from_hex(key, sizeof(key), operand) != CHAT_KEY_BYTES)
		fault = device_find(relay, operand, key);
	if (fault)
		return fault;
	error = bans_add(&relay->bans, key);
	if (error)
		return error == -EEXIST ? "is banned already"
					: strerror(-error);
	log_info("a device was banned: %u in all",
		 HASH_COUNT(relay->bans.table));
	fprintf(out, "%u connections ended\n", device_remove(relay, key));
	return NULL;
}

static const char *run_unban(struct relay *relay, const char *operand,
			     FILE *out)
{
	struct found found = { .is_found = false };
	const char *fault;
	int error;

	if (is_prefix(operand))
		for (struct ban *b = relay->bans.table; b; b = b->hh.next)
			found_add(&found, b->device_key, operand);
	fault = found_fault(&found, operand);
	if (fault)
		return fault;
	error = bans_remove(&relay->bans, found.key);
	return error ? strerror(-error) : NULL;
}

static const char *run_bans(struct relay *relay, const char *operand, FILE *out)
{
	for (struct ban *b = relay->bans.table; b; b = b->hh.next) {
		print_key(out, b->device_key, ADMIN_DEVICE_BYTES);
		fputc('\n', out);
	}
	return NULL;
}

static const char *run_drain(struct relay *relay, const char *operand,
			     FILE *out)
{
	uint64_t seconds = RELAY_DRAIN_S;

	if (*operand && option_number(&seconds, operand, 0, RELAY_DRAIN_MAX_S))
		return "takes 0 to 86400 seconds";
	relay_drain(relay, seconds * 1000);
	fprintf(out, "%llu clients, %llu s\n",
		(unsigned long long)relay->client_count,
		(unsigned long long)seconds);
	return NULL;
}

static const struct command commands[] = {
	{ "stats", "", "numbers of what it has and has done", false,
	  run_stats },
	{ "rooms", "[ROOM]", "rooms, and the devices of one", false,
	  run_rooms },
	{ "kick", "DEVICE", "end a device's connections", true, run_kick },
	{ "ban", "DEVICE", "the same, and let it not come again", true,
	  run_ban },
	{ "unban", "DEVICE", "let it come again", true, run_unban },
	{ "bans", "", "devices that may not come", false, run_bans },
	{ "drain", "[SECONDS]",
	  "take no more clients, send all away within that\n"
	  "time (30), and stop",
	  false, run_drain },
};

void admin_print_commands(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];
		const char *help = c->help;
		char left[32];

		snprintf(left, sizeof(left), "%s %s", c->name, c->operand);
		fprintf(out, "  %-16s ", left);
		for (; *help; help++) {
			fputc(*help, out);
			if (*help == '\n')
				fprintf(out, "  %-16s ", "");
		}
		fputc('\n', out);
	}
}

static const char *run(struct relay *relay, char *line, FILE *out)
{
	const char *name = strtok_r(line, " \t\r\n", &line);
	const char *operand = name ? strtok_r(NULL, " \t\r\n", &line) : NULL;
	const char *more = operand ? strtok_r(NULL, " \t\r\n", &line) : NULL;

	for (size_t i = 0; name && i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (more || (operand && !*c->operand))
			return "too many operands";
		if (!operand && c->needs_operand)
			return "an operand is missing";
		return c->run(relay, operand ? operand : "", out);
	}
	return "no such command";
}

void admin_command(struct relay *relay, const char *line, FILE *out)
{
	char *words = strdup(line), *body = NULL;
	size_t body_bytes = 0;
	FILE *text = open_memstream(&body, &body_bytes);
	const char *fault =
		words && text ? run(relay, words, text) : "no memory";

	if (text && fclose(text))
		fault = "no memory";
	if (fault)
		fprintf(out, "error: %s\n", fault);
	else
		fprintf(out, "ok\n%s", body);
	free(body);
	free(words);
}

/* --- the socket --------------------------------------------------------- */

bool admin_is_welcome(uid_t peer, uid_t own)
{
	return CHECK(admin_peer, peer == 0 || peer == own);
}

bool admin_peer_is_welcome(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	       admin_is_welcome(peer.uid, geteuid());
}

static bool is_welcome(int fd)
{
	if (admin_peer_is_welcome(fd))
		return true;
	log_warning("admin: a stranger was turned away");
	return false;
}

static int answer(void *owner, struct query_client *client, FILE *out)
{
	const char *fault = NULL;

	if (strcmp(client->question, TAKEOVER_QUESTION) == 0)
		fault = takeover_offer(owner, client->fd);
	else
		admin_command(owner, client->question, out);
	if (fault)
		fprintf(out, "error: %s\n", fault);
	return 0;
}

static const struct query_service service = { .is_welcome = is_welcome,
					      .answer = answer };

int admin_open(struct relay *relay, const char *path)
{
	return query_server_open(&relay->admin, relay->loop, path, 0600,
				 &service, relay);
}

int admin_adopt(struct relay *relay, int fd, bool is_ours)
{
	int error = query_server_adopt(&relay->admin, relay->loop, fd, &service,
				       relay);

	if (!error && is_ours)
		relay->admin.listener.path = relay->options->admin;
	return error;
}

void admin_close(struct relay *relay)
{
	query_server_close(&relay->admin);
}
