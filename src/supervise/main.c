/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiled half of reuse-run: reads the policy that the library would read, looks at the
 * program that it would be loaded into, supervises copies, and attends to a program that needs the
 * notify hook. reuse-run starts it; it is no command of its own.
 */
#include "../policy/source.h"
#include "attend.h"
#include "check.h"
#include "control.h"
#include "explain.h"
#include "options.h"
#include "prepare.h"
#include "say.h"
#include "standard.h"
#include "supervisor.h"
#include "watch.h"
#include "who.h"
#include "why.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct log say_log;

static int check(enum hook hook)
{
	const struct policy *policy = prepare_policy();

	if (!policy)
		return EX_CONFIG;
	check_print(policy, hook);
	if (fflush(stdout) == 0)
		return 0;
	perror("reuse-run: standard output");
	return EX_IOERR;
}

/* Looks at the program from where it will run. */
static int prepare_in(const struct options *options)
{
	const char *directory = options->directory;
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), error = here < 0 ? errno : 0;

	if (directory && chdir(directory) < 0) {
		fprintf(stderr, "reuse-run: --chdir %s: %s\n", directory, strerror(errno));
		return EX_CONFIG;
	}
	int status = prepare_program(options->hook, options->command[0], options->preload);
	if (here >= 0 && fchdir(here) < 0)
		error = errno;
	if (directory && error) {
		fprintf(stderr, "reuse-run: --chdir: the way back: %s\n", strerror(error));
		status = EX_OSERR;
	}
	if (here >= 0)
		close(here);
	return status;
}

static int run(int argc, char **argv)
{
	static struct options options;
	standard_fill();
	struct variables variables = variables_read(environ);

	if (!options_read(&options, argc, argv))
		return EX_USAGE;
	int status = prepare_in(&options);
	if (!prepare_is_permission(status))
		return status;
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);
	say_log = configuration->log;
	say_log.name = "reuse-run";
	return supervisor_run(&options, &configuration->policy);
}

/* OUTPUT is "table", "json" or "watch"; PORT is "0" for all. */
static int look(const char *output, const char *port_text)
{
	uint16_t port = (uint16_t)strtoul(port_text, NULL, 10);

	setlocale(LC_CTYPE, "");
	return strcmp(output, "watch") == 0 ? watch(port) : who(port, strcmp(output, "json") == 0);
}

/* PRELOAD is the LD_PRELOAD by which the program is hooked where we cannot; or NULL. */
static int attend_to(enum hook hook, const char *preload, char **arguments)
{
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);

	if (configuration->policy.broken) {
		fprintf(stderr, "%s", configuration->policy.broken);
		return EX_CONFIG;
	}
	return attend(configuration, arguments, hook == HOOK_NOTIFY, preload);
}

static int explain_program(const char *preload, char **arguments)
{
	struct log log = log_open(LOG_LEVEL_WARN, NULL, getenv("JOURNAL_STREAM"));

	log.name = "reuse-run";
	return explain(&log, preload, arguments);
}

int main(int argc, char **argv)
{
	enum hook hook = argc >= 3 ? hook_of(argv[2]) : HOOK_COUNT;

	if (argc == 3 && strcmp(argv[1], "check") == 0 && hook != HOOK_COUNT)
		return check(hook);
	if (argc == 5 && strcmp(argv[1], "prepare") == 0 && hook != HOOK_COUNT)
		return prepare_program(hook, argv[3], argv[4]);
	if (argc >= 4 && strcmp(argv[1], "attend") == 0 && hook != HOOK_COUNT)
		return attend_to(hook, NULL, argv + 3);
	if (argc >= 5 && strcmp(argv[1], "attend-or-preload") == 0 && hook != HOOK_COUNT)
		return attend_to(hook, argv[3], argv + 4);
	if (argc >= 4 && strcmp(argv[1], "explain") == 0)
		return explain_program(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "roll") == 0)
		return control_roll(argv[2]);
	if (argc == 4 && strcmp(argv[1], "who") == 0)
		return look(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "why") == 0)
		return why(argv[2], *argv[3] ? argv[3] : NULL);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return run(argc - 1, argv + 1);
	fprintf(stderr, "This is a part of reuse-run(1), which starts it.\n");
	return EX_USAGE;
}
