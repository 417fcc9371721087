/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prepare.h"

#include "ground/exit_status.h"
#include "inspect.h"
#include "kernel/own_cgroup.h"
#include "policy/source.h"
#include "preloaded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Prints each line of a message with the prefix of reuse-run. */
static void complain(const char *message)
{
	while (*message) {
		size_t length = strcspn(message, "\n");
		fprintf(stderr, "reuse-run: %.*s\n", (int)length, message);
		message += length + (message[length] == '\n');
	}
}

/* The configuration in force, or NULL if it is broken. */
static const struct configuration *load(void)
{
	struct variables variables = variables_read(environ);
	const struct configuration *configuration = source_load(&variables, SOURCE_EVERY_PROGRAM);
	const struct policy *policy = &configuration->policy;

	if (policy->notice)
		complain(policy->notice);
	if (policy->broken)
		complain(policy->broken);
	return policy->broken ? NULL : configuration;
}

const struct policy *prepare_policy(void)
{
	const struct configuration *configuration = load();

	return configuration ? &configuration->policy : NULL;
}

static int report_missing(const char *command, int status)
{
	fprintf(stderr, "reuse-run: %s: %s\n", command,
		status == EXIT_NOT_FOUND ? "no such program" : "this file cannot be executed");
	return status;
}

bool prepare_is_permission(int status)
{
	return status == 0 || status == PREPARE_NOTIFY || status == PREPARE_NOTIFY_OR_PRELOAD ||
	       status == PREPARE_PRELOAD_ASAN || status == PREPARE_KERNEL;
}

void prepare_for_asan(void)
{
	const char *others = getenv("ASAN_OPTIONS");
	char *options;

	if (asprintf(&options, "%s%sverify_asan_link_order=0", others ? others : "",
		    others && *others ? ":" : "") < 0)
		return;
	setenv("ASAN_OPTIONS", options, 1);
	free(options);
}

/* ---- which hook? ---- */

struct subject {
	const struct configuration *configuration;
	const char *command;
	const char *preload; /* LD_PRELOAD */
	bool is_copy;	     /* of several, which a supervisor starts */
	struct inspection inspection;
};

#define WHY_STRICT "as --hook=strict says, because the policy has a rule that protects; "

static int report_unhooked(const struct subject *subject)
{
	bool is_protected = subject->configuration->policy.has_guard;

	fprintf(stderr, "reuse-run: %s %s; %s\n", subject->command, subject->inspection.reason,
		is_protected ? "the policy has a rule that protects, so it is not started"
			     : "it runs, but libreuse does nothing for it");
	return is_protected ? EX_CONFIG : 0;
}

static void report_no_filter(void)
{
	fprintf(stderr, "reuse-run: libreuse was built without libseccomp, which the notify hook "
			"needs: install libseccomp-dev, and build it with -Dnotify=enabled\n");
}

/* The first library in LD_PRELOAD is called first, and may not pass calls on. */
static void report_before_us(const struct subject *subject)
{
	const struct configuration *configuration = subject->configuration;
	const char *command = subject->command, *slash = strrchr(command, '/');
	bool is_protected = configuration->policy.has_guard;
	char path[PATH_MAX];

	if (!is_protected && !log_says(&configuration->log, LOG_LEVEL_WARN))
		return;
	if (preloaded_before_us(subject->preload, path))
		fprintf(stderr,
			"reuse-run: %s comes first in LD_PRELOAD, before libreuse.so: libreuse "
			"does not see the socket calls that this library makes itself%s%s\n",
			path, is_protected ? ", so no rule applies to them" : "",
			strstr(path, "libauthbind")
				? "; use reuse-run authbind --deep PROGRAM instead"
				: "");
	else if (getenv("AUTHBIND_LIB") && strcmp(slash ? slash + 1 : command, "authbind") != 0)
		fprintf(stderr,
			"reuse-run: authbind has no effect on %s, because it only applies to "
			"reuse-run; use reuse-run authbind %s instead\n",
			command, command);
}

/* The hook is reported if somebody asked for that; WISH says why it was not our choice, or "". */
static void report_choice(const struct subject *subject, enum hook hook, const char *wish)
{
	struct log log = subject->configuration->log;
	const char *name = hook_name(hook), *reason = subject->inspection.reason;

	log.name = "reuse-run";
	if (subject->configuration->policy.is_explained)
		fprintf(stderr,
			"reuse-run: the %s hook is used for %s: %sit %s\nreuse-run: the %s hook "
			"does not see: %s\n",
			name, subject->command, wish, reason, name, hook_misses(hook));
	else if (hook != HOOK_PRELOAD)
		log_write(&log, LOG_LEVEL_INFO, "the %s hook is used for %s: %sit %s", name,
			subject->command, wish, reason);
}

static int take_preload(const struct subject *subject, const char *wish)
{
	report_before_us(subject);
	report_choice(subject, HOOK_PRELOAD, wish);
	return subject->inspection.needs_asan ? PREPARE_PRELOAD_ASAN : 0;
}

/* No library can be preloaded, or none shall be. */
static int take_notify(const struct subject *subject, const char *wish)
{
	if (hook_has_notify) {
		report_choice(subject, HOOK_NOTIFY, wish);
		return PREPARE_NOTIFY;
	}
	report_no_filter();
	return *wish ? EX_CONFIG : report_unhooked(subject);
}

static int take_either(const struct subject *subject)
{
	if (!hook_has_notify) {
		report_no_filter();
		return take_preload(subject, "");
	}
	report_choice(subject, HOOK_NOTIFY, "");
	return PREPARE_NOTIFY_OR_PRELOAD;
}

/* Nothing is changed here, so it can only report. */
static void explain_kernel(const struct subject *subject, const char *wish)
{
	report_choice(subject, HOOK_KERNEL, wish);
	fprintf(stderr, "reuse-run: the kernel hook applies the rules that reuse-bpf list prints; "
			"the next lines say what the rules given here would do\n");
}

/* Why the kernel hook does not hold the rules of this program, or NULL. */
static const char *kernel_obstacle(const struct subject *subject)
{
	return subject->is_copy ? "it cannot be used with -n or --keep"
				: own_cgroup_obstacle(&subject->configuration->policy);
}

/* What explains a program's calls is the notify hook. */
static int take_kernel(const struct subject *subject)
{
	if (subject->configuration->policy.is_explained) {
		explain_kernel(subject, WHY_STRICT);
		return hook_has_notify ? PREPARE_NOTIFY : 0;
	}
	report_choice(subject, HOOK_KERNEL, WHY_STRICT);
	return PREPARE_KERNEL;
}

static void explain_obstacle(const struct subject *subject, const char *obstacle)
{
	if (subject->configuration->policy.is_explained)
		fprintf(stderr, "reuse-run: the kernel hook is not used: %s\n", obstacle);
}

static int choose(enum hook wish, const struct subject *subject)
{
	enum inspect_hook possible = subject->inspection.hook;
	bool is_strict = wish == HOOK_STRICT && subject->configuration->policy.has_guard;
	const char *obstacle = is_strict ? kernel_obstacle(subject) : NULL;

	if (is_strict && !obstacle)
		return take_kernel(subject);
	if (wish == HOOK_KERNEL && !subject->configuration->policy.is_explained)
		return PREPARE_KERNEL;
	if (wish == HOOK_KERNEL)
		explain_kernel(subject, "as --hook says; ");
	if (wish == HOOK_NOTIFY)
		return take_notify(subject, "as --hook says; ");
	if (possible == INSPECT_NEITHER)
		return report_unhooked(subject);
	if (is_strict) {
		explain_obstacle(subject, obstacle);
		return take_notify(subject, WHY_STRICT);
	}
	if (possible == INSPECT_NOTIFY)
		return wish == HOOK_PRELOAD ? report_unhooked(subject) : take_notify(subject, "");
	if (possible == INSPECT_EITHER && wish != HOOK_PRELOAD)
		return take_either(subject);
	return take_preload(subject, wish == HOOK_PRELOAD ? "as --hook says; " : "");
}

int prepare_program(enum hook wish, const char *command, const char *preload, bool is_copy)
{
	char path[PATH_MAX];
	struct subject subject = {
		.command = command, .preload = preload ? preload : "", .is_copy = is_copy};
	int status = inspect_find(command, path);

	if (status)
		return report_missing(command, status);
	subject.configuration = load();
	if (!subject.configuration)
		return EX_CONFIG;
	inspect_program(path, &subject.inspection);
	return choose(wish, &subject);
}
