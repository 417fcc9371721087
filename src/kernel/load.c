/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include "compile.h"
#include "group_load.h"
#include "hook.skel.h"
#include "pin.h"
#include "pinned.h"
#include "policy/source.h"
#include "policy_map.h"
#include "tell.h"
#include "unsupported.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- the policy ---- */

static const struct configuration *read_policy(const char *file)
{
	struct variables variables = variables_read(environ);

	if (file) {
		variables.value[VARIABLE_REUSE_RULES] = NULL;
		variables.value[VARIABLE_REUSE_CONFIG] = file;
	}
	return source_load(&variables, SOURCE_EVERY_PROGRAM);
}

/* Names each rule that the hook cannot apply. Returns 0 or EX_CONFIG. */
static int check_rules(const struct policy *policy)
{
	int status = 0;

	for (size_t i = 0; i < policy->count; i++) {
		char bytes[RULE_TEXT_SIZE], place[RULE_TEXT_SIZE];
		struct text why, where;
		text_start(&why, bytes, sizeof bytes);
		unsupported_print(&why, &policy->rules[i]);
		if (why.length == 0)
			continue;
		text_start(&where, place, sizeof place);
		rule_print_place(&where, &policy->rules[i]);
		status = tell_failure(
			EX_CONFIG, "%s: the kernel hook cannot apply %s", place, bytes);
	}
	if (status)
		tell_failure(status, "nothing has been changed");
	return status;
}

/* ---- the programs ---- */

static int pin(struct hook_bpf *hook, const char *folder)
{
	char path[PATH_MAX + 32];
	int error = mkdir(folder, 0755) < 0 ? -errno : 0;

	for (size_t i = 0; !error && i < PIN_PROGRAMS; i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(hook->obj, pin_programs[i].function);
		snprintf(path, sizeof path, "%s/%s", folder, pin_programs[i].name);
		error = program ? bpf_obj_pin(bpf_program__fd(program), path) : -ENOENT;
	}
	snprintf(path, sizeof path, "%s/" PIN_POLICIES, folder);
	if (!error)
		error = bpf_obj_pin(bpf_map__fd(hook->maps.policies), path);
	snprintf(path, sizeof path, "%s/" PIN_PLACES, folder);
	if (!error)
		error = bpf_obj_pin(bpf_map__fd(hook->maps.places), path);
	snprintf(path, sizeof path, "%s/" PIN_LINKS, folder);
	if (!error)
		error = mkdir(path, 0700) < 0 ? -errno : 0;
	if (!error)
		group_load(folder);
	return error;
}

static int pin_at_once(struct hook_bpf *hook)
{
	char folder[PATH_MAX];
	int error = pin(hook, pinned_new(folder));

	return error ? error : pinned_publish();
}

static int start_programs(int map)
{
	struct hook_bpf *hook = hook_bpf__open_and_load();

	if (!hook) {
		int error = -errno;
		return tell_refused(error, "the kernel does not accept the BPF programs; they need "
					   "Linux 6.1 or later");
	}
	int error = policy_map_use(bpf_map__fd(hook->maps.policies), map);
	if (!error)
		error = pin_at_once(hook);
	hook_bpf__destroy(hook);
	return error ? tell_refused(error, "%s: the BPF programs cannot be pinned", pin_folder())
		     : 0;
}

static int replace_policy(int policies, int map)
{
	union row head;
	int old, error = pinned_open_policy(&old, &head);

	if (error)
		return tell_refused(error, "%s: its policy cannot be read", pin_folder());
	close(old);
	if (strncmp(head.head.version, LIBREUSE_VERSION, sizeof head.head.version) != 0)
		return tell_failure(EX_CONFIG,
			"%s has the BPF programs of libreuse %.12s, but this is " LIBREUSE_VERSION
			"; run reuse-bpf unload, load again, and attach again",
			pin_folder(), head.head.version);
	error = policy_map_use(policies, map);
	return error ? tell_refused(error, "%s: the policy cannot be replaced", pin_folder()) : 0;
}

/* ---- load ---- */

static int put_map_in_force(int map, bool *is_new)
{
	int policies = pinned_open(PIN_POLICIES);

	*is_new = policies == -ENOENT;
	if (*is_new)
		return start_programs(map);
	if (policies < 0)
		return tell_refused(policies, "%s cannot be opened", pin_folder());
	int status = replace_policy(policies, map);
	close(policies);
	return status;
}

static int load_rows(const struct compiled *compiled, const struct policy *policy)
{
	bool is_new;
	int map = policy_map_make(compiled);

	if (map < 0)
		return tell_refused(map, "a map for the policy cannot be created");
	int status = put_map_in_force(map, &is_new);
	close(map);
	if (status)
		return status;
	if (policy->broken)
		return tell_failure(EX_CONFIG,
			"the policy is broken, so bind() and connect() fail with EINVAL in each "
			"control group that is attached; correct it, and run reuse-bpf load again");
	tell("%s %zu %s of %s in %s", is_new ? "loaded" : "replaced the policy by", policy->count,
		policy->count == 1 ? "rule" : "rules",
		policy->count > 0 ? policy->rules[0].source : "an empty policy", pin_folder());
	return 0;
}

int load(const char *file)
{
	const struct configuration *configuration = read_policy(file);
	const struct policy *policy = &configuration->policy;
	struct compiled compiled;

	if (policy->notice)
		fprintf(stderr, "%s", policy->notice);
	if (policy->broken)
		fprintf(stderr, "%s", policy->broken);
	int status = policy->broken ? 0 : check_rules(policy);
	if (!status)
		status = pinned_lock();
	if (status)
		return status;
	int error = compile(&compiled, policy);
	status = error ? tell_refused(error, "not enough memory for the policy")
		       : load_rows(&compiled, policy);
	compiled_free(&compiled);
	return status;
}
