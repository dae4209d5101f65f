/* SPDX-License-Identifier: Apache-2.0 */
/* command.c - the subcommands of paravox as a table: dispatch and help */

#include "client/command.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutant.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#ifndef PVX_VERSION
#error "the build passes the version"
#endif

static const struct {
	const char *name;
	const char *value; /* NULL: none */
	const char *help;
} option_table[] = {
	[OPTION_SERVER] = { "server", "HOST:PORT",
			    "the relay; also [::1]:PORT, plain:HOST:PORT, "
			    "unix:PATH" },
	[OPTION_FINGERPRINT] = { "fingerprint", "SHA256",
				 "the relay's key, as its operator says it" },
	[OPTION_OWN] = { "own", NULL, "type the passphrase yourself" },
	[OPTION_ROOM] = { "room", "FILE", "the room file" },
	[OPTION_NICK] = { "nick", "NAME", "the name that members see" },
	[OPTION_CRYPTO] = { "crypto", "PROVIDER",
			    "openssl (default), cryptodev[:PATH] or afalg" },
	[OPTION_COUNT] = { "count", "N", "stop after N messages" },
	[OPTION_SINCE] = { "since", "N|TIME",
			   "from behind message N on, or 10m, 2h, 3d, a date" },
	[OPTION_WAIT] = { "wait", "SECONDS",
			  "how long the relay may be out of reach" },
	[OPTION_PROVIDER] = { "provider", "PROVIDER",
			      "only this provider of crypto sessions" },
	[OPTION_JSON] = { "json", NULL, "print JSON, one object on a line" },
	[OPTION_HELP] = { "help", NULL, "print this help" },
};
_Static_assert(ARRAY_SIZE(option_table) == OPTIONS, "a row for each option");

static bool takes(const struct command *command, int option)
{
	return option == OPTION_HELP || command->options & 1u << option;
}

static void print_usage(const struct command *command, FILE *to)
{
	fprintf(to, "paravox %s", command->name);
	for (int i = 0; i < OPTIONS; i++) {
		bool is_required = command->required & 1u << i;
		const char *value = option_table[i].value;

		if (!(command->options & 1u << i))
			continue;
		fprintf(to, is_required ? " --%s" : " [--%s",
			option_table[i].name);
		if (value)
			fprintf(to, " %s", value);
		fputs(is_required ? "" : "]", to);
	}
	if (*command->operands)
		fprintf(to, " %s", command->operands);
	fputc('\n', to);
}

static void print_command_help(const struct command *command)
{
	fputs("usage: ", stdout);
	print_usage(command, stdout);
	printf("\n%s\n", command->summary);
	if (command->details)
		printf("%s\n", command->details);
	fputs("\noptions:\n", stdout);
	for (int i = 0; i < OPTIONS; i++) {
		char left[40];

		if (!takes(command, i))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", option_table[i].name,
			 option_table[i].value ? " " : "",
			 option_table[i].value ? option_table[i].value : "");
		printf("  %-22s %s\n", left, option_table[i].help);
	}
}

void command_print_help(const struct command *table, FILE *to)
{
	fputs("usage: paravox COMMAND [OPTION...] [OPERAND...]\n"
	      "\n"
	      "Group chat that only the members of a room can read.\n"
	      "\n"
	      "commands:\n",
	      to);
	for (const struct command *c = table; c->name; c++)
		fprintf(to, "  %-16s %s\n", c->name, c->summary);
	fputs("\n"
	      "  paravox COMMAND --help   what a command takes\n"
	      "  paravox --version        the version\n",
	      to);
}

/*
 * The row whose words are the first of `argv`; the longest name wins ("id
 * verify" over "id"). `words` becomes their number.
 */
static const struct command *find(const struct command *table, int argc,
				  char **argv, int *words)
{
	const struct command *found = NULL;
	char both[64];

	*words = 0;
	snprintf(both, sizeof(both), "%s %s", argv[0], argc > 1 ? argv[1] : "");
	for (const struct command *c = table; c->name; c++) {
		bool has_two = strchr(c->name, ' ');

		if (strcmp(c->name, has_two ? both : argv[0]) == 0 &&
		    *words < 1 + has_two) {
			found = c;
			*words = 1 + has_two;
		}
	}
	return found;
}

/* Whether `word` is the first of two in some name. */
static bool is_group(const struct command *table, const char *word)
{
	size_t bytes = strlen(word);

	for (const struct command *c = table; c->name; c++)
		if (strncmp(c->name, word, bytes) == 0 && c->name[bytes] == ' ')
			return true;
	return false;
}

static void print_group(const struct command *table, const char *word, FILE *to)
{
	size_t bytes = strlen(word);

	fputs("usage:\n", to);
	for (const struct command *c = table; c->name; c++)
		if (strncmp(c->name, word, bytes) == 0) {
			fputs("  ", to);
			print_usage(c, to);
		}
}

/* No command, or the first word of several. */
static int refuse_unknown(const struct command *table, int argc, char **argv)
{
	if (!is_group(table, argv[0])) {
		log_error("there is no command \"%s\"; see paravox --help",
			  argv[0]);
		return EXIT_USAGE;
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_group(table, argv[0], stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 1)
		log_error("there is no command \"%s %s\"", argv[0], argv[1]);
	print_group(table, argv[0], stderr);
	return EXIT_USAGE;
}

static int usage_error(const struct command *command)
{
	fputs("usage: ", stderr);
	print_usage(command, stderr);
	return EXIT_USAGE;
}

/* Read the options; 0, or EXIT_USAGE after a message. argv[0] is skipped. */
static int read_options(const struct command *command, int argc, char **argv,
			struct arguments *arguments)
{
	struct option long_options[OPTIONS + 1] = { 0 };
	int found, count = 0;

	for (int i = 0; i < OPTIONS; i++)
		if (takes(command, i))
			long_options[count++] =
				(struct option){ option_table[i].name,
						 option_table[i].value
							 ? required_argument
							 : no_argument,
						 NULL, 256 + i };
	optind = 0;
	opterr = 0;
	while ((found = getopt_long(argc, argv, ":", long_options, NULL)) >=
	       0) {
		if (found >= 256) {
			arguments->value[found - 256] = optarg ? optarg : "";
			continue;
		}
		log_error(found == ':' ? "%s needs a value"
				       : "%s is not an option here",
			  argv[optind - 1]);
		return usage_error(command);
	}
	arguments->operand_count = argc - optind;
	arguments->operands = argv + optind;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct arguments arguments = { 0 };
	int status = read_options(command, argc, argv, &arguments);

	if (status)
		return status;
	if (arguments.value[OPTION_HELP]) {
		print_command_help(command);
		return EXIT_SUCCESS;
	}
	for (int i = 0; i < OPTIONS; i++)
		if (command->required & 1u << i && !arguments.value[i]) {
			log_error("--%s %s is missing", option_table[i].name,
				  option_table[i].value);
			return usage_error(command);
		}
	if (arguments.operand_count < command->operands_min) {
		log_error("%s is missing", command->operands);
		return usage_error(command);
	}
	if (arguments.operand_count > command->operands_max) {
		log_error("\"%s\" is too many: this command takes %s",
			  arguments.operands[command->operands_max],
			  *command->operands ? command->operands
					     : "options only");
		return usage_error(command);
	}
	return command->run(&arguments);
}

/*
 * Every process of the machine can read a command line, and shells keep it:
 * what opens a room may not be given there. Not shown again in the message.
 */
static bool has_secret(int argc, char **argv)
{
	static const char *const prefixes[] = { "paravox1:", "paravox-room1:",
						"paravox-identity1:" };

	for (int i = 1; i < argc; i++)
		for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++)
			if (strstr(argv[i], prefixes[p]))
				return true;
	return false;
}

static int dispatch(const struct command *table, int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc < 2) {
		command_print_help(table, stderr);
		return EXIT_USAGE;
	}
	if (!CHECK(argv_secret, !has_secret(argc, argv))) {
		log_error("a link or key on the command line is refused: every "
			  "process of this machine can read it there, and "
			  "shells keep it");
		log_error("give it on standard input: paravox room join FILE; "
			  "and think of this one as known to others");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		command_print_help(table, stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("paravox " PVX_VERSION);
		return EXIT_SUCCESS;
	}
	command = find(table, argc - 1, argv + 1, &words);
	if (!command)
		return refuse_unknown(table, argc - 1, argv + 1);
	return run(command, argc - words, argv + words);
}

int command_dispatch(const struct command *table, int argc, char **argv)
{
	int status = dispatch(table, argc, argv);

	/* What was printed may have met a full disk without a word. */
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_SUCCESS) {
		log_error("standard output: %s", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}
