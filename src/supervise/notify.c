/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"

#include "../errnos.h"
#include "../procfs.h"
#include "../socket/decision.h"
#include "../socket/replace.h"
#include "../socket/steer_join.h"
#include "../text.h"
#include "caller.h"
#include "calls.h"
#include "exchange.h"
#include "listener.h"
#include "outcome.h"
#include "own_errors.h"
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Why a program gains nothing by this hook that it could not do itself.
 *
 * Where the policy only wants options, they are set, and the kernel then does the program's call
 * with all of its own checks. The program may have changed its memory or its descriptors since, but
 * what it gets by that is what it gets without us.
 *
 * Where the address or the result of a call is not the program's own (to=, from=, keep, adopt=), or
 * the policy protects, the call is done here, on what was read once: the kernel does not read the
 * program's memory again. Then the checks are those on this process, so it takes on the caller's
 * rights for that (caller_do): its effective user and capabilities, counted in its user namespace.
 * The duplicate of a descriptor is the caller's socket itself: it belongs to the caller's network
 * namespace and to the user who made it, by whom the kernel decides on sharing. A socket that was
 * kept goes only to a caller of the user and network that it belongs to, and one on a privileged
 * port only where the caller could bind it (may_have).
 *
 * A thread can be killed and its number be given to another at any time. What was found out by the
 * number is used only if the notification is still valid after it was found out: then the thread
 * was there all the while, and its rights cannot change while it waits in a call.
 *
 * Not seen here are what a security module (SELinux, AppArmor, Landlock) would allow the program
 * where a call is done in its place, and what it does by io_uring. Rules for connect() are checked
 * and the kernel then reads the address again, because connect() may wait for long: they bind
 * programs that cooperate. See SECURITY in libreuse(7).
 */

struct call {
	const struct notify *notify;
	const struct configuration *configuration;
	const struct architecture *architecture;
	struct caller caller;
	int listener;
	uint64_t id;
	uint64_t arguments[4];
	int number;		     /* the program's descriptor of the socket */
	int fd;			     /* our duplicate of it; -1: none */
	struct file_identity socket; /* the one that a bind was done on */
	int errors;		     /* of its standard error, where that is borrowed; -1: none */
	struct sockaddr_storage address; /* that the program gave, read once */
	socklen_t length;
	struct endpoint
		watched; /* what it binds by a rule as the kernel goes on; port 0: nothing */
	bool is_shared;
};

/* How a call ends: a negative errno, 0 for success, or one of these. */
enum {
	CONTINUED = 1, /* the kernel is to do it */
	ANSWERED = 2,  /* the kernel was told */
};

static bool is_guarded; /* a rule for bind() protects */
static int spare = -1;	/* given up for a line of the log where no other descriptor is left */

static void open_spare(void)
{
	spare = system_open(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
}

int notify_start(const struct notify *notify)
{
	const struct policy *policy = &notify->configuration->policy;

	int error = programs_start(notify->configuration);
	open_spare();
	is_guarded = false;
	for (size_t i = 0; i < policy->count; i++)
		is_guarded |=
			!policy->rules[i].match.is_connect && rule_protects(&policy->rules[i]);
	return error ? error : caller_start();
}

unsigned notify_calls(const struct configuration *configuration)
{
	const struct policy *policy = &configuration->policy;

	return CALL_BIND | (policy->has_listen ? CALL_LISTEN : 0U) |
	       (policy->has_connect ? CALL_CONNECT : 0U) | (policy->has_early ? CALL_SOCKET : 0U);
}

/* ---- calls that were done, and whose end the program did not get to see ---- */

/*
 * Before Linux 5.19 a signal interrupts a call that was received already, and the program repeats
 * it after the handler: a bind that has succeeded would fail with EINVAL then.
 */
#define UNSEEN_MOST 16

static struct unseen {
	pid_t thread;
	struct file_identity socket;
	struct sockaddr_storage address; /* that the program asked for */
	socklen_t length;
} unseen_binds[UNSEEN_MOST];

static void remember(const struct call *call)
{
	static unsigned next;

	unseen_binds[next++ % UNSEEN_MOST] = (struct unseen){
		.thread = call->caller.thread,
		.socket = call->socket,
		.address = call->address,
		.length = call->length,
	};
}

/* Whether this very bind has been done; it is told only once. */
static bool recall(struct call *call)
{
	call->socket = file_identity_of(call->fd);
	for (unsigned i = 0; i < UNSEEN_MOST; i++) {
		struct unseen *at = &unseen_binds[i];
		if (at->thread != call->caller.thread || at->length != call->length ||
			!file_identity_equals(&at->socket, &call->socket) ||
			memcmp(&at->address, &call->address, call->length) != 0)
			continue;
		at->thread = 0;
		return true;
	}
	return false;
}

/* ---- in the program's place ---- */

struct binding {
	struct call *call;
	const struct rule *rule; /* NULL: as the program asked for */
	struct endpoint endpoint;
};

static int prepare(void *context)
{
	struct binding *binding = context;

	return decision_prepare_bind(
		binding->call->configuration, binding->call->fd, binding->rule, &binding->endpoint);
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

/* Binds with the caller's rights. */
static int perform_bind(struct binding *binding)
{
	const struct call *call = binding->call;
	int result = caller_do(&call->caller, false, bind_now, binding);

	if (result == -EADDRINUSE && binding->rule && caller_is_in_our_network(&call->caller))
		decision_say_in_use(call->configuration, rule_shares(binding->rule),
			&binding->endpoint, call->caller.rights.user);
	return result;
}

static bool is_ip_socket(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t length = sizeof domain;

	return system_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* Binds as no rule changes. Under a policy that protects, the kernel must not read it again. */
static int bind_unchanged(struct binding *binding)
{
	binding->rule = NULL;
	return is_guarded && is_ip_socket(binding->call->fd) ? perform_bind(binding) : CONTINUED;
}

/* ---- sockets that were kept or inherited ---- */

static int adopt(void *context)
{
	const struct binding *binding = context;

	return binding->call->notify->keeper->adopt(
		binding->call->configuration, binding->call->fd, binding->rule, &binding->endpoint);
}

/* Our duplicate is another socket now, which is to become the program's as well. */
static int hand_over(struct call *call)
{
	struct exchange exchange = {.fd = call->fd, .number = call->number};

	call->socket = file_identity_of(call->fd);
	exchange_find(&exchange, &call->caller);
	int error = listener_replace(
		call->listener, call->id, call->fd, call->number, exchange.is_cloexec);
	if (!error)
		exchange_register(&exchange, &call->caller);
	return error;
}

#define PRIVILEGED_PORTS 1024

/* Whether the caller could bind the port itself: it must not come by it as a kept socket. */
static bool may_bind(const struct caller *caller, uint16_t port)
{
	unsigned first = PRIVILEGED_PORTS;
	char line[16];
	struct procfs_reader reader = {
		.fd = caller_is_in_our_network(caller)
			      ? system_open(AT_FDCWD,
					"/proc/sys/net/ipv4/ip_unprivileged_port_start",
					O_RDONLY | O_CLOEXEC, 0)
			      : -1};

	if (reader.fd >= 0 && procfs_next_line(&reader, line, sizeof line))
		first = (unsigned)strtoul(line, NULL, 10);
	if (reader.fd >= 0)
		system_close(reader.fd);
	return port >= first || caller_has_capability(caller, CAP_NET_BIND_SERVICE);
}

/* Returns 1 where there was such a socket, 0, or a negative errno. */
static int take_kept(struct binding *binding)
{
	struct call *call = binding->call;
	const struct notify_keeper *keeper = call->notify->keeper;
	int taken = 0;

	if (binding->rule->actions.adopt)
		taken = caller_do(&call->caller, false, adopt, binding);
	if (taken == 0 && binding->rule->actions.keep &&
		may_bind(&call->caller, binding->endpoint.port))
		taken = keeper->take(call->configuration, call->fd, &binding->endpoint);
	if (taken <= 0)
		return taken;
	int error = hand_over(call);
	return error ? error : 1;
}

/* A UDP socket that is bound is in its group, to be kept and to steer. */
static int bind_further(struct binding *binding)
{
	const struct call *call = binding->call;
	const struct actions *actions = &binding->rule->actions;
	const struct endpoint *endpoint = &binding->endpoint;
	bool is_udp = endpoint->protocol == PROTOCOL_UDP;
	int taken = call->notify->keeper ? take_kept(binding) : 0;

	if (taken < 0)
		return taken;
	int result = taken ? 0 : perform_bind(binding);
	if (result == 0 && actions->keep && is_udp && endpoint->port && call->notify->keeper)
		call->notify->keeper->store(call->configuration, call->fd, endpoint);
	if (result == 0 && actions->has_steer && is_udp)
		steer_join(call->configuration, call->fd, binding->rule, endpoint);
	return result;
}

/* ---- bind ---- */

/* The kernel goes on with the bind, and does not tell what comes of it. */
static int continue_and_watch(const struct binding *binding)
{
	struct call *call = binding->call;
	struct endpoint bound;

	/* One that is bound already is refused for that. */
	if (caller_is_in_our_network(&call->caller) && share_ask_bound(call->fd, &bound) == 0 &&
		bound.port == 0) {
		call->watched = binding->endpoint;
		call->is_shared = rule_shares(binding->rule);
	}
	return CONTINUED;
}

/* Whatever else the policy protects has to be done with the caller's rights as well. */
static int bind_without_rights(const struct call *call, int error)
{
	log_write(&call->configuration->log, is_guarded ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
		"the rights of process %d cannot be had: %s; %s", (int)call->caller.process,
		errno_name(-error),
		is_guarded ? "the call fails, because a rule protects" : "left alone");
	return is_guarded ? error : CONTINUED;
}

static int bind_by_rule(struct binding *binding)
{
	const struct call *call = binding->call;
	const struct actions *actions = &binding->rule->actions;

	decision_say(call->configuration, "bind", call->number, &binding->endpoint, binding->rule);
	if (actions->pass)
		return bind_unchanged(binding);
	int error = caller_do(&call->caller, false, prepare, binding);
	bool must_hold = rule_protects(binding->rule) || call->configuration->policy.is_strict;
	if (error)
		return must_hold ? error : bind_without_rights(call, error);
	if (actions->keep || actions->adopt || actions->has_steer)
		return bind_further(binding);
	return decision_retargets(binding->rule) || is_guarded ? perform_bind(binding)
							       : continue_and_watch(binding);
}

static int answer_bind(struct call *call)
{
	const struct configuration *configuration = call->configuration;
	struct binding binding = {.call = call};
	struct endpoint *endpoint = &binding.endpoint;

	if (recall(call))
		return 0;
	if (!endpoint_from_sockaddr(
		    endpoint, (struct sockaddr *)&call->address, call->length, false))
		return bind_unchanged(&binding);
	if (configuration->policy.is_explained) {
		decision_explain(
			configuration, VIEW_BIND, "bind", call->fd, call->number, endpoint);
		return CONTINUED;
	}
	int error = decision_find(
		configuration, VIEW_BIND, call->fd, call->number, endpoint, &binding.rule);
	if (error)
		return error;
	if (binding.rule)
		return bind_by_rule(&binding);
	decision_say_none(configuration, "bind", call->number, endpoint);
	return bind_unchanged(&binding);
}

/* ---- listen ---- */

struct listening {
	struct binding binding;
	int backlog;
};

static int prepare_listen(void *context)
{
	struct listening *listening = context;
	struct binding *binding = &listening->binding;

	return decision_prepare_listen(binding->call->configuration, binding->call->fd,
		binding->call->number, &binding->endpoint, &listening->backlog, &binding->rule);
}

/* The kernel would bind the socket to a port of its own choice now. */
static int bind_before_listen(struct binding *binding)
{
	const struct call *call = binding->call;
	int error = decision_find_unbound(
		call->configuration, call->fd, call->number, &binding->endpoint, &binding->rule);

	if (error || !binding->rule)
		return error;
	error = caller_do(&call->caller, false, prepare, binding);
	if (error || !decision_retargets(binding->rule))
		return error;
	return perform_bind(binding);
}

/* Nothing but the descriptor and a number is read by listen(), and no right is asked for. */
static int answer_listen(struct call *call)
{
	const struct configuration *configuration = call->configuration;
	struct listening listening = {.binding.call = call, .backlog = (int)call->arguments[1]};
	struct endpoint *endpoint = &listening.binding.endpoint;

	int error = share_ask_bound(call->fd, endpoint);
	if (error) {
		error = decision_leave(configuration, call->number, error);
		return error ? error : CONTINUED;
	}
	if (configuration->policy.is_explained) {
		decision_explain_listen(configuration, call->fd, call->number, endpoint);
		return CONTINUED;
	}
	error = endpoint->port == 0 ? bind_before_listen(&listening.binding) : 0;
	if (!error)
		error = caller_do(&call->caller, false, prepare_listen, &listening);
	const struct rule *rule = listening.binding.rule;
	if (error || !rule)
		return error ? error : CONTINUED;
	int result = system_listen(call->fd, listening.backlog);
	if (result == 0 && rule->actions.keep && call->notify->keeper)
		call->notify->keeper->store(configuration, call->fd, endpoint);
	if (result == 0 && rule->actions.has_steer)
		steer_join(configuration, call->fd, rule, endpoint);
	return result;
}

/* ---- connect ---- */

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

/* A UDP socket that is connected is not kept any more. */
static void end_keeping(const struct call *call)
{
	if (call->notify->keeper)
		call->notify->keeper->end(call->configuration, call->fd);
}

static int answer_connect(struct call *call)
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
	int error = decision_find(
		configuration, VIEW_CONNECT, call->fd, call->number, peer, &binding.rule);
	if (error)
		return error;
	if (!binding.rule) {
		decision_say_none(configuration, "connect", call->number, peer);
		end_keeping(call);
		return CONTINUED;
	}
	decision_say(configuration, "connect", call->number, peer, binding.rule);
	error = caller_do(&call->caller, false, prepare_connect, &binding);
	if (!error)
		end_keeping(call);
	return error ? error : CONTINUED;
}

/* ---- the rest of a call ---- */

/* The address that bind() or connect() was given; -EFAULT where it cannot be read. */
static int read_address(struct call *call)
{
	int length = (int)call->arguments[2];

	if (length < 0 || (size_t)length > sizeof call->address)
		return -EINVAL;
	call->length = (socklen_t)length;
	ssize_t got = caller_read(&call->caller, call->arguments[1], &call->address, call->length);
	return got == length ? 0 : got < 0 ? (int)got : -EFAULT;
}

/* What socketcall(2) was given, in the program's memory. */
static int read_arguments(struct call *call)
{
	unsigned word = call->architecture->word;
	char bytes[sizeof call->arguments];
	ssize_t got = caller_read(&call->caller, call->arguments[1], bytes, 3 * word);

	if (got != 3 * (ssize_t)word)
		return got < 0 ? (int)got : -EFAULT;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t half;
		memcpy(&half, bytes + i * word, sizeof half);
		call->arguments[i] = half;
		if (word == sizeof call->arguments[i])
			memcpy(&call->arguments[i], bytes + i * word, word);
	}
	return 0;
}

/* ---- socket ---- */

struct creation {
	const struct call *call;
	const struct rule *rule;
	struct endpoint endpoint;
	int domain, type, protocol;
};

static int create(void *context)
{
	struct creation *creation = context;
	int fd = system_socket(creation->domain, creation->type | SOCK_CLOEXEC, creation->protocol);

	if (fd < 0)
		return fd;
	int error = share_set_options(
		creation->call->configuration, fd, creation->rule, &creation->endpoint);
	if (!error)
		return fd;
	system_close(fd);
	return error;
}

/* Before Linux 5.14, no descriptor can be the result of a call. */
static int leave_socket_to_kernel(const struct configuration *configuration, int error)
{
	static bool is_said;

	if (!is_said)
		log_write(&configuration->log, LOG_LEVEL_WARN,
			"early cannot be had here: %s; Linux 5.14 is needed", errno_name(-error));
	is_said = true;
	return configuration->policy.is_strict ? error : CONTINUED;
}

static int answer_socket(struct call *call)
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
	int fd = caller_do(&call->caller, true, create, &creation);
	if (fd < 0)
		return fd;
	int error = listener_return_fd(
		call->listener, call->id, fd, (creation.type & SOCK_CLOEXEC) != 0);
	system_close(fd);
	if (error == -EINVAL)
		return leave_socket_to_kernel(configuration, error);
	return error ? error : ANSWERED;
}

/* ---- answering ---- */

static void say_blind(const struct call *call, int error)
{
	if (spare >= 0)
		system_close(spare);
	own_errors_begin();
	log_write(&call->notify->configuration->log, LOG_LEVEL_ERROR,
		"process %d cannot be looked into: %s; %s", (int)call->caller.process,
		errno_name(-error),
		is_guarded ? "the policy protects something, so its calls fail"
			   : "its calls are left alone");
	own_errors_end();
	open_spare();
}

/* Where nothing can be found out about a call, what must hold has to fail. */
static int answer_blindly(const struct call *call, int error)
{
	static bool is_said;

	/* An answer to nobody does no harm, and whoever is there must not wait for ever. */
	bool is_gone = !listener_is_valid(call->listener, call->id);

	if (!is_said && !is_gone)
		say_blind(call, error);
	is_said |= !is_gone;
	return is_guarded ? -EACCES : CONTINUED;
}

/*
 * Where standard error goes that is the same file as standard output, a shell has sent it there
 * ("2>&1"): it is what the program was started with. What else it may be now is not for our lines.
 */
static void configure(struct call *call)
{
	int output = call->errors < 0 ? -1 : caller_descriptor(&call->caller, STDOUT_FILENO);
	struct file_identity errors = file_identity_of(call->errors);
	struct file_identity other = file_identity_of(output);
	bool is_redirected = file_identity_equals(&errors, &other);

	call->configuration = programs_configuration(&call->caller, is_redirected ? &errors : NULL);
	if (output >= 0)
		system_close(output);
}

static int answer_on_socket(struct call *call, enum calls which)
{
	call->number = (int)call->arguments[0];
	call->fd = caller_descriptor(&call->caller, call->number);
	if (call->fd < 0)
		return call->fd == -EBADF ? CONTINUED : answer_blindly(call, call->fd);
	int error = which == CALL_LISTEN ? 0 : read_address(call);
	if (!listener_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	if (error && error != -EFAULT && error != -EINVAL)
		return answer_blindly(call, error);
	if (error)
		return which == CALL_BIND && is_guarded && is_ip_socket(call->fd) ? error
										  : CONTINUED;
	configure(call);
	return which == CALL_BIND     ? answer_bind(call)
	       : which == CALL_LISTEN ? answer_listen(call)
				      : answer_connect(call);
}

static int answer_as_caller_sees_it(struct call *call, int number)
{
	enum calls which = calls_which(call->architecture, number);

	if (which == CALL_MULTIPLEXED) {
		which = calls_multiplexed(call->arguments[0]);
		int error = read_arguments(call);
		if (error && error != -EFAULT)
			return answer_blindly(call, error);
		if (error)
			return is_guarded && which == CALL_BIND ? -EFAULT : CONTINUED;
	}
	if (which != CALL_SOCKET)
		return answer_on_socket(call, which);
	if (!listener_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	configure(call);
	return answer_socket(call);
}

/* Standard error is lent by the caller while it is answered, so that we hold nobody's. */
static void borrow_errors(struct call *call)
{
	call->errors = caller_descriptor(&call->caller, STDERR_FILENO);
	if (call->errors >= 0)
		system_dup3(call->errors, STDERR_FILENO, O_CLOEXEC);
}

static int answer(struct call *call, const struct seccomp_notif *notification)
{
	const struct notify *notify = call->notify;
	int error = caller_open(&call->caller, (pid_t)notification->pid);

	if (error)
		return answer_blindly(call, error);
	if (notify->only_process && notify->only_process != call->caller.process)
		return CONTINUED;
	if (notify->silence >= 0)
		borrow_errors(call);
	int result = answer_as_caller_sees_it(call, notification->data.nr);
	if (notify->silence >= 0)
		system_dup3(notify->silence, STDERR_FILENO, O_CLOEXEC);
	return result;
}

static void send_answer(const struct call *call, int result)
{
	if (result == CONTINUED)
		listener_continue(call->listener, call->id);
	else if (result != ANSWERED &&
		 listener_return(call->listener, call->id, result) == -ENOENT && result == 0 &&
		 call->length > 0)
		remember(call);
}

/* Before the program goes on, for it may close its socket and bind another at once. */
static void let_go_of_socket(struct call *call)
{
	if (call->fd >= 0 && !call->watched.port)
		system_close(call->fd);
}

/* What is left of a call when it is answered. */
static void finish(struct call *call)
{
	if (call->watched.port)
		outcome_watch(call->configuration, call->fd, call->errors, &call->watched,
			call->caller.rights.user, call->is_shared);
	else if (call->errors >= 0)
		system_close(call->errors);
	caller_close(&call->caller);
}

int notify_tend(const struct notify *notify)
{
	return outcome_look(notify->silence);
}

int notify_answer(const struct notify *notify, int listener)
{
	struct seccomp_notif notification;
	int error = listener_receive(listener, &notification);
	struct call call = {.notify = notify,
		.listener = listener,
		.id = notification.id,
		.caller.pidfd = -1,
		.fd = -1,
		.errors = -1};

	if (error)
		return error == -ENOENT || error == -EINTR ? 0 : error;
	notify_tend(notify); /* a socket that is closed again must not be held by us */
	for (unsigned i = 0; i < sizeof call.arguments / sizeof *call.arguments; i++)
		call.arguments[i] = notification.data.args[i];
	call.architecture = calls_architecture(&notification.data);
	int result = call.architecture ? answer(&call, &notification) : CONTINUED;
	let_go_of_socket(&call);
	send_answer(&call, result);
	finish(&call);
	return 0;
}

void notify_finish(const struct notify *notify)
{
	outcome_finish(notify->silence);
}
