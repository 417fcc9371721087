/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intercepts socket(), bind(), listen() and connect(): asks the policy, applies the decision, and
 * calls the real function. Everything here is async-signal-safe, takes no lock and keeps no state
 * for each descriptor. The caller sees the errno of the real function.
 */
#include "early_environment.h"
#include "ground/system.h"
#include "inherit.h"
#include "libc.h"
#include "socket/adopt.h"
#include "socket/decision.h"
#include "socket/keep.h"
#include "socket/steer_join.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SLOW   __attribute__((noinline, cold))
#define FAST   inline __attribute__((always_inline)) /* on the way of every bind() */

/* ---- the configuration ---- */

static const struct configuration *_Atomic in_force;

/*
 * Every thread or signal handler that finds no configuration loads one; the first to publish it
 * wins, so no thread ever waits for another.
 */
static SLOW const struct configuration *load(void)
{
	const struct variables none = {{NULL}};
	struct arena early = {NULL, 0, 0};
	const struct configuration *expected = NULL;
	int saved_errno = errno;

	libc_find();
	char **environment = early_environment_get(&early);
	struct variables variables = getauxval(AT_SECURE) ? none : variables_read(environment);
	const struct configuration *configuration = source_load(&variables, SOURCE_THIS_PROGRAM);
	arena_close(&early);
	if (!atomic_compare_exchange_strong(&in_force, &expected, configuration)) {
		source_drop(configuration);
		configuration = expected;
	} else {
		keep_start(configuration, &environ);
		first_port_start(configuration, &environ);
	}
	errno = saved_errno;
	return configuration;
}

static inline const struct configuration *current(void)
{
	const struct configuration *configuration =
		atomic_load_explicit(&in_force, memory_order_acquire);

	return __builtin_expect(configuration != NULL, 1) ? configuration : load();
}

static __attribute__((constructor)) void load_at_start(void)
{
	const struct configuration *configuration = current();

	keep_start(configuration, &environ); /* if libc had no environment before */
	first_port_start(configuration, &environ);
	if (!configuration->is_inherited)
		inherit_stop(environ);
}

/* Messages about the configuration are logged when it matters for the first time. */
static SLOW void say_once(const struct configuration *configuration)
{
	static atomic_flag is_said = ATOMIC_FLAG_INIT;
	const struct policy *policy = &configuration->policy;

	if (atomic_flag_test_and_set(&is_said))
		return;
	if (policy->notice)
		log_write(&configuration->log, LOG_LEVEL_WARN, "%s", policy->notice);
	if (policy->broken)
		log_write(&configuration->log, LOG_LEVEL_ERROR,
			"%sthe policy is broken, so every bind, listen and connect fails with "
			"EINVAL",
			policy->broken);
}

static int fail_with(int error)
{
	errno = -error;
	return -1;
}

/* ---- by a rule ---- */

/* A function of its own, because otherwise every bind() would save registers for it. */
static SLOW void say_refused(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint)
{
	if (errno == EADDRINUSE)
		decision_say_in_use(configuration, rule_shares(rule), endpoint, DECISION_OWN_USER);
	else if (errno == EACCES)
		decision_say_privileged(configuration, endpoint);
}

static int call_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct sockaddr *address, socklen_t length, const struct endpoint *endpoint)
{
	int result = libc.bind(fd, address, length);

	if (result < 0)
		say_refused(configuration, rule, endpoint);
	return result;
}

/*
 * The steps that not every bind needs. A kept or inherited socket is taken instead of FD, if there
 * is one. A UDP socket that is bound is in its group, and can steer it.
 */
static SLOW int bind_further(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct sockaddr *address, socklen_t length,
	const struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	bool is_udp = endpoint->protocol == PROTOCOL_UDP;
	int taken = actions->adopt ? adopt_socket(configuration, fd, rule, endpoint) : 0;

	if (taken == 0 && actions->keep)
		taken = keep_take(configuration, fd, endpoint);
	if (taken < 0)
		return fail_with(taken);
	int result = taken ? 0 : call_bind(configuration, fd, rule, address, length, endpoint);
	if (result == 0 && is_udp)
		keep_store(configuration, fd, endpoint, keep_meaning(rule, fd, endpoint));
	if (result == 0 && actions->has_steer && is_udp)
		steer_join(configuration, fd, rule, endpoint);
	return result;
}

static FAST int bind_by_rule(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct sockaddr *address, socklen_t length,
	struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	struct sockaddr_storage target;

	if (actions->pass)
		return libc.bind(fd, address, length);
	int error = decision_prepare_bind(configuration, fd, rule, endpoint);
	if (error)
		return fail_with(error);
	if (decision_retargets(rule)) {
		length = endpoint_to_sockaddr(endpoint, &target);
		address = (struct sockaddr *)&target;
	}
	if (actions->keep || actions->adopt || actions->has_steer)
		return bind_further(configuration, fd, rule, address, length, endpoint);
	return call_bind(configuration, fd, rule, address, length, endpoint);
}

/* ---- bind ---- */

static FAST int bind_as_decided(const struct configuration *configuration, int fd,
	const struct sockaddr *address, socklen_t length, struct endpoint *endpoint,
	const struct rule **rule)
{
	int error = decision_find_and_say(configuration, VIEW_BIND, "bind", fd, fd, endpoint, rule);

	if (error)
		return fail_with(error);
	return *rule ? bind_by_rule(configuration, fd, *rule, address, length, endpoint)
		     : libc.bind(fd, address, length);
}

static SLOW int bind_specially(const struct configuration *configuration, int fd,
	const struct sockaddr *address, socklen_t length, struct endpoint *endpoint)
{
	const struct rule *rule;

	say_once(configuration);
	if (configuration->policy.broken)
		return fail_with(-EINVAL);
	if (configuration->policy.is_explained) {
		decision_explain(configuration, VIEW_BIND, "bind", fd, fd, endpoint);
		return libc.bind(fd, address, length);
	}
	keep_settle();
	int result = bind_as_decided(configuration, fd, address, length, endpoint, &rule);
	int error = result == 0 ? 0 : -errno;
	if (configuration->policy.has_keep &&
		keep_hears_of_bind(configuration, fd, rule, endpoint, error))
		tell_keeper_of_bind(fd, endpoint, error);
	return result;
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct configuration *configuration = current();
	struct endpoint endpoint;
	const struct rule *rule;

	if (!endpoint_from_sockaddr(&endpoint, address, length, false))
		return libc.bind(fd, address, length);
	if (__builtin_expect(configuration->policy.is_special, 0))
		return bind_specially(configuration, fd, address, length, &endpoint);
	return bind_as_decided(configuration, fd, address, length, &endpoint, &rule);
}

/* ---- listen ---- */

/* The kernel would bind FD to a port that it chooses: the policy decides on that. */
static int bind_before_listen(
	const struct configuration *configuration, int fd, struct endpoint *endpoint)
{
	const struct rule *rule;
	struct sockaddr_storage target;
	int error = decision_find_unbound(configuration, fd, fd, endpoint, &rule);

	if (!error && rule)
		error = decision_prepare_bind(configuration, fd, rule, endpoint);
	if (error)
		return fail_with(error);
	if (!rule || !decision_retargets(rule))
		return 0;
	socklen_t length = endpoint_to_sockaddr(endpoint, &target);
	return call_bind(configuration, fd, rule, (struct sockaddr *)&target, length, endpoint);
}

static int listen_bound(
	const struct configuration *configuration, int fd, struct endpoint *endpoint, int backlog)
{
	const struct rule *rule;
	int error = decision_prepare_listen(configuration, fd, fd, endpoint, &backlog, &rule);

	if (error)
		return fail_with(error);
	int result = libc.listen(fd, backlog);
	if (result == 0 && rule)
		keep_store(configuration, fd, endpoint, keep_meaning(rule, fd, endpoint));
	if (result == 0 && rule && rule->actions.has_steer)
		steer_join(configuration, fd, rule, endpoint);
	return result;
}

static SLOW int listen_by_rule(const struct configuration *configuration, int fd, int backlog)
{
	struct endpoint endpoint;
	int unknown = share_ask_bound(fd, &endpoint);

	if (unknown) {
		int error = decision_leave(configuration, fd, unknown);
		return error ? fail_with(error) : libc.listen(fd, backlog);
	}
	say_once(configuration);
	if (configuration->policy.broken)
		return fail_with(-EINVAL);
	if (configuration->policy.is_explained) {
		decision_explain_listen(configuration, fd, fd, &endpoint);
		return libc.listen(fd, backlog);
	}
	keep_settle();
	if (endpoint.port == 0 && bind_before_listen(configuration, fd, &endpoint) < 0)
		return -1;
	return listen_bound(configuration, fd, &endpoint, backlog);
}

EXPORT int listen(int fd, int backlog)
{
	const struct configuration *configuration = current();

	if (!configuration->policy.has_listen)
		return libc.listen(fd, backlog);
	return listen_by_rule(configuration, fd, backlog);
}

/* ---- connect ---- */

static SLOW int connect_by_rule(const struct configuration *configuration, int fd,
	const struct sockaddr *address, socklen_t length)
{
	struct endpoint peer;
	const struct rule *rule;

	if (!endpoint_from_sockaddr(&peer, address, length, true))
		return libc.connect(fd, address, length);
	say_once(configuration);
	if (configuration->policy.broken)
		return fail_with(-EINVAL);
	if (configuration->policy.is_explained) {
		decision_explain(configuration, VIEW_CONNECT, "connect", fd, fd, &peer);
		return libc.connect(fd, address, length);
	}
	int error =
		decision_find_and_say(configuration, VIEW_CONNECT, "connect", fd, fd, &peer, &rule);
	if (!error && rule)
		error = decision_prepare_connect(configuration, fd, rule, &peer, libc.bind);
	if (error)
		return fail_with(error);
	keep_end(configuration, fd);
	return libc.connect(fd, address, length);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct configuration *configuration = current();

	if (!configuration->policy.has_connect)
		return libc.connect(fd, address, length);
	return connect_by_rule(configuration, fd, address, length);
}

/* ---- socket ---- */

static SLOW int socket_by_rule(
	const struct configuration *configuration, int domain, int type, int protocol)
{
	struct endpoint endpoint;
	bool is_ip = decision_endpoint_of_socket(domain, type, protocol, &endpoint);
	const struct rule *rule =
		is_ip ? policy_decide_early(&configuration->policy, &endpoint) : NULL;
	bool is_explained = configuration->policy.is_explained;

	if (rule && rule->actions.deny && !is_explained)
		return fail_with(-rule->actions.deny_errno);
	int fd = libc.socket(domain, type, protocol);
	if (fd < 0 || !is_ip)
		return fd;
	if (is_explained) {
		decision_print(configuration, LOG_LEVEL_EXPLAIN, "socket", fd, &endpoint, rule,
			DECISION_NOT_EARLY);
		return fd;
	}
	int error = rule ? share_set_options(configuration, fd, rule, &endpoint) : 0;
	if (!error)
		return fd;
	system_close(fd);
	return fail_with(error);
}

EXPORT int socket(int domain, int type, int protocol)
{
	const struct configuration *configuration = current();

	if (!configuration->policy.has_early)
		return libc.socket(domain, type, protocol);
	return socket_by_rule(configuration, domain, type, protocol);
}
