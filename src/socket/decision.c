/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decision.h"

#include "diagnose.h"
#include "ground/errnos.h"
#include "ground/system.h"
#include "notify_socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdatomic.h>

#define CALL_TEXT_SIZE 24 /* "connect(2147483647) " */
#define DIAGNOSES_MOST 16 /* for each process; one that searches for a free port needs no more */

/* ---- logging what happens ---- */

__attribute__((cold)) void decision_print(const struct configuration *configuration,
	enum log_level level, const char *call, int number, const struct endpoint *endpoint,
	const struct rule *rule, const char *otherwise)
{
	char bytes[CALL_TEXT_SIZE + ENDPOINT_TEXT_SIZE + RULE_TEXT_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	text_format(&text, "%s", call);
	if (number >= 0)
		text_format(&text, "(%d)", number);
	text_format(&text, " ");
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
	log_write_seldom(&configuration->log, level, "%s", bytes);
	if (level == LOG_LEVEL_EXPLAIN && configuration->log.explain_socket)
		notify_socket_send(configuration->log.explain_socket, "EXPLAINED=1", -1);
}

void decision_explain(const struct configuration *configuration, enum view view, const char *call,
	int fd, int number, struct endpoint *endpoint)
{
	if (!log_reaches(&configuration->log, LOG_LEVEL_EXPLAIN) ||
		share_ask_protocol(fd, endpoint) < 0)
		return;
	decision_find_scope(&configuration->policy, fd, endpoint);
	decision_print(configuration, LOG_LEVEL_EXPLAIN, call, number, endpoint,
		policy_decide(&configuration->policy, view, endpoint), DECISION_NONE);
}

void decision_explain_listen(
	const struct configuration *configuration, int fd, int number, struct endpoint *endpoint)
{
	if (!log_reaches(&configuration->log, LOG_LEVEL_EXPLAIN) ||
		share_ask_protocol(fd, endpoint) < 0)
		return;
	const struct rule *rule = policy_decide(&configuration->policy, VIEW_BIND, endpoint);
	bool is_bound = endpoint->port != 0;
	if (rule && is_bound && !rule->actions.exclusive && !rule->actions.has_backlog &&
		!rule->actions.has_steer)
		rule = NULL;
	decision_print(configuration, LOG_LEVEL_EXPLAIN, "listen", number, endpoint, rule,
		"no rule changes anything here; left alone");
}

/* A program that searches for a free port gets no more than this many lines. */
static bool may_diagnose(const struct configuration *configuration)
{
	static _Atomic unsigned count;

	return log_reaches(&configuration->log, LOG_LEVEL_WARN) &&
	       atomic_fetch_add(&count, 1) < DIAGNOSES_MOST;
}

__attribute__((cold)) void decision_say_in_use(const struct configuration *configuration,
	bool is_shared, const struct endpoint *endpoint, uid_t user)
{
	char bytes[2 * ENDPOINT_TEXT_SIZE + RULE_TEXT_SIZE];
	struct text text;

	if (!may_diagnose(configuration))
		return;
	if (user == DECISION_OWN_USER)
		user = system_geteuid();
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	text_format(&text, " is in use: ");
	diagnose_print(&text, endpoint, user, is_shared);
	log_write(&configuration->log, LOG_LEVEL_WARN, "%s", bytes);
}

__attribute__((cold)) void decision_say_privileged(
	const struct configuration *configuration, const struct endpoint *endpoint)
{
	char bytes[ENDPOINT_TEXT_SIZE + RULE_TEXT_SIZE];
	struct text text;

	if (!may_diagnose(configuration))
		return;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, endpoint);
	text_format(&text, " cannot be bound: ");
	if (!diagnose_print_privileged(&text, endpoint->port))
		return;
	diagnose_print_permission(&text, endpoint->port, "; ", "; or ");
	log_write(&configuration->log, LOG_LEVEL_WARN, "%s", bytes);
}

/* ---- decisions ---- */

static bool is_no_ip_socket(int error)
{
	return error == -EBADF || error == -ENOTSOCK || error == -EAFNOSUPPORT;
}

static int leave(
	const struct configuration *configuration, bool is_protected, int number, int error)
{
	log_write(&configuration->log, is_protected ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
		"the type of socket %d cannot be read: %s; %s", number, errno_name(-error),
		is_protected ? "the call fails, because a rule that protects may match"
			     : "the call is left alone");
	return is_protected ? error : 0;
}

__attribute__((cold)) int decision_leave_endpoint(const struct configuration *configuration,
	enum view view, int number, const struct endpoint *endpoint, int error)
{
	struct endpoint unknown = *endpoint;

	if (is_no_ip_socket(error))
		return 0;
	unknown.protocol = PROTOCOL_UNKNOWN;
	return leave(configuration, policy_may_protect(&configuration->policy, view, &unknown),
		number, error);
}

__attribute__((cold)) int decision_leave(
	const struct configuration *configuration, int number, int error)
{
	if (is_no_ip_socket(error))
		return 0;
	return leave(configuration, policy_protects_listen(&configuration->policy), number, error);
}

/* ---- listen ---- */

int decision_find_unbound(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, const struct rule **rule)
{
	int error = decision_find(configuration, VIEW_BIND, fd, number, endpoint, rule);

	if (error)
		return error;
	if (!*rule || (*rule)->actions.pass) {
		*rule = NULL;
		return 0;
	}
	decision_say(configuration, "listen", number, endpoint, *rule);
	return 0;
}

int decision_prepare_listen(const struct configuration *configuration, int fd, int number,
	struct endpoint *endpoint, int *backlog, const struct rule **rule)
{
	int error = decision_find(configuration, VIEW_BOUND, fd, number, endpoint, rule);

	if (error || !*rule)
		return error;
	const struct actions *actions = &(*rule)->actions;
	error = actions->exclusive ? share_exclude(configuration, fd, endpoint) : 0;
	if (error)
		return error;
	if (actions->has_backlog) {
		*backlog = actions->backlog;
		decision_say(configuration, "listen", number, endpoint, *rule);
	} else if (actions->keep) {
		*backlog = INT_MAX; /* the queue must have room for clients that nobody accepts */
	}
	return 0;
}

/* ---- connect and socket ---- */

int decision_prepare_connect(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct endpoint *peer,
	int (*bind)(int, const struct sockaddr *, socklen_t))
{
	const struct actions *actions = &rule->actions;

	if (actions->deny)
		return -actions->deny_errno;
	int error = share_set_options(configuration, fd, rule, peer);
	if (!error && (actions->from.has_address || actions->from.has_port))
		error = share_bind_source(configuration, fd, rule, peer, bind);
	return error;
}

bool decision_endpoint_of_socket(int domain, int type, int protocol, struct endpoint *endpoint)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (type == SOCK_RAW)
		protocol = IPPROTO_RAW; /* whatever protocol it carries */
	if (protocol == 0)
		protocol = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
	*endpoint = (struct endpoint){
		.address = address_any(domain == AF_INET ? FAMILY_IP4 : FAMILY_IP6),
		.family = domain == AF_INET ? FAMILY_IP4 : FAMILY_IP6,
		.protocol = (uint8_t)endpoint_protocol(protocol),
	};
	return domain == AF_INET || domain == AF_INET6;
}
