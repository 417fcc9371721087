/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attend.h"

#include "../errnos.h"
#include "../procfs.h"
#include "../system.h"
#include "aside.h"
#include "filter.h"
#include "listener.h"
#include "notify.h"
#include "pool.h"
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

/* How this process was started, and how the program is to be. */
struct start {
	char **arguments;
	struct sock_fprog filter;
	sigset_t mask;
	struct sigaction on_child;
	pid_t ourselves;
	int channel; /* to the other of the two */
};

struct attendance {
	struct notify notify;
	int listener, signals;
	int pidfd;
	pid_t program;
	bool is_over; /* the program has ended, with ... */
	int status;
	pid_t home;	 /* the process group that we were started in, and the program is */
	bool is_outside; /* we are in another one */
	bool is_alone;	 /* nobody is left */
};

/* ---- the program ---- */

/* What the child tells us over the channel. */
enum what { REPORT_LISTENER, REPORT_REFUSED, REPORT_NO_PROGRAM };

struct report {
	enum what what;
	int number; /* the listener's descriptor in the child, or a negative errno */
};

static void tell(const struct start *start, enum what what, int number)
{
	struct report report = {what, number};

	if (write(start->channel, &report, sizeof report) != sizeof report)
		_exit(EX_OSERR);
}

static void wait_for_go(const struct start *start)
{
	char go;

	if (read(start->channel, &go, 1) == 1)
		return;
	fprintf(stderr, "reuse-run: %s: is not started: %s\n", start->arguments[0],
		errno_name(errno));
	_exit(EX_OSERR);
}

/* Variables that name the process that a service manager has started name the program now. */
static void rename_process(const struct start *start)
{
	static const char *const variables[] = {"LISTEN_PID", "WATCHDOG_PID"};
	char ours[16], childs[16];

	snprintf(ours, sizeof ours, "%d", (int)start->ourselves);
	snprintf(childs, sizeof childs, "%d", (int)getpid());
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		const char *value = getenv(variables[i]);
		if (value && strcmp(value, ours) == 0)
			setenv(variables[i], childs, 1);
	}
	unsetenv("REUSE_KEPT"); /* kept sockets are ours to give */
}

static _Noreturn void become_program(const struct start *start)
{
	rename_process(start);
	sigaction(SIGCHLD, &start->on_child, NULL);
	int listener = listener_install(&start->filter);
	tell(start, listener < 0 ? REPORT_REFUSED : REPORT_LISTENER, listener);
	wait_for_go(start);
	if (listener >= 0)
		close(listener);
	sigprocmask(SIG_SETMASK, &start->mask, NULL);
	execvp(start->arguments[0], start->arguments);
	int error = errno;
	tell(start, REPORT_NO_PROGRAM, -error);
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Returns false where the child has said nothing: it became the program. */
static bool hear(const struct start *start, struct report *report)
{
	return read(start->channel, report, sizeof *report) == sizeof *report;
}

static int let_go(const struct start *start)
{
	/* MSG_NOSIGNAL: it may have been killed */
	return send(start->channel, "", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- starting ---- */

static void prepare_signals(struct start *start)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &start->mask);
	sigaction(SIGCHLD, &by_default, &start->on_child);
}

static pid_t start_child(struct start *start)
{
	int channels[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channels) < 0)
		return -errno;
	pid_t child = fork();
	start->channel = channels[child == 0];
	if (child == 0)
		become_program(start);
	int error = child < 0 ? -errno : 0;
	/* Open here too, it would never say that the child has become the program. */
	if (close(channels[1]) < 0)
		close(channels[1]);
	return error ? error : child;
}

/* Gets the listener by the very call that the hook needs, so that a refusal is seen before. */
static int get_listener(int pidfd, const struct report *report)
{
	if (report->what != REPORT_LISTENER)
		return report->number;
	long listener = syscall(SYS_pidfd_getfd, pidfd, report->number, 0);
	return listener < 0 ? -errno : (int)listener;
}

/* ---- being there ---- */

/*
 * A process group of our own needs a number, and one more process has to lend it. While that is in
 * our group, and takes no signal, it also witnesses which signals the group gets.
 */
static pid_t start_lender(void)
{
	pid_t ourselves = getpid(), lender = fork();

	if (lender != 0)
		return lender;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == ourselves)
		pause();
	_exit(0);
}

static void dismiss(pid_t lender)
{
	if (lender > 0 && kill(lender, SIGKILL) == 0)
		waitpid(lender, NULL, 0);
}

/*
 * Leaves the process group to the program: what is sent to the group, by a terminal, a shell's
 * kill %1 or the program itself, is for the program and not for us, who would pass it on a second
 * time. A session's leader cannot leave.
 */
static bool step_outside(pid_t lender)
{
	return lender > 0 && setpgid(lender, lender) == 0 && setpgid(0, lender) == 0;
}

static bool close_inherited(int directory, const char *name, void *context)
{
	int fd = procfs_number(name), flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	(void)context;
	if (flags >= 0 && !(flags & FD_CLOEXEC) && fd != directory)
		close(fd);
	return false;
}

/* What we were given has no FD_CLOEXEC, and is the program's; what we opened has it. */
static void let_descriptors_go(struct attendance *attendance)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup3(attendance->notify.silence, fd, O_CLOEXEC);
	procfs_walk_path("/proc/self/fd", close_inherited, NULL);
	if (chdir("/") < 0)
		return; /* then it stays in use */
}

/* ---- signals ---- */

/*
 * In the program's group, a signal that the terminal or the program sends to the group comes here
 * as well; the program has got its own.
 */
static bool is_echo(const struct attendance *attendance, const siginfo_t *info)
{
	return !attendance->is_outside &&
	       (info->si_code > 0 || getpgid(info->si_pid) == attendance->home);
}

static void send_to_children(int signal)
{
	char path[48], list[4096];
	int length = snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	int fd = length < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, list, sizeof list - 1);

	list[size > 0 ? size : 0] = '\0';
	for (char *at = list, *end; (end = strchr(at, ' ')); at = end + 1) {
		pid_t child = (pid_t)strtol(at, NULL, 10);
		if (!aside_has(child))
			kill(child, signal);
	}
	if (fd >= 0)
		close(fd);
}

/* Passes a signal on: to the program, or once that has ended to those whom it left behind. */
static void pass_on(struct attendance *attendance, siginfo_t *info)
{
	if (is_echo(attendance, info))
		return;
	if (attendance->is_over)
		send_to_children(info->si_signo);
	else if (syscall(SYS_pidfd_send_signal, attendance->pidfd, info->si_signo,
			 info->si_code == SI_QUEUE ? info : NULL, 0) < 0)
		log_write(&attendance->notify.configuration->log, LOG_LEVEL_WARN,
			"signal %d cannot be passed on: %s", info->si_signo, errno_name(errno));
}

static bool take_signal(const sigset_t *set, siginfo_t *info)
{
	const struct timespec at_once = {0, 0};

	return sigtimedwait(set, info, &at_once) > 0;
}

/* Ends, or stops, as the program did. */
static void do_by_default(int signal)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaction(signal, &by_default, NULL);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

/* Whether the program, which was seen to stop, has done anything since. */
static bool has_gone_on(const struct attendance *attendance)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)attendance->program, &info,
		       WCONTINUED | WSTOPPED | WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

/* The signals that wait for a process, which blocks them all; bit 0 is signal 1. */
static uint64_t signals_of(pid_t process)
{
	char path[48], line[128];
	uint64_t signals = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)process);
	struct procfs_reader reader = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	while (reader.fd >= 0 && procfs_next_line(&reader, line, sizeof line)) {
		if (strncmp(line, "ShdPnd:", 7) == 0)
			signals = strtoull(line + 7, NULL, 16);
	}
	if (reader.fd >= 0)
		close(reader.fd);
	return signals;
}

/*
 * Does what came while we were in the program's group, but for what THEIRS says came to the group.
 * Who continued us alone means the program; a signal to stop that came later has taken SIGCONT
 * away.
 */
static void catch_up(struct attendance *attendance, uint64_t theirs)
{
	static const int moves[] = {SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};
	bool is_moved = false;
	sigset_t set;
	siginfo_t info;

	sigpending(&set);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		is_moved |= sigismember(&set, moves[i]) == 1;
	if (is_moved && !has_gone_on(attendance))
		syscall(SYS_pidfd_send_signal, attendance->pidfd, SIGCONT, NULL, 0);
	sigfillset(&set);
	sigdelset(&set, SIGCHLD);
	while (take_signal(&set, &info)) {
		bool is_theirs = theirs >> (info.si_signo - 1) & 1;
		if (info.si_signo != SIGCONT && !is_theirs)
			pass_on(attendance, &info);
	}
}

/*
 * Stops in the program's group, so that whoever waits for us sees it, and what continues the group
 * continues both.
 */
static void stop_as_well(struct attendance *attendance, int signal)
{
	pid_t lender = attendance->is_outside ? start_lender() : 0;

	if (lender > 0) {
		setpgid(lender, attendance->home);
		setpgid(0, attendance->home);
	}
	if (!has_gone_on(attendance))
		do_by_default(signal);
	if (attendance->is_outside)
		attendance->is_outside = step_outside(lender);
	catch_up(attendance, lender > 0 ? signals_of(lender) : 0);
	dismiss(lender);
}

/* ---- ends ---- */

/* Sees what has become of children. */
static void wait_for_children(struct attendance *attendance)
{
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0 ||
		(child < 0 && errno == EINTR)) {
		if (child != attendance->program)
			continue;
		if (WIFSTOPPED(status)) {
			stop_as_well(attendance, WSTOPSIG(status));
			continue;
		}
		attendance->is_over = true;
		attendance->status = status;
	}
	attendance->is_alone |= child < 0 && errno == ECHILD;
}

static int end_as_program(int status)
{
	struct rlimit no_core = {0, 0};

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core); /* the program's own is enough */
	do_by_default(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static void handle_signals(struct attendance *attendance)
{
	sigset_t all;
	siginfo_t info;

	sigfillset(&all);
	while (take_signal(&all, &info)) {
		if (info.si_signo == SIGCHLD)
			wait_for_children(attendance);
		else
			pass_on(attendance, &info);
	}
}

/* The listener hangs up when the last process under the filter has ended (Linux 5.9). */
static void serve(struct attendance *attendance)
{
	struct pollfd polled[] = {
		{.fd = attendance->signals, .events = POLLIN},
		{.fd = attendance->listener}, /* POLLHUP */
		{.fd = pool_fd(), .events = POLLIN},
	};

	while (!attendance->is_over || (!attendance->is_alone && polled[1].fd >= 0)) {
		if (poll(polled, 3, pool_tend()) < 0)
			continue;
		if (polled[1].revents)
			polled[1].fd = -1;
		handle_signals(attendance);
	}
	pool_finish();
}

/* ---- where the hook cannot be had ---- */

static const char *reason_of(int error)
{
	static const struct {
		int error;
		const char *text;
	} reasons[] = {
		{-ENOENT, "/proc or /dev/null is missing"},
		{-EBUSY, "another program, a container's engine or an outer reuse-run, has a "
			 "seccomp listener on it already"},
		{-EPERM, "that is not permitted here, as in a container without the permission "
			 "for seccomp(2) and pidfd_getfd(2), or under ptrace_scope 2 or 3 of yama"},
		{-EACCES, "no_new_privs could not be set"},
		{-EINVAL, "the kernel is too old: Linux 5.6 is needed, with "
			  "CONFIG_SECCOMP_FILTER"},
		{-ENOSYS, "the kernel, or a container's seccomp filter, lacks seccomp(2), "
			  "pidfd_open(2), pidfd_getfd(2) or memfd_create(2)"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		if (reasons[i].error == error)
			return reasons[i].text;
	}
	return "a system call failed";
}

static int go_without_hook(const struct configuration *configuration, const struct start *start,
	bool asked_for, int error)
{
	bool is_refused = asked_for || policy_protects(&configuration->policy);

	fprintf(stderr, "reuse-run: %s: the notify hook cannot be had: %s (%s); %s\n",
		start->arguments[0], reason_of(error), errno_name(-error),
		!is_refused ? "the program runs, but libreuse does nothing for it"
		: asked_for ? "it is not started; where a library can be preloaded into it, "
			      "--hook=preload does without"
			    : "the policy protects something, so it is not started");
	if (is_refused)
		return EX_CONFIG;
	sigaction(SIGCHLD, &start->on_child, NULL);
	sigprocmask(SIG_SETMASK, &start->mask, NULL);
	execvp(start->arguments[0], start->arguments);
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* ---- all of it ---- */

/* Before there is a program that would have to be left alone without these. */
static int open_own(struct attendance *attendance)
{
	sigset_t all;

	sigfillset(&all);
	attendance->notify.silence = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (attendance->notify.silence < 0)
		return -errno;
	attendance->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return attendance->signals < 0 ? -errno : pool_open();
}

static int give_up_on(pid_t child, int error)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return error;
}

/* Returns 0 when the program runs under the hook, or why it was not even started. */
static int start_program(struct attendance *attendance, struct start *start, struct report *report)
{
	pid_t child = start_child(start);

	if (child < 0)
		return child;
	attendance->program = child;
	attendance->pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int error = attendance->pidfd < 0 ? -errno : 0;
	if (!error && !hear(start, report))
		error = -ECHILD;
	attendance->listener = error ? error : get_listener(attendance->pidfd, report);
	if (attendance->listener < 0)
		return give_up_on(child, attendance->listener);
	pid_t lender = start_lender();
	attendance->is_outside = step_outside(lender);
	dismiss(lender);
	error = let_go(start);
	return error ? give_up_on(child, error) : 0;
}

/* Without them, sockets are shared all the same. */
static void check_service(struct attendance *attendance)
{
	const struct configuration *configuration = attendance->notify.configuration;
	int error =
		service_is_wanted(configuration) ? listener_check_replace(attendance->listener) : 0;

	if (!error)
		return;
	attendance->notify.keeper = NULL;
	log_write(&configuration->log, LOG_LEVEL_WARN,
		"keep and adopt= cannot be had here: %s; Linux 5.9 is needed", errno_name(-error));
}

static int report_no_program(const struct start *start, const struct report *report)
{
	bool is_missing = report->number == -ENOENT;

	fprintf(stderr, "reuse-run: %s: cannot be run: %s\n", start->arguments[0],
		errno_name(-report->number));
	return is_missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int attend(const struct configuration *configuration, char **arguments, bool asked_for)
{
	struct start start = {.arguments = arguments, .ourselves = getpid()};
	struct report report;
	struct attendance attendance = {
		.notify = {.configuration = configuration, .keeper = &service_keeper},
		.home = getpgrp(),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int error = notify_start(&attendance.notify);
	prepare_signals(&start);
	service_start(configuration);
	if (!error)
		error = filter_build(&start.filter, notify_calls(configuration));
	if (!error)
		error = open_own(&attendance);
	if (!error)
		error = start_program(&attendance, &start, &report);
	filter_drop(&start.filter);
	if (error)
		return go_without_hook(configuration, &start, asked_for, error);
	if (hear(&start, &report))
		return report_no_program(&start, &report);
	if (!configuration->is_inherited)
		attendance.notify.only_process = attendance.program;
	close(start.channel);
	service_hold(configuration);
	check_service(&attendance);
	let_descriptors_go(&attendance);
	pool_start(&attendance.notify, attendance.listener);
	serve(&attendance);
	return end_as_program(attendance.status);
}
