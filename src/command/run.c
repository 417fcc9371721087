/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include "choose/prepare.h"
#include "explain.h"
#include "ground/errnos.h"
#include "ground/exit_status.h"
#include "ground/standard.h"
#include "kernel/own_cgroup.h"
#include "library.h"
#include "notify/parent.h"
#include "policy/source.h"
#include "supervise/env_file.h"
#include "supervise/expand.h"
#include "supervise/supervisor.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- checking the program ---- */

/*
 * Checks the program from DIRECTORY, where the first copy will run; NULL: from here. PRELOAD is its
 * LD_PRELOAD, with our library or without.
 */
static int prepare_in(
	const struct options *options, const char *directory, const char *preload, bool is_copy)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), error = here < 0 ? errno : 0;

	if (directory && chdir(directory) < 0) {
		fprintf(stderr, "reuse-run: --chdir %s: %s\n", directory, strerror(errno));
		if (here >= 0)
			close(here);
		return EX_CONFIG;
	}
	int status = prepare_program(options->hook, options->command[0], preload, is_copy);
	if (here >= 0 && fchdir(here) < 0)
		error = errno;
	if (directory && error) {
		fprintf(stderr,
			"reuse-run: --chdir: cannot return to the directory where it was started: "
			"%s\n",
			strerror(error));
		status = EX_OSERR;
	}
	if (here >= 0)
		close(here);
	return status;
}

/*
 * TEXT as it is for copy SLOT of the first generation, to be freed; or NULL, which has been
 * reported.
 */
static char *text_for(const struct options *options, const char *text, unsigned slot)
{
	char *expanded = options->is_expanded ? expand_text(text, slot, 1) : strdup(text);

	if (!expanded)
		perror("reuse-run: --expand");
	return expanded;
}

/* A copy without its settings would end and be started again for ever. */
static int check_settings(const struct options *options)
{
	unsigned n_files = options->is_expanded ? options->n_copies : 1;

	for (unsigned slot = 0; options->env_file && slot < n_files; slot++) {
		char *file = text_for(options, options->env_file, slot);
		bool is_good = file && env_file_check(file);
		free(file);
		if (!is_good)
			return EX_CONFIG;
	}
	return 0;
}

static int prepare_for_copies(const struct options *options, const char *preload, bool is_copy)
{
	int status = check_settings(options);

	if (status)
		return status;
	if (!options->directory)
		return prepare_in(options, NULL, preload, is_copy);
	char *directory = text_for(options, options->directory, 0);
	if (!directory)
		return EX_OSERR;
	status = prepare_in(options, directory, preload, is_copy);
	free(directory);
	return status;
}

static int prepare(const struct command *command, const char *preload, bool is_copy)
{
	int status = prepare_for_copies(&command->options, preload, is_copy);

	if (status == EXIT_NOT_FOUND && command->one_word)
		fprintf(stderr,
			"reuse-run: -r %s is one word; a rule with blanks needs quotes, as in -r "
			"'tcp port=80 -> share'\n",
			command->one_word);
	return status;
}

/* ---- the program under a hook ---- */

int run_as_parent(const struct options *options)
{
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);

	if (configuration->policy.broken) {
		fprintf(stderr, "%s", configuration->policy.broken);
		return EX_CONFIG;
	}
	/* One hook is enough: a library must not change the calls that this one sees. */
	library_remove();
	return parent_run(
		configuration, options->command, options->hook == HOOK_NOTIFY, options->preload);
}

static int execute(char **words)
{
	execvp(words[0], words);
	int error = errno;
	fprintf(stderr, "reuse-run: %s: cannot be run: %s\n", words[0], errno_name(error));
	return exit_status_for(error);
}

static int become(const struct options *options)
{
	/* Without it, the program would do what no rule allows. */
	if (setenv("LD_PRELOAD", options->preload, true) < 0) {
		perror("reuse-run");
		return EX_OSERR;
	}
	return execute(options->command);
}

static int become_in_cgroup(const struct options *options)
{
	int status = own_cgroup_enter();

	if (status)
		return status;
	library_remove(); /* one hook is enough here, too */
	return execute(options->command);
}

static int supervise(struct options *options)
{
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);

	unsetenv("LD_PRELOAD");
	say_log = configuration->log;
	say_log.name = "reuse-run";
	return supervisor_run(options, &configuration->policy);
}

/* ---- running it ---- */

/* LD_PRELOAD with the library, as a new string, or NULL, which has been reported. */
static char *preload_with_library(void)
{
	char *library = library_find(), *preload = library ? library_add(library) : NULL;

	if (library && !preload)
		perror("reuse-run");
	free(library);
	return preload;
}

static int run_copies(struct command *command)
{
	struct options *options = &command->options;

	standard_fill();
	options->preload = preload_with_library();
	if (!options->preload)
		return EX_CONFIG;
	int status = prepare(command, options->preload, true);
	if (prepare_is_permission(status))
		status = supervise(options);
	free((char *)(uintptr_t)options->preload);
	return status;
}

static int explain_start(int (*start)(const struct options *options), const struct options *options)
{
	struct log log = log_open(LOG_LEVEL_WARN, NULL, getenv("JOURNAL_STREAM"));

	log.name = "reuse-run";
	return explain(&log, start, options);
}

static int run_program(struct command *command)
{
	struct options *options = &command->options;
	int status = prepare(command, library_preloaded(), false);

	if (!prepare_is_permission(status))
		return status;
	if (status == PREPARE_KERNEL)
		return become_in_cgroup(options);
	if (status == PREPARE_PRELOAD_ASAN)
		prepare_for_asan();
	bool is_notified = status == PREPARE_NOTIFY || status == PREPARE_NOTIFY_OR_PRELOAD;
	if (is_notified)
		library_remove();
	if (status != PREPARE_NOTIFY)
		options->preload = preload_with_library();
	if (status != PREPARE_NOTIFY && !options->preload)
		return EX_CONFIG;
	int (*const start)(const struct options *options) = is_notified ? run_as_parent : become;
	status = command->is_explained ? explain_start(start, options) : start(options);
	free((char *)(uintptr_t)options->preload);
	return status;
}

int run(struct command *command)
{
	return command_is_supervised(command) ? run_copies(command) : run_program(command);
}
