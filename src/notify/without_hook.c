/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "without_hook.h"

#include "ground/errnos.h"
#include "outer.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>

static const char *reason_of(int error)
{
	static const struct {
		int error;
		const char *text;
	} reasons[] = {
		{-ENOENT, "/proc or /dev/null is missing"},
		{-EXDEV, "/proc shows the processes of another PID namespace; mount a new one, as "
			 "unshare --mount-proc does"},
		{-EBUSY, "a container engine, an outer reuse-run or another program already has a "
			 "seccomp listener for it"},
		{-EPERM, "it is not permitted here: a container's seccomp profile refuses "
			 "seccomp(2), pidfd_open(2), or before Linux 5.14 pidfd_getfd(2), or "
			 "ptrace_scope of yama is 2 or 3; in a container, add the capability "
			 "SYS_PTRACE (docker run --cap-add=SYS_PTRACE), or permit the calls in "
			 "the profile"},
		{-EACCES, "no_new_privs could not be set"},
		{-EINVAL, "the kernel is too old: the hook needs Linux 5.6, with "
			  "CONFIG_SECCOMP_FILTER"},
		{-ENOSYS, "the kernel, or a container's seccomp filter, lacks seccomp(2), "
			  "pidfd_open(2), pidfd_getfd(2) or memfd_create(2)"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		if (reasons[i].error == error)
			return reasons[i].text;
	}
	return "a system call failed";
}

enum consequence { RUNS, RUNS_PRELOADED, REFUSED_AS_PROTECTED, REFUSED_AS_ASKED_FOR };

/* There can only be one listener: what the outer reuse-run decides cannot be decided again. */
static void say_served(const char *program, pid_t outer, enum consequence outcome)
{
	static const char *const consequences[] = {
		[RUNS] = "the program runs under the policy of the outer reuse-run, and the policy "
			 "given here is not applied",
		[RUNS_PRELOADED] =
			"the preload hook applies the policy given here, and the program "
			"may be killed for a system call of this hook",
		[REFUSED_AS_PROTECTED] =
			"the policy given here has a rule that protects and would not be applied, "
			"so it is not started; give the rule to the outer reuse-run",
		[REFUSED_AS_ASKED_FOR] =
			"the policy given here would not be applied, so it is not started; without "
			"--hook=notify it runs under the policy of the outer reuse-run",
	};

	fprintf(stderr,
		"reuse-run: %s: the outer reuse-run, process %d, already answers its calls; %s\n",
		program, (int)outer, consequences[outcome]);
}

static void say_why(const char *program, int error, enum consequence outcome)
{
	static const char *const consequences[] = {
		[RUNS] = "the program runs, but libreuse does nothing for it",
		[RUNS_PRELOADED] = "it gets the preload hook, and may be killed for a system call "
				   "of this hook",
		[REFUSED_AS_PROTECTED] =
			"the policy has a rule that protects, so it is not started",
		[REFUSED_AS_ASKED_FOR] = "it is not started; if a library can be preloaded into "
					 "it, use --hook=preload",
	};

	fprintf(stderr, "reuse-run: %s: the notify hook is not available: %s (%s); %s\n", program,
		reason_of(error), errno_name(-error), consequences[outcome]);
}

int without_hook(const struct policy *policy, const char *program, bool asked_for, bool has_preload,
	int error)
{
	bool is_protected = policy->has_guard;
	enum consequence outcome = has_preload	  ? RUNS_PRELOADED
				   : asked_for	  ? REFUSED_AS_ASKED_FOR
				   : is_protected ? REFUSED_AS_PROTECTED
						  : RUNS;
	pid_t outer = error == -EBUSY ? outer_find() : 0;

	if (outer)
		say_served(program, outer,
			is_protected && !has_preload ? REFUSED_AS_PROTECTED : outcome);
	else
		say_why(program, error, outcome);
	return outcome == RUNS || outcome == RUNS_PRELOADED ? 0 : EX_CONFIG;
}
