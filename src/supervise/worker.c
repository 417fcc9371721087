/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include "background.h"
#include "copies.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/text.h"
#include "guardian.h"
#include "ready.h"
#include "signal_name.h"
#include "signals.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/talk/peer.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_MOST_MS (10 * 1000)
#define SETTLED_MS	(10 * 1000) /* a copy that has lived so long starts well */
#define MESSAGES_MOST	64	    /* of one copy at a time */

static void enter(struct copy *copy, enum copy_state state)
{
	copy->state = state;
	copy->changed_ms = clock_now_ms();
	copy->is_long_said = false;
}

static void update_steering(struct supervisor *supervisor, bool is_starting)
{
	/* What has been closed is not to be counted as a member. */
	if (supervisor->keeper.has_closed)
		snapshot_forget(&supervisor->snapshot);
	supervisor->keeper.has_closed = false;
	steering_update(
		supervisor->steering, &supervisor->keeper, &supervisor->snapshot, is_starting);
}

void worker_steer(struct supervisor *supervisor)
{
	update_steering(
		supervisor, supervisor->is_joining_closed && copies_any(supervisor, COPY_STARTING));
}

void worker_look(struct supervisor *supervisor)
{
	snapshot_forget(&supervisor->snapshot);
	worker_steer(supervisor);
}

/* ---- starting ---- */

/*
 * Shuts the groups, so that the new copy gets nobody before it is ready. Where a group has others
 * in it, it stays as it is: then a copy that replaces PREDECESSOR has to take its sockets.
 */
static void close_joining(
	struct supervisor *supervisor, const struct copy *predecessor, struct copy *copy)
{
	const struct endpoint *endpoint;
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;
	const char *obstacle;

	update_steering(supervisor, false);
	supervisor->is_joining_closed = !steering_any_obstacle(supervisor->steering);
	if (supervisor->is_joining_closed)
		update_steering(supervisor, true);
	if (!predecessor)
		return;
	obstacle = steering_obstacle(
		supervisor->steering, &supervisor->keeper, predecessor, &endpoint);
	copy->is_successor = obstacle != NULL;
	if (!obstacle)
		return;
	supervisor->is_joining_closed = false;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	say(LOG_LEVEL_WARN, "copy %u: %s %s, so the new copy takes the old one's socket over",
		copy->slot, bytes, obstacle);
}

int worker_start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor)
{
	struct copy *copy = calloc(1, sizeof *copy);
	int error = copy ? channel_open(&copy->channel) : -ENOMEM;

	if (!error) {
		copy->slot = slot;
		copy->generation = supervisor->generation;
		close_joining(supervisor, predecessor, copy);
		error = launch_copy(&supervisor->launch, &supervisor->keeper, copy,
			copy->is_successor ? predecessor : NULL);
		if (error)
			channel_close(&copy->channel);
	}
	if (error) {
		free(copy);
		say(LOG_LEVEL_ERROR, "copy %u cannot be started: %s", slot, errno_name(-error));
		return error;
	}
	if (!supervisor->is_announced &&
		supervisor->slots[slot].backoff_ms == SLOT_BACKOFF_FIRST_MS)
		service_manager_say("EXTEND_TIMEOUT_USEC=%ju",
			(uintmax_t)(supervisor->options->ready_timeout_ms +
				    supervisor->options->ready_delay_ms + 1000) *
				1000);
	enter(copy, COPY_STARTING);
	copy->started_ms = copy->changed_ms;
	copy->next = supervisor->copies;
	supervisor->copies = copy;
	guardian_note(copy->pid);
	say(LOG_LEVEL_INFO, "copy %u: process %d starts", slot, (int)copy->pid);
	return 0;
}

/* ---- ready ---- */

void worker_ready(struct supervisor *supervisor, struct copy *copy)
{
	struct copy *predecessor = copies_serving(supervisor, copy->slot);

	keeper_promote(&supervisor->keeper, copy);
	enter(copy, COPY_READY);
	worker_steer(supervisor);
	say(LOG_LEVEL_INFO, "copy %u: process %d is ready", copy->slot, (int)copy->pid);
	if (!predecessor)
		control_say(&supervisor->control, CONTROL_SCALE, "copy %u: process %d is ready",
			copy->slot, (int)copy->pid);
	if (!predecessor)
		return;
	control_say(&supervisor->control, CONTROL_ROLL, "copy %u: process %d is replaced by %d",
		copy->slot, (int)predecessor->pid, (int)copy->pid);
	if (copy->is_successor)
		worker_stop(supervisor, predecessor);
	else
		worker_retire(supervisor, predecessor);
}

/* ---- ending ---- */

void worker_stop(struct supervisor *supervisor, struct copy *copy)
{
	enter(copy, COPY_STOPPING);
	signals_send(copy, supervisor->options->stop_signal);
	signals_send(copy, SIGCONT);
}

/* Why no other copy can take its clients, or NULL. */
static const char *draining_obstacle(const struct supervisor *supervisor, const struct copy *copy)
{
	const struct endpoint *endpoint;

	if (!keeper_owns_any(&supervisor->keeper, copy))
		return "is not kept";
	if (copy->state == COPY_READY &&
		!steering_has_others(supervisor->steering, &supervisor->keeper, copy))
		return STEERING_NO_OTHER;
	return steering_obstacle(supervisor->steering, &supervisor->keeper, copy, &endpoint);
}

bool worker_can_drain(const struct supervisor *supervisor, const struct copy *copy)
{
	return !draining_obstacle(supervisor, copy);
}

/* Returns whether that was so. */
static bool stop_where_nobody_can_take(struct supervisor *supervisor, struct copy *copy)
{
	const char *obstacle = draining_obstacle(supervisor, copy);

	if (!obstacle)
		return false;
	if (keeper_owns_any(&supervisor->keeper, copy))
		say(LOG_LEVEL_WARN,
			"copy %u: process %d is told to stop at once, because no other can take "
			"its clients: its port %s",
			copy->slot, (int)copy->pid, obstacle);
	worker_stop(supervisor, copy);
	return true;
}

void worker_retire(struct supervisor *supervisor, struct copy *copy)
{
	if (!stop_where_nobody_can_take(supervisor, copy))
		enter(copy, COPY_DRAINING);
}

static void start_drain(struct supervisor *supervisor, struct copy *copy)
{
	struct drained drained;

	drain_free(&copy->drain);
	copy->looks_idle = 0;
	if (keeper_drained(&supervisor->keeper, copy, &drained))
		drain_start(&copy->drain, &drained, &supervisor->snapshot);
	free(drained.sockets);
}

void worker_follow_drain(struct supervisor *supervisor, struct copy *copy)
{
	bool is_sure = steering_is_sure(supervisor->steering, &supervisor->keeper, copy);

	if (copy->drain.has_started && is_sure)
		return;
	if (!copy->drain.has_started && stop_where_nobody_can_take(supervisor, copy))
		return;
	start_drain(supervisor, copy);
}

void worker_failed(struct supervisor *supervisor, const struct copy *copy, const char *how)
{
	text_print(supervisor->roll_failure, sizeof supervisor->roll_failure,
		"copy %u: the new process %d %s; the old ones that are left stay", copy->slot,
		(int)copy->pid, how);
}

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
 * A new copy that was to replace the one that has died has sockets of its own. It makes way for one
 * that takes those of the dead one, with those who wait there.
 */
static void stop_replacement(struct supervisor *supervisor, unsigned slot)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot != slot || copy->state != COPY_STARTING || copy->is_over ||
			!keeper_owns_any(&supervisor->keeper, copy))
			continue;
		copy->has_failed = true;
		worker_stop(supervisor, copy);
	}
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
	stop_replacement(supervisor, copy->slot);
}

static void copy_ended(struct supervisor *supervisor, struct copy *copy, int status)
{
	enum copy_state state = copy->state;
	char how[64];

	copy->is_over = true;
	copy->status = status;
	supervisor->n_failed_starts += state == COPY_STARTING;
	keeper_unclaim(&supervisor->keeper, copy);
	describe_end(status, how, sizeof how);
	if (state != COPY_STOPPING)
		worker_stop(supervisor, copy); /* what is left of its process group */
	if (background_has_taken(supervisor, copy))
		return;
	if (copy->has_failed || state >= COPY_DRAINING) {
		say(LOG_LEVEL_INFO, "copy %u: process %d %s", copy->slot, (int)copy->pid, how);
	} else if (state == COPY_STARTING && copies_serving(supervisor, copy->slot)) {
		worker_failed(supervisor, copy, how);
	} else {
		if (state == COPY_STARTING && supervisor->is_rolling)
			worker_failed(supervisor, copy, how);
		crashed(supervisor, copy, how);
	}
}

void worker_ended(struct supervisor *supervisor, pid_t process, int status)
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

static void drop_one_of_each_group(struct supervisor *supervisor, const struct copy *copy)
{
	for (struct kept *kept = supervisor->keeper.list, *next; kept; kept = next) {
		next = kept->next;
		if (kept->owner == copy && steering_may_leave(supervisor->steering, kept))
			keeper_drop(&supervisor->keeper, kept);
	}
}

void worker_let_go(struct supervisor *supervisor, struct copy *copy)
{
	if (copy->slot >= supervisor->n_slots)
		control_say(&supervisor->control, CONTROL_SCALE, "copy %u: process %d has ended",
			copy->slot, (int)copy->pid);
	if (supervisor->is_stopping && service_manager_is_there() && !copy->is_deaf)
		keeper_orphan(&supervisor->keeper, copy);
	while (keeper_owns_any(&supervisor->keeper, copy)) {
		drop_one_of_each_group(supervisor, copy);
		worker_steer(supervisor);
	}
}

/* ---- what copies say ---- */

static bool is_from(const struct copy *copy, const struct channel_message *message)
{
	return peer_is_ours(message->user, message->sender) ||
	       (message->sender > 0 &&
		       process_tree_holds(copy->pid, message->sender, message->user));
}

static void take_message(
	struct supervisor *supervisor, struct copy *copy, struct channel_message *message)
{
	char flag[8];

	if (!is_from(copy, message))
		return;
	keeper_hear(&supervisor->keeper, copy, message);
	if (channel_field(message, "READY", flag, sizeof flag) && strcmp(flag, "1") == 0)
		copy->has_said_ready = true;
	if (channel_field(message, "WATCHDOG", flag, sizeof flag) && strcmp(flag, "1") == 0)
		copy->has_said_alive = true;
	channel_field(message, "STATUS", copy->status_text, sizeof copy->status_text);
}

void worker_listen(struct supervisor *supervisor)
{
	static struct channel_message message;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		for (int i = 0; i < MESSAGES_MOST && channel_receive(&copy->channel, &message);
			i++) {
			take_message(supervisor, copy, &message);
			channel_drop_fds(&message);
		}
	}
}
