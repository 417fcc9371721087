/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prepare.h"

#include "../policy/source.h"
#include "filter.h"
#include "inspect.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define EXIT_NOT_FOUND 127 /* as shells have it */

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

static int report_unhooked(const char *command, const char *reason, const struct policy *policy)
{
	bool is_protected = policy_protects(policy);

	fprintf(stderr, "reuse-run: %s %s; %s\n", command, reason,
		is_protected ? "the policy protects something, so it is not started"
			     : "it runs, but libreuse does nothing for it");
	return is_protected ? EX_CONFIG : 0;
}

static int report_no_filter(void)
{
	fprintf(stderr, "reuse-run: libreuse was built without libseccomp, which the notify hook "
			"needs: install libseccomp-dev, and build it with -Dnotify=enabled\n");
	return EX_CONFIG;
}

static int choose(const char *command, const char *reason, const struct policy *policy,
	enum hook hook, bool is_asked_for)
{
	if (policy->is_explained)
		fprintf(stderr, "reuse-run: the %s hook is taken for %s: %s%s\n", hook_name(hook),
			command, is_asked_for ? "as --hook says; it " : "it ", reason);
	return hook == HOOK_NOTIFY ? PREPARE_NOTIFY : 0;
}

int prepare_program(enum hook wish, const char *command)
{
	char path[PATH_MAX], reason[INSPECT_REASON_SIZE];
	int status = inspect_find(command, path);

	if (status)
		return report_missing(command, status);
	const struct policy *policy = prepare_policy();
	if (!policy)
		return EX_CONFIG;
	enum inspect_hook possible = inspect_program(path, reason);
	if (wish == HOOK_NOTIFY)
		return filter_exists ? choose(command, reason, policy, HOOK_NOTIFY, true)
				     : report_no_filter();
	if (possible == INSPECT_PRELOAD)
		return choose(command, reason, policy, HOOK_PRELOAD, wish == HOOK_PRELOAD);
	if (possible == INSPECT_NOTIFY && wish == HOOK_AUTO) {
		if (filter_exists)
			return choose(command, reason, policy, HOOK_NOTIFY, false);
		report_no_filter();
	}
	return report_unhooked(command, reason, policy);
}
