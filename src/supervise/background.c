/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "background.h"

#include "supervise/sockets/process_tree.h"
#include "supervise/talk/say.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

bool background_signal(const struct supervisor *supervisor, const struct copy *copy, int number)
{
	bool is_there = false;

	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		pid_t process = takers_own(kept->takers, copy) && !kept->takers->next
					? process_tree_outside(copy->pid, kept->entry.inode)
					: 0;
		is_there |= process > 0;
		if (process > 0 && number)
			kill(process, number);
	}
	return is_there;
}

static void say_so(const struct copy *copy)
{
	say(LOG_LEVEL_ERROR,
		"copy %u: process %d went to the background; start it in the foreground (nginx: "
		"'daemon off;', redis: '--daemonize no', lighttpd: '-D', apache: '-DFOREGROUND')",
		copy->slot, (int)copy->pid);
}

/* Where one has done so, the others, which are told to stop, are on the way there. */
bool background_has_taken(struct supervisor *supervisor, struct copy *copy)
{
	bool is_first = !supervisor->is_to_stop && !supervisor->is_stopping &&
			WIFEXITED(copy->status) && WEXITSTATUS(copy->status) == 0;

	if ((!is_first && !supervisor->is_to_stop) ||
		!background_signal(supervisor, copy, supervisor->options->stop_signal))
		return false;
	if (is_first)
		say_so(copy);
	copy->is_in_background = supervisor->is_to_stop = true;
	supervisor->failure = EXIT_FAILURE;
	return true;
}

#define ROUNDS_MOST 100 /* whoever loses his parent becomes a child of ours, and is next */
#define ROUND_MS    10

void background_end(void)
{
	pid_t ended = 0;

	for (int i = 0; i < ROUNDS_MOST && ended >= 0; i++) {
		process_tree_kill_children(getpid());
		poll(NULL, 0, ROUND_MS);
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			;
	}
}
