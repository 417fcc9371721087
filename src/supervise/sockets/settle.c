/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settle.h"

#include "process_tree.h"
#include "socket/meant.h"
#include "supervise/talk/say.h"
#include "unread.h"

#include <stdlib.h>
#include <sys/socket.h>

static bool is_connected(const struct kept *kept)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;

	return kept->entry.local.protocol == PROTOCOL_UDP &&
	       getpeername(kept->fd, (struct sockaddr *)&peer, &length) == 0;
}

static bool has_asked_for_any(const struct keeper *keeper, const struct copy *copy)
{
	const struct kept *kept = keeper->list;

	while (kept && !(kept->is_asked && takers_have(kept->takers, copy)))
		kept = kept->next;
	return kept != NULL;
}

void settle(struct keeper *keeper, struct copy *copy)
{
	struct process_tree tree;

	copy->is_to_settle = false;
	if (!has_asked_for_any(keeper, copy))
		return;
	process_tree_read(&tree, copy->pid);
	for (struct kept *kept = keeper->list, *next; kept; kept = next) {
		next = kept->next;
		if (!kept->is_asked || !takers_own(kept->takers, copy))
			continue;
		bool is_open = tree.error || process_tree_has(&tree, kept->entry.inode);
		if (is_open && !is_connected(kept))
			keeper_hand_on(keeper, kept);
		else
			keeper_let_go(keeper, kept, copy);
	}
	process_tree_free(&tree);
}

void settle_for_next(struct keeper *keeper)
{
	for (struct kept *kept = keeper->list, *next; kept; kept = next) {
		next = kept->next;
		if (kept->takers || kept->is_handed)
			continue;
		if (unread_in(kept))
			keeper_hand_on(keeper, kept);
		else
			keeper_drop(keeper, kept);
	}
}

/* ---- what is not kept ---- */

/* Whether it is logged for the first time. */
static bool is_news(struct keeper *keeper, const struct endpoint *local)
{
	for (size_t i = 0; i < keeper->n_late_said; i++) {
		const struct endpoint *said = &keeper->late_said[i];
		if (said->port == local->port && said->protocol == local->protocol)
			return false;
	}
	struct endpoint *larger =
		realloc(keeper->late_said, (keeper->n_late_said + 1) * sizeof *larger);
	if (!larger)
		return false;
	keeper->late_said = larger;
	keeper->late_said[keeper->n_late_said++] = *local;
	return true;
}

static void say_late(const struct copy *copy, const struct endpoint *local)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, local);
	say(LOG_LEVEL_WARN,
		"copy %u: %s is shared, but not kept over a roll or a crash: no rule names its "
		"port, and the copy opened it after it was ready; to keep it, add the rule: %s "
		"port=%u -> share keep",
		copy->slot, bytes, protocol_name(local->protocol), local->port);
}

/* The library sends no more of them. */
static void say_most(struct keeper *keeper, const struct copy *copy)
{
	struct endpoint most = {.protocol = PROTOCOL_UDP};
	uint16_t first = UINT16_MAX, last = 0;
	unsigned count = 0;

	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct endpoint *local = &kept->entry.local;
		if (!kept->is_asked || local->protocol != PROTOCOL_UDP ||
			!takers_own(kept->takers, copy))
			continue;
		count++;
		first = local->port < first ? local->port : first;
		last = local->port > last ? local->port : last;
	}
	if (count >= MEANT_UDP_MOST && is_news(keeper, &most))
		say(LOG_LEVEL_WARN,
			"copy %u: only %u of the UDP sockets whose ports no rule names are kept; "
			"to keep all, add the rule: udp port=%u-%u -> share keep",
			copy->slot, count, first, last);
}

void settle_say_late(struct keeper *keeper, const struct copy *copy)
{
	struct process_tree tree;

	say_most(keeper, copy);
	if (!copy->n_late)
		return;
	process_tree_read(&tree, copy->pid);
	for (unsigned i = 0; i < copy->n_late; i++) {
		const struct late_socket *late = &copy->late[i];
		if (process_tree_has(&tree, late->inode) && is_news(keeper, &late->local))
			say_late(copy, &late->local);
	}
	process_tree_free(&tree);
}
