/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for socket(), bind(), listen() and connect(): asks the policy, has the decision carried
 * out, and calls the real function. Everything here is async-signal-safe, takes no lock and keeps
 * no state by descriptor. The caller's errno is what the real function leaves.
 */
#include "../errnos.h"
#include "../policy/source.h"
#include "../socket/diagnose.h"
#include "../socket/keep.h"
#include "../socket/share.h"
#include "../socket/steer_join.h"
#include "../system.h"
#include "environment.h"
#include "inherit.h"
#include "libc.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SLOW   __attribute__((noinline, cold))
#define FAST   inline __attribute__((always_inline)) /* on the way of every bind() */

#define DIAGNOSES_MOST 16 /* a process; one that searches for a free port needs no more */

/* ---- the configuration ---- */

static const struct configuration *_Atomic in_force;

/*
 * Every thread or signal handler that finds none loads one of its own; the first to publish it
 * wins, so nobody ever waits for anybody.
 */
static SLOW const struct configuration *load(void)
{
	const struct variables none = {{NULL}};
	struct arena early = {NULL, 0, 0};
	const struct configuration *expected = NULL;
	int saved_errno = errno;

	libc_find();
	char **environment = environment_get(&early);
	struct variables variables = getauxval(AT_SECURE) ? none : variables_read(environment);
	const struct configuration *configuration = source_load(&variables, SOURCE_THIS_PROGRAM);
	arena_close(&early);
	if (!atomic_compare_exchange_strong(&in_force, &expected, configuration)) {
		source_drop(configuration);
		configuration = expected;
	} else {
		keep_start(configuration, &environ);
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
	if (!configuration->is_inherited)
		inherit_stop(environ);
}

/* What is to be said about the configuration is said when it first matters. */
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

/* ---- saying what happens ---- */

#define NO_RULE "no rule matches; left alone"

/* "bind(3) tcp 0.0.0.0:80: share nodelay (REUSE_RULES:1: tcp port=80)" */
static SLOW void say(const struct configuration *configuration, enum log_level level,
	const char *call, int fd, const struct endpoint *endpoint, const struct rule *rule,
	const char *otherwise)
{
	char bytes[ENDPOINT_TEXT_SIZE + RULE_TEXT_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	text_format(&text, ": ");
	if (rule) {
		rule_print_actions(&text, &rule->actions);
		text_format(&text, " (");
		rule_print_place(&text, rule);
		text_format(&text, ": ");
		rule_print(&text, rule);
		text_format(&text, ")");
	} else {
		text_format(&text, "%s", otherwise);
	}
	log_write(&configuration->log, level, "%s(%d) %s", call, fd, bytes);
}

/* A bind that fails by a rule is worth a warning: without one, nobody would find the reason. */
static inline void say_decision(const struct configuration *configuration, const char *call, int fd,
	const struct endpoint *endpoint, const struct rule *rule)
{
	enum log_level level =
		rule->actions.deny && !rule->match.is_connect ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;

	if (log_says(&configuration->log, level))
		say(configuration, level, call, fd, endpoint, rule, "");
}

/* At level debug, a call that nothing is done about is worth a line too. */
static inline void say_none(const struct configuration *configuration, const char *call, int fd,
	const struct endpoint *endpoint)
{
	if (log_says(&configuration->log, LOG_LEVEL_DEBUG))
		say(configuration, LOG_LEVEL_DEBUG, call, fd, endpoint, NULL, NO_RULE);
}

/* Explains a call that will not be changed. */
static SLOW void explain(const struct configuration *configuration, enum view view,
	const char *call, int fd, struct endpoint *endpoint)
{
	if (share_ask_protocol(fd, endpoint) < 0)
		return;
	say(configuration, LOG_LEVEL_EXPLAIN, call, fd, endpoint,
		policy_decide(&configuration->policy, view, endpoint), NO_RULE);
}

/* The same for listen(), where most rules have nothing left to do once the socket is bound. */
static SLOW void explain_listen(
	const struct configuration *configuration, int fd, struct endpoint *endpoint)
{
	if (share_ask_protocol(fd, endpoint) < 0)
		return;
	const struct rule *rule = policy_decide(&configuration->policy, VIEW_BIND, endpoint);
	bool is_bound = endpoint->port != 0;
	if (rule && is_bound && !rule->actions.exclusive && !rule->actions.has_backlog &&
		!rule->actions.has_steer)
		rule = NULL;
	say(configuration, LOG_LEVEL_EXPLAIN, "listen", fd, endpoint, rule,
		"no rule has anything to do here; left alone");
}

static SLOW void say_why_in_use(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint)
{
	static _Atomic unsigned count;
	char bytes[2 * ENDPOINT_TEXT_SIZE + RULE_TEXT_SIZE];
	struct text text;

	if (!log_says(&configuration->log, LOG_LEVEL_WARN) ||
		atomic_fetch_add(&count, 1) >= DIAGNOSES_MOST)
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	text_format(&text, " is in use: ");
	diagnose_print(&text, endpoint, system_geteuid(), rule_shares(rule));
	log_write(&configuration->log, LOG_LEVEL_WARN, "%s", bytes);
}

/* ---- decisions ---- */

/*
 * What to do when the kernel does not answer. A descriptor that is no socket shall hear so from the
 * real function. Else nobody knows which rule is for it, and if one of them protects, the call has
 * to fail. Returns 0, or a negative errno to fail with.
 */
static SLOW int leave_undecided(const struct configuration *configuration, int fd, int error)
{
	bool is_protected = policy_protects(&configuration->policy);

	if (error == -EBADF || error == -ENOTSOCK || error == -EAFNOSUPPORT)
		return 0;
	log_write(&configuration->log, is_protected ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
		"socket %d cannot be asked what it is: %s; %s", fd, errno_name(-error),
		is_protected ? "the call fails, because a rule protects" : "left alone");
	return is_protected ? error : 0;
}

/*
 * The rule for a call, or NULL, with ENDPOINT's protocol filled in where there is one. Returns 0,
 * or a negative errno to fail with.
 */
static FAST int decide(const struct configuration *configuration, enum view view, int fd,
	struct endpoint *endpoint, const struct rule **rule)
{
	*rule = policy_decide(&configuration->policy, view, endpoint);
	if (!*rule)
		return 0;
	int error = share_ask_protocol(fd, endpoint);
	if (__builtin_expect(error, 0)) {
		*rule = NULL;
		return leave_undecided(configuration, fd, error);
	}
	if ((*rule)->match.protocols && !((*rule)->match.protocols & endpoint->protocol))
		*rule = policy_decide(&configuration->policy, view, endpoint);
	return 0;
}

static int call_bind(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct sockaddr *address, socklen_t length, const struct endpoint *endpoint)
{
	int result = libc.bind(fd, address, length);

	if (result < 0 && errno == EADDRINUSE)
		say_why_in_use(configuration, rule, endpoint);
	return result;
}

/* Prepares FD as RULE says; ENDPOINT becomes what is to be bound. */
static FAST int prepare_bind(const struct configuration *configuration, int fd,
	const struct rule *rule, struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;

	if (actions->deny)
		return -actions->deny_errno;
	int error = share_set_options(configuration, fd, rule, endpoint);
	if (!error && actions->exclusive)
		error = share_exclude(configuration, fd, endpoint);
	if (!error && (actions->to.has_address || actions->to.has_port))
		error = share_retarget(configuration, fd, rule, endpoint);
	return error;
}

/* Takes a socket that was kept or inherited instead of binding FD, where there is one. */
static SLOW int bind_kept(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct sockaddr *address, socklen_t length,
	const struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	int taken = actions->adopt ? keep_adopt(configuration, fd, rule, endpoint) : 0;

	if (taken == 0 && actions->keep)
		taken = keep_take(configuration, fd, endpoint);
	if (taken < 0)
		return fail_with(taken);
	int result = taken ? 0 : call_bind(configuration, fd, rule, address, length, endpoint);
	if (result == 0 && actions->keep && endpoint->protocol == PROTOCOL_UDP && endpoint->port)
		keep_store(configuration, fd, endpoint);
	return result;
}

/* What is not done for every bind: a UDP socket that is bound is in its group, and can steer it. */
static SLOW int bind_further(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct sockaddr *address, socklen_t length,
	const struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	int result = actions->keep || actions->adopt
			     ? bind_kept(configuration, fd, rule, address, length, endpoint)
			     : call_bind(configuration, fd, rule, address, length, endpoint);

	if (result == 0 && actions->has_steer && endpoint->protocol == PROTOCOL_UDP)
		steer_join(configuration, fd, rule, endpoint);
	return result;
}

static FAST int bind_by_rule(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct sockaddr *address, socklen_t length,
	struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	struct sockaddr_storage target;

	say_decision(configuration, "bind", fd, endpoint, rule);
	if (actions->pass)
		return libc.bind(fd, address, length);
	int error = prepare_bind(configuration, fd, rule, endpoint);
	if (error)
		return fail_with(error);
	if (actions->to.has_address || actions->to.has_port) {
		length = endpoint_to_sockaddr(endpoint, &target);
		address = (struct sockaddr *)&target;
	}
	if (actions->keep || actions->adopt || actions->has_steer)
		return bind_further(configuration, fd, rule, address, length, endpoint);
	return call_bind(configuration, fd, rule, address, length, endpoint);
}

/* ---- bind ---- */

static SLOW int bind_specially(const struct configuration *configuration, int fd,
	const struct sockaddr *address, socklen_t length, struct endpoint *endpoint)
{
	say_once(configuration);
	if (configuration->policy.broken)
		return fail_with(-EINVAL);
	if (configuration->policy.is_explained) {
		explain(configuration, VIEW_BIND, "bind", fd, endpoint);
		return libc.bind(fd, address, length);
	}
	keep_settle();
	return 1;
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct configuration *configuration = current();
	struct endpoint endpoint;
	const struct rule *rule;

	if (!endpoint_from_sockaddr(&endpoint, address, length, false))
		return libc.bind(fd, address, length);
	if (__builtin_expect(configuration->policy.is_special, 0)) {
		int result = bind_specially(configuration, fd, address, length, &endpoint);
		if (result <= 0)
			return result;
	}
	int error = decide(configuration, VIEW_BIND, fd, &endpoint, &rule);
	if (error)
		return fail_with(error);
	if (!rule) {
		say_none(configuration, "bind", fd, &endpoint);
		return libc.bind(fd, address, length);
	}
	return bind_by_rule(configuration, fd, rule, address, length, &endpoint);
}

/* ---- listen ---- */

/* The kernel would bind FD to a port of its own choice now: the policy decides on that. */
static int bind_before_listen(
	const struct configuration *configuration, int fd, struct endpoint *endpoint)
{
	const struct rule *rule;
	struct sockaddr_storage target;

	int error = decide(configuration, VIEW_BIND, fd, endpoint, &rule);
	if (error)
		return fail_with(error);
	if (!rule || rule->actions.pass)
		return 0;
	say_decision(configuration, "listen", fd, endpoint, rule);
	error = prepare_bind(configuration, fd, rule, endpoint);
	if (error)
		return fail_with(error);
	if (!rule->actions.to.has_address && !rule->actions.to.has_port)
		return 0;
	socklen_t length = endpoint_to_sockaddr(endpoint, &target);
	return call_bind(configuration, fd, rule, (struct sockaddr *)&target, length, endpoint);
}

/* Listens as a rule says; the queue of a kept socket has to hold while nobody accepts. */
static int listen_bound(
	const struct configuration *configuration, int fd, struct endpoint *endpoint, int backlog)
{
	const struct rule *rule;

	int error = decide(configuration, VIEW_BOUND, fd, endpoint, &rule);
	if (!error && rule && rule->actions.exclusive)
		error = share_exclude(configuration, fd, endpoint);
	if (error)
		return fail_with(error);
	if (!rule)
		return libc.listen(fd, backlog);
	if (rule->actions.has_backlog) {
		backlog = rule->actions.backlog;
		say_decision(configuration, "listen", fd, endpoint, rule);
	} else if (rule->actions.keep) {
		backlog = INT_MAX;
	}
	int result = libc.listen(fd, backlog);
	if (result == 0 && rule->actions.keep)
		keep_store(configuration, fd, endpoint);
	if (result == 0 && rule->actions.has_steer)
		steer_join(configuration, fd, rule, endpoint);
	return result;
}

static SLOW int listen_by_rule(const struct configuration *configuration, int fd, int backlog)
{
	struct endpoint endpoint;
	int unknown = share_ask_bound(fd, &endpoint);

	if (unknown) {
		int error = leave_undecided(configuration, fd, unknown);
		return error ? fail_with(error) : libc.listen(fd, backlog);
	}
	say_once(configuration);
	if (configuration->policy.broken)
		return fail_with(-EINVAL);
	if (configuration->policy.is_explained) {
		explain_listen(configuration, fd, &endpoint);
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

static int prepare_connect(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct endpoint *peer)
{
	const struct actions *actions = &rule->actions;

	if (actions->deny)
		return -actions->deny_errno;
	int error = share_set_options(configuration, fd, rule, peer);
	if (!error && (actions->from.has_address || actions->from.has_port))
		error = share_bind_source(configuration, fd, rule, peer, libc.bind);
	return error;
}

static int call_connect(const struct configuration *configuration, int fd,
	const struct sockaddr *address, socklen_t length)
{
	keep_end(configuration, fd);
	return libc.connect(fd, address, length);
}

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
		explain(configuration, VIEW_CONNECT, "connect", fd, &peer);
		return libc.connect(fd, address, length);
	}
	int error = decide(configuration, VIEW_CONNECT, fd, &peer, &rule);
	if (error)
		return fail_with(error);
	if (!rule) {
		say_none(configuration, "connect", fd, &peer);
		return call_connect(configuration, fd, address, length);
	}
	say_decision(configuration, "connect", fd, &peer, rule);
	error = prepare_connect(configuration, fd, rule, &peer);
	if (error)
		return fail_with(error);
	return call_connect(configuration, fd, address, length);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct configuration *configuration = current();

	if (!configuration->policy.has_connect)
		return libc.connect(fd, address, length);
	return connect_by_rule(configuration, fd, address, length);
}

/* ---- socket ---- */

/* The endpoint of a socket that has no address yet; false for one that is not IP. */
static bool endpoint_of_socket(int domain, int type, int protocol, struct endpoint *endpoint)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (protocol == 0)
		protocol = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
	*endpoint = (struct endpoint){
		.address = address_any(domain == AF_INET ? FAMILY_IP4 : FAMILY_IP6),
		.family = domain == AF_INET ? FAMILY_IP4 : FAMILY_IP6,
		.protocol = (uint8_t)endpoint_protocol(protocol),
	};
	return domain == AF_INET || domain == AF_INET6;
}

static SLOW int socket_by_rule(
	const struct configuration *configuration, int domain, int type, int protocol)
{
	struct endpoint endpoint;
	bool is_ip = endpoint_of_socket(domain, type, protocol, &endpoint);
	const struct rule *rule =
		is_ip ? policy_decide_early(&configuration->policy, &endpoint) : NULL;
	bool is_explained = configuration->policy.is_explained;

	if (rule && rule->actions.deny && !is_explained)
		return fail_with(-rule->actions.deny_errno);
	int fd = libc.socket(domain, type, protocol);
	if (fd < 0 || !is_ip)
		return fd;
	if (is_explained) {
		say(configuration, LOG_LEVEL_EXPLAIN, "socket", fd, &endpoint, rule,
			"no rule is early; left alone");
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
