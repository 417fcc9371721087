/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parent.h"

#include "filter.h"
#include "ground/compat.h"
#include "ground/descriptors.h"
#include "ground/errnos.h"
#include "ground/exit_status.h"
#include "ground/procfs.h"
#include "ground/standard.h"
#include "ground/status.h"
#include "ground/system.h"
#include "image.h"
#include "job.h"
#include "kept_sockets.h"
#include "made_sockets.h"
#include "notify.h"
#include "own_errors.h"
#include "pool.h"
#include "tracee.h"
#include "unotify.h"
#include "without_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* How this process was started, and how the program is to be started. */
struct start {
	const struct configuration *configuration;
	char **arguments;
	const char *preload; /* LD_PRELOAD if the hook is not available; or NULL */
	struct sock_fprog filter;
	struct job_signals signals;
	bool had_child_ended; /* a SIGCHLD was already pending: not for a child of ours */
	int was_subreaper;
	pid_t ourselves;
	int channel; /* to the other process */
};

struct parent {
	struct notify notify;
	struct job job;
	int listener, signals;
};

/* ---- the program ---- */

/* What the child reports over the channel. */
enum report_kind { REPORT_LISTENER, REPORT_REFUSED, REPORT_NO_PROGRAM };

struct report {
	enum report_kind what;
	int number; /* the listener's descriptor in the child, or a negative errno */
};

static void tell(const struct start *start, enum report_kind what, int number)
{
	struct report report = {what, number};
	unsigned count = what == REPORT_LISTENER ? 1 : 0;

	if (descriptors_send(start->channel, &report, sizeof report, &number, count) < 0)
		_exit(EX_OSERR);
}

static void wait_for_go(const struct start *start)
{
	char go;

	if (read(start->channel, &go, 1) == 1)
		return;
	fprintf(stderr, "reuse-run: %s: cannot be started: %s\n", start->arguments[0],
		errno_name(errno));
	_exit(EX_OSERR);
}

/* Only the parent gives out kept sockets. */
static void drop_kept(const struct start *start)
{
	kept_sockets_start(start->configuration);
	unsetenv("REUSE_KEPT");
}

static _Noreturn void become_program(const struct start *start)
{
	job_rename_process(start->ourselves);
	int listener = unotify_install(&start->filter);
	tell(start, listener < 0 ? REPORT_REFUSED : REPORT_LISTENER, listener);
	wait_for_go(start);
	system_close(listener);
	drop_kept(start);
	job_give_signals_back(&start->signals);
	execvp(start->arguments[0], start->arguments);
	int error = errno;
	tell(start, REPORT_NO_PROGRAM, -error);
	_exit(exit_status_for(error));
}

/*
 * Returns false if the child has sent nothing: it became the program. LISTENER is -1 if none came
 * with the report.
 */
static bool hear(const struct start *start, struct report *report, int *listener)
{
	unsigned count;

	*listener = -1;
	return descriptors_receive(start->channel, report, sizeof *report, listener, 1, &count,
		       -1) == sizeof *report;
}

static int let_go(const struct start *start)
{
	/* MSG_NOSIGNAL: it may have been killed */
	return send(start->channel, "", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- starting ---- */

static void prepare_signals(struct start *start)
{
	sigset_t waiting;

	sigpending(&waiting);
	start->had_child_ended = sigismember(&waiting, SIGCHLD) == 1;
	job_take_signals(&start->signals);
}

static void restore_signals(const struct start *start)
{
	const struct timespec at_once = {0, 0};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (!start->had_child_ended)
		sigtimedwait(&child, NULL, &at_once);
	job_give_signals_back(&start->signals);
}

static pid_t start_child(struct start *start)
{
	int channels[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) < 0)
		return -errno;
	pid_t child = fork();
	start->channel = channels[child == 0];
	if (child == 0)
		become_program(start);
	int error = child < 0 ? -errno : 0;
	/*
	 * If it stayed open here, the parent would never learn that the child has become the
	 * program.
	 */
	if (close(channels[1]) < 0)
		close(channels[1]);
	return error ? error : child;
}

/* Whether the hook can work without the descriptors of programs; then it makes their sockets. */
static int check_without_descriptors(const struct parent *parent)
{
	struct image image;

	if (unotify_check_return_fd(parent->listener) < 0)
		return tracee_refusal();
	return image_read(&image, parent->job.program) ? 0 : -EPERM;
}

/* Tries what the hook needs, so that a refusal is noticed before there is a program. */
static int check_reach(const struct parent *parent, const struct report *report)
{
	if (report->what != REPORT_LISTENER)
		return report->number;
	if (parent->listener < 0)
		return -EMFILE;
	if (tracee_refusal())
		return check_without_descriptors(parent);
	long duplicate = syscall(SYS_pidfd_getfd, parent->job.pidfd, report->number, 0);
	int error = duplicate < 0 ? -errno : 0;
	system_close((int)duplicate);
	return error;
}

/* ---- while the program runs ---- */

static bool close_inherited(int directory, const char *name, void *context)
{
	int fd = procfs_number(name), flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	(void)context;
	if (flags >= 0 && !(flags & FD_CLOEXEC) && fd != directory)
		close(fd);
	return false;
}

/*
 * The descriptors that we were given have no FD_CLOEXEC, and belong to the program; ours have it.
 */
static void let_descriptors_go(struct parent *parent)
{
	own_errors_keep(&parent->notify.configuration->log, parent->notify.silence);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup3(parent->notify.silence, fd, O_CLOEXEC);
	procfs_walk_path("/proc/self/fd", close_inherited, NULL);
	if (chdir("/") < 0)
		return; /* then it stays in use */
}

/* ---- the end ---- */

/*
 * The listener hangs up when the last process under the filter has ended (Linux 5.9). A PID
 * namespace ends with the program that it was made for, whatever else runs in it.
 */
static bool is_done(const struct parent *parent, bool has_hung_up)
{
	return parent->job.is_over && (parent->job.is_init || parent->job.is_alone || has_hung_up);
}

static void serve(struct parent *parent)
{
	struct pollfd polled[] = {
		{.fd = parent->signals, .events = POLLIN},
		{.fd = parent->listener}, /* POLLHUP */
		{.fd = pool_fd(), .events = POLLIN},
	};

	while (!is_done(parent, polled[1].fd < 0)) {
		made_sockets_tend();
		if (poll(polled, 3, pool_tend()) < 0)
			continue;
		if (polled[1].revents & POLLHUP)
			polled[1].fd = -1;
		while (job_handle_signal(&parent->job)) {
		}
	}
	pool_finish();
	made_sockets_finish();
}

/* ---- all of it ---- */

/*
 * Callers are found in /proc by the process ids that the kernel gives us, so /proc must be that of
 * our PID namespace. NSpid (proc(5)) has an id for each namespace from that one down to ours.
 */
static int check_proc(void)
{
	struct status_field numbers = {.name = "NSpid:"};
	int error = status_read(PROCFS_SELF, &numbers, 1);

	/* A kernel without PID namespaces has no such field. */
	if (error && error != -EIO)
		return -ENOENT;
	return numbers.value[strspn(numbers.value, "0123456789")] ? -EXDEV : 0;
}

/* Before there is a program that would have to be left alone without these. */
static int open_own(struct parent *parent)
{
	sigset_t all;

	sigfillset(&all);
	parent->notify.silence = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (parent->notify.silence < 0)
		return -errno;
	parent->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return parent->signals < 0 ? -errno : pool_open();
}

static void become_parent(struct parent *parent, struct start *start)
{
	prctl(PR_GET_CHILD_SUBREAPER, &start->was_subreaper);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	job_step_outside(&parent->job);
}

static int give_up_on(struct parent *parent, int error)
{
	kill(parent->job.program, SIGKILL);
	job_step_back(&parent->job);
	waitpid(parent->job.program, NULL, 0);
	return error;
}

/* Returns 0 when the program runs under the hook, or why it was not started. */
static int start_program(struct parent *parent, struct start *start, struct report *report)
{
	pid_t child = start_child(start);

	if (child < 0)
		return child;
	parent->job.program = child;
	parent->job.pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int error = parent->job.pidfd < 0 ? -errno : 0;
	if (!error && !hear(start, report, &parent->listener))
		error = -ECHILD;
	error = error ?: check_reach(parent, report);
	if (error)
		return give_up_on(parent, error);
	become_parent(parent, start);
	error = let_go(start);
	if (!error)
		return 0;
	prctl(PR_SET_CHILD_SUBREAPER, start->was_subreaper);
	return give_up_on(parent, error);
}

/* Without them, sockets are still shared. */
static void check_kept_sockets(struct parent *parent)
{
	const struct configuration *configuration = parent->notify.configuration;
	int error =
		kept_sockets_is_wanted(configuration) ? unotify_check_replace(parent->listener) : 0;

	if (!error)
		return;
	parent->notify.keeper = NULL;
	log_write(&configuration->log, LOG_LEVEL_WARN,
		"keep and adopt= are not available here: %s; they need Linux 5.9",
		errno_name(-error));
}

/* Without it, sockets are left alone, or calls fail if a rule protects. */
static void start_making_sockets(const struct parent *parent)
{
	int error = tracee_refusal() ? made_sockets_start() : 0;

	if (!error)
		return;
	own_errors_begin();
	log_write(&parent->notify.configuration->log, LOG_LEVEL_ERROR,
		"the process that holds duplicates of sockets cannot be started: %s",
		errno_name(-error));
	own_errors_end();
}

static int report_no_program(const struct start *start, const struct report *report)
{
	bool is_missing = report->number == -ENOENT;

	fprintf(stderr, "reuse-run: %s: cannot be run: %s\n", start->arguments[0],
		errno_name(-report->number));
	return is_missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* As if we had never been here. */
static int go_without_hook(const struct configuration *configuration, const struct start *start,
	bool asked_for, int error)
{
	int status = without_hook(&configuration->policy, start->arguments[0], asked_for,
		start->preload != NULL, error);

	if (status)
		return status;
	if (start->preload)
		setenv("LD_PRELOAD", start->preload, 1);
	restore_signals(start);
	execvp(start->arguments[0], start->arguments);
	return exit_status_for(errno);
}

int parent_run(const struct configuration *configuration, char **arguments, bool asked_for,
	const char *preload)
{
	struct start start = {.configuration = configuration,
		.arguments = arguments,
		.preload = preload,
		.ourselves = getpid()};
	struct report report;
	int none;
	struct parent parent = {
		.notify = {.configuration = configuration, .keeper = &kept_sockets_keeper},
		.job = job_of_this_process(&configuration->log),
	};

	standard_fill();
	int error = check_proc();
	prepare_signals(&start);
	error = error ?: notify_start(&parent.notify)
		?: filter_build(&start.filter, notify_calls())
		?: open_own(&parent)
		?: start_program(&parent, &start, &report);
	filter_drop(&start.filter);
	if (error)
		return go_without_hook(configuration, &start, asked_for, error);
	kept_sockets_start(configuration);
	if (hear(&start, &report, &none))
		return report_no_program(&start, &report);
	if (!configuration->is_inherited)
		parent.notify.only_process = parent.job.program;
	close(start.channel);
	kept_sockets_hold(configuration);
	check_kept_sockets(&parent);
	let_descriptors_go(&parent);
	start_making_sockets(&parent);
	pool_start(&parent.notify, parent.listener);
	serve(&parent);
	return job_end(&parent.job);
}
