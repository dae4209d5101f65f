/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.c - paravoxd ctl: ask a running relay */

#include "relay/ctl.h"
#include "base/bytes.h"
#include "base/option.h"
#include "base/unix_socket.h"
#include "relay/admin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_ROOM 256 /* a command and its operand */

struct ctl_options {
	const char *admin;
};

static const struct option_row rows[] = {
	{ "admin", "PATH", "the relay's socket", .kind = OPTION_TEXT,
	  .offset = offsetof(struct ctl_options, admin),
	  .standard = "/run/paravoxd/admin" },
	{ "help", NULL, "print this", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_HELP },
};

static const struct option_table table = {
	.program = "paravoxd ctl",
	.usage = "[--admin=PATH] COMMAND [OPERAND]",
	.about = "Ask a running relay, as its user or as root.",
	.row = rows,
	.rows = ARRAY_SIZE(rows),
};

/* Options stand in front of the command. */
static int count_options(int argc, char **argv)
{
	int count = 1;

	while (count < argc && argv[count][0] == '-') {
		bool has_value = strcmp(argv[count], "--admin") == 0;

		count += 1 + (has_value && count + 1 < argc);
	}
	return count;
}

static int line_make(char line[LINE_ROOM], int argc, char **argv)
{
	size_t used = 0;

	for (int i = 0; i < argc; i++) {
		int more = snprintf(line + used, LINE_ROOM - used, "%s%s",
				    argv[i], i + 1 < argc ? " " : "\n");

		used += (size_t)more;
		if (used >= LINE_ROOM)
			return -EMSGSIZE;
	}
	return strchr(line, '\n') == line + used - 1 ? 0 : -EINVAL;
}

/* Copy the answer behind its first line, which is the outcome. */
static int print_answer(FILE *answer)
{
	char line[4096];

	if (!fgets(line, sizeof(line), answer)) {
		fputs("paravoxd ctl: the relay does not answer: its user and "
		      "root may ask\n",
		      stderr);
		return 1;
	}
	if (strcmp(line, "ok\n") != 0) {
		fprintf(stderr, "paravoxd ctl: %s", line);
		return 1;
	}
	while (fgets(line, sizeof(line), answer))
		fputs(line, stdout);
	return ferror(answer) || fflush(stdout) ? 1 : 0;
}

static int ask(const char *path, const char *line)
{
	int fd = unix_socket_connect(path);
	FILE *answer;
	int status;

	if (fd < 0) {
		fprintf(stderr,
			"paravoxd ctl: %s: %s; does a relay run with --admin "
			"of this path?\n",
			path, strerror(-fd));
		return 1;
	}
	answer = fdopen(fd, "r");
	if (!answer || send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		fprintf(stderr, "paravoxd ctl: %s: %s\n", path,
			strerror(errno));
		status = 1;
	} else {
		status = print_answer(answer);
	}
	if (answer)
		fclose(answer);
	else
		close(fd);
	return status;
}

int ctl_main(int argc, char **argv)
{
	struct ctl_options options = { NULL };
	int words = count_options(argc, argv), outcome;
	char line[LINE_ROOM];

	option_defaults(&table, &options);
	outcome = option_parse(&table, &options, words, argv);
	if (outcome == OPTION_OUTCOME_HELP) {
		option_print_help(&table, stdout);
		puts("\ncommands:");
		admin_print_commands(stdout);
		return 0;
	}
	if (!outcome && words == argc)
		fputs("paravoxd ctl: which command? see --help\n", stderr);
	if (outcome || words == argc)
		return 2;
	if (line_make(line, argc - words, argv + words)) {
		fputs("paravoxd ctl: that is no command\n", stderr);
		return 2;
	}
	return ask(options.admin, line);
}
