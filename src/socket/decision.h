/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the rule for one call, prepares the socket as the rule says, and logs it; for both hooks.
 */
#ifndef SOCKET_DECISION_H
#define SOCKET_DECISION_H

#include "first_port.h"
#include "share.h"

/*
 * FD is always the socket, as a descriptor of this process. NUMBER is the descriptor in the
 * program, for the log; -1: it has none yet. In the preload hook both are the same. All functions
 * here are async-signal-safe, and leave errno alone.
 */

/* ---- logging what happens ---- */

/*
 * "bind(3) tcp 0.0.0.0:80: share nodelay (REUSE_RULES:1: tcp port=80)"; if RULE is NULL, the words
 * OTHERWISE come after the endpoint.
 */
void decision_print(const struct configuration *configuration, enum log_level level,
	const char *call, int number, const struct endpoint *endpoint, const struct rule *rule,
	const char *otherwise);

#define DECISION_NONE	   "no rule matches; left alone"
#define DECISION_NOT_EARLY "no rule is early; left alone"

/*
 * A bind that fails because of a rule gets a warning: without it, nobody would find the reason. At
 * level debug, a call that no RULE changes gets a line too.
 */
static inline void decision_say(const struct configuration *configuration, const char *call,
	int number, const struct endpoint *endpoint, const struct rule *rule)
{
	enum log_level level = !rule					       ? LOG_LEVEL_DEBUG
			       : rule->actions.deny && !rule->match.is_connect ? LOG_LEVEL_WARN
									       : LOG_LEVEL_INFO;

	if (log_says(&configuration->log, level))
		decision_print(configuration, level, call, number, endpoint, rule, DECISION_NONE);
}

/* Logs what the policy would do about a call that will not be changed. */
void decision_explain(const struct configuration *configuration, enum view view, const char *call,
	int fd, int number, struct endpoint *endpoint);

/* The same for listen(), where most rules have no effect once the socket is bound. */
void decision_explain_listen(
	const struct configuration *configuration, int fd, int number, struct endpoint *endpoint);

#define DECISION_OWN_USER ((uid_t)-1) /* not the ID of any user, setuid(2) */

/*
 * Logs, after a bind of a socket of USER failed with EADDRINUSE, who holds the endpoint, and if the
 * rule shares it, why sharing failed. It does so only a limited number of times, for programs that
 * search for a free port. If no line would be written, the kernel is not asked. DECISION_OWN_USER
 * is the user of this process.
 */
void decision_say_in_use(const struct configuration *configuration, bool is_shared,
	const struct endpoint *endpoint, uid_t user);

/* Logs, after a bind failed with EACCES, that the port is privileged, if it is, and what to do. */
void decision_say_privileged(
	const struct configuration *configuration, const struct endpoint *endpoint);

/* ---- decisions ---- */

/*
 * What to do if the kernel does not tell what a socket is, at a call for ENDPOINT. If the
 * descriptor is not a socket, the real function reports that. Otherwise a rule for this kind of
 * call may protect it, and then the call has to fail. Returns 0, or a negative errno to fail with.
 */
int decision_leave_endpoint(const struct configuration *configuration, enum view view, int number,
	const struct endpoint *endpoint, int error);

/* The same at listen(), if the kernel does not tell what the socket is bound to. */
int decision_leave(const struct configuration *configuration, int number, int error);

/*
 * A program may give the interface of a link-local address only through the socket. The kernel is
 * asked for it only if a rule has such an address.
 */
static inline void decision_find_scope(
	const struct policy *policy, int fd, struct endpoint *endpoint)
{
	if (__builtin_expect(policy->has_scope, 0) && endpoint->scope_id == 0 &&
		scope_is_needed(&endpoint->address))
		endpoint->scope_id = share_ask_interface(fd);
}

/*
 * Whether a raw socket must be told apart from a socket of the protocol with the same number. That
 * costs a system call, so it is not done for TCP: the sharing options have no effect on a raw
 * socket, and it never listens. A raw socket with the number of UDP would be kept, and steered.
 */
static inline bool decision_must_tell_raw(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	return endpoint->protocol == PROTOCOL_UDP ||
	       (policy->has_guard && endpoint->protocol != PROTOCOL_OTHER &&
		       policy_guards_apart(policy, view, endpoint));
}

/*
 * The rule for a call, or NULL; if there is one, ENDPOINT's protocol is filled in. Returns 0, or a
 * negative errno to fail with: -EADDRINUSE for a second port under "once". Only this function
 * remembers the first port.
 */
static inline __attribute__((always_inline)) int decision_find(
	const struct configuration *configuration, enum view view, int fd, int number,
	struct endpoint *endpoint, const struct rule **rule)
{
	decision_find_scope(&configuration->policy, fd, endpoint);
	*rule = policy_decide(&configuration->policy, view, endpoint);
	if (!*rule)
		return 0;
	int error = share_ask_number(fd, endpoint);
	if (__builtin_expect(error, 0)) {
		*rule = NULL;
		return decision_leave_endpoint(configuration, view, number, endpoint, error);
	}
	if (decision_must_tell_raw(&configuration->policy, view, endpoint) && share_is_raw(fd))
		endpoint->protocol = PROTOCOL_OTHER;
	if ((*rule)->match.protocols && !((*rule)->match.protocols & endpoint->protocol))
		*rule = policy_decide(&configuration->policy, view, endpoint);
	if (view == VIEW_BIND && *rule && __builtin_expect((*rule)->actions.once, 0))
		return first_port_claim(configuration, *rule, endpoint);
	return 0;
}

/* The same for bind() or connect(), whose name is CALL; logs the decision. */
static inline __attribute__((always_inline)) int decision_find_and_say(
	const struct configuration *configuration, enum view view, const char *call, int fd,
	int number, struct endpoint *endpoint, const struct rule **rule)
{
	int error = decision_find(configuration, view, fd, number, endpoint, rule);

	if (!error)
		decision_say(configuration, call, number, endpoint, *rule);
	return error;
}

/* Whether bind() is to be called with another address than the program's. */
static inline bool decision_retargets(const struct rule *rule)
{
	return rule->actions.to.has_address || rule->actions.to.has_port;
}

/*
 * Prepares a socket for bind() as RULE says; ENDPOINT becomes the address to bind. Returns 0, or
 * the negative errno that the call fails with, as all below.
 */
static inline __attribute__((always_inline)) int decision_prepare_bind(
	const struct configuration *configuration, int fd, const struct rule *rule,
	struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;

	if (actions->deny)
		return -actions->deny_errno;
	int error = share_set_options(configuration, fd, rule, endpoint);
	if (!error && actions->exclusive)
		error = share_exclude(configuration, fd, endpoint);
	if (!error && decision_retargets(rule))
		error = share_retarget(configuration, fd, rule, endpoint);
	return error;
}

/*
 * Finds the rule for a socket that is not bound, before listen(), where the kernel would bind it to
 * a port that it chooses. RULE becomes NULL if there is nothing to do; otherwise prepare the socket
 * for bind(), and if RULE retargets, bind it to ENDPOINT first.
 */
int decision_find_unbound(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, const struct rule **rule);

/*
 * Prepares a socket that is bound to ENDPOINT for listen(), and replaces the program's backlog by
 * that of the rule. RULE becomes NULL if there is nothing to do.
 */
int decision_prepare_listen(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, int *backlog, const struct rule **rule);

/* Prepares a socket for connect() to PEER; BIND is the real bind(). */
int decision_prepare_connect(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct endpoint *peer,
	int (*bind)(int, const struct sockaddr *, socklen_t));

/*
 * The endpoint of a new socket, which has no address yet; returns false if it is not an IP socket.
 */
bool decision_endpoint_of_socket(int domain, int type, int protocol, struct endpoint *endpoint);

#endif
