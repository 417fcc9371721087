/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"

#include "answer.h"
#include "bind_result.h"
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
 * Why a program gains nothing by this hook that it could not do itself.
 *
 * Where the policy only wants options, they are set, and the kernel then does the program's call
 * with all of its own checks. The program may have changed its memory or its descriptors since, but
 * what it gets by that is what it gets without us.
 *
 * Where the address or the result of a call is not the program's own (to=, from=, keep, adopt=), or
 * the policy protects, the call is done here, on what was read once: the kernel does not read the
 * program's memory again. Then the checks are those on this process, so it takes on the caller's
 * rights for that (rights_do): its effective user and capabilities, counted in its user namespace.
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

static bool is_guarded;		/* a rule for bind() protects */
static bool is_connect_guarded; /* a rule for connect() does */
static int spare = -1;	  /* given up for a line of the log where no other descriptor is left */
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
	is_guarded = is_connect_guarded = false;
	for (size_t i = 0; i < policy->count; i++) {
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

unsigned notify_calls(const struct configuration *configuration)
{
	const struct policy *policy = &configuration->policy;

	return CALL_BIND | (policy->has_listen ? CALL_LISTEN : 0U) |
	       (policy->has_connect ? CALL_CONNECT : 0U) | (policy->has_early ? CALL_SOCKET : 0U);
}

bool answer_is_ip_socket(int fd)
{
	int domain = AF_UNSPEC;

	return system_get_number(fd, SOL_SOCKET, SO_DOMAIN, &domain) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* ---- the rest of a call ---- */

/* The address that bind() or connect() was given; -EFAULT where it cannot be read. */
static int read_address(struct call *call)
{
	int length = (int)call->arguments[2];

	if (length < 0 || (size_t)length > sizeof call->address)
		return -EINVAL;
	call->length = (socklen_t)length;
	ssize_t got = tracee_read(&call->caller, call->arguments[1], &call->address, call->length);
	return got == length ? 0 : got < 0 ? (int)got : -EFAULT;
}

/* What socketcall(2) was given, in the program's memory. */
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

/* What becomes of a call that nothing can be found out about: what must hold has to fail. */
static int blind_answer(enum syscalls which)
{
	return (which == CALL_CONNECT ? is_connect_guarded : is_guarded) ? -EACCES : CONTINUED;
}

static void say_blind(const struct call *call, int error)
{
	system_close(spare);
	own_errors_begin();
	log_write(&call->notify->configuration->log, LOG_LEVEL_ERROR,
		"process %d cannot be looked into: %s; %s", (int)call->caller.process,
		errno_name(-error),
		blind_answer(call->which) == CONTINUED
			? "its calls are left alone"
			: "the policy protects something, so its calls fail");
	own_errors_end();
	open_spare();
}

/* An answer to nobody does no harm, and whoever is there must not wait for ever. */
static int answer_blindly(const struct call *call, int error)
{
	if (unotify_is_valid(call->listener, call->id) && answer_says_first(SAYING_BLIND))
		say_blind(call, error);
	return blind_answer(call->which);
}

/*
 * Where standard error goes that is the same file as standard output, a shell has sent it there
 * ("2>&1"): it is what the program was started with. What else it may be now is not for our lines.
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
	call->fd = tracee_descriptor(&call->caller, call->number);
	/* Left to the kernel, another thread could put a socket there that no rule has seen. */
	if (call->fd < 0)
		return call->fd == -EBADF ? -EBADF : answer_blindly(call, call->fd);
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
	if (call->which != CALL_SOCKET)
		return answer_on_socket(call);
	if (!unotify_is_valid(call->listener, call->id))
		return answer_blindly(call, -ESRCH);
	configure(call);
	return answer_socket(call);
}

/* Standard error is lent by the caller while it is answered, so that we hold nobody's. */
static void borrow_errors(struct call *call)
{
	call->errors = tracee_descriptor(&call->caller, STDERR_FILENO);
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

/* What is left of a call when it is answered. */
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

	/* a socket that is closed again must not be held by us */
	notify_tend(notify);
	if (call.which == CALL_BIND)
		bind_result_wait_for_others();
	int result = call.architecture ? answer(&call, notification) : CONTINUED;
	if (call.watched.port)
		bind_result_announce();
	else /* before the program goes on, for it may close its socket and bind another at once */
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

	/* before the program goes on, and closes it */
	if (tracee_open(&call.caller, (pid_t)notification->pid) == 0 && notify->silence >= 0)
		borrow_errors(&call);
	notify_answer_blindly(notify, listener, notification);
	log.process = call.caller.process;
	log_write(&log, LOG_LEVEL_ERROR,
		"a call takes too long, because its memory or its socket does not answer; %s",
		is_left ? "left alone" : "the call fails, because a rule protects");
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
