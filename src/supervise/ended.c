/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ended.h"

#include "background.h"
#include "copies.h"
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
#define SWEEPS_MOST	5	    /* copies for the clients of a dead one, if they die as well */
#define SETTLED_MS	(10 * 1000) /* a copy that has lived this long has started well */

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

/*
 * A copy has ended that was not told to, and no other one is started for it: the clients that have
 * come to its sockets must not be lost.
 */
static void leave_queue(struct supervisor *supervisor, struct copy *copy)
{
	copy->has_failed = true;
	copy->is_on_probation = copy->is_held = false;
	if (keeper_owns_any(&supervisor->keeper, copy))
		worker_drain_anew(supervisor, copy);
}

/* Whether another copy is to be started for its clients: others get new ones, now or soon. */
static bool is_continued(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->n_sweeps < SWEEPS_MOST &&
	       (copies_any_to_come(supervisor) ||
		       steering_has_others(supervisor->steering, &supervisor->keeper, copy));
}

/* A copy has ended that was not told to. */
static void crashed(struct supervisor *supervisor, struct copy *copy, const char *how)
{
	struct slot *slot = &supervisor->slots[copy->slot];
	int64_t now = clock_now_ms();
	int status = exit_status_of(copy->status);

	if (status)
		supervisor->failure = status;
	text_print(slot->last_end, sizeof slot->last_end, "%s", how);
	if (status && crashes_note(&supervisor->crashes, supervisor->options->max_crashes, now)) {
		slot->start_ms = CLOCK_NEVER;
		supervisor->is_to_stop = true;
		text_print(supervisor->stop_reason, sizeof supervisor->stop_reason,
			"too many copies have crashed");
		say(LOG_LEVEL_ERROR,
			"copy %u: process %d %s; this is crash %u within a minute, the limit of "
			"--max-crashes, so the supervisor stops with status %d",
			copy->slot, (int)copy->pid, how, supervisor->options->max_crashes, status);
		return;
	}
	if (!is_restarted(supervisor, copy)) {
		slot->start_ms = CLOCK_NEVER;
		say(LOG_LEVEL_WARN, "copy %u: process %d %s; it is not started again", copy->slot,
			(int)copy->pid, how);
		if (is_continued(supervisor, copy))
			leave_queue(supervisor, copy);
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

/* Whether a copy is to come that will take what is left in the queue of COPY. */
static bool has_heir(const struct supervisor *supervisor, const struct copy *copy)
{
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (queue_has(supervisor, copy, slot) && !copies_serving(supervisor, slot) &&
			supervisor->slots[slot].start_ms != CLOCK_NEVER)
			return !supervisor->is_stopping;
	}
	return false;
}

/* It was started for the clients in the queue of a dead copy. */
static void sweeper_ended(struct supervisor *supervisor, const struct copy *copy, const char *how)
{
	bool is_next = has_heir(supervisor, copy);

	say(LOG_LEVEL_WARN,
		"copy %u: process %d %s; it was started for the clients in the queue of a dead "
		"process, %s",
		copy->slot, (int)copy->pid, how,
		is_next ? "and these wait for the next copy" : "and these clients are lost");
	keeper_orphan(&supervisor->keeper, copy);
	if (!is_next)
		keeper_drop_orphans(&supervisor->keeper, copy->slot);
}

/* Returns whether COPY was a replacement: others serve, and no other copy is started for it. */
static bool is_replacement(
	struct supervisor *supervisor, struct copy *copy, enum copy_state state, const char *how)
{
	if (state == COPY_READY && (copy->is_new || copy->is_on_probation))
		return replacement_died(supervisor, copy, how);
	if (state >= COPY_READY || !queue_replaced_by(supervisor, copy))
		return false;
	replacement_failed(supervisor, copy, how);
	return true;
}

/* Before its time to drain is over, at any rate. */
static unsigned pause_ms(const struct supervisor *supervisor)
{
	unsigned most_ms = supervisor->options->drain_timeout_ms / 2;

	return SWEEP_MS < most_ms ? SWEEP_MS : most_ms;
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
	if (background_has_taken(supervisor, copy, state))
		return;
	if (state == COPY_STOPPING) {
		say(LOG_LEVEL_INFO, "copy %u: process %d %s", copy->slot, (int)copy->pid, how);
	} else if (copy->is_sweeper &&
		   (state != COPY_DRAINING || !is_continued(supervisor, copy))) {
		sweeper_ended(supervisor, copy, how);
	} else if (state == COPY_DRAINING) {
		say(LOG_LEVEL_WARN,
			"copy %u: process %d %s while it drained; what it had accepted is lost",
			copy->slot, (int)copy->pid, how);
		leave_queue(supervisor, copy);
		copy->swept_ms = copy->is_sweeper ? clock_now_ms() + pause_ms(supervisor) : 0;
	} else if (is_replacement(supervisor, copy, state, how)) {
		leave_queue(supervisor, copy);
	} else {
		if (state < COPY_READY && supervisor->is_rolling &&
			copy->generation == supervisor->generation)
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
			copy->probe_status = status;
			copy->has_probed = status == 0;
			return;
		}
	}
}
