/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include "bind_result.h"
#include "socket/decision.h"

#include <errno.h>

static int bind_like_libc(int fd, const struct sockaddr *address, socklen_t length)
{
	int result = system_bind(fd, address, length);

	if (result == 0)
		return 0;
	errno = -result;
	return -1;
}

static int prepare_connect(void *context)
{
	const struct binding *binding = context;

	return decision_prepare_connect(binding->call->configuration, binding->call->fd,
		binding->rule, &binding->endpoint, bind_like_libc);
}

int answer_connect(struct call *call)
{
	const struct configuration *configuration = call->configuration;
	struct binding binding = {.call = call};
	struct endpoint *peer = &binding.endpoint;

	if (!endpoint_from_sockaddr(peer, (struct sockaddr *)&call->address, call->length, true))
		return CONTINUED;
	if (configuration->policy.is_explained) {
		decision_explain(
			configuration, VIEW_CONNECT, "connect", call->fd, call->number, peer);
		return CONTINUED;
	}
	int error = decision_find_and_say(configuration, VIEW_CONNECT, "connect", call->fd,
		call->number, peer, &binding.rule);
	if (error)
		return error;
	if (binding.rule && binding.rule->actions.from.has_port)
		bind_result_wait_for_others(binding.rule->actions.from.port);
	if (binding.rule)
		error = answer_with_rights(&binding, prepare_connect);
	if (error)
		return answer_unprepared(&binding, false, error);
	if (call->notify->keeper) /* a UDP socket that is connected is no longer kept */
		call->notify->keeper->end(configuration, call->fd);
	return CONTINUED;
}
