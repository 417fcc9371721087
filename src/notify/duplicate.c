/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "duplicate.h"

#include "made_sockets.h"
#include "socket/share.h"
#include "socket/tables.h"
#include "unotify.h"

#include <errno.h>

int duplicate_get(const struct call *call)
{
	uint64_t inode;

	if (!tracee_refusal())
		return tracee_descriptor(&call->caller, call->number);
	int error = tracee_socket(&call->caller, call->number, &inode);
	return error ? error : made_sockets_take(inode, call->which == CALL_BIND);
}

/* ---- without a duplicate ---- */

struct search {
	uint64_t inode;
	bool is_found;
};

static void compare(const struct table_entry *entry, void *context)
{
	struct search *search = context;

	search->is_found |= entry->inode == search->inode;
}

/* Whether it is a socket of PROTOCOL in one of these STATES, in our own network. */
static bool is_in_state(const struct call *call, enum protocol protocol, uint32_t states)
{
	struct search search = {.is_found = false};

	if (!tracee_is_in_our_network(&call->caller) ||
		tracee_socket(&call->caller, call->number, &search.inode) < 0)
		return false;
	tables_read(protocol, 0, states, compare, &search);
	return search.is_found;
}

/*
 * A call that can change nothing: bind() or listen() of a bound UDP socket, or any call of a socket
 * that already listens or is connected.
 */
static bool is_repeated(const struct call *call)
{
	const uint32_t none = TABLE_STATE_BIT(TABLE_CLOSED) | TABLE_STATE_BIT(TABLE_TIME_WAIT);
	const uint32_t listening = TABLE_STATE_BIT(TABLE_LISTENING);

	return is_in_state(call, PROTOCOL_TCP,
		       call->which == CALL_CONNECT ? ~(none | listening) : ~none) ||
	       (call->which != CALL_CONNECT && is_in_state(call, PROTOCOL_UDP, TABLE_EVERY_STATE));
}

bool duplicate_is_missed(const struct call *call)
{
	return tracee_may_be_ip_socket(&call->caller, call->number) && !is_repeated(call);
}

/* ---- after the call ---- */

static bool is_stream(int fd)
{
	int type = 0;

	return system_get_number(fd, SOL_SOCKET, SO_TYPE, &type) == 0 && type == SOCK_STREAM;
}

/*
 * A UDP socket on a port that the program chose gets datagrams from now on, which must not go to a
 * duplicate when the program has closed its own. A socket on a port that the kernel chooses is a
 * client's, and may be connected again and again.
 */
static bool is_client(const struct call *call)
{
	struct endpoint asked;

	return call->which == CALL_CONNECT ||
	       (endpoint_from_sockaddr(
			&asked, (const struct sockaddr *)&call->address, call->length, false) &&
		       asked.port == 0);
}

static bool is_needed_again(const struct call *call, int result)
{
	const struct policy *policy = &call->notify->configuration->policy;

	if (result < 0 || !unotify_is_valid(call->listener, call->id))
		return true;
	if (policy->is_explained)
		return call->which == CALL_BIND;
	if (call->which == CALL_LISTEN || (call->which == CALL_BIND && result == CONTINUED))
		return false;
	if (is_stream(call->fd))
		return call->which == CALL_BIND;
	return policy->has_connect && is_client(call);
}

void duplicate_return(const struct call *call, int result)
{
	struct endpoint bound;

	if (!tracee_refusal() || call->fd < 0 || !is_needed_again(call, result))
		return;
	bool is_bound = result >= 0 || (share_ask_bound(call->fd, &bound) == 0 && bound.port != 0);
	made_sockets_hold(call->fd, call->caller.thread, is_bound);
}

void duplicate_drop(const struct call *call)
{
	uint64_t inode;

	if (tracee_socket(&call->caller, (int)call->arguments[0], &inode) == 0)
		made_sockets_drop(inode);
}
