/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "asking.h"

#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/text.h"
#include "supervise/probe/probe.h"
#include "supervise/sockets/process_tree.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_FIRST_MS 2 /* between two checks whether the copy has accepted it */
#define LOOK_MOST_MS  100
#define RETRY_MS      50  /* if the copy could not be reached */
#define GAP_MOST_MS   500 /* a longer gap means that the supervisor itself was stopped */
#define LEFT_MOST     16  /* finished probes whose connections the copy still has open */

struct asking {
	struct probe *probe; /* or NULL */
	struct probe *left;  /* finished ones */
	bool is_open;
	bool was_refused; /* by the copy itself, since the round began */
	bool is_deaf;	  /* it had accepted nothing at the end of the last round */
	bool is_said;	  /* the reason why it cannot be asked was logged */
	int64_t used_ms;  /* time in this round */
	int64_t looked_ms, next_ms;
	unsigned look_ms;
	unsigned detour; /* see reach.h */
	char outcome[160];
};

/* ---- finished probes ---- */

static void leave(struct asking *asking)
{
	if (!asking->probe)
		return;
	probe_leave(asking->probe);
	asking->probe->next = asking->left;
	asking->left = asking->probe;
	asking->probe = NULL;
}

static void drop_left(struct asking *asking, bool with_passed)
{
	unsigned count = 0;

	for (struct probe **at = &asking->left; *at;) {
		struct probe *probe = *at;
		count++;
		if (!probe_is_closed(probe) && count <= LEFT_MOST &&
			!(with_passed && probe->has_passed)) {
			at = &probe->next;
			continue;
		}
		*at = probe->next;
		probe_free(probe);
	}
}

/* ---- which listener? ---- */

/* Only once: it may stay so for the whole life of the copy. */
static void say_unknown(const struct copy *copy)
{
	struct asking *asking = copy->asking;

	if (asking->is_said)
		return;
	asking->is_said = true;
	say(LOG_LEVEL_WARN, "copy %u: process %d %s", copy->slot, (int)copy->pid,
		asking->outcome[0] ? asking->outcome : "cannot be checked");
}

static bool fits(const struct kept *kept, const struct copy *copy, const struct check *check)
{
	return takers_have(kept->takers, copy) && kept->entry.local.protocol == PROTOCOL_TCP &&
	       (!check->port || kept->entry.local.port == check->port);
}

static void print_choice(struct asking *asking, const struct kept *a, const struct kept *b)
{
	struct text text;

	text_start(&text, asking->outcome, sizeof asking->outcome);
	text_format(&text, "listens on ");
	endpoint_print(&text, &a->entry.local);
	text_format(&text, " and on ");
	endpoint_print(&text, &b->entry.local);
	text_format(&text, "; name the port to check, as in http:%u/PATH or tcp:%u",
		a->entry.local.port, a->entry.local.port);
}

/* The listener to ask, or NULL; then the outcome says why. */
static const struct kept *find_listener(
	const struct supervisor *supervisor, const struct copy *copy, const struct check *check)
{
	struct asking *asking = copy->asking;
	const struct kept *found = NULL;

	for (const struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		if (!fits(kept, copy, check))
			continue;
		if (found && found->entry.local.port != kept->entry.local.port) {
			print_choice(asking, found, kept);
			say_unknown(copy);
			return NULL;
		}
		found = found ? found : kept;
	}
	if (!found && check->port)
		text_print(asking->outcome, sizeof asking->outcome,
			"has no kept socket that listens on tcp port %u", check->port);
	else if (!found)
		text_print(asking->outcome, sizeof asking->outcome,
			"has no kept socket that listens on a tcp port");
	return found;
}

/* ---- who has accepted it? ---- */

struct owning {
	const struct supervisor *supervisor;
	const struct copy *copy;
	uint32_t listener;
};

static enum probe_owner ask_tree(const struct copy *copy, uint32_t inode)
{
	struct process_tree tree;

	process_tree_read(&tree, copy->pid);
	enum probe_owner owner = process_tree_has(&tree, inode) ? PROBE_OF_COPY
				 : tree.error			? PROBE_OWNER_UNKNOWN
								: PROBE_OF_OTHERS;
	process_tree_free(&tree);
	return owner;
}

/* For a shared queue, any copy that takes connections from it answers for all. */
static enum probe_owner ask_owner(uint32_t inode, void *context)
{
	const struct owning *owning = context;
	const struct kept *kept = keeper_find(&owning->supervisor->keeper, owning->listener);
	enum probe_owner owner = ask_tree(owning->copy, inode);

	if (!owning->copy->is_shared)
		return owner;
	for (const struct taker *taker = kept ? kept->takers : NULL;
		taker && owner != PROBE_OF_COPY; taker = taker->next) {
		enum probe_owner other = ask_tree(taker->copy, inode);
		owner = other == PROBE_OF_OTHERS ? owner : other;
	}
	return owner;
}

/* ---- asking ---- */

static bool open_asking(struct copy *copy, int64_t now)
{
	struct asking *asking = copy->asking;

	if (!asking)
		asking = copy->asking = calloc(1, sizeof *asking);
	if (!asking || asking->is_open)
		return asking != NULL;
	drop_left(asking, true);
	asking->is_open = true;
	asking->was_refused = false;
	asking->used_ms = 0;
	asking->looked_ms = asking->next_ms = now;
	asking->look_ms = LOOK_FIRST_MS;
	return true;
}

static void count_time(struct asking *asking, int64_t now)
{
	int64_t gap_ms = now - asking->looked_ms;

	asking->used_ms += gap_ms < GAP_MOST_MS ? gap_ms : GAP_MOST_MS;
	asking->looked_ms = now;
}

static void print_obstacle(struct asking *asking, const struct kept *kept, const char *obstacle)
{
	struct text text;

	text_start(&text, asking->outcome, sizeof asking->outcome);
	text_format(&text, "cannot be checked: ");
	endpoint_print(&text, &kept->entry.local);
	text_format(&text, " %s", obstacle);
}

static void try_to_reach(
	struct supervisor *supervisor, struct copy *copy, const struct check *check, int64_t now)
{
	struct asking *asking = copy->asking;
	const struct kept *kept = find_listener(supervisor, copy, check);
	struct reached reached = {.detour = asking->detour};
	int error =
		kept ? steering_reach(supervisor->steering, &supervisor->snapshot, kept, &reached)
		     : 0;

	asking->next_ms = now + RETRY_MS;
	asking->look_ms = LOOK_FIRST_MS;
	if (!kept)
		return;
	if (error) {
		print_obstacle(
			asking, kept, reached.obstacle ? reached.obstacle : errno_name(-error));
		return;
	}
	asking->was_refused = reached.is_refused;
	if (reached.is_refused) {
		text_print(asking->outcome, sizeof asking->outcome,
			"has accepted no connection, and its queue is full");
		close(reached.fd);
		return;
	}
	asking->probe = probe_new(&reached, kept->entry.inode, supervisor->probe_events);
}

static enum asked take_result(
	struct asking *asking, const struct check *check, enum probe_result result)
{
	const struct probe *probe = asking->probe;

	if (result == PROBE_LOST) {
		text_print(asking->outcome, sizeof asking->outcome,
			"could not be checked: another process got the connection");
		asking->detour++;
		probe_free(asking->probe);
		asking->probe = NULL;
		return ASKED_STILL;
	}
	if (result == PROBE_PASSED)
		text_print(asking->outcome, sizeof asking->outcome, "is healthy");
	else if (probe->status > 0)
		text_print(asking->outcome, sizeof asking->outcome, "answered %d", probe->status);
	else
		text_print(asking->outcome, sizeof asking->outcome, "%s",
			probe->status < 0 ? "answered something that is not HTTP"
					  : "closed the connection without an answer");
	leave(asking);
	drop_left(asking, result == PROBE_PASSED && check->kind == CHECK_TCP);
	return result == PROBE_PASSED ? ASKED_PASSED : ASKED_FAILED;
}

/*
 * The time is over. If the probe still waits in the queue of the copy, it stays for the next round.
 */
static enum asked give_up(struct asking *asking, unsigned limit_ms)
{
	struct probe *probe = asking->probe;

	if (!probe || probe->stage == PROBE_CONNECTS) {
		leave(asking);
		return asking->was_refused ? ASKED_FAILED : ASKED_UNKNOWN;
	}
	bool is_in_queue = probe->stage == PROBE_WAITS;
	if (is_in_queue && !probe->is_sure) {
		leave(asking);
		return ASKED_UNKNOWN;
	}
	text_print(asking->outcome, sizeof asking->outcome, "%s for %u ms",
		is_in_queue ? "has not accepted a connection" : "has not answered", limit_ms);
	if (!is_in_queue)
		leave(asking);
	return ASKED_FAILED;
}

/* Each wait is twice as long as the one before. */
static void look_later(struct asking *asking, int64_t now)
{
	asking->next_ms = now + asking->look_ms;
	asking->look_ms = asking->look_ms * 2 < LOOK_MOST_MS ? asking->look_ms * 2 : LOOK_MOST_MS;
}

enum asked asking_advance(struct supervisor *supervisor, struct copy *copy,
	const struct check *check, unsigned limit_ms, int64_t now)
{
	enum asked asked = ASKED_STILL;

	if (!open_asking(copy, now))
		return ASKED_UNKNOWN;
	struct asking *asking = copy->asking;
	count_time(asking, now);
	if (!asking->probe && now >= asking->next_ms)
		try_to_reach(supervisor, copy, check, now);
	if (asking->probe) {
		struct owning owning = {supervisor, copy, asking->probe->end.listener};
		enum probe_result result = probe_look(asking->probe, check, ask_owner, &owning);
		if (result != PROBE_GOES_ON)
			asked = take_result(asking, check, result);
		look_later(asking, now);
	}
	if (asked == ASKED_STILL && asking->used_ms >= limit_ms)
		asked = give_up(asking, limit_ms);
	asking->is_open = asked == ASKED_STILL;
	if (asked != ASKED_STILL)
		asking->is_deaf =
			asked == ASKED_FAILED && (asking->was_refused || asking->probe != NULL);
	if (asked == ASKED_UNKNOWN)
		say_unknown(copy);
	return asked;
}

bool asking_is_deaf(const struct copy *copy)
{
	return copy->asking && copy->asking->is_deaf;
}

const char *asking_outcome(const struct copy *copy)
{
	return copy->asking ? copy->asking->outcome : "";
}

void asking_abandon(struct copy *copy)
{
	if (!copy->asking)
		return;
	leave(copy->asking);
	copy->asking->is_open = false;
}

void asking_free(struct copy *copy)
{
	if (!copy->asking)
		return;
	leave(copy->asking);
	while (copy->asking->left) {
		struct probe *probe = copy->asking->left;
		copy->asking->left = probe->next;
		probe_free(probe);
	}
	free(copy->asking);
	copy->asking = NULL;
}

int64_t asking_due_ms(const struct copy *copy)
{
	return copy->asking && copy->asking->is_open ? copy->asking->next_ms : CLOCK_NEVER;
}
