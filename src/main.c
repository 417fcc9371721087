/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reuse-run: reads the command line and runs it. The script of that name finds this program and
 * executes it; started directly, it does the same.
 */
#include "choose/prepare.h"
#include "command/command.h"
#include "command/environment.h"
#include "command/help.h"
#include "command/library.h"
#include "command/run.h"
#include "ground/number.h"
#include "ground/system.h"
#include "report/check.h"
#include "report/watch.h"
#include "report/who.h"
#include "report/why.h"
#include "supervise/stop_process.h"
#include "supervise/talk/ask.h"
#include "supervise/talk/say.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

struct log say_log;

/* ---- verbs ---- */

static int finish_output(int status)
{
	if (fflush(stdout) == 0)
		return status;
	perror("reuse-run: standard output");
	return EX_IOERR;
}

static int check(enum hook hook)
{
	const struct policy *policy = prepare_policy();

	if (!policy)
		return EX_CONFIG;
	check_print(policy, hook);
	return finish_output(0);
}

static int look(const struct command *command)
{
	const char *target = command->target ? command->target : "0"; /* 0: any port */
	uint16_t port = (uint16_t)number_of(target, strlen(target), UINT16_MAX);

	setlocale(LC_CTYPE, "");
	return command->is_watched ? watch(port) : who(port, command->is_json);
}

static int show_status(const struct command *command)
{
	return command->target ? ask_status(command->target, command->is_json)
			       : ask_status_of_all(command->is_json);
}

static int stop(const struct command *command)
{
	const char *target = command->target ? command->target : "";
	bool is_quiet = command->level && strcmp(command->level, "error") == 0;

	say_log = (struct log){.name = "reuse-run",
		.level = is_quiet ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
		.standard_error = file_identity_of(STDERR_FILENO)};
	return stop_process(target, &command->options);
}

/* ---- the name ---- */

/*
 * The name in ps, pgrep and --who. ps -f shows the arguments from where the kernel has put them,
 * one after the other (/proc/PID/cmdline in proc(5)): those after a shorter name are moved up to
 * it.
 */
static void take_name(int argc, char **argv)
{
	static const char name[] = "reuse-run";

	prctl(PR_SET_NAME, name);
	if (argc == 0 || strlen(argv[0]) < strlen(name))
		return;
	size_t gap = strlen(argv[0]) - strlen(name);
	char *end = strcpy(argv[0], name) + sizeof name;
	for (int i = 1; i < argc; i++) {
		if (argv[i] != end + gap)
			return;
		size_t size = strlen(argv[i]) + 1;
		argv[i] = memmove(end, argv[i], size);
		end += size;
	}
	memset(end, '\0', gap);
}

/* ---- main ---- */

static int act(struct command *command)
{
	switch (command->verb) {
	case COMMAND_HELP:
		help_print(stdout);
		return finish_output(0);
	case COMMAND_VERSION:
		puts("reuse-run (libreuse) " LIBREUSE_VERSION);
		return finish_output(0);
	case COMMAND_WHO:
		return finish_output(look(command));
	case COMMAND_WHY:
		return finish_output(why(command->target, command->user));
	case COMMAND_ROLL:
		return ask_roll(command->target);
	case COMMAND_SCALE:
		return ask_scale(command->target, command->options.n_copies);
	case COMMAND_STOP:
		return stop(command);
	case COMMAND_STATUS:
		return finish_output(show_status(command));
	case COMMAND_PARENT:
		return run_as_parent(&command->options);
	case COMMAND_CHECK:
	case COMMAND_RUN:
		break;
	}
	int status = environment_set(command);
	if (status)
		return status;
	return command->verb == COMMAND_CHECK ? check(command->options.hook) : run(command);
}

int main(int argc, char **argv)
{
	struct command command;

	take_name(argc, argv);
	library_step_out(argv);
	int status = command_read(&command, argv + (argc > 0));
	if (!status)
		status = act(&command);
	command_free(&command);
	return status;
}
