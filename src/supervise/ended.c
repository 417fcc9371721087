/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ended.h"

#include "background.h"
#include "ground/clock.h"
#include "ground/text.h"
#include "queue.h"
#include "replacement.h"
#include "signal_name.h"
#include "supervise/talk/say.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define BACKOFF_MOST_MS (10 * 1000)
#define SETTLED_MS	(10 * 1000) /* a copy that has lived so long starts well */

static int exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void describe_end(int status, char *text, size_t size)
{
	const char *name = WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : NULL;

	if (name)
		text_print(text, size, "was killed by SIG%s", name);
	else if (WIFSIGNALED(status))
		text_print(text, size, "was killed by signal %d", WTERMSIG(status));
	else
		text_print(text, size, "ended with status %d", WEXITSTATUS(status));
}

static bool is_restarted(const struct supervisor *supervisor, const struct copy *copy)
{
	enum restart restart = supervisor->options->restart;

	return !supervisor->is_stopping && copy->slot < supervisor->n_slots &&
	       (restart == RESTART_ALWAYS ||
		       (restart == RESTART_ON_FAILURE && exit_status_of(copy->status) != 0));
}

/* A copy has ended that nobody had told to. */
static void crashed(struct supervisor *supervisor, struct copy *copy, const char *how)
{
	struct slot *slot = &supervisor->slots[copy->slot];
	int64_t now = clock_now_ms();
	int status = exit_status_of(copy->status);

	if (status)
		supervisor->failure = status;
	text_print(slot->last_end, sizeof slot->last_end, "%s", how);
	if (!is_restarted(supervisor, copy)) {
		slot->start_ms = CLOCK_NEVER;
		say(LOG_LEVEL_WARN, "copy %u: process %d %s by itself; it is not started again",
			copy->slot, (int)copy->pid, how);
		return;
	}
	if (now - copy->started_ms >= SETTLED_MS)
		slot->backoff_ms = SLOT_BACKOFF_FIRST_MS;
	slot->start_ms = now + slot->backoff_ms;
	slot->n_restarts++;
	say(LOG_LEVEL_WARN, "copy %u: process %d %s; another one starts in %u ms", copy->slot,
		(int)copy->pid, how, slot->backoff_ms);
	slot->backoff_ms =
		slot->backoff_ms * 2 < BACKOFF_MOST_MS ? slot->backoff_ms * 2 : BACKOFF_MOST_MS;
	keeper_orphan(&supervisor->keeper, copy);
	replacement_crashed(supervisor, copy);
}

static void copy_ended(struct supervisor *supervisor, struct copy *copy, int status)
{
	enum copy_state state = copy->state;
	char how[64 + sizeof copy->failed_bind];

	copy->is_over = true;
	copy->status = status;
	supervisor->n_failed_starts += state < COPY_READY;
	describe_end(status, how, sizeof how);
	if (state < COPY_READY && copy->failed_bind[0])
		text_print(how + strlen(how), sizeof how - strlen(how), ", after its bind to %s",
			copy->failed_bind);
	if (state != COPY_STOPPING)
		worker_stop_alone(supervisor, copy); /* what is left of its process group */
	keeper_unclaim(&supervisor->keeper, copy);
	if (background_has_taken(supervisor, copy))
		return;
	if (copy->has_failed || state >= COPY_DRAINING) {
		say(LOG_LEVEL_INFO, "copy %u: process %d %s", copy->slot, (int)copy->pid, how);
	} else if (state < COPY_READY && queue_replaced_by(supervisor, copy)) {
		replacement_failed(supervisor, copy, how);
	} else {
		if (state < COPY_READY && supervisor->is_rolling)
			replacement_failed(supervisor, copy, how);
		crashed(supervisor, copy, how);
	}
}

void ended_take(struct supervisor *supervisor, pid_t process, int status)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->pid == process && !copy->is_over) {
			copy_ended(supervisor, copy, status);
			return;
		}
		if (copy->probe == process) {
			copy->probe = 0;
			copy->has_probed = status == 0;
			return;
		}
	}
}
