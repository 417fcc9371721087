/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signals.h"

#include "ground/second_signal.h"
#include "supervise/sockets/process_tree.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* A process that has ended, and was waited for, is in no group. */
static bool has_left_its_group(const struct copy *copy)
{
	return !copy->is_over && getpgid(copy->pid) != copy->pid;
}

bool signals_group_is_gone(const struct copy *copy)
{
	return copy->is_over && ((kill(-copy->pid, 0) < 0 && errno == ESRCH) ||
					!process_tree_group_lives(copy->pid));
}

static void send_to_group(const struct copy *copy, int number)
{
	if (!signals_group_is_gone(copy))
		kill(-copy->pid, number);
}

void signals_send(const struct copy *copy, int number)
{
	bool is_outside = has_left_its_group(copy);

	send_to_group(copy, number);
	/* No more real-time signals are queued than RLIMIT_SIGPENDING allows. */
	if (is_outside && second_signal_send(copy->pid, number) < 0)
		kill(copy->pid, number);
}

void signals_kill(const struct copy *copy)
{
	send_to_group(copy, SIGKILL);
	if (!has_left_its_group(copy))
		return;
	process_tree_kill_children(copy->pid);
	kill(copy->pid, SIGKILL);
}
