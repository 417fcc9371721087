/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "environment.h"

#include "made_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define STRING_PAGES 32 /* of one string of the environment (MAX_ARG_STRLEN, see execve(2)) */

/* Sets a variable to VALUE, which is freed; NULL: there was no memory for it. */
static int set(const char *name, char *value)
{
	int status = 0;

	if (!value || setenv(name, value, true) < 0) {
		perror("reuse-run");
		status = EX_OSERR;
	}
	free(value);
	return status;
}

/* A relative name is relative to the folder that reuse-run was started in. */
static int set_file(const char *file)
{
	char *folder = *file && *file != '/' ? get_current_dir_name() : NULL, *path;

	if (asprintf(&path, "%s%s%s", folder ? folder : "", folder ? "/" : "", file) < 0)
		path = NULL;
	free(folder);
	return set("REUSE_CONFIG", path);
}

/* No program could be executed with a longer string in its environment. */
static int check_length(const char *rules)
{
	size_t most = STRING_PAGES * (size_t)sysconf(_SC_PAGESIZE) - sizeof "REUSE_RULES=";
	size_t length = strlen(rules);

	if (length <= most)
		return 0;
	fprintf(stderr,
		"reuse-run: the rules have %zu bytes, but an environment variable can have at most "
		"%zu; put them into a file and use -f\n",
		length, most);
	return EX_USAGE;
}

static int set_rules(const struct command *command)
{
	char *rules = made_rules_text(command);
	int status = rules && command->verb != COMMAND_CHECK ? check_length(rules) : 0;

	if (!status)
		return set("REUSE_RULES", rules);
	free(rules);
	return status;
}

/* The file that REUSE_LOG names does not change. */
static int set_level(const char *level)
{
	const char *log = getenv("REUSE_LOG"), *file = log ? strchr(log, ':') : NULL;
	char *value;

	if (asprintf(&value, "%s%s", level, file ? file : "") < 0)
		value = NULL;
	return set("REUSE_LOG", value);
}

static int set_flags(const struct command *command)
{
	const struct {
		const char *name, *value;
		bool is_set;
	} flags[] = {
		{"REUSE_KEEP", "1", command->is_kept}, {"REUSE_KEEP", "off", command->is_plain},
		{"REUSE_INHERIT", "off", command->leaves_children},
		{"REUSE_EXPLAIN", "1", command->is_explained},
		{"REUSE_BINDP", "off", true}, /* only for LD_PRELOAD; reuse-run has -a and -p */
	};
	int status = 0;

	for (size_t i = 0; !status && i < sizeof flags / sizeof *flags; i++) {
		if (flags[i].is_set)
			status = set(flags[i].name, strdup(flags[i].value));
	}
	return status;
}

int environment_set(const struct command *command)
{
	int status = command->file ? set_file(command->file) : 0;

	if (!status && made_rules_exist(command))
		status = set_rules(command);
	if (!status && command->level)
		status = set_level(command->level);
	return status ? status : set_flags(command);
}
