/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signals.h"

#include "tree.h"

#include <unistd.h>

#define FOR_THE_REST 0x72657374 /* "rest": the value that comes with the signal (sigqueue(3)) */

/* Who has ended, and was waited for, is in no group. */
static bool has_left_its_group(const struct copy *copy)
{
	return !copy->is_over && getpgid(copy->pid) != copy->pid;
}

void signals_send(const struct copy *copy, int number)
{
	bool is_outside = has_left_its_group(copy);

	kill(-copy->pid, number);
	/* It queues no more real-time signals than RLIMIT_SIGPENDING allows. */
	if (is_outside &&
		sigqueue(copy->pid, number, (union sigval){.sival_int = FOR_THE_REST}) < 0)
		kill(copy->pid, number);
}

void signals_kill(const struct copy *copy)
{
	kill(-copy->pid, SIGKILL);
	if (!has_left_its_group(copy))
		return;
	tree_kill_children(copy->pid);
	kill(copy->pid, SIGKILL);
}

bool signals_is_for_the_rest(const siginfo_t *info, pid_t supervisor)
{
	return info->si_code == SI_QUEUE && info->si_value.sival_int == FOR_THE_REST &&
	       info->si_pid == supervisor;
}
