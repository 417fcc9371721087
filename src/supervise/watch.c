/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

#include "asking.h"
#include "copies.h"
#include "ground/clock.h"
#include "queue.h"
#include "roll.h"
#include "signals.h"
#include "supervise/talk/say.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define GAP_MOST_MS	500 /* as in asking.c */
#define CANNOT_BE_RUN	126 /* exit status of a shell: the command exists, but cannot be executed */
#define CANNOT_BE_FOUND 127

struct watched {
	struct alive alive;
	bool is_rolled; /* its replacement has begun */
	bool has_begun; /* the command is under way */
	bool is_said;	/* it was logged that the command cannot be run */
	int64_t used_ms, looked_ms;
};

/* ---- a command ---- */

static void begin_command(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	pid_t process =
		launch_probe(&supervisor->launch, copy, supervisor->options->alive_check.text);

	copy->watched->has_begun = process > 0;
	copy->watched->used_ms = 0;
	copy->watched->looked_ms = now;
	if (process > 0)
		copy->probe = process;
}

/* A command that does not exist says nothing about any copy. */
static enum asked read_status(struct copy *copy)
{
	int status = WIFEXITED(copy->probe_status) ? WEXITSTATUS(copy->probe_status) : 1;

	if (status != CANNOT_BE_RUN && status != CANNOT_BE_FOUND)
		return status ? ASKED_FAILED : ASKED_PASSED;
	if (!copy->watched->is_said)
		say(LOG_LEVEL_ERROR,
			"copy %u: the command of --alive ended with status %d, which says that it "
			"cannot be run; it is not known whether process %d is healthy",
			copy->slot, status, (int)copy->pid);
	copy->watched->is_said = true;
	return ASKED_UNKNOWN;
}

/* Time in which the supervisor did not run does not count. */
static bool is_time_over(struct watched *watched, unsigned limit_ms, int64_t now)
{
	int64_t gap_ms = now - watched->looked_ms;

	watched->used_ms += gap_ms < GAP_MOST_MS ? gap_ms : GAP_MOST_MS;
	watched->looked_ms = now;
	return watched->used_ms >= limit_ms;
}

static enum asked run_command(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	struct watched *watched = copy->watched;

	if (!watched->has_begun && copy->probe)
		return ASKED_STILL; /* a command that was killed has not ended yet */
	if (!watched->has_begun)
		begin_command(supervisor, copy, now);
	if (!watched->has_begun)
		return ASKED_UNKNOWN;
	enum asked asked = copy->probe ? ASKED_STILL : read_status(copy);
	if (asked == ASKED_STILL &&
		is_time_over(watched, supervisor->options->alive.interval_ms, now)) {
		kill(-copy->probe, SIGKILL);
		asked = ASKED_FAILED;
	}
	watched->has_begun = asked == ASKED_STILL;
	return asked;
}

static enum asked ask(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const struct options *options = supervisor->options;

	return check_connects(&options->alive_check)
		       ? asking_advance(supervisor, copy, &options->alive_check,
				 options->alive.interval_ms, now)
		       : run_command(supervisor, copy, now);
}

/* ---- what follows ---- */

static bool have_one_queue(
	const struct supervisor *supervisor, const struct copy *a, const struct copy *b)
{
	const struct kept *kept = supervisor->keeper.list;

	while (kept && (!takers_have(kept->takers, a) || !takers_have(kept->takers, b)))
		kept = kept->next;
	return kept != NULL;
}

/* Whether a result of COPY is valid for OTHER: with a shared queue, any copy may have answered. */
static bool answers_for(
	const struct supervisor *supervisor, const struct copy *copy, const struct copy *other)
{
	return other == copy ||
	       (check_connects(&supervisor->options->alive_check) && copies_is_serving(other) &&
		       have_one_queue(supervisor, copy, other));
}

static void set_failing(struct supervisor *supervisor, const struct copy *copy)
{
	const struct alive *alive = &copy->watched->alive;

	for (struct copy *other = supervisor->copies; other; other = other->next) {
		if (!answers_for(supervisor, copy, other))
			continue;
		other->is_failing = alive->is_failing;
		other->takes_nothing = alive->is_failing && asking_is_deaf(copy);
	}
}

static const char *outcome_of(const struct supervisor *supervisor, const struct copy *copy)
{
	return check_connects(&supervisor->options->alive_check) ? asking_outcome(copy)
								 : "fails the command of --alive";
}

static void say_step(
	const struct supervisor *supervisor, const struct copy *copy, enum alive_step step)
{
	const char *outcome = outcome_of(supervisor, copy);

	if (step == ALIVE_FAILS)
		say(LOG_LEVEL_WARN, "copy %u: process %d %s; others get its new clients",
			copy->slot, (int)copy->pid, outcome);
	else if (step == ALIVE_REPLACES)
		say(LOG_LEVEL_ERROR, "copy %u: process %d %s, %u times in a row; it is replaced",
			copy->slot, (int)copy->pid, outcome, supervisor->options->alive.failures);
	else if (step == ALIVE_RECOVERS)
		say(LOG_LEVEL_WARN, "copy %u: process %d is healthy again", copy->slot,
			(int)copy->pid);
}

/* Others may continue to serve its queue, so a copy is not told to stop alone. */
static void replace(struct supervisor *supervisor, struct copy *copy)
{
	bool is_alone = check_connects(&supervisor->options->alive_check) ||
			!queue_has_others(supervisor, copy->slot);

	if (is_alone && (supervisor->is_rolling || supervisor->scaling.n_copies))
		return;
	copy->watched->alive.is_to_replace = false;
	copy->watched->is_rolled = is_alone;
	if (is_alone)
		roll_queue(supervisor, copy->slot);
	else
		signals_kill(copy);
}

/* ---- all of them ---- */

/* One copy of a queue is asked for all of them. */
static bool is_asked(const struct supervisor *supervisor, const struct copy *copy)
{
	if (!copies_is_serving(copy))
		return false;
	for (const struct copy *other = supervisor->copies; other; other = other->next) {
		if (other->slot < copy->slot && copies_is_serving(other) &&
			answers_for(supervisor, copy, other))
			return false;
	}
	return true;
}

static bool is_open(const struct supervisor *supervisor)
{
	return supervisor->options->alive_check.kind != CHECK_NONE && !supervisor->is_stopping;
}

static void advance_copy(struct supervisor *supervisor, struct copy *copy, int64_t now)
{
	const struct alive_limits *limits = &supervisor->options->alive;

	if (!copy->watched) {
		copy->watched = calloc(1, sizeof *copy->watched);
		if (!copy->watched)
			return;
		copy->watched->alive.is_failing = copy->is_failing;
		alive_start(&copy->watched->alive, limits, now);
	}
	struct alive *alive = &copy->watched->alive;
	copy->watched->is_rolled = copy->watched->is_rolled && supervisor->is_rolling;
	if (copy->watched->is_rolled)
		return;
	enum asked asked = now < alive->due_ms ? ASKED_STILL : ask(supervisor, copy, now);
	if (asked != ASKED_STILL) {
		enum alive_step step = alive_take(alive, limits, asked, now);
		set_failing(supervisor, copy);
		say_step(supervisor, copy, step);
	}
	if (alive->is_to_replace)
		replace(supervisor, copy);
}

void watch_advance(struct supervisor *supervisor, int64_t now)
{
	if (!is_open(supervisor))
		return;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (is_asked(supervisor, copy))
			advance_copy(supervisor, copy, now);
	}
}

static int64_t due_of(const struct copy *copy, int64_t now)
{
	const struct watched *watched = copy->watched;

	if (!watched)
		return now;
	if (watched->is_rolled)
		return CLOCK_NEVER; /* the end of the roll is an event */
	if (watched->has_begun)
		return now + GAP_MOST_MS / 2;
	int64_t due = asking_due_ms(copy);
	return due == CLOCK_NEVER ? watched->alive.due_ms : due;
}

int64_t watch_due_ms(const struct supervisor *supervisor)
{
	int64_t now = clock_now_ms(), due = CLOCK_NEVER;

	if (!is_open(supervisor))
		return due;
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		int64_t of_copy = is_asked(supervisor, copy) ? due_of(copy, now) : due;
		due = of_copy < due ? of_copy : due;
	}
	return due;
}

void watch_free(struct copy *copy)
{
	free(copy->watched);
	copy->watched = NULL;
}
