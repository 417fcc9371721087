/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the rule for one call, prepares the socket as it says, and says so; for both hooks. */
#ifndef SOCKET_DECISION_H
#define SOCKET_DECISION_H

#include "first_port.h"
#include "share.h"

/*
 * In all of these FD is the socket, on a descriptor of this process, and NUMBER the descriptor as
 * the program calls it, for the log; -1: it has none yet. The preload hook has one number for both.
 * All functions here are async-signal-safe, and leave errno alone.
 */

/* ---- saying what happens ---- */

/*
 * "bind(3) tcp 0.0.0.0:80: share nodelay (REUSE_RULES:1: tcp port=80)"; where RULE is NULL, with
 * the words OTHERWISE behind the endpoint.
 */
void decision_print(const struct configuration *configuration, enum log_level level,
	const char *call, int number, const struct endpoint *endpoint, const struct rule *rule,
	const char *otherwise);

#define DECISION_NONE	   "no rule matches; left alone"
#define DECISION_NOT_EARLY "no rule is early; left alone"

/*
 * A bind that fails by a rule is worth a warning: without one, nobody would find the reason. At
 * level debug, a call that nothing is done about, by no RULE, is worth a line too.
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

/* Says what would be done about a call that will not be changed. */
void decision_explain(const struct configuration *configuration, enum view view, const char *call,
	int fd, int number, struct endpoint *endpoint);

/* The same for listen(), where most rules have nothing left to do once the socket is bound. */
void decision_explain_listen(
	const struct configuration *configuration, int fd, int number, struct endpoint *endpoint);

#define DECISION_OWN_USER ((uid_t)-1) /* nobody's number, setuid(2) */

/*
 * Says, after a bind of a socket of USER's failed with EADDRINUSE, who holds the endpoint, and if
 * it was to be shared, why it could not be; up to a number of times, for a program that searches
 * for a free port. Where no line would be written, the kernel is asked nothing. DECISION_OWN_USER
 * is the user of this process.
 */
void decision_say_in_use(const struct configuration *configuration, bool is_shared,
	const struct endpoint *endpoint, uid_t user);

/* Says, after a bind failed with EACCES, that the port is privileged, if it is, and what to do. */
void decision_say_privileged(
	const struct configuration *configuration, const struct endpoint *endpoint);

/* ---- decisions ---- */

/*
 * What to do when the kernel does not say what a socket is, at a call for ENDPOINT. A descriptor
 * that is no socket shall hear so from the real function. Else it may be one that a rule for this
 * kind of call protects, and then the call has to fail. Returns 0, or a negative errno to fail
 * with.
 */
int decision_leave_endpoint(const struct configuration *configuration, enum view view, int number,
	const struct endpoint *endpoint, int error);

/* The same at listen(), where the kernel does not say what the socket is bound to. */
int decision_leave(const struct configuration *configuration, int number, int error);

/*
 * A program may name the interface of a link-local address by the socket alone. It is asked for
 * only where a rule is about such an address.
 */
static inline void decision_find_scope(
	const struct policy *policy, int fd, struct endpoint *endpoint)
{
	if (__builtin_expect(policy->has_scope, 0) && endpoint->scope_id == 0 &&
		scope_is_needed(&endpoint->address))
		endpoint->scope_id = share_ask_interface(fd);
}

/*
 * Whether a raw socket must be told from one of the protocol whose number it has. It costs a system
 * call, so it is not for every TCP socket: what sharing sets means nothing to a raw one, and it
 * never listens. A raw socket for UDP would be kept, and steered.
 */
static inline bool decision_must_tell_raw(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	return endpoint->protocol == PROTOCOL_UDP ||
	       (policy->has_guard && endpoint->protocol != PROTOCOL_OTHER &&
		       policy_guards_apart(policy, view, endpoint));
}

/*
 * The rule for a call, or NULL, with ENDPOINT's protocol filled in where there is one. Returns 0,
 * or a negative errno to fail with: -EADDRINUSE for a second port under "once", which is remembered
 * here, and nowhere else.
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

/* The same for bind() or connect(), whose name CALL is; and says what was decided. */
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
 * Prepares a socket for bind() as RULE says; ENDPOINT becomes what is to be bound. Returns 0 or the
 * negative errno that the call fails with, as all below.
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
 * The rule for a socket that is not bound, before listen(), with which the kernel would bind it to
 * a port of its own choice. RULE becomes NULL where there is nothing to do; else the socket is to
 * be prepared for bind(), and where RULE retargets, to be bound to ENDPOINT first.
 */
int decision_find_unbound(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, const struct rule **rule);

/*
 * Prepares a socket that is bound to ENDPOINT for listen(), and puts the backlog that it is to have
 * in the place of the program's. RULE becomes NULL where there is nothing to do.
 */
int decision_prepare_listen(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, int *backlog, const struct rule **rule);

/* Prepares a socket for connect() to PEER; BIND is the real bind(). */
int decision_prepare_connect(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct endpoint *peer,
	int (*bind)(int, const struct sockaddr *, socklen_t));

/* The endpoint of a new socket, which has no address yet; returns false for one that is not IP. */
bool decision_endpoint_of_socket(int domain, int type, int protocol, struct endpoint *endpoint);

#endif
