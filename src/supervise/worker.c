/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include "asking.h"
#include "copies.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/text.h"
#include "guardian.h"
#include "queue.h"
#include "signals.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/sockets/settle.h"
#include "supervise/sockets/unread.h"
#include "supervise/talk/peer.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES_MOST 64 /* of one copy in one pass */

void worker_enter(struct copy *copy, enum copy_state state)
{
	copy->state = state;
	copy->changed_ms = copy->awaited_ms = clock_now_ms();
	copy->is_long_said = false;
	if (state > COPY_READY)
		asking_abandon(copy);
}

static void update_steering(struct supervisor *supervisor, bool is_starting)
{
	/* A closed socket must not be counted as a member. */
	if (supervisor->keeper.has_closed)
		snapshot_forget(&supervisor->snapshot);
	supervisor->keeper.has_closed = false;
	steering_update(supervisor->steering, &supervisor->keeper, &supervisor->snapshot,
		supervisor->n_slots, is_starting);
}

void worker_steer(struct supervisor *supervisor)
{
	update_steering(supervisor, supervisor->is_joining_closed && copies_any_joins(supervisor));
}

void worker_look(struct supervisor *supervisor)
{
	snapshot_forget(&supervisor->snapshot);
	worker_steer(supervisor);
}

/* ---- starting ---- */

/* A copy that is to replace others of the queue of SLOT, too; or NULL. */
static const struct copy *other_new(const struct supervisor *supervisor, unsigned slot)
{
	const struct copy *copy = supervisor->copies;

	while (copy && !(copy->is_new && !copy->is_over && copy->state <= COPY_READY &&
			       queue_has(supervisor, copy, slot)))
		copy = copy->next;
	return copy;
}

/*
 * Closes the groups, so that the new copy gets no clients before it is ready. A group with members
 * of others stays as it is: then a copy that replaces PREDECESSOR has to take over its sockets.
 */
static void close_joining(
	struct supervisor *supervisor, const struct copy *predecessor, struct copy *copy)
{
	const struct endpoint *endpoint;
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;
	const char *obstacle;

	worker_steer(supervisor);
	supervisor->is_joining_closed = !steering_any_obstacle(supervisor->steering);
	if (supervisor->is_joining_closed)
		update_steering(supervisor, true);
	if (!predecessor)
		return;
	obstacle = steering_obstacle(
		supervisor->steering, &supervisor->keeper, predecessor, &endpoint);
	bool is_stuck = predecessor->takes_nothing || predecessor->is_hung;
	const struct copy *other = other_new(supervisor, copy->slot); /* they share one socket */
	copy->is_successor = other ? other->is_successor : obstacle || is_stuck;
	if (!copy->is_successor)
		return;
	if (!obstacle && is_stuck)
		say(LOG_LEVEL_INFO,
			"copy %u: process %d takes nothing from its queue, so the new copy takes "
			"over the queue",
			copy->slot, (int)predecessor->pid);
	if (!obstacle)
		return;
	supervisor->is_joining_closed = false;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	say(LOG_LEVEL_WARN, "copy %u: %s %s, so the new copy takes over the old one's socket",
		copy->slot, bytes, obstacle);
}

static int start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor,
	const struct copy *dead)
{
	struct copy *copy = calloc(1, sizeof *copy);
	int error = copy ? channel_open(&copy->channel) : -ENOMEM;

	if (!error) {
		copy->slot = slot;
		copy->generation = supervisor->generation;
		copy->is_new = predecessor != NULL;
		copy->is_sweeper = dead != NULL;
		copy->n_sweeps = dead ? dead->n_sweeps + 1 : 0;
		copy->swept = dead;
		copy->is_shared = queue_has_others(supervisor, slot);
		if (predecessor)
			settle(&supervisor->keeper, predecessor);
		close_joining(supervisor, predecessor, copy);
		error = launch_copy(&supervisor->launch, &supervisor->keeper, copy);
		copy->swept = NULL;
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
	worker_enter(copy, COPY_STARTING);
	copy->started_ms = copy->changed_ms;
	copy->next = supervisor->copies;
	supervisor->copies = copy;
	guardian_note(copy->pid);
	say(LOG_LEVEL_INFO, "copy %u: process %d starts", slot, (int)copy->pid);
	return 0;
}

int worker_start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor)
{
	return start(supervisor, slot, predecessor, NULL);
}

int worker_start_sweeper(struct supervisor *supervisor, struct copy *dead)
{
	int error = start(supervisor, dead->slot, NULL, dead);

	if (error)
		return error;
	keeper_orphan(&supervisor->keeper, dead);
	worker_enter(dead, COPY_STOPPING);
	return 0;
}

/* ---- ending ---- */

void worker_stop(struct supervisor *supervisor, struct copy *copy)
{
	worker_enter(copy, COPY_STOPPING);
	signals_send(copy, supervisor->options->stop_signal);
	signals_send(copy, SIGCONT);
}

static bool is_served_by_others(const struct supervisor *supervisor, const struct copy *copy)
{
	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		const struct taker *taker = takers_have(kept->takers, copy) ? kept->takers : NULL;
		while (taker && (taker->copy == copy || !copies_is_serving(taker->copy)))
			taker = taker->next;
		if (taker)
			return true;
	}
	return false;
}

void worker_stop_alone(struct supervisor *supervisor, struct copy *copy)
{
	if (!supervisor->options->n_queues || !is_served_by_others(supervisor, copy)) {
		worker_stop(supervisor, copy);
		return;
	}
	worker_enter(copy, COPY_STOPPING);
	copy->has_killed = true;
	signals_kill(copy);
}

bool worker_count_as_ready(struct supervisor *supervisor, struct copy *copy)
{
	if (copy->is_successor || !is_served_by_others(supervisor, copy))
		return false;
	keeper_own(&supervisor->keeper, copy);
	worker_enter(copy, COPY_READY);
	return true;
}

void worker_give_up(struct supervisor *supervisor, struct copy *copy)
{
	copy->has_failed = true;
	copy->is_on_probation = false;
	if (!copy->is_successor)
		keeper_own(&supervisor->keeper, copy);
	if (keeper_owns_any(&supervisor->keeper, copy))
		worker_enter(copy, COPY_DRAINING);
	else
		worker_stop_alone(supervisor, copy);
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

/* Returns whether it was stopped. */
static bool stop_where_nobody_can_take(struct supervisor *supervisor, struct copy *copy)
{
	const char *obstacle = draining_obstacle(supervisor, copy);

	if (!obstacle)
		return false;
	if (keeper_owns_any(&supervisor->keeper, copy))
		say(LOG_LEVEL_WARN,
			"copy %u: process %d is told to stop at once, because no other process can "
			"take its clients: its port %s",
			copy->slot, (int)copy->pid, obstacle);
	worker_stop(supervisor, copy);
	return true;
}

void worker_retire(struct supervisor *supervisor, struct copy *copy)
{
	if (!stop_where_nobody_can_take(supervisor, copy))
		worker_enter(copy, COPY_DRAINING);
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

void worker_drain_anew(struct supervisor *supervisor, struct copy *copy)
{
	worker_enter(copy, COPY_DRAINING);
	drain_free(&copy->drain);
	copy->looks_idle = 0;
	if (copy->is_deaf)
		keeper_set_deaf(&supervisor->keeper, copy, false);
	copy->is_deaf = false;
}

bool worker_serves_on(const struct supervisor *supervisor, const struct copy *copy)
{
	return !supervisor->is_stopping && !copy->is_over && !copy->has_failed &&
	       copies_any_to_come(supervisor) && keeper_owns_any(&supervisor->keeper, copy) &&
	       !steering_has_others(supervisor->steering, &supervisor->keeper, copy);
}

void worker_follow_drain(struct supervisor *supervisor, struct copy *copy)
{
	bool has_served_on = copy->serves_on;
	copy->serves_on = worker_serves_on(supervisor, copy);
	if (copy->serves_on) {
		if (!has_served_on)
			say(LOG_LEVEL_WARN,
				"copy %u: process %d serves new clients until another copy can",
				copy->slot, (int)copy->pid);
		worker_drain_anew(supervisor, copy);
		return;
	}
	if (copy->drain.has_started &&
		steering_is_sure(supervisor->steering, &supervisor->keeper, copy))
		return;
	if (!copy->drain.has_started && !has_served_on && !copy->is_held && !copy->is_over &&
		stop_where_nobody_can_take(supervisor, copy))
		return;
	start_drain(supervisor, copy);
}

/* The new copies serve without it, so nobody listens there any more. */
static void say_given_up(
	struct supervisor *supervisor, const struct copy *copy, const struct kept *kept)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	if (supervisor->is_stopping || copy->is_new || copy->has_failed || kept->takers->next ||
		!queue_serving(supervisor, copy->slot) ||
		!keeper_is_last(&supervisor->keeper, kept))
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, &kept->entry.local);
	say(LOG_LEVEL_WARN, "%s is closed: no new copy listens there", bytes);
	control_say(&supervisor->control, CONTROL_ROLL, "%s is closed: no new copy listens there",
		bytes);
}

static void drop_one_of_each_group(struct supervisor *supervisor, const struct copy *copy)
{
	for (struct kept *kept = supervisor->keeper.list, *next; kept; kept = next) {
		next = kept->next;
		bool is_shared = kept->takers && kept->takers->next;
		if (!takers_own(kept->takers, copy) ||
			!(is_shared || steering_may_leave(supervisor->steering, kept)))
			continue;
		say_given_up(supervisor, copy, kept);
		/* The service manager closes its descriptor a little later. */
		bool leaves = !is_shared && !service_manager_is_there();
		if (leaves)
			steering_begin_leave(supervisor->steering, kept);
		keeper_let_go(&supervisor->keeper, kept, copy);
		if (leaves)
			steering_end_leave(supervisor->steering);
	}
}

/*
 * While a socket leaves the group, the kernel may give a datagram to a copy that no longer reads.
 * Then what this copy has left is drained once more. (Of TCP, nothing comes: see deaf.h.)
 */
static bool drain_again(struct supervisor *supervisor, struct copy *copy)
{
	if (!copy->has_read_all || supervisor->is_stopping || !unread_by(&supervisor->keeper, copy))
		return false;
	copy->has_read_all = false;
	worker_drain_anew(supervisor, copy);
	return true;
}

bool worker_let_go(struct supervisor *supervisor, struct copy *copy)
{
	keeper_unclaim(&supervisor->keeper, copy);
	if (supervisor->is_stopping && service_manager_is_there()) {
		keeper_orphan(&supervisor->keeper, copy);
		settle_for_next(&supervisor->keeper);
	}
	while (keeper_owns_any(&supervisor->keeper, copy)) {
		if (drain_again(supervisor, copy))
			return false;
		drop_one_of_each_group(supervisor, copy);
		worker_steer(supervisor);
	}
	if (copy->slot >= supervisor->n_slots)
		control_say(&supervisor->control, CONTROL_SCALE, "copy %u: process %d has ended",
			copy->slot, (int)copy->pid);
	return true;
}

/* ---- messages of copies ---- */

static bool is_from(struct copy *copy, const struct channel_message *message)
{
	if (peer_is_ours(message->user, message->sender))
		return true;
	int result = message->sender > 0
			     ? process_tree_holds(copy->pid, message->sender, message->user)
			     : 0;
	if (result < 0)
		keeper_refuse(copy, "something, and it cannot be found out whose it is", result);
	return result == 1;
}

static void take_bind(struct copy *copy, const struct channel_message *message)
{
	char endpoint[ENDPOINT_TEXT_SIZE], error[16] = "";

	if (channel_field(message, "REUSE_BIND_FAILED", endpoint, sizeof endpoint)) {
		channel_field(message, "REUSE_ERRNO", error, sizeof error);
		text_print(copy->failed_bind, sizeof copy->failed_bind, "%s failed%s%s", endpoint,
			*error ? " with " : "", error);
	} else if (channel_field(message, "REUSE_BIND_DONE", error, sizeof error)) {
		copy->failed_bind[0] = '\0';
	}
}

static void take_message(
	struct supervisor *supervisor, struct copy *copy, struct channel_message *message)
{
	char flag[8];

	if (!is_from(copy, message))
		return;
	keeper_hear(&supervisor->keeper, copy, message);
	take_bind(copy, message);
	if (channel_field(message, "READY", flag, sizeof flag) && strcmp(flag, "1") == 0)
		copy->has_said_ready = true;
	if (channel_field(message, "WATCHDOG", flag, sizeof flag) && strcmp(flag, "1") == 0)
		copy->has_said_alive = true;
	channel_field(message, "STATUS", copy->status_text, sizeof copy->status_text);
}

static void listen_to(struct supervisor *supervisor, struct copy *copy, int most)
{
	static struct channel_message message;

	for (int i = 0; i < most && channel_receive(&copy->channel, &message); i++) {
		take_message(supervisor, copy, &message);
		channel_drop_fds(&message);
	}
}

void worker_listen(struct supervisor *supervisor)
{
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next)
		listen_to(supervisor, copy, MESSAGES_MOST);
}

void worker_hear_all(struct supervisor *supervisor, struct copy *copy)
{
	listen_to(supervisor, copy, KEEPER_COPY_MOST);
}
