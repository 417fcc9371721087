/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include "ground/errnos.h"
#include "socket/decision.h"
#include "unotify.h"

#include <errno.h>

struct creation {
	const struct call *call;
	const struct rule *rule;
	struct endpoint endpoint;
	int domain, type, protocol;
	int fd; /* the new socket */
};

static int create(void *context)
{
	struct creation *creation = context;
	int fd = system_socket(creation->domain, creation->type | SOCK_CLOEXEC, creation->protocol);

	if (fd < 0)
		return fd;
	int error = share_set_options(
		creation->call->configuration, fd, creation->rule, &creation->endpoint);
	if (error)
		system_close(fd);
	else
		creation->fd = fd;
	return error;
}

static bool has_number(int fd, int option, int expected)
{
	int number = -1;

	return system_get_number(fd, SOL_SOCKET, option, &number) == 0 && number == expected;
}

/* Whether it is what was asked for: it may come from a process that the caller could get at. */
static int check_made(const struct creation *creation)
{
	int type = creation->type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (has_number(creation->fd, SO_DOMAIN, creation->domain) &&
		has_number(creation->fd, SO_TYPE, type))
		return 0;
	system_close(creation->fd);
	return -EIO;
}

/* The new socket is to belong to the caller's user and group; who may ping is asked by groups. */
static int create_as_caller(struct creation *creation, bool *is_refused)
{
	static struct groups groups; /* large for a stack */
	const struct call *call = creation->call;
	struct deed deed = {
		.caller = &call->caller,
		.groups = &groups,
		.helper = {.work = create, .context = creation, .made = &creation->fd},
	};
	int error = tracee_groups(&call->caller, &groups);

	*is_refused = true;
	if (error)
		return error;
	if (!unotify_is_valid(call->listener, call->id))
		return -ESRCH;
	error = rights_do(&deed, is_refused);
	return error ? error : check_made(creation);
}

/* Before Linux 5.14, no descriptor can be the result of a call. */
static int leave_socket_to_kernel(const struct configuration *configuration, int error)
{
	if (answer_says_first(SAYING_EARLY))
		log_write(&configuration->log, LOG_LEVEL_WARN,
			"early cannot be had here: %s; Linux 5.14 is needed", errno_name(-error));
	return configuration->policy.is_strict ? error : CONTINUED;
}

static int create_without_rights(const struct call *call, int error)
{
	const struct configuration *configuration = call->configuration;

	if (answer_says_first(SAYING_RIGHTS))
		log_write(&configuration->log, LOG_LEVEL_WARN,
			"the rights of process %d are not available: %s; early does not apply to "
			"its sockets",
			(int)call->caller.process, errno_name(-error));
	return configuration->policy.is_strict ? error : CONTINUED;
}

int answer_socket(struct call *call)
{
	const struct configuration *configuration = call->configuration;
	struct creation creation = {.call = call,
		.domain = (int)call->arguments[0],
		.type = (int)call->arguments[1],
		.protocol = (int)call->arguments[2]};

	if (!decision_endpoint_of_socket(
		    creation.domain, creation.type, creation.protocol, &creation.endpoint))
		return CONTINUED;
	creation.rule = policy_decide_early(&configuration->policy, &creation.endpoint);
	if (configuration->policy.is_explained) {
		decision_print(configuration, LOG_LEVEL_EXPLAIN, "socket", -1, &creation.endpoint,
			creation.rule, DECISION_NOT_EARLY);
		return CONTINUED;
	}
	if (!creation.rule)
		return CONTINUED;
	if (creation.rule->actions.deny)
		return -creation.rule->actions.deny_errno;
	bool is_refused;
	int error = create_as_caller(&creation, &is_refused);
	if (error)
		return is_refused ? create_without_rights(call, error) : error;
	error = unotify_return_fd(
		call->listener, call->id, creation.fd, (creation.type & SOCK_CLOEXEC) != 0);
	system_close(creation.fd);
	if (error == -EINVAL)
		return leave_socket_to_kernel(configuration, error);
	return error ? error : ANSWERED;
}
