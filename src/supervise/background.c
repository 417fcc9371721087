/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "background.h"

#include "copies.h"
#include "ground/text.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/talk/say.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The others were started with its socket where they share its queue, or are to succeed it. */
static size_t list_others(
	const struct supervisor *supervisor, const struct copy *copy, pid_t *leaders)
{
	size_t count = 0;

	for (const struct copy *other = supervisor->copies; other; other = other->next) {
		if (other != copy)
			leaders[count++] = other->pid;
	}
	return count;
}

bool background_signal(const struct supervisor *supervisor, const struct copy *copy, int number)
{
	pid_t *others = calloc(copies_count(supervisor) + 1, sizeof *others);
	size_t n_others = others ? list_others(supervisor, copy, others) : 0;
	bool is_there = false;

	for (const struct kept *kept = supervisor->keeper.list; kept && others; kept = kept->next) {
		pid_t process = takers_own(kept->takers, copy) && !kept->takers->next
					? process_tree_outside(
						  copy->pid, others, n_others, kept->entry.inode)
					: 0;
		is_there |= process > 0;
		if (process > 0 && number)
			kill(process, number);
	}
	free(others);
	return is_there;
}

static void say_so(struct supervisor *supervisor, const struct copy *copy)
{
	text_print(supervisor->stop_reason, sizeof supervisor->stop_reason,
		"copy %u went to the background", copy->slot);

	say(LOG_LEVEL_ERROR,
		"copy %u: process %d went to the background; start it in the foreground (nginx: "
		"'daemon off;', redis: '--daemonize no', lighttpd: '-D', apache: '-DFOREGROUND')",
		copy->slot, (int)copy->pid);
}

/* If one copy has done so, the others, which are told to stop, are about to do the same. */
bool background_has_taken(struct supervisor *supervisor, struct copy *copy, enum copy_state state)
{
	bool is_first = !supervisor->is_to_stop && !supervisor->is_stopping &&
			state <= COPY_READY && WIFEXITED(copy->status) &&
			WEXITSTATUS(copy->status) == 0;

	if ((!is_first && !supervisor->is_to_stop) ||
		!background_signal(supervisor, copy, supervisor->options->stop_signal))
		return false;
	if (is_first)
		say_so(supervisor, copy);
	copy->is_in_background = supervisor->is_to_stop = true;
	supervisor->failure = EXIT_FAILURE;
	return true;
}

#define ROUNDS_MOST 100 /* a process that loses its parent becomes our child, and is next */
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
