/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"

#include "answer.h"
#include "bind_result.h"
#include "duplicate.h"
#include "ground/errnos.h"
#include "own_errors.h"
#include "program_rules.h"
#include "shared.h"
#include "unotify.h"
#include "unseen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/*
 * Why a program cannot do anything by means of this hook that it could not do itself.
 *
 * If the policy only sets options, they are set, and the kernel then does the program's call with
 * all of its own checks. The program may have changed its memory or its descriptors since, but by
 * that it only gets what it gets without us.
 *
 * If the address or the result of a call is not the program's own (to=, from=, keep, adopt=), or
 * the policy protects, the call is done here, with what was read once: the kernel does not read the
 * program's memory again. Then the kernel checks this process, which takes on the caller's rights
 * for that (rights_do): its effective user and capabilities, as valid in its user namespace. The
 * duplicate of a descriptor is the caller's socket itself: it belongs to the caller's network
 * namespace and to the user who made it, which decides about sharing in the kernel. A kept socket
 * goes only to a caller of its user and network, and one on a privileged port only if the caller
 * could bind that port (may_have).
 *
 * A thread can be killed and its id be given to another one at any time. What was found out by the
 * id is used only if the notification is still valid afterwards: then the thread was there all the
 * time, and its rights cannot change while it waits in a call.
 *
 * Not considered here are what a security module (SELinux, AppArmor, Landlock) would allow the
 * program if a call is done on its behalf, and what it does with io_uring. Rules for connect() are
 * checked and the kernel then reads the address again, because connect() may wait for long: they
 * bind programs that cooperate. See SECURITY in libreuse(7).
 */

static bool is_guarded;		/* a rule for bind() protects */
static bool is_connect_guarded; /* a rule for connect() protects */
static unsigned needed_calls;	/* by the policy, bits of enum syscalls */
static int spare = -1;	  /* closed to write a log line if there is no other free descriptor */
static atomic_bool *said; /* by one of our processes: SAYING_COUNT of them */

static void open_spare(void)
{
	spare = system_open(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
}

int notify_start(const struct notify *notify)
{
	const struct policy *policy = &notify->configuration->policy;

	int error = program_rules_start(notify->configuration);

	if (error)
		return error;
	open_spare();
	needed_calls = CALL_BIND | (policy->has_listen ? CALL_LISTEN : 0U) |
		       (policy->has_connect ? CALL_CONNECT : 0U) |
		       (policy->has_early ? CALL_SOCKET : 0U);
	is_guarded = is_connect_guarded = false;
	for (size_t i = 0; i < policy->count && !policy->is_explained; i++) {
		const struct rule *rule = &policy->rules[i];
		is_guarded |= !rule->match.is_connect && rule_protects(rule);
		is_connect_guarded |= rule->match.is_connect && rule_protects(rule);
	}
	if (!said)
		said = shared_take(SAYING_COUNT * sizeof *said);
	error = said ? unseen_start() : -errno;
	if (!error)
		error = bind_result_start();
	return error ? error : tracee_start();
}

bool answer_is_guarded(void)
{
	return is_guarded;
}

bool answer_says_first(enum saying saying)
{
	return !atomic_exchange(&said[saying], true);
}

/* If the hook makes the sockets, it must know when it no longer needs them. */
unsigned notify_calls(void)
{
	return tracee_refusal() ? CALL_BIND | CALL_LISTEN | CALL_CONNECT | CALL_SOCKET
				: needed_calls;
}

bool answer_is_ip_socket(int fd)
{
	int domain = AF_UNSPEC;

	return system_get_number(fd, SOL_SOCKET, SO_DOMAIN, &domain) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* ---- the rest of a call ---- */

/* The address given to bind() or connect(); -EFAULT if it cannot be read. */
static int read_address(struct call *call)
{
	int length = (int)call->arguments[2];

	if (length < 0 || (size_t)length > sizeof call->address)
		return -EINVAL;
	call->length = (socklen_t)length;
	ssize_t got = tracee_read(&call->caller, call->arguments[1], &call->address, call->length);
	return got == length ? 0 : got < 0 ? (int)got : -EFAULT;
}

/* The arguments of socketcall(2), in the program's memory. */
static int read_arguments(struct call *call)
{
	unsigned word = call->architecture->word;
	char bytes[sizeof call->arguments];
	ssize_t got = tracee_read(&call->caller, call->arguments[1], bytes, 3 * word);

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

/* ---- answering ---- */

/* The result of a call about which nothing can be found out: if a rule protects, it fails. */
static int blind_answer(enum syscalls which)
{
	if (!(needed_calls & which))
		return CONTINUED;
	return (which == CALL_CONNECT ? is_connect_guarded : is_guarded) ? -EACCES : CONTINUED;
}

static void say_blind(const struct call *call, int error)
{
	system_close(spare);
	own_errors_begin();
	log_write(&call->notify->configuration->log, LOG_LEVEL_ERROR,
		"process %d cannot be inspected: %s; %s", (int)call->caller.process,
		errno_name(-error),
		blind_answer(call->which) == CONTINUED
			? "its calls are left alone"
			: "the policy has a rule that protects, so its calls fail");
	own_errors_end();
	open_spare();
}

/* An answer to nobody does no harm, and a waiting program must not wait for ever. */
static int answer_blindly(const struct call *call, int error)
{
	if (unotify_is_valid(call->listener, call->id) && answer_says_first(SAYING_BLIND))
		say_blind(call, error);
	return blind_answer(call->which);
}

static int answer_without_duplicate(const struct call *call)
{
	int answer = blind_answer(call->which);
	bool is_missed =
		(answer != CONTINUED || call->which == CALL_BIND) && duplicate_is_missed(call);

	if (!unotify_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	if (!is_missed) /* the kernel's answer for a bound socket, without another look at the
			   number */
		return answer != CONTINUED && call->which == CALL_BIND &&
				       tracee_may_be_ip_socket(&call->caller, call->number)
			       ? -EINVAL
			       : CONTINUED;
	if (answer_says_first(SAYING_FOREIGN))
		log_write(&call->notify->configuration->log, LOG_LEVEL_WARN,
			"the hook has not made socket %d of process %d, and pidfd_getfd(2) is "
			"refused here; %s. In a container, add the capability SYS_PTRACE",
			call->number, (int)call->caller.process,
			answer == CONTINUED
				? "the call is left alone"
				: "the call fails, because a rule that protects may match");
	return answer;
}

/*
 * If standard error is the same file as standard output, a shell has redirected it ("2>&1") at the
 * start of the program. If it is something else by now, our lines do not belong there.
 */
static void configure(struct call *call)
{
	int output = call->errors < 0 ? -1 : tracee_descriptor(&call->caller, STDOUT_FILENO);
	struct file_identity errors = file_identity_of(call->errors);
	struct file_identity other = file_identity_of(output);
	bool is_redirected = file_identity_equals(&errors, &other);

	call->configuration =
		program_rules_configuration(&call->caller, is_redirected ? &errors : NULL);
	system_close(output);
}

static int answer_on_socket(struct call *call)
{
	enum syscalls which = call->which;

	call->number = (int)call->arguments[0];
	call->fd = duplicate_get(call);
	/*
	 * If it were left to the kernel, another thread could put a socket there that no rule has
	 * seen.
	 */
	if (call->fd == -EBADF)
		return -EBADF;
	if (call->fd == -ENOTSOCK)
		return blind_answer(which) == CONTINUED ? CONTINUED : -ENOTSOCK;
	if (call->fd == -ENOENT)
		return answer_without_duplicate(call);
	if (call->fd < 0)
		return answer_blindly(call, call->fd);
	int error = which == CALL_LISTEN ? 0 : read_address(call);
	if (!unotify_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	if (error && error != -EFAULT && error != -EINVAL)
		return answer_blindly(call, error);
	if (error)
		return which == CALL_BIND && is_guarded && answer_is_ip_socket(call->fd)
			       ? error
			       : CONTINUED;
	configure(call);
	return which == CALL_BIND     ? answer_bind(call)
	       : which == CALL_LISTEN ? answer_listen(call)
				      : answer_connect(call);
}

static int answer_as_caller_sees_it(struct call *call)
{
	if (call->is_multiplexed) {
		int error = read_arguments(call);
		if (error && error != -EFAULT)
			return answer_blindly(call, error);
		if (error)
			return is_guarded && call->which == CALL_BIND ? -EFAULT : CONTINUED;
	}
	if (!(needed_calls & call->which) && call->which != CALL_SOCKET) {
		duplicate_drop(call);
		return CONTINUED;
	}
	if (call->which != CALL_SOCKET)
		return answer_on_socket(call);
	if (!unotify_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	configure(call);
	return answer_socket(call);
}

/*
 * The caller lends its standard error while it is answered, so that we hold nobody's. A caller
 * whose descriptors cannot be duplicated usually has the same as we.
 */
static void borrow_errors(struct call *call)
{
	call->errors = tracee_refusal() ? own_errors_open()
					: tracee_descriptor(&call->caller, STDERR_FILENO);
	if (call->errors >= 0)
		system_dup3(call->errors, STDERR_FILENO, O_CLOEXEC);
}

static int answer(struct call *call, const struct seccomp_notif *notification)
{
	const struct notify *notify = call->notify;
	int error = tracee_open(&call->caller, (pid_t)notification->pid);

	if (error)
		return answer_blindly(call, error);
	if (notify->only_process && notify->only_process != call->caller.process)
		return CONTINUED;
	if (notify->silence >= 0)
		borrow_errors(call);
	int result = answer_as_caller_sees_it(call);
	if (notify->silence >= 0)
		system_dup3(notify->silence, STDERR_FILENO, O_CLOEXEC);
	return result;
}

static void send_answer(const struct call *call, int result)
{
	if (result == CONTINUED)
		unotify_continue(call->listener, call->id);
	else if (result != ANSWERED &&
		 unotify_return(call->listener, call->id, result) == -ENOENT && result == 0 &&
		 call->length > 0)
		unseen_remember(call);
}

/* The rest of a call after it was answered. */
static void finish(struct call *call)
{
	if (call->watched.port)
		bind_result_watch(call->configuration, call->fd, call->errors, &call->watched,
			call->caller.rights.user, call->is_shared);
	else
		system_close(call->errors);
	tracee_close(&call->caller);
}

int notify_tend(const struct notify *notify)
{
	return bind_result_look(notify->silence);
}

static struct call call_of(
	const struct notify *notify, int listener, const struct seccomp_notif *notification)
{
	struct call call = {.notify = notify,
		.listener = listener,
		.id = notification->id,
		.architecture = syscalls_architecture(&notification->data),
		.caller.pidfd = -1,
		.fd = -1,
		.errors = -1};

	for (unsigned i = 0; i < sizeof call.arguments / sizeof *call.arguments; i++)
		call.arguments[i] = notification->data.args[i];
	if (call.architecture)
		call.which = syscalls_which(call.architecture, notification->data.nr);
	call.is_multiplexed = call.which == CALL_MULTIPLEXED;
	if (call.is_multiplexed)
		call.which = syscalls_multiplexed(call.arguments[0]);
	return call;
}

void notify_answer(const struct notify *notify, int listener, struct seccomp_notif *notification)
{
	struct call call = call_of(notify, listener, notification);

	/* we must not hold a socket that the program has closed again */
	notify_tend(notify);
	int result = call.architecture ? answer(&call, notification) : CONTINUED;
	duplicate_return(&call, result);
	if (call.watched.port && !bind_result_announce(call.watched.port))
		call.watched.port = 0;
	/*
	 * before the program continues, because it may close its socket and bind another one at
	 * once
	 */
	if (!call.watched.port)
		system_close(call.fd);
	send_answer(&call, result);
	notification->id = 0;
	finish(&call);
}

void notify_answer_blindly(
	const struct notify *notify, int listener, struct seccomp_notif *notification)
{
	struct call call = call_of(notify, listener, notification);

	send_answer(&call, call.architecture ? blind_answer(call.which) : CONTINUED);
	notification->id = 0;
}

void notify_give_up(const struct notify *notify, int listener, struct seccomp_notif *notification)
{
	struct call call = call_of(notify, listener, notification);
	struct log log = notify->configuration->log;
	bool is_left = !call.architecture || blind_answer(call.which) == CONTINUED;

	/* before the program continues, and closes it */
	if (tracee_open(&call.caller, (pid_t)notification->pid) == 0 && notify->silence >= 0)
		borrow_errors(&call);
	notify_answer_blindly(notify, listener, notification);
	log.process = call.caller.process;
	log_write(&log, LOG_LEVEL_ERROR,
		"a call takes too long, because its memory cannot be read in time or its socket is "
		"locked; %s",
		is_left ? "the call is left alone"
			: "the call fails, because a rule that protects may match");
}

void notify_forget(pid_t process)
{
	shared_break_locks(process);
	bind_result_forget(process);
}

void notify_finish(const struct notify *notify)
{
	bind_result_finish(notify->silence);
}
