/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program_rules.h"

#include "ground/compare.h"
#include "ground/procfs.h"
#include "ground/text.h"
#include "image.h"
#include "ledger.h"
#include "policy/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define PROGRAMS_MOST 64

static const struct configuration *all;
static const struct configuration *of_nobody_known;
static bool has_patterns; /* exe= in some rule */

/* ---- names ---- */

/* Empty: not known. */
static void read_link(pid_t thread, const char *name, char *target, size_t size)
{
	char path[PROCFS_PATH_SIZE];
	ssize_t length =
		system_readlink(AT_FDCWD, procfs_path(path, thread, name), target, size - 1);

	target[length > 0 ? length : 0] = '\0';
}

/*
 * Finds it out as program_self() does for its own process; empty if that is not possible. The path
 * is in the program's memory, and the folder that it is relative to is only known as it is now.
 */
static void read_invoked(struct program_names *names, const struct tracee *caller)
{
	char path[PATH_MAX] = "";
	uint64_t address = image_auxiliary(caller->thread, AT_EXECFN);
	ssize_t got = address ? tracee_read(caller, address, path, sizeof path - 1) : 0;

	path[got > 0 ? got : 0] = '\0';
	if (path[0] && path[0] != '/') {
		read_link(caller->thread, "cwd", names->invoked, PATH_MAX);
		program_add_path(names, path);
	} else {
		text_print(names->invoked, sizeof names->invoked, "%s", path);
	}
}

/* ---- rules ---- */

#define BYTES_PER_RULE (sizeof(struct rule) + 1024) /* including what the indexes need */
#define BYTES_AT_LEAST (2 * 1024 * 1024)	    /* address space, not memory */

#define REPLACED " (deleted)" /* after the target of /proc/PID/exe if its file is gone */

/*
 * A rule still applies to a program whose file an upgrade has replaced or removed while it runs.
 * The name of a file can really end like that, so both names are checked. The disk is not read,
 * because a program could be in a place that never answers.
 */
static bool is_for(const struct rule *rule, const struct program_names *names)
{
	char original[PATH_MAX];
	struct program program = {.executable = names->executable[0] ? names->executable : NULL,
		.invoked = names->invoked[0] ? names->invoked : NULL};
	size_t length = strlen(names->executable), end = sizeof REPLACED - 1;

	if (rule_is_for(rule, &program))
		return true;
	if (length < end || !string_equals(names->executable + length - end, REPLACED))
		return false;
	memcpy(original, names->executable, length - end);
	original[length - end] = '\0';
	return rule_is_for(rule, &(struct program){.executable = original});
}

/*
 * The rule for a program some of whose names are not known: a rule for certain programs that
 * protects may be for this one, so a call that matches it fails.
 */
static bool select_rule(
	struct rule *selected, const struct rule *rule, const struct program_names *names)
{
	bool is_known = names->executable[0] && names->invoked[0];

	*selected = *rule;
	if (is_for(rule, names))
		return true;
	if (is_known || !rule_protects(rule))
		return false;
	selected->actions = (struct actions){.deny = true, .deny_errno = EACCES};
	return true;
}

static const struct configuration *narrow(const struct program_names *names)
{
	struct arena arena;
	size_t count = 0, most = all->policy.count;

	if (arena_open(&arena, BYTES_AT_LEAST + most * BYTES_PER_RULE) < 0)
		return NULL;
	struct configuration *configuration = arena_take(&arena, 1, sizeof *configuration);
	struct rule *rules = arena_take(&arena, most, sizeof *rules);
	for (size_t i = 0; i < most; i++) {
		if (select_rule(&rules[count], &all->policy.rules[i], names))
			count++;
	}
	*configuration = *all;
	configuration->policy = (struct policy){
		.is_builtin = all->policy.is_builtin,
		.is_strict = all->policy.is_strict,
		.is_explained = all->policy.is_explained,
	};
	policy_make(&configuration->policy, &arena, rules, count);
	configuration->arena = arena;
	arena_seal(&configuration->arena);
	return configuration;
}

struct known_program {
	char *executable, *invoked;
	const struct configuration *configuration;
};

static bool is_known_as(const struct known_program *known, const struct program_names *names)
{
	return known->executable && known->invoked &&
	       string_equals(known->executable, names->executable) &&
	       string_equals(known->invoked, names->invoked);
}

/*
 * The rules for a program with these names; when there are many programs, the oldest is forgotten.
 */
static const struct configuration *look_up(const struct program_names *names)
{
	static struct known_program list[PROGRAMS_MOST];
	static unsigned next;

	for (unsigned i = 0; i < PROGRAMS_MOST; i++) {
		if (is_known_as(&list[i], names))
			return list[i].configuration;
	}
	const struct configuration *found = narrow(names);
	if (!found)
		return of_nobody_known;
	struct known_program *place = &list[next++ % PROGRAMS_MOST];
	if (place->configuration)
		source_drop(place->configuration);
	free(place->executable);
	free(place->invoked);
	*place = (struct known_program){strdup(names->executable), strdup(names->invoked), found};
	return found;
}

static const struct configuration *rules_for(const struct tracee *caller)
{
	static struct program_names names;

	if (!has_patterns)
		return all;
	read_link(caller->thread, "exe", names.executable, sizeof names.executable);
	read_invoked(&names, caller);
	return look_up(&names);
}

int program_rules_start(const struct configuration *configuration)
{
	static const struct program_names unknown;

	all = configuration;
	has_patterns = false;
	for (size_t i = 0; i < all->policy.count; i++)
		has_patterns |= all->policy.rules[i].match.n_patterns > 0;
	if (has_patterns)
		of_nobody_known = narrow(&unknown);
	if (has_patterns && !of_nobody_known)
		return -ENOMEM;
	return all->policy.has_once ? ledger_start() : 0;
}

const struct configuration *program_rules_configuration(
	const struct tracee *caller, const struct file_identity *errors)
{
	static struct configuration of_caller;

	of_caller = *rules_for(caller);
	of_caller.log.process = caller->process;
	if (of_caller.policy.has_once)
		of_caller.first_port =
			ledger_first_port(caller->process, caller->thread, &of_caller.policy);
	if (errors)
		of_caller.log.standard_error = *errors;
	return &of_caller;
}
