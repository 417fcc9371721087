/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop_process.h"

#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/process.h"
#include "ground/system.h"
#include "supervise/sockets/holders.h"
#include "supervise/sockets/usage.h"
#include "supervise/sockets/withdrawal.h"
#include "supervise/talk/ask.h"
#include "supervise/talk/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#define LOOK_MS	    50
#define PROGRESS_MS 1000
#define PATIENCE_MS 2000
#define DEPTH_MOST  1000 /* of ancestors */

struct stopping {
	pid_t process;
	int pidfd;
	const struct options *options;
	struct withdrawal *withdrawal;
	int64_t shown_ms;	/* when progress was shown last */
	int64_t alone_since_ms; /* 0: others take its clients */
};

static int refuse(int status, pid_t process, const char *why)
{
	fprintf(stderr, "reuse-run: --stop: process %d %s\n", (int)process, why);
	return status;
}

/* ---- waiting ---- */

/* Waits up to MS milliseconds for the end of the process, below 0: for ever. */
static bool has_ended(const struct stopping *stopping, int ms)
{
	struct pollfd polled = {.fd = stopping->pidfd, .events = POLLIN};

	return poll(&polled, 1, ms) == 1;
}

static int send_signal(const struct stopping *stopping, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, stopping->pidfd, number, NULL, 0);
}

/* Only on a terminal, and if it takes long. */
static void show_progress(struct stopping *stopping)
{
	int64_t now = clock_now_ms();
	struct usage usage;

	if (!isatty(STDERR_FILENO) || now - stopping->shown_ms < PROGRESS_MS)
		return;
	stopping->shown_ms = now;
	usage_read(&usage, &stopping->process, 1);
	if (usage.has_connections)
		fprintf(stderr, "reuse-run: process %d drains: %u connections left, %u waiting\n",
			(int)stopping->process, usage.connections, usage.waiting);
}

/* ---- a supervisor ---- */

/* It drains its copies itself, and has its own time limit for that. */
static int stop_supervisor(struct stopping *stopping)
{
	if (send_signal(stopping, SIGTERM) < 0)
		return refuse(EX_NOPERM, stopping->process, strerror(errno));
	send_signal(stopping, SIGCONT);
	fprintf(stderr, "reuse-run: supervisor %d is told to stop\n", (int)stopping->process);
	while (!has_ended(stopping, LOOK_MS))
		show_progress(stopping);
	return 0;
}

/*
 * The supervisor of which a process is a copy, or a descendant of a copy; 0 if there is none; or a
 * negative errno.
 */
static pid_t supervisor_of(pid_t id)
{
	struct process process;

	for (int i = 0; i < DEPTH_MOST && process_read(&process, id); i++) {
		id = process.parent;
		int found = id > 0 ? ask_is_supervisor(id) : 0;
		if (found)
			return found > 0 || found == -EAGAIN ? id : found;
	}
	return 0;
}

/* ---- a process without a supervisor ---- */

/*
 * Whether it is useless to wait longer for the others in its groups. A process that is stopped at
 * the same time may be replaced, and joins and leaves are seen at the next look.
 */
static bool nobody_can_take(struct stopping *stopping)
{
	const char *obstacle = withdrawal_obstacle(stopping->withdrawal);
	bool is_first = !stopping->alone_since_ms;
	int64_t now = clock_now_ms();

	if (!obstacle) {
		stopping->alone_since_ms = 0;
		return false;
	}
	if (is_first && withdrawal_waits_for_others(stopping->withdrawal))
		say(LOG_LEVEL_INFO,
			"process %d waits, because all other processes that could take its clients "
			"are being stopped too",
			(int)stopping->process);
	if (is_first || withdrawal_waits_for_others(stopping->withdrawal))
		stopping->alone_since_ms = now;
	if (now - stopping->alone_since_ms < PATIENCE_MS)
		return false;
	say(LOG_LEVEL_WARN,
		"process %d is told to stop at once, because no other process can take its "
		"clients: its port %s",
		(int)stopping->process, obstacle);
	return true;
}

/* Returns whether nothing is left of what had come to it, or waiting is useless. */
static bool drain(struct stopping *stopping)
{
	int64_t end_ms = clock_now_ms() + stopping->options->drain_timeout_ms;
	unsigned looks_idle = 0;

	/* Between two of its stages, one look can miss a connection. */
	while (looks_idle < 2 && clock_now_ms() < end_ms) {
		looks_idle = withdrawal_advance(stopping->withdrawal) ? looks_idle + 1 : 0;
		if (nobody_can_take(stopping))
			return true;
		if (looks_idle == 1)
			withdrawal_deafen(stopping->withdrawal);
		show_progress(stopping);
		if (looks_idle < 2 && has_ended(stopping, LOOK_MS))
			return true;
	}
	withdrawal_deafen(stopping->withdrawal);
	return looks_idle == 2;
}

static bool is_its_listener(uint64_t inode, const void *withdrawal)
{
	return withdrawal_has(withdrawal, inode);
}

static void keep_away(const struct stopping *stopping)
{
	if (withdrawal_count(stopping->withdrawal))
		withdrawal_advance(stopping->withdrawal);
}

/* Workers that it does not stop itself would stay in the groups, unknown to anybody. */
static void end_workers(
	const struct stopping *stopping, const struct holders *workers, int64_t end_ms)
{
	if (holders_have_ended(workers))
		return;
	holders_signal(workers, stopping->options->stop_signal);
	holders_signal(workers, SIGCONT);
	while (!holders_have_ended(workers) && clock_now_ms() < end_ms) {
		poll(NULL, 0, LOOK_MS);
		keep_away(stopping);
	}
	holders_signal(workers, SIGKILL);
}

/* New connections are still steered around it meanwhile. */
static void end(const struct stopping *stopping)
{
	int64_t end_ms = clock_now_ms() + stopping->options->grace_ms;
	struct holders workers;

	holders_find(&workers, stopping->process, is_its_listener, stopping->withdrawal);
	send_signal(stopping, stopping->options->stop_signal);
	send_signal(stopping, SIGCONT);
	while (!has_ended(stopping, LOOK_MS) && clock_now_ms() < end_ms)
		keep_away(stopping);
	if (!has_ended(stopping, 0)) {
		say(LOG_LEVEL_WARN, "process %d does not stop, and is killed",
			(int)stopping->process);
		send_signal(stopping, SIGKILL);
		has_ended(stopping, -1);
	}
	end_workers(stopping, &workers, end_ms);
	holders_free(&workers);
}

/*
 * Its sockets are in its network namespace, and so are those of others that could take its clients.
 */
static int enter_network(pid_t process)
{
	struct stat ours, its;
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)process);
	if (stat("/proc/self/ns/net", &ours) < 0 || stat(path, &its) < 0)
		return -errno;
	if (ours.st_ino == its.st_ino)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	system_close(fd);
	return error;
}

static int cannot(const struct stopping *stopping, int error)
{
	bool is_forbidden = error == -EPERM || error == -EACCES;
	char why[192];

	if (error == -ESRCH || has_ended(stopping, 0))
		return 0;
	bool is_hidden = error == -EACCES && geteuid() == 0;
	snprintf(why, sizeof why,
		is_hidden ? "cannot be stopped gracefully, and keeps running, because root may "
			    "not look into it here: %s; the container needs the capability "
			    "SYS_PTRACE"
		: is_forbidden ? "cannot be stopped by this user, and keeps running: %s; stop it "
				 "as its user, or as root"
			       : "cannot be stopped gracefully, and keeps running: %s",
		errno_name(-error));
	return refuse(is_forbidden ? EX_NOPERM : EX_OSERR, stopping->process, why);
}

static int stop_other(struct stopping *stopping)
{
	int error = withdrawal_begin(&stopping->withdrawal, stopping->process);

	if (error)
		return cannot(stopping, error);
	bool is_shared = withdrawal_count(stopping->withdrawal) > 0, is_drained = true;
	if (is_shared)
		is_drained = drain(stopping);
	else
		say(LOG_LEVEL_INFO,
			"process %d shares no TCP port with others, so it is told to stop at once",
			(int)stopping->process);
	if (!is_drained)
		say(LOG_LEVEL_WARN,
			"process %d still has connections after %u ms, and is told to stop",
			(int)stopping->process, stopping->options->drain_timeout_ms);
	end(stopping);
	withdrawal_end(stopping->withdrawal);
	return is_drained ? 0 : 1;
}

/* ---- both ---- */

static int stop_living(struct stopping *stopping)
{
	int error = send_signal(stopping, 0) < 0 ? -errno : enter_network(stopping->process);
	pid_t supervisor;

	if (error)
		return cannot(stopping, error);
	int found = ask_is_supervisor(stopping->process);
	if (found < 0 && found != -EAGAIN)
		return cannot(stopping, found);
	if (found < 0)
		return refuse(EX_UNAVAILABLE, stopping->process,
			"seems to be a supervisor that does not answer, and keeps running; if it "
			"does not answer --status either, send it SIGTERM");
	if (found)
		return stop_supervisor(stopping);
	supervisor = supervisor_of(stopping->process);
	if (supervisor < 0)
		return cannot(stopping, supervisor);
	if (!supervisor)
		return stop_other(stopping);
	fprintf(stderr,
		"reuse-run: --stop: process %d belongs to supervisor %d, which would start it "
		"again; use --stop %d, --roll %d, or --scale %d -n N\n",
		(int)stopping->process, (int)supervisor, (int)supervisor, (int)supervisor,
		(int)supervisor);
	return EX_USAGE;
}

int stop_process(const char *target, const struct options *options)
{
	struct stopping stopping = {.options = options};
	int status = *target ? ask_process(target, &stopping.process) : 0;

	if (status || !stopping.process)
		return status;
	stopping.pidfd = (int)syscall(SYS_pidfd_open, stopping.process, 0);
	if (stopping.pidfd < 0)
		return errno == ESRCH ? 0 : refuse(EX_OSERR, stopping.process, strerror(errno));
	status = stop_living(&stopping);
	close(stopping.pidfd);
	return status;
}
