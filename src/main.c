/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reuse-run: reads what was typed, and does it. The script of that name finds this program and
 * becomes it; started directly, it does the same.
 */
#include "command/command.h"
#include "command/environment.h"
#include "command/help.h"
#include "command/library.h"
#include "errnos.h"
#include "policy/source.h"
#include "supervise/attend.h"
#include "supervise/check.h"
#include "supervise/control.h"
#include "supervise/prepare.h"
#include "supervise/say.h"
#include "supervise/supervisor.h"
#include "supervise/watch.h"
#include "supervise/who.h"
#include "supervise/why.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126 /* as shells have them */
#define EXIT_NOT_FOUND	    127

struct log say_log;

/* ---- verbs ---- */

static int finish_output(int status)
{
	if (fflush(stdout) == 0)
		return status;
	perror("reuse-run: standard output");
	return EX_IOERR;
}

static int print_version(void)
{
	puts("reuse-run (libreuse) " LIBREUSE_VERSION);
	return finish_output(0);
}

static int print_help(void)
{
	help_print(stdout);
	return finish_output(0);
}

static int check(void)
{
	const struct policy *policy = prepare_policy();

	if (!policy)
		return EX_CONFIG;
	check_print(policy);
	return finish_output(0);
}

static int look(const struct command *command)
{
	const char *target = command->target ? command->target : "0"; /* 0: any port */
	uint16_t port = (uint16_t)strtoul(target, NULL, 10);

	setlocale(LC_CTYPE, "");
	return command->is_watched ? watch(port) : who(port, command->is_json);
}

static int explain_refusal(const struct command *command)
{
	bool has_user = command->user && *command->user;

	return why(command->target, has_user ? command->user : NULL);
}

/* ---- the program ---- */

/* Looks at the program from where it will run. */
static int prepare_in(const struct options *options)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	const char *directory = options->directory;

	if (directory && chdir(directory) < 0) {
		fprintf(stderr, "reuse-run: --chdir %s: %s\n", directory, strerror(errno));
		return EX_CONFIG;
	}
	int status = prepare_program(options->hook, options->command[0]);
	if (directory && (here < 0 || fchdir(here) < 0)) {
		perror("reuse-run: --chdir: the way back");
		status = EX_OSERR;
	}
	if (here >= 0)
		close(here);
	return status;
}

static int prepare(const struct command *command)
{
	int status = prepare_in(&command->options);

	if (status == EXIT_NOT_FOUND && command->one_word)
		fprintf(stderr,
			"reuse-run: -r %s is one word; a rule with blanks needs quotes, as in -r "
			"'tcp port=80 -> share'\n",
			command->one_word);
	return status;
}

static int attend_under_notify(const struct options *options)
{
	/* One hook is enough: what this one sees, a library must not change too. */
	library_remove();
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);

	if (configuration->policy.broken) {
		fprintf(stderr, "%s", configuration->policy.broken);
		return EX_CONFIG;
	}
	return attend(configuration, options->command, options->hook == HOOK_NOTIFY);
}

static int supervise(struct options *options)
{
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);

	say_log = configuration->log;
	say_log.name = "reuse-run";
	return supervisor_run(options, &configuration->policy);
}

static int supervise_with(struct options *options, const char *library)
{
	char *preload = library_add(library);

	if (!preload) {
		perror("reuse-run");
		return EX_OSERR;
	}
	unsetenv("LD_PRELOAD");
	options->preload = preload;
	int status = supervise(options);
	free(preload);
	return status;
}

static int become_with(char **words, const char *library)
{
	char *preload = library_add(library);

	if (!preload || setenv("LD_PRELOAD", preload, true) < 0) {
		perror("reuse-run");
		return EX_OSERR;
	}
	execvp(words[0], words);
	int error = errno;
	fprintf(stderr, "reuse-run: %s: cannot be run: %s\n", words[0], errno_name(error));
	free(preload);
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int run(struct command *command)
{
	struct options *options = &command->options;
	int status = prepare(command);

	if (status == PREPARE_NOTIFY && !command_is_supervised(command))
		return attend_under_notify(options);
	if (status && status != PREPARE_NOTIFY)
		return status;
	char *library = library_find();
	if (!library)
		return EX_CONFIG;
	status = command_is_supervised(command) ? supervise_with(options, library)
						: become_with(options->command, library);
	free(library);
	return status;
}

/* ---- all of it ---- */

static int act(struct command *command)
{
	switch (command->verb) {
	case COMMAND_HELP:
		return print_help();
	case COMMAND_VERSION:
		return print_version();
	case COMMAND_WHO:
		return look(command);
	case COMMAND_WHY:
		return explain_refusal(command);
	case COMMAND_ROLL:
		return control_roll(command->target);
	case COMMAND_ATTEND:
		return attend_under_notify(&command->options);
	case COMMAND_CHECK:
	case COMMAND_RUN:
		break;
	}
	int status = environment_set(command);
	if (status)
		return status;
	return command->verb == COMMAND_CHECK ? check() : run(command);
}

int main(int argc, char **argv)
{
	struct command command;

	prctl(PR_SET_NAME, "reuse-run"); /* in ps, pgrep and --who */
	library_step_out(argv);
	int status = command_read(&command, argv + (argc > 0));
	if (!status)
		status = act(&command);
	command_free(&command);
	return status;
}
