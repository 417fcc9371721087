/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervised.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int repeat(int briefly, int at_length)
{
	const char *is_long = getenv("LIBREUSE_LONG");

	return is_long && strcmp(is_long, "1") == 0 ? at_length : briefly;
}

/* ---- the supervisor ---- */

void start_as_root_of_container(void)
{
	need_root();
	cr_assert_eq(prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE), 0);
}

int occurrences(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)); text++)
		count++;
	return count;
}

int times_said(struct process *supervisor, const char *what)
{
	const char *errors = process_errors(supervisor);
	int count = occurrences(errors, what);

	free((char *)(uintptr_t)errors); /* it may be long, and is asked for often */
	return count;
}

struct saying {
	struct process *supervisor;
	const char *what;
	int times;
};

static bool is_said(void *context)
{
	const struct saying *saying = context;
	bool has_ended = process_ended(saying->supervisor);
	int count = times_said(saying->supervisor, saying->what);

	if (count < saying->times && has_ended)
		cr_assert_fail("it ended: %s", process_errors(saying->supervisor));
	return count >= saying->times;
}

void wait_said(struct process *supervisor, const char *what, int times)
{
	struct saying saying = {supervisor, what, times};

	wait_until(is_said, &saying, format("\"%s\", %d times", what, times));
}

void wait_ready(struct process *supervisor, int copies)
{
	for (int i = 1; i <= copies; i++)
		wait_said(supervisor, " is ready\n", i);
}

pid_t copy_in(struct process *supervisor, int slot)
{
	const char *start = format("copy %d: process ", slot);
	pid_t found = 0;

	for (const char *at = process_errors(supervisor); (at = strstr(at, start));) {
		at += strlen(start);
		const char *end = at + strspn(at, "0123456789");
		if (strncmp(end, " is ready\n", strlen(" is ready\n")) == 0)
			found = atoi(at);
	}
	cr_assert_gt(found, 0, "copy %d was never ready: %s", slot, process_errors(supervisor));
	return found;
}

pid_t starting_copy(struct process *supervisor, int slot)
{
	const char *start = format("copy %d: process ", slot), *at;
	int process = 0, length;

	wait_said(supervisor, start, 1);
	at = process_errors(supervisor);
	while ((at = strstr(at, start))) {
		at += strlen(start);
		length = 0;
		sscanf(at, "%*d starts%n", &length);
		process = length ? atoi(at) : process;
	}
	return process;
}

struct process *roll_start(struct process *supervisor)
{
	return process_start(WORDS(run_path(), "--roll", format("%d", (int)process_id(supervisor))),
		.is_bare = true);
}

void roll_finish(struct process *roll, int copies)
{
	/* each copy has its own deadline */
	for (int slot = 0; slot < copies; slot++)
		process_wait_text(roll, format("copy %d: process ", slot));
	int status = process_wait(roll);
	cr_assert_eq(status, 0, "--roll ended with %d: %s%s", status, process_output(roll),
		process_errors(roll));
}

void roll(struct process *supervisor, int copies)
{
	roll_finish(roll_start(supervisor), copies);
}

void end_supervisor(struct process *supervisor)
{
	process_signal(supervisor, SIGTERM);
	int status = process_wait(supervisor);
	cr_expect_eq(status, 0, "it ended with %d: %s", status, process_errors(supervisor));
}

const char *slow_when_free(const char *directory, int port)
{
	const char *script = write_file(directory, "start",
		format("#!/bin/sh\nwhile [ -e %s/hold$1 ]; do sleep 0.05; done\nexec %s %s %d\n",
			directory, need_program("python3"), script_path("slow.py"), port));

	cr_assert_eq(chmod(script, 0755), 0);
	return script;
}

/* ---- its status ---- */

const char *status_of(struct process *supervisor, const char *form, int *status)
{
	struct process *asked = process_start(
		WORDS(run_path(), "--status", format("%d", (int)process_id(supervisor)), form),
		.is_bare = true);

	*status = process_wait(asked);
	return process_output(asked);
}

const char *status_text(struct process *supervisor, int expected)
{
	int status;
	const char *said = status_of(supervisor, NULL, &status);

	cr_expect_eq(status, expected, "%d: %s", status, said);
	return said;
}

const char *row_of(struct process *supervisor, int copy, pid_t process)
{
	int status;
	const char *said = status_of(supervisor, "--json", &status);
	const char *start = format("\n{\"copy\":%d,\"process\":", copy);
	const char *at = strstr(said, process ? format("%s%d", start, (int)process) : start);

	return at ? format("%.*s", (int)strcspn(at + 1, "\n"), at + 1) : "";
}

void expect_row(struct process *supervisor, int copy, pid_t process, const char *part)
{
	const char *row = row_of(supervisor, copy, process);

	cr_expect(strstr(row, part), "not %s: %s", part, row);
}

struct wanted {
	struct process *supervisor;
	int copy;
	pid_t process;
	const char *part;
};

static bool has_row(void *context)
{
	const struct wanted *wanted = context;

	return strstr(row_of(wanted->supervisor, wanted->copy, wanted->process), wanted->part) !=
	       NULL;
}

void wait_row(struct process *supervisor, int copy, pid_t process, const char *part)
{
	struct wanted wanted = {supervisor, copy, process, part};

	wait_until(has_row, &wanted, part);
}

/* ---- processes of it ---- */

const char *process_stat(pid_t process)
{
	const char *line = read_file(format("/proc/%d/stat", (int)process));
	const char *name = strchr(line, '(');

	cr_assert(name, "%s", line);
	return name;
}

const char *variable_of(pid_t process, const char *name)
{
	const char *path = format("/proc/%d/environ", (int)process);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	static char bytes[65536];
	ssize_t length = read(fd, bytes, sizeof bytes - 1);

	cr_assert_gt(length, 0, "%s", path);
	close(fd);
	bytes[length] = '\0';
	for (const char *at = bytes; at < bytes + length; at += strlen(at) + 1) {
		if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '=')
			return format("%s", at + strlen(name) + 1);
	}
	skip("%s is not in %s", name, path);
}

bool holds_socket(pid_t process, unsigned long inode)
{
	const char *wanted = format("socket:[%lu]", inode);
	char target[64];

	for (int fd = 0; fd < 1024; fd++) {
		const char *path = format("/proc/%d/fd/%d", (int)process, fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		target[length > 0 ? length : 0] = '\0';
		if (strcmp(target, wanted) == 0)
			return true;
	}
	return false;
}

static bool is_gone(void *context)
{
	pid_t process = *(pid_t *)context;

	return waitpid(process, NULL, WNOHANG) == process ||
	       (kill(process, 0) < 0 && errno == ESRCH);
}

void wait_gone(pid_t process)
{
	wait_until(is_gone, &process, format("the end of process %d", (int)process));
}

static bool has_stopped(void *context)
{
	return strstr(process_stat(*(pid_t *)context), ") T ") != NULL;
}

void wait_stopped(pid_t process)
{
	wait_until(has_stopped, &process, format("process %d to stop", (int)process));
}

void stop_process(pid_t process)
{
	cr_assert_eq(kill(process, SIGSTOP), 0);
	wait_stopped(process);
}

/*
 * Whether it sleeps in the poll(2) of its loop. For the answers of others, it polls one descriptor;
 * a poll that is to return at once is not seen here.
 */
static bool is_asleep(void *context)
{
	const char *call = read_file(format("/proc/%d/syscall", (int)process_id(context)));
	unsigned long count = 0;
	long number = -1;

	bool is_call = sscanf(call, "%ld %*x %lx", &number, &count) == 2 && count > 1;
#ifdef SYS_poll
	if (number == SYS_poll)
		return is_call;
#endif
	return is_call && number == SYS_ppoll;
}

void wait_asleep(struct process *supervisor)
{
	wait_until(is_asleep, supervisor, "the supervisor to wait for an event");
}

static bool goes_on(void *context)
{
	return !has_stopped(context);
}

void wait_continued(pid_t process)
{
	wait_until(goes_on, &process, format("process %d to go on", (int)process));
}

size_t written_bytes(pid_t process)
{
	const char *memory = read_file(format("/proc/%d/smaps_rollup", (int)process));
	const char *line = strstr(memory, "\nAnonymous:");
	size_t kilobytes = 0;

	cr_assert(line && sscanf(line, "%*s %zu", &kilobytes) == 1 && kilobytes > 0, "%s", memory);
	return kilobytes * 1024;
}

static int count_files(pid_t process)
{
	const char *path = format("/proc/%d/fd", (int)process);
	DIR *files = opendir(path);
	int count = 0;

	cr_assert(files, "%s: %s", path, strerror(errno));
	for (const struct dirent *file; (file = readdir(files));)
		count += file->d_name[0] != '.';
	closedir(files);
	return count;
}

static bool is_there(void *path)
{
	return access(path, F_OK) == 0;
}

void wait_file(const char *path)
{
	wait_until(is_there, (void *)(uintptr_t)path, path);
}

struct files {
	pid_t process;
	int count;
};

static bool has_files(void *context)
{
	const struct files *files = context;

	return count_files(files->process) == files->count;
}

void wait_files(pid_t process, int count)
{
	struct files files = {process, count};

	wait_until(has_files, &files, format("%d descriptors", count));
}

const char *wsgi_directory(void)
{
	const char *directory = new_directory();

	write_file(directory, "app.py",
		"def app(environment, start):\n"
		"    start('200 OK', [('Content-Type', 'text/plain')])\n"
		"    return [b'answer\\n']\n");
	return directory;
}

/* ---- clients ---- */

void load_stop_served(struct process *load)
{
	struct outcome outcome = load_stop(load);

	cr_expect_eq(outcome.refused, 0, "%d refused", outcome.refused);
	cr_expect_eq(outcome.cut_off, 0, "%d cut off", outcome.cut_off);
	cr_expect_eq(outcome.hung, 0, "%d hung", outcome.hung);
	cr_expect_gt(outcome.answered, 0);
}

int request_beside(pid_t copy, int port)
{
	for (;;) {
		int fd = client_connect("127.0.0.1", port);
		char half[32] = "";

		cr_assert_eq(send(fd, "wait\n", 5, MSG_NOSIGNAL), 5);
		cr_assert_gt(recv(fd, half, sizeof half - 1, 0), 0);
		/* on a busy machine it may have ended before we came to read */
		if (!strchr(half, '\n') && atoi(half) != copy)
			return fd;
		close(fd);
	}
}

void leave_waiting(pid_t copy, int port, int *clients, int count)
{
	stop_process(copy);
	for (int i = 0; i < count; i++) {
		clients[i] = client_connect("127.0.0.1", port);
		cr_assert_eq(send(clients[i], "?", 1, 0), 1);
	}
}

void expect_answered_by_others(struct process *supervisor, const int *clients, int count, pid_t old)
{
	char answer[32] = "";

	for (int i = 0; i < count; i++) {
		ssize_t length = recv(clients[i], answer, sizeof answer - 1, 0);
		cr_expect_gt(length, 0, "client %d: %s", i, process_errors(supervisor));
		cr_expect_neq(atoi(answer), old);
		close(clients[i]);
	}
}

void hold_connections(pid_t copy, int port, int count)
{
	while (count > 0) {
		int fd = client_connect("127.0.0.1", port);
		char answer[32] = "";

		cr_assert_gt(recv(fd, answer, sizeof answer - 1, 0), 0);
		if (atoi(answer) == copy) {
			count--;
			continue;
		}
		shutdown(fd, SHUT_WR);
		cr_assert_eq(recv(fd, answer, sizeof answer, 0), 0); /* it has closed it */
		close(fd);
	}
}

int request_begin(int port)
{
	return request_beside(0, port);
}

void request_end(int fd)
{
	char rest[32] = "";
	ssize_t got = recv(fd, rest, sizeof rest - 1, 0);

	cr_expect(got == 1 && rest[0] == '\n', "a request in progress was cut off");
	close(fd);
}
