/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prepare.h"

#include "../policy/source.h"
#include "inspect.h"

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

const struct policy *prepare_policy(void)
{
	struct variables variables = variables_read(environ);
	const struct policy *policy = &source_load(&variables, SOURCE_EVERY_PROGRAM)->policy;

	if (policy->notice)
		complain(policy->notice);
	if (policy->broken)
		complain(policy->broken);
	return policy->broken ? NULL : policy;
}

static int report_missing(const char *command, int status)
{
	fprintf(stderr, "reuse-run: %s: %s\n", command,
		status == EXIT_NOT_FOUND ? "there is no such program"
					 : "this file cannot be executed");
	return status;
}

int prepare_program(const char *command)
{
	char path[PATH_MAX], reason[INSPECT_REASON_SIZE];
	int status = inspect_find(command, path);

	if (status)
		return report_missing(command, status);
	const struct policy *policy = prepare_policy();
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
