/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include "socket/decision.h"
#include "socket/steer_join.h"

/* The kernel would now bind the socket to a port that it chooses. */
static int bind_before_listen(struct binding *binding)
{
	const struct call *call = binding->call;
	int error = decision_find_unbound(
		call->configuration, call->fd, call->number, &binding->endpoint, &binding->rule);

	if (error || !binding->rule)
		return error;
	error = answer_prepare(binding);
	if (error)
		return answer_unprepared(binding, answer_is_guarded(), error);
	if (!decision_retargets(binding->rule))
		return 0;
	return answer_perform_bind(binding);
}

/* listen() reads only the descriptor and a number, and needs no right. */
int answer_listen(struct call *call)
{
	const struct configuration *configuration = call->configuration;
	struct binding binding = {.call = call};
	struct endpoint *endpoint = &binding.endpoint;
	int backlog = (int)call->arguments[1];

	int error = share_ask_bound(call->fd, endpoint);
	if (error) {
		error = decision_leave(configuration, call->number, error);
		return error ? error : CONTINUED;
	}
	if (configuration->policy.is_explained) {
		decision_explain_listen(configuration, call->fd, call->number, endpoint);
		return CONTINUED;
	}
	error = endpoint->port == 0 ? bind_before_listen(&binding) : 0;
	if (!error)
		error = decision_prepare_listen(
			configuration, call->fd, call->number, endpoint, &backlog, &binding.rule);
	const struct rule *rule = binding.rule;
	if (error || !rule)
		return error ? error : CONTINUED;
	const struct notify_keeper *keeper = call->notify->keeper;
	int result = system_listen(call->fd, backlog);
	if (result == 0 && keeper)
		keeper->store(configuration, call->fd, endpoint,
			keeper->meaning(rule, call->fd, endpoint));
	if (result == 0 && rule->actions.has_steer)
		steer_join(configuration, call->fd, rule, endpoint);
	return result;
}
