/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "answer.h"

#include "ground/errnos.h"
#include "made_sockets.h"
#include "socket/decision.h"
#include "unotify.h"

#include <errno.h>

struct creation {
	const struct call *call;
	const struct rule *rule; /* NULL: the socket is made only for the duplicate */
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
	int error = !creation->rule ? 0
				    : share_set_options(creation->call->configuration, fd,
					      creation->rule, &creation->endpoint);
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

/* Whether it is the requested socket: it may come from a process that the caller could attack. */
static int check_made(const struct creation *creation)
{
	int type = creation->type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (has_number(creation->fd, SO_DOMAIN, creation->domain) &&
		has_number(creation->fd, SO_TYPE, type))
		return 0;
	system_close(creation->fd);
	return -EIO;
}

/*
 * The new socket must belong to the caller's user and group; the kernel checks groups for ping
 * sockets.
 */
static int create_as_caller(struct creation *creation, bool *is_refused)
{
	static struct groups groups; /* too large for a stack */
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

/* Before Linux 5.14, a descriptor cannot be the result of a call. */
static int leave_socket_to_kernel(const struct configuration *configuration, int error)
{
	if (answer_says_first(SAYING_EARLY))
		log_write(&configuration->log, LOG_LEVEL_WARN,
			"early is not available here: %s; it needs Linux 5.14", errno_name(-error));
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

static int return_in_one(const struct creation *creation)
{
	const struct call *call = creation->call;

	return unotify_return_fd(
		call->listener, call->id, creation->fd, (creation->type & SOCK_CLOEXEC) != 0);
}

/*
 * When the program continues, and may close the socket after calls that others answer, no duplicate
 * may be left here.
 */
static int return_in_two_steps(struct creation *creation)
{
	const struct call *call = creation->call;
	int number = unotify_add_fd(
		call->listener, call->id, creation->fd, (creation->type & SOCK_CLOEXEC) != 0);

	if (number < 0)
		return number;
	system_close(creation->fd);
	creation->fd = -1;
	return unotify_return(call->listener, call->id, number);
}

/* The duplicate is held before the program can call again. */
static int put_in_place(struct creation *creation, bool is_held)
{
	const struct call *call = creation->call;
	int error = 0;

	if (is_held)
		error = made_sockets_hold(creation->fd, call->caller.thread, false);
	if (error && answer_says_first(SAYING_UNHELD))
		log_write(&call->configuration->log, LOG_LEVEL_ERROR,
			"the process that holds duplicates of sockets does not answer: %s; sockets "
			"are left alone, and binds fail if a rule protects",
			errno_name(-error));
	if (error && !creation->rule)
		return CONTINUED;
	return is_held && unotify_is_uninterrupted() ? return_in_two_steps(creation)
						     : return_in_one(creation);
}

/* If we cannot make a socket that no rule is about, the kernel makes it, with its own errors. */
static int make_socket(struct creation *creation, bool is_held)
{
	const struct call *call = creation->call;
	bool is_refused;
	int error = create_as_caller(creation, &is_refused);

	if (error && !creation->rule)
		return CONTINUED;
	if (error)
		return is_refused ? create_without_rights(call, error) : error;
	error = put_in_place(creation, is_held);
	if (error && is_held)
		made_sockets_drop(file_identity_of(creation->fd).inode);
	system_close(creation->fd);
	if (error == -EINVAL)
		return leave_socket_to_kernel(call->configuration, error);
	return error ? error : ANSWERED;
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
		creation.rule = NULL;
	}
	if (creation.rule && creation.rule->actions.deny)
		return -creation.rule->actions.deny_errno;
	bool is_held = tracee_refusal() &&
		       made_sockets_is_made(creation.domain, creation.type, creation.protocol);
	return creation.rule || is_held ? make_socket(&creation, is_held) : CONTINUED;
}
