/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include "bind_result.h"
#include "ground/errnos.h"
#include "ground/sysctl.h"
#include "socket/decision.h"
#include "socket/steer_join.h"
#include "swap_socket.h"
#include "unotify.h"
#include "unseen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>

/* ---- on behalf of the program ---- */

static int do_with_rights(struct binding *binding, int (*work)(void *), bool *is_refused)
{
	struct deed deed = {
		.caller = &binding->call->caller,
		.helper = {.work = work,
			.context = binding,
			.descriptors = {binding->call->fd},
			.count = 1},
	};

	int result = rights_do(&deed, is_refused);
	if (result == -ETIMEDOUT || result == -EIO)
		log_write(&binding->call->configuration->log, LOG_LEVEL_ERROR,
			"the process that made a call with the rights of process %d was stopped or "
			"killed: %s",
			(int)binding->call->caller.process, errno_name(-result));
	return result;
}

int answer_with_rights(struct binding *binding, int (*work)(void *))
{
	return do_with_rights(binding, work, NULL);
}

int answer_unprepared(const struct binding *binding, bool is_guarded, int error)
{
	const struct configuration *configuration = binding->call->configuration;

	if (rule_protects(binding->rule) || configuration->policy.is_strict)
		return error;
	log_write(&configuration->log, is_guarded ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
		"the rights of process %d are not available: %s; %s",
		(int)binding->call->caller.process, errno_name(-error),
		is_guarded ? "the call fails, because a rule that protects may match"
			   : "the call is left alone");
	return is_guarded ? error : CONTINUED;
}

static int set_options(void *context)
{
	const struct binding *binding = context;

	return share_set_options(
		binding->call->configuration, binding->call->fd, binding->rule, &binding->endpoint);
}

/* Only options in a rule need rights; every user may share. */
int answer_prepare(struct binding *binding)
{
	const struct configuration *configuration = binding->call->configuration;
	const struct actions *actions = &binding->rule->actions;
	int fd = binding->call->fd;

	if (actions->deny)
		return -actions->deny_errno;
	int error = actions->n_settings > 0 ? answer_with_rights(binding, set_options)
					    : set_options(binding);
	if (!error && actions->exclusive)
		error = share_exclude(configuration, fd, &binding->endpoint);
	if (!error && decision_retargets(binding->rule))
		error = share_retarget(configuration, fd, binding->rule, &binding->endpoint);
	return error;
}

static int bind_now(void *context)
{
	const struct binding *binding = context;
	const struct call *call = binding->call;
	struct sockaddr_storage target = call->address;
	socklen_t length = call->length;

	if (binding->rule && decision_retargets(binding->rule))
		length = endpoint_to_sockaddr(&binding->endpoint, &target);
	return system_bind(call->fd, (struct sockaddr *)&target, length);
}

static int say_result(const struct binding *binding, int result)
{
	const struct call *call = binding->call;

	if (result == -EADDRINUSE && binding->rule && tracee_is_in_our_network(&call->caller))
		decision_say_in_use(call->configuration, rule_shares(binding->rule),
			&binding->endpoint, call->caller.rights.user);
	else if (result == -EACCES && binding->rule && tracee_is_in_our_network(&call->caller))
		decision_say_privileged(call->configuration, &binding->endpoint);
	return result;
}

static int do_bind(struct binding *binding, bool *is_refused)
{
	bind_result_wait_for_others(binding->endpoint.port);
	return do_with_rights(binding, bind_now, is_refused);
}

int answer_perform_bind(struct binding *binding)
{
	return say_result(binding, do_bind(binding, NULL));
}

/*
 * Whether we need the result of the bind, which the kernel does not report: the supervisor gets it,
 * or this duplicate of the socket is the only one that we can get.
 */
static bool is_heard(const struct call *call)
{
	bool is_told = call->notify->keeper && call->configuration->is_supervised;

	return (is_told || tracee_refusal()) && answer_is_ip_socket(call->fd);
}

/* As answer_perform_bind(), but without the caller's rights it is left to the kernel. */
static int bind_and_hear(struct binding *binding)
{
	bool is_refused;
	int result = do_bind(binding, &is_refused);

	return is_refused ? CONTINUED : say_result(binding, result);
}

/*
 * Binds an address that no rule changes. If the policy protects, the kernel must not read it again.
 */
static int bind_unchanged(struct binding *binding)
{
	const struct rule *rule = binding->rule;
	int result = CONTINUED;

	binding->rule = NULL;
	if (answer_is_guarded() && answer_is_ip_socket(binding->call->fd))
		result = answer_perform_bind(binding);
	else if (!(rule && rule->actions.pass) && is_heard(binding->call))
		result = bind_and_hear(binding);
	binding->rule = rule;
	return result;
}

/* ---- sockets that were kept or inherited ---- */

static int adopt(void *context)
{
	const struct binding *binding = context;

	return binding->call->notify->keeper->adopt(
		binding->call->configuration, binding->call->fd, binding->rule, &binding->endpoint);
}

/* A helper has replaced only its own duplicate by the inherited socket. */
static int adopt_with_rights(struct binding *binding)
{
	struct call *call = binding->call;
	int inherited = call->notify->keeper->inherited(&binding->rule->actions);
	struct deed deed = {
		.caller = &call->caller,
		.helper = {.work = adopt,
			.context = binding,
			.descriptors = {call->fd, inherited},
			.count = 2,
			.most = 1},
	};
	int taken = rights_do(&deed, NULL);

	if (taken != 1)
		return taken;
	int result = system_dup3(inherited, call->fd, O_CLOEXEC);
	return result < 0 ? result : 1;
}

/* Our duplicate is another socket now, which must become the program's as well. */
static int hand_over(struct call *call)
{
	struct swap_socket swap = {.fd = call->fd, .number = call->number};

	call->socket = file_identity_of(call->fd);
	swap_socket_find(&swap, &call->caller);
	int error =
		unotify_replace(call->listener, call->id, call->fd, call->number, swap.is_cloexec);
	if (!error)
		swap_socket_register(&swap, &call->caller);
	return error;
}

/*
 * Whether the caller could bind the port itself: otherwise it must not get the port as a kept
 * socket.
 */
static bool may_bind(const struct tracee *caller, uint16_t port)
{
	long first =
		tracee_is_in_our_network(caller) ? sysctl_ipv4("ip_unprivileged_port_start") : -1;

	if (first < 0)
		first = ENDPOINT_PRIVILEGED;
	return port >= first || tracee_has_capability(caller, CAP_NET_BIND_SERVICE);
}

/* Returns 1 if there was such a socket, 0, or a negative errno. */
static int take_kept(struct binding *binding)
{
	struct call *call = binding->call;
	const struct notify_keeper *keeper = call->notify->keeper;
	int taken = 0;
	bool is_kept = false;

	if (!swap_socket_is_possible(call->number, &call->caller))
		return 0;
	if (binding->rule->actions.adopt)
		taken = adopt_with_rights(binding);
	/* The table first: most binds are to endpoints without a kept socket. */
	if (taken == 0 && binding->rule->actions.keep && keeper->knows(&binding->endpoint) &&
		may_bind(&call->caller, binding->endpoint.port)) {
		taken = keeper->take(call->configuration, call->fd, &binding->endpoint);
		is_kept = taken == 1;
	}
	if (taken <= 0)
		return taken;
	int error = hand_over(call);
	if (is_kept && keeper->placed)
		keeper->placed();
	return error ? error : 1;
}

/* A bound UDP socket is already in its group, so it can be kept and steer. */
static int bind_further(struct binding *binding)
{
	const struct call *call = binding->call;
	const struct actions *actions = &binding->rule->actions;
	const struct endpoint *endpoint = &binding->endpoint;
	bool is_udp = endpoint->protocol == PROTOCOL_UDP;
	int taken = call->notify->keeper ? take_kept(binding) : 0;

	if (taken < 0)
		return taken;
	int result = taken ? 0 : answer_perform_bind(binding);
	const struct notify_keeper *keeper = call->notify->keeper;
	if (result == 0 && is_udp && keeper)
		keeper->store(call->configuration, call->fd, endpoint,
			keeper->meaning(binding->rule, call->fd, endpoint));
	if (result == 0 && actions->has_steer && is_udp)
		steer_join(call->configuration, call->fd, binding->rule, endpoint);
	return result;
}

/* ---- bind ---- */

/* The kernel continues the bind, and does not report the result. */
static int continue_and_watch(const struct binding *binding)
{
	struct call *call = binding->call;
	struct endpoint bound;
	uint16_t port = binding->endpoint.port;

	if (port && tracee_is_in_our_network(&call->caller) && !may_bind(&call->caller, port)) {
		decision_say_privileged(call->configuration, &binding->endpoint);
		return CONTINUED;
	}
	/* A socket that is already bound is refused for that reason. */
	if (tracee_is_in_our_network(&call->caller) && share_ask_bound(call->fd, &bound) == 0 &&
		bound.port == 0) {
		call->watched = binding->endpoint;
		call->is_shared = rule_shares(binding->rule);
	}
	return CONTINUED;
}

static int bind_by_rule(struct binding *binding)
{
	const struct actions *actions = &binding->rule->actions;

	if (actions->pass)
		return bind_unchanged(binding);
	int error = answer_prepare(binding);
	if (error)
		return answer_unprepared(binding, answer_is_guarded(), error);
	if (actions->keep || actions->adopt || actions->has_steer)
		return bind_further(binding);
	if (decision_retargets(binding->rule) || answer_is_guarded())
		return answer_perform_bind(binding);
	int result = is_heard(binding->call) ? bind_and_hear(binding) : CONTINUED;
	return result == CONTINUED ? continue_and_watch(binding) : result;
}

static int bind_as_decided(struct binding *binding)
{
	struct call *call = binding->call;
	const struct configuration *configuration = call->configuration;
	struct endpoint *endpoint = &binding->endpoint;

	if (configuration->policy.is_explained) {
		decision_explain(
			configuration, VIEW_BIND, "bind", call->fd, call->number, endpoint);
		return CONTINUED;
	}
	int error = decision_find_and_say(
		configuration, VIEW_BIND, "bind", call->fd, call->number, endpoint, &binding->rule);
	if (error)
		return error;
	return binding->rule ? bind_by_rule(binding) : bind_unchanged(binding);
}

int answer_bind(struct call *call)
{
	const struct notify_keeper *keeper = call->notify->keeper;
	struct binding binding = {.call = call};

	if (unseen_recall(call))
		return 0;
	if (!endpoint_from_sockaddr(
		    &binding.endpoint, (struct sockaddr *)&call->address, call->length, false))
		return bind_unchanged(&binding);
	int result = bind_as_decided(&binding);
	if (result == CONTINUED)
		bind_result_wait_for_others(binding.endpoint.port);
	if (keeper && result != CONTINUED)
		keeper->note_bind(
			call->configuration, call->fd, binding.rule, &binding.endpoint, result);
	return result;
}
