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
		{-EBUSY, "another program, a container's engine or an outer reuse-run, has a "
			 "seccomp listener on it already"},
		{-EPERM, "that is not permitted here, as in a container without the permission "
			 "for seccomp(2) and pidfd_getfd(2), or under ptrace_scope 2 or 3 of yama"},
		{-EACCES, "no_new_privs could not be set"},
		{-EINVAL, "the kernel is too old: Linux 5.6 is needed, with "
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

/* There is one listener at most: what the outer reuse-run decides, nobody can decide again. */
static void say_served(const char *program, pid_t outer, enum consequence outcome)
{
	static const char *const consequences[] = {
		[RUNS] = "the program runs under that one's policy, and the one given here is not "
			 "applied",
		[RUNS_PRELOADED] = "the policy given here applies by the preload hook, for whose "
				   "calls the program may be killed",
		[REFUSED_AS_PROTECTED] =
			"the policy given here protects something and would not be applied, so it "
			"is not started; give the rule to the outer reuse-run",
		[REFUSED_AS_ASKED_FOR] =
			"the policy given here would not be applied, so it is not started; without "
			"--hook=notify it runs under the outer one's policy",
	};

	fprintf(stderr, "reuse-run: %s: the outer reuse-run, process %d, serves it already; %s\n",
		program, (int)outer, consequences[outcome]);
}

static void say_why(const char *program, int error, enum consequence outcome)
{
	static const char *const consequences[] = {
		[RUNS] = "the program runs, but libreuse does nothing for it",
		[RUNS_PRELOADED] = "it gets the preload hook, and may be killed for what that does",
		[REFUSED_AS_PROTECTED] = "the policy protects something, so it is not started",
		[REFUSED_AS_ASKED_FOR] = "it is not started; where a library can be preloaded into "
					 "it, --hook=preload does without",
	};

	fprintf(stderr, "reuse-run: %s: the notify hook cannot be had: %s (%s); %s\n", program,
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
