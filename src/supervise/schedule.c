/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule.h"

#include "asking.h"
#include "background.h"
#include "copies.h"
#include "ground/clock.h"
#include "guardian.h"
#include "hung.h"
#include "memory.h"
#include "queue.h"
#include "ready.h"
#include "replacement.h"
#include "signals.h"
#include "stop_time.h"
#include "supervise/sockets/settle.h"
#include "supervise/sockets/unread.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"
#include "waiting.h"
#include "watch.h"
#include "worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LOOK_MS	  50	      /* between two looks at state that the kernel does not report */
#define SURE_MS	  200	      /* for two looks, if a drain could not be started or begins anew */
#define SETTLE_MS 500	      /* for sockets that a copy opens which was ready before it listened */
#define LATE_MS	  (5 * 1000)  /* after a copy was ready */
#define RETRY_MS  (10 * 1000) /* where a process cannot be started at all */

static void start_too_slow(struct supervisor *supervisor, struct copy *copy)
{
	bool is_replacement = queue_replaced_by(supervisor, copy) != NULL;
	char why[256];
	struct text text;

	text_start(&text, why, sizeof why);
	ready_print_obstacle(supervisor, copy, &text);
	if (!is_replacement && supervisor->options->ready == READY_LISTEN) {
		say(LOG_LEVEL_WARN,
			"copy %u: process %d still does not listen after %u ms, and keeps "
			"running%s",
			copy->slot, (int)copy->pid, supervisor->options->ready_timeout_ms, why);
		replacement_ready(supervisor, copy);
		return;
	}
	if (is_replacement) {
		char how[320];
		text_print(how, sizeof how, "was not ready in time%s", why);
		replacement_failed(supervisor, copy, how);
		return;
	}
	if (copy->has_killed)
		return;
	copy->has_killed = true;
	say(LOG_LEVEL_WARN, "copy %u: process %d was not ready in time, and is killed%s",
		copy->slot, (int)copy->pid, why);
	signals_kill(copy);
}

static void advance_starting(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	if (ready_is(supervisor, copy, now))
		replacement_ready(supervisor, copy);
	else if (now - copy->started_ms >= supervisor->options->ready_timeout_ms)
		start_too_slow(supervisor, copy);
}

/* When to check what a copy that serves has closed, or opened too late. */
static int64_t settle_due_ms(const struct supervisor *supervisor, const struct copy *copy)
{
	if (copy->is_over)
		return CLOCK_NEVER;
	if (!copy->is_settled)
		return keeper_has_any(&supervisor->keeper, copy) ? clock_now_ms() + LOOK_MS
								 : CLOCK_NEVER;
	return copy->is_late_said ? CLOCK_NEVER : copy->settled_ms + LATE_MS;
}

static void advance_ready(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	struct keeper *keeper = &supervisor->keeper;

	/* It was ready, or was left alone, before it listened, and listens now. */
	if (!copy->is_settled && keeper_has_any(keeper, copy)) {
		copy->listening_ms = copy->listening_ms ? copy->listening_ms : now;
		if (now - copy->listening_ms >= SETTLE_MS)
			ready_is(supervisor, copy, now);
	}
	if (copy->is_to_settle)
		settle(keeper, copy);
	if (!copy->is_settled || copy->is_late_said || now - copy->settled_ms < LATE_MS)
		return;
	settle(keeper, copy);
	settle_say_late(keeper, copy);
	copy->is_late_said = true;
}

static void advance_serving(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	advance_ready(supervisor, copy, now);
	replacement_advance(supervisor, copy, now);
}

/* Another copy must be started for the clients in the queue of a dead process. */
static void start_sweeper(struct supervisor *supervisor, struct copy *dead, int64_t now)
{
	if (now < dead->swept_ms)
		return;
	dead->is_to_sweep = copies_any(supervisor, COPY_STARTING);
	if (dead->is_to_sweep)
		return;
	say(LOG_LEVEL_WARN,
		"copy %u: clients wait in the queue of process %d, which is dead; another one "
		"starts, serves them, and stops",
		dead->slot, (int)dead->pid);
	if (worker_start_sweeper(supervisor, dead) < 0)
		dead->swept_ms = now + SWEEP_MS;
}

/* No copy starts any more. A service manager gives the queue to the next supervisor. */
static void leave_queue(const struct copy *dead)
{
	if (!service_manager_is_there())
		say(LOG_LEVEL_WARN,
			"copy %u: clients wait in the queue of process %d, which is dead; they are "
			"lost, because the supervisor stops",
			dead->slot, (int)dead->pid);
}

/* It is dead, but if others have died too, new clients are led to it until another copy serves. */
static bool gets_clients(const struct supervisor *supervisor, const struct copy *copy)
{
	const struct endpoint *endpoint;

	if (!copy->is_over || supervisor->is_stopping)
		return false;
	const char *obstacle =
		steering_obstacle(supervisor->steering, &supervisor->keeper, copy, &endpoint);
	return obstacle && strcmp(obstacle, STEERING_NO_OTHER) == 0;
}

static bool is_drained(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	struct drained drained;
	bool is_known = keeper_drained(&supervisor->keeper, copy, &drained);
	bool is_over = is_known && !gets_clients(supervisor, copy) &&
		       drain_is_over(&copy->drain, &drained, &supervisor->snapshot);
	bool is_left =
		is_known && copy->is_over && drain_has_queue(&drained, &supervisor->snapshot);

	free(drained.sockets);
	copy->is_to_sweep = false;
	if (is_left && !supervisor->is_stopping)
		start_sweeper(supervisor, copy, now);
	else if (is_left && copy->looks_idle)
		leave_queue(copy);
	return is_over || (is_left && supervisor->is_stopping);
}

static void end_drain(struct supervisor *supervisor, struct copy *copy)
{
	if (copy->is_over) {
		worker_enter(copy, COPY_STOPPING); /* its group was told to stop when it ended */
		return;
	}
	copy->has_read_all = !copy->is_sweeper && !unread_by(&supervisor->keeper, copy);
	worker_stop(supervisor, copy);
}

/* One at a time starts; that another one does not become ready has its own time limit. */
static bool waits_for_sweeper(const struct supervisor *supervisor, const struct copy *copy)
{
	return copy->is_over && !supervisor->is_stopping && copies_any(supervisor, COPY_STARTING);
}

static void say_time_over(const struct copy *copy, int64_t end_ms)
{
	bool is_unknown = copy->looks_idle || !copy->drain.has_started;
	unsigned ms = (unsigned)(end_ms > copy->changed_ms ? end_ms - copy->changed_ms : 0);

	if (copy->is_over)
		say(LOG_LEVEL_WARN,
			"copy %u: the queue of process %d, which is dead, is closed after %u ms, "
			"though clients may still come to it",
			copy->slot, (int)copy->pid, ms);
	else if (is_unknown)
		say(LOG_LEVEL_WARN,
			"copy %u: process %d is told to stop after %u ms, though it is not known "
			"whether it has connections",
			copy->slot, (int)copy->pid, ms);
	else
		say(LOG_LEVEL_WARN,
			"copy %u: process %d still has connections after %u ms, and is told to "
			"stop",
			copy->slot, (int)copy->pid, ms);
}

/*
 * It takes two looks in a row. Between two of its stages, one look can miss a connection, and until
 * the second look begins, one may still come by mistake. If messages keep us busy, or a look takes
 * long, both would see the same moment without some time between them.
 */
static void advance_draining(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	int64_t end_ms = stop_time_end_of_drain_ms(supervisor, copy);
	bool is_late = copy->looked_ms >= end_ms + SURE_MS; /* the last look was, too */

	if (copy->is_held || (!copy->drain.has_started && now < end_ms + SURE_MS) ||
		now - copy->looked_ms < LOOK_MS || worker_serves_on(supervisor, copy))
		return;
	bool is_idle = is_drained(supervisor, copy, now);
	copy->looks_idle = is_idle ? copy->looks_idle + 1 : 0;
	copy->looked_ms = clock_now_ms();
	if (copy->state != COPY_DRAINING)
		return;
	if (is_idle && !copy->is_deaf && !copy->is_over && copy->drain.has_started) {
		keeper_set_deaf(&supervisor->keeper, copy, true);
		copy->is_deaf = true;
	}
	bool is_time_over = now >= end_ms && copy->looks_idle < (is_late ? 2 : 1) &&
			    !waits_for_sweeper(supervisor, copy);
	if (is_time_over)
		say_time_over(copy, end_ms);
	if (is_time_over || copy->looks_idle == 2)
		end_drain(supervisor, copy);
}

static void advance_stopping(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	if (copy->has_killed || now < stop_time_end_of_grace_ms(supervisor, copy) ||
		(!copy->is_in_background && signals_group_is_gone(copy)))
		return;
	say(LOG_LEVEL_WARN, "copy %u: process %d does not stop, and is killed", copy->slot,
		(int)copy->pid);
	signals_kill(copy);
	copy->has_killed = true;
}

/* A container's first process may reap what it did not start late, or never. */
static bool is_gone(const struct supervisor *supervisor, const struct copy *copy, int64_t now)
{
	if (!copy->is_over || copy->state == COPY_DRAINING)
		return false;
	if (copy->is_in_background &&
		background_signal(supervisor, copy, copy->has_killed ? SIGKILL : 0))
		return false;
	return signals_group_is_gone(copy) ||
	       now - copy->changed_ms >= 2 * (int64_t)supervisor->options->grace_ms + LOOK_MS ||
	       (copy->has_killed && stop_time_is_over(supervisor));
}

/*
 * When a socket leaves its group, the last member gets its number. While a copy joins, that would
 * be the new member, and in a group that is not measured nobody could tell.
 */
static bool has_to_stay(const struct supervisor *supervisor, const struct copy *copy)
{
	return copies_any(supervisor, COPY_STARTING) && keeper_owns_any(&supervisor->keeper, copy);
}

static void bury(struct supervisor *supervisor, int64_t now)
{
	for (struct copy **at = &supervisor->copies; *at;) {
		struct copy *copy = *at;
		if (!is_gone(supervisor, copy, now) || has_to_stay(supervisor, copy) ||
			!worker_let_go(supervisor, copy)) {
			at = &copy->next;
			continue;
		}
		guardian_strike(copy->pid);
		*at = copy->next;
		if (copy->probe)
			kill(-copy->probe, SIGKILL);
		asking_free(copy);
		watch_free(copy);
		channel_close(&copy->channel);
		drain_free(&copy->drain);
		free(copy);
	}
}

/* Whether a copy will start that may take the socket, or one that runs may still do so. */
static bool is_awaited(const struct supervisor *supervisor, const struct kept *kept, int64_t now)
{
	const struct slot *state = &supervisor->slots[kept->slot];

	if ((state->is_split && !state->split_ms) || state->is_to_roll)
		return true;
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_STARTING &&
			keeper_is_for(&supervisor->keeper, kept, copy->slot))
			return true;
	}
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (keeper_is_for(&supervisor->keeper, kept, slot) &&
			!copies_has(supervisor, slot) && supervisor->slots[slot].start_ms <= now)
			return true;
	}
	return false;
}

static bool is_given_up(const struct supervisor *supervisor, const struct kept *kept, int64_t now)
{
	return !kept->takers && !supervisor->is_stopping &&
	       now - kept->orphaned_ms >= supervisor->options->keep_timeout_ms &&
	       !is_awaited(supervisor, kept, now);
}

/* A copy that was started with it, and has not taken it, would keep it open: clients would wait. */
static void stop_listening(const struct supervisor *supervisor, const struct kept *kept)
{
	if (kept->entry.local.protocol != PROTOCOL_UDP &&
		!launch_was_passed(&supervisor->launch, kept->entry.inode))
		shutdown(kept->fd, SHUT_RD);
}

static void give_up(struct supervisor *supervisor, int64_t now)
{
	struct kept *next;

	for (struct kept *kept = supervisor->keeper.list; kept; kept = next) {
		next = kept->next;
		if (!is_given_up(supervisor, kept, now))
			continue;
		say(LOG_LEVEL_WARN,
			"copy %u: no copy took the kept socket %s within %u ms, so it is closed",
			kept->slot, kept->name, supervisor->options->keep_timeout_ms);
		stop_listening(supervisor, kept);
		keeper_drop(&supervisor->keeper, kept);
	}
}

static void start_missing(struct supervisor *supervisor, int64_t now)
{
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		/* One at a time, so that the order in which they join a group is known. */
		if (supervisor->is_stopping || copies_any(supervisor, COPY_STARTING) ||
			copies_any_to_sweep(supervisor))
			return;
		if (copies_has(supervisor, slot) || supervisor->slots[slot].start_ms > now)
			continue;
		if (worker_start(supervisor, slot, NULL) < 0) {
			supervisor->slots[slot].start_ms = now + RETRY_MS;
			supervisor->n_failed_starts++; /* a smaller number must not wait for it */
		}
	}
}

/*
 * Once for all that has happened: with many copies, a look at their group takes time. What is on
 * its way to a copy that drains is read when no more can follow.
 */
static void steer(struct supervisor *supervisor)
{
	worker_steer(supervisor);
	snapshot_forget(&supervisor->snapshot);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_DRAINING)
			worker_follow_drain(supervisor, copy);
	}
	snapshot_forget(&supervisor->snapshot);
}

void schedule_advance(struct supervisor *supervisor)
{
	int64_t now = clock_now_ms();

	supervisor->pass_ms = now;
	/* All looks in this pass see one moment, which is not before NOW. */
	snapshot_forget(&supervisor->snapshot);
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_STARTING)
			advance_starting(supervisor, copy, now);
		else if (copies_is_serving(copy))
			advance_serving(supervisor, copy, now);
		else if (copy->state == COPY_DRAINING)
			advance_draining(supervisor, copy, now);
		else if (copy->state == COPY_STOPPING)
			advance_stopping(supervisor, copy, now);
	}
	watch_advance(supervisor, now);
	hung_advance(supervisor, now);
	memory_advance(supervisor, now);
	waiting_say_long(supervisor, now);
	bury(supervisor, now);
	give_up(supervisor, now);
	start_missing(supervisor, now);
	steer(supervisor);
}

/* What was due before the last pass, and is still there, waits for something else as well. */
static int64_t earlier(const struct supervisor *supervisor, int64_t due, int64_t other)
{
	if (other < supervisor->pass_ms)
		other = clock_now_ms() + LOOK_MS;
	return due < other ? due : other;
}

static int64_t due_of_copy(const struct supervisor *supervisor, const struct copy *copy)
{
	int64_t look_ms = clock_now_ms() + LOOK_MS;

	if (copy->state == COPY_STOPPING && !copy->is_over && !copy->has_killed)
		return stop_time_end_of_grace_ms(supervisor, copy);
	if (!copies_is_serving(copy))
		return look_ms;
	return earlier(
		supervisor, settle_due_ms(supervisor, copy), replacement_due_ms(supervisor, copy));
}

int64_t schedule_due_ms(const struct supervisor *supervisor)
{
	int64_t due = supervisor->keeper.leaving ? clock_now_ms() + LOOK_MS : CLOCK_NEVER;

	due = earlier(supervisor, due, waiting_due_ms(supervisor));
	due = earlier(supervisor, due, watch_due_ms(supervisor));
	due = earlier(supervisor, due, hung_due_ms(supervisor));
	due = earlier(supervisor, due, memory_due_ms(supervisor));
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		due = earlier(supervisor, due, due_of_copy(supervisor, copy));
		due = earlier(supervisor, due, asking_due_ms(copy));
	}
	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		if (!takers_any_owns(kept->takers) && !supervisor->is_stopping)
			due = earlier(supervisor, due,
				kept->orphaned_ms + supervisor->options->keep_timeout_ms);
	}
	for (unsigned slot = 0; slot < supervisor->n_slots && !supervisor->is_stopping; slot++) {
		const struct slot *state = &supervisor->slots[slot];
		if (!copies_has(supervisor, slot))
			due = earlier(supervisor, due, state->start_ms);
		if (state->is_split && state->split_ms)
			due = earlier(supervisor, due, state->split_ms);
	}
	return due;
}
