/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiled half of reuse-run: reads the policy that the library would read, and looks at the
 * program that it would be loaded into. reuse-run starts it; it is no command of its own.
 */
#include "../policy/source.h"
#include "check.h"
#include "inspect.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126 /* as shells have it */
#define EXIT_NOT_FOUND	    127

/* Says each line of a message as reuse-run's. */
static void complain(const char *message)
{
	while (*message) {
		size_t length = strcspn(message, "\n");
		fprintf(stderr, "reuse-run: %.*s\n", (int)length, message);
		message += length + (message[length] == '\n');
	}
}

/* Returns NULL when the policy is broken, which has been said then. */
static const struct policy *read_policy(void)
{
	struct variables variables = variables_read(environ);
	const struct policy *policy = &source_load(&variables, SOURCE_EVERY_PROGRAM)->policy;

	if (policy->notice)
		complain(policy->notice);
	if (policy->broken)
		complain(policy->broken);
	return policy->broken ? NULL : policy;
}

static int check(void)
{
	const struct policy *policy = read_policy();

	if (!policy)
		return EX_CONFIG;
	check_print(policy);
	if (fflush(stdout) == 0)
		return 0;
	perror("reuse-run: standard output");
	return EX_IOERR;
}

static int report_missing(const char *command, int status)
{
	fprintf(stderr, "reuse-run: %s: %s\n", command,
		status == EXIT_NOT_FOUND ? "there is no such program"
					 : "this file cannot be executed");
	return status;
}

/* Whether the program may be started; says what stands against it. */
static int prepare(const char *command)
{
	char path[PATH_MAX], reason[INSPECT_REASON_SIZE];
	int status = inspect_find(command, path);

	if (status)
		return report_missing(command, status);
	const struct policy *policy = read_policy();
	if (!policy)
		return EX_CONFIG;
	if (inspect_is_hookable(path, reason))
		return 0;
	bool is_protected = policy_protects(policy);
	fprintf(stderr, "reuse-run: %s %s; %s\n", command, reason,
		is_protected ? "the policy protects something, so it is not started"
			     : "it runs, but libreuse does nothing for it");
	return is_protected ? EX_CONFIG : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check();
	if (argc == 3 && strcmp(argv[1], "prepare") == 0)
		return prepare(argv[2]);
	fprintf(stderr, "This is a part of reuse-run(1), which starts it.\n");
	return EX_USAGE;
}
