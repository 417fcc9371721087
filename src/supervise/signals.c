/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signals.h"

#include "ground/second_signal.h"
#include "supervise/sockets/process_tree.h"

#include <unistd.h>

/* A process that has ended, and was waited for, is in no group. */
static bool has_left_its_group(const struct copy *copy)
{
	return !copy->is_over && getpgid(copy->pid) != copy->pid;
}

void signals_send(const struct copy *copy, int number)
{
	bool is_outside = has_left_its_group(copy);

	kill(-copy->pid, number);
	/* No more real-time signals are queued than RLIMIT_SIGPENDING allows. */
	if (is_outside && second_signal_send(copy->pid, number) < 0)
		kill(copy->pid, number);
}

void signals_kill(const struct copy *copy)
{
	kill(-copy->pid, SIGKILL);
	if (!has_left_its_group(copy))
		return;
	process_tree_kill_children(copy->pid);
	kill(copy->pid, SIGKILL);
}
