/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pinned_group.h"

#include "ground/clock.h"
#include "ground/errnos.h"
#include "socket/steer_pinned.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define RETRY_MS 10000 /* reuse-bpf may load the program again */

static const char *path_for(const struct steered *steered, const struct steer *steer)
{
	return steer_pinned_path(steer, steered->group.place.local.protocol);
}

bool pinned_group_is_for(const struct steered *steered, const struct steer *steer)
{
	return clock_now_ms() >= steered->no_pin_ms && path_for(steered, steer);
}

/* ---- marks ---- */

/*
 * Whether the server has removed the mark of its socket: for TCP, the mark is a backlog of 0, and
 * each listen(2) sets another one.
 */
static bool is_mark_lost(const struct kept *kept)
{
	struct tcp_info info = {.tcpi_sacked = 0}; /* of a listener: its backlog */
	socklen_t length = sizeof info;

	return kept->mark == KEPT_DRAINS && kept->entry.local.protocol != PROTOCOL_UDP &&
	       getsockopt(kept->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	       info.tcpi_sacked > 0;
}

static void mark(struct steered *steered, struct kept *kept, enum kept_mark wanted)
{
	if (!kept || kept->fd < 0 || (kept->mark == wanted && !is_mark_lost(kept)))
		return;
	steer_pinned_drain(
		kept->fd, kept->entry.local.protocol, wanted == KEPT_DRAINS, kept->backlog);
	kept->mark = wanted;
	steered->group.has_moved |= wanted == KEPT_DRAINS;
}

static void mark_all(struct steered *steered)
{
	const struct group *group = &steered->group;

	for (unsigned i = 0; i < group->order.count; i++)
		mark(steered, steered_member(steered, group->order.members[i]),
			group->is_closed[i] ? KEPT_DRAINS : KEPT_OPEN);
}

/* ---- the program ---- */

static void say_missing(const struct steered *steered, int error)
{
	char bytes[ENDPOINT_TEXT_SIZE + 256];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, &steered->group.place.local);
	text_format(&text, ": steer=");
	steer_mode_print(&text, &steered->group.choice);
	say(LOG_LEVEL_WARN, "%s is not available: %s of %s%s; a random copy is chosen", bytes,
		errno_name(-error), path_for(steered, &steered->group.choice),
		error == -ENOENT ? "; run reuse-bpf load as root" : "");
}

bool pinned_group_steer(struct steered *steered)
{
	struct group *group = &steered->group;
	uint64_t sum = group_sum(group);

	mark_all(steered);
	if (steered->pinned_sum == sum && clock_now_ms() - steered->pinned_ms < group->trusted_ms)
		return true;
	int error = steer_pinned_attach(group->fd, &group->choice, group->place.local.protocol);
	if (error) {
		if (!steered->has_no_pin)
			say_missing(steered, error);
		steered->has_no_pin = true;
		steered->no_pin_ms = clock_now_ms() + RETRY_MS;
		steered->pinned_sum = 0;
		pinned_group_leave(steered);
		return false;
	}
	if (steered->has_no_pin)
		group->is_aside = true; /* it has replaced our own program */
	steered->has_no_pin = false;
	steered->no_pin_ms = 0;
	steered->pinned_sum = sum;
	steered->pinned_ms = clock_now_ms();
	return true;
}

void pinned_group_put_back(struct steered *steered)
{
	struct group *group = &steered->group;

	steer_pinned_attach(group->fd, &group->choice, group->place.local.protocol);
	group->is_aside = true;
}

void pinned_group_leave(struct steered *steered)
{
	for (struct kept *kept = steered->members; kept; kept = kept->sibling) {
		if (kept->mark == KEPT_DRAINS)
			mark(steered, kept, KEPT_OPEN);
	}
}
