/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include "../arena.h"
#include "../socket/inherited.h"
#include "env_file.h"
#include "manager.h"
#include "order.h"
#include "pin.h"
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* ---- what the supervisor was started with ---- */

static void inherit(int fd, void *keeper)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (!keeper_inherit(keeper, fd) && !order_inherit(fd))
		close(fd);
}

static void read_passed(struct launch *launch, struct keeper *keeper)
{
	static struct arena arena; /* for as long as the process: the environment refers to it */
	const char *count, *whom;

	if (arena_open(&arena, 1024 * 1024) == 0)
		inherited_sort(&environ, &arena, inherit, keeper);
	unsetenv("REUSE_KEPT");
	count = getenv("LISTEN_FDS");
	whom = getenv("LISTEN_PID");
	/* Another process's, whose descriptors ours are not. */
	launch->n_passed = count && whom && atoi(whom) == getpid() ? atoi(count) : 0;
	for (int i = 0; i < launch->n_passed; i++)
		fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
}

void launch_open(struct launch *launch, const struct options *options, struct keeper *keeper)
{
	struct sigaction action;
	struct rlimit raised;

	*launch = (struct launch){.options = options};
	sigprocmask(SIG_SETMASK, NULL, &launch->blocked);
	sigemptyset(&launch->ignored);
	for (int number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(&launch->ignored, number);
	}
	if (getrlimit(RLIMIT_NOFILE, &launch->files) == 0) {
		raised = launch->files;
		raised.rlim_cur = raised.rlim_max;
		launch->is_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
	}
	read_passed(launch, keeper);
}

/* ---- descriptors ---- */

struct passing {
	int fds[KEEPER_COPY_MOST + 64];
	int count;
	char *names;
	size_t names_size;
};

static void pass(struct passing *passing, int fd, const char *name)
{
	size_t length = strlen(passing->names);
	int most = (int)(sizeof passing->fds / sizeof *passing->fds);

	if (passing->count == most || length + strlen(name) + 2 > passing->names_size)
		return;
	passing->fds[passing->count++] = fd;
	snprintf(passing->names + length, passing->names_size - length, "%s%s",
		passing->count > 1 ? ":" : "", name);
}

static void pass_own(struct passing *passing, int count)
{
	const char *names = getenv("LISTEN_FDNAMES");
	char name[256];

	for (int i = 0; i < count; i++) {
		size_t length = names ? strcspn(names, ":") : 0;
		snprintf(name, sizeof name, "%.*s", (int)length, names ? names : "");
		pass(passing, FIRST_FD + i, *name ? name : "unknown");
		names = names && names[length] ? names + length + 1 : NULL;
	}
}

static void pass_kept(struct passing *passing, const struct keeper *keeper, const struct copy *copy,
	const struct copy *predecessor)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		if (kept->slot == copy->slot && kept->owner == predecessor)
			pass(passing, kept->fd, kept->name);
	}
}

/* Puts them in their row, by way of numbers that are in nobody's way. */
static bool place(struct passing *passing)
{
	for (int i = 0; i < passing->count; i++) {
		passing->fds[i] =
			fcntl(passing->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + passing->count);
		if (passing->fds[i] < 0)
			return false;
	}
	for (int i = 0; i < passing->count; i++) {
		if (dup2(passing->fds[i], FIRST_FD + i) < 0)
			return false;
	}
	return true;
}

static void set_number(const char *name, intmax_t number)
{
	char value[24];

	snprintf(value, sizeof value, "%jd", number);
	setenv(name, value, true);
}

static bool pass_sockets(const struct launch *launch, const struct keeper *keeper,
	const struct copy *copy, const struct copy *predecessor)
{
	static char names[(KEEPER_COPY_MOST + 64) * KEEPER_NAME_SIZE];
	struct passing passing = {.names = names, .names_size = sizeof names};

	pass_own(&passing, launch->n_passed);
	pass_kept(&passing, keeper, copy, predecessor);
	if (!place(&passing))
		return false;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PID");
	if (passing.count == 0)
		return true;
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", passing.count);
	setenv("LISTEN_FDNAMES", names, true);
	return true;
}

/* ---- the rest of its world ---- */

static void set_environment(const struct launch *launch, const struct copy *copy)
{
	setenv("NOTIFY_SOCKET", copy->channel.name, true);
	if (manager_watchdog_us()) {
		set_number("WATCHDOG_USEC", (intmax_t)manager_watchdog_us());
		set_number("WATCHDOG_PID", getpid());
	}
	set_number("REUSE_WORKER", copy->slot);
	set_number("REUSE_GENERATION", copy->generation);
	if (launch->options->preload)
		setenv("LD_PRELOAD", launch->options->preload, true);
	unsetenv("REUSE_SUCCESSOR");
	if (copy->is_successor)
		setenv("REUSE_SUCCESSOR", "1", true);
}

static void take_null_as_input(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
}

static void restore(const struct launch *launch)
{
	if (launch->is_raised)
		setrlimit(RLIMIT_NOFILE, &launch->files);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&launch->ignored, number) == 1)
			signal(number, SIG_IGN);
	}
	sigprocmask(SIG_SETMASK, &launch->blocked, NULL);
}

/* ARGUMENT with %i, %g and %% replaced. */
static char *expand(const char *argument, const struct copy *copy)
{
	size_t size;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, &size);

	if (!out)
		return NULL;
	for (; *argument; argument++) {
		bool is_special = *argument == '%' && argument[1] && strchr("ig%", argument[1]);
		if (!is_special)
			fputc(*argument, out);
		else if (*++argument == '%')
			fputc('%', out);
		else
			fprintf(out, "%u", *argument == 'i' ? copy->slot : copy->generation);
	}
	return fclose(out) == 0 ? bytes : NULL;
}

static char **expand_all(char **command, const struct copy *copy)
{
	size_t count = 0;

	while (command[count])
		count++;
	char **expanded = calloc(count + 1, sizeof *expanded);
	if (expanded)
		expanded[0] = command[0];
	for (size_t i = 1; expanded && i < count; i++) {
		expanded[i] = expand(command[i], copy);
		if (!expanded[i])
			return NULL;
	}
	return expanded;
}

/* ---- becoming the program ---- */

static void complain(const char *what, const char *name)
{
	fprintf(stderr, "reuse-run: %s%s%s: %s\n", what, *what ? " " : "", name, strerror(errno));
}

static bool go_where_it_runs(const struct options *options)
{
	if (options->directory && chdir(options->directory) < 0) {
		complain("--chdir", options->directory);
		return false;
	}
	for (unsigned i = 0; i < options->n_unlink; i++) {
		if (unlink(options->unlink[i]) < 0 && errno != ENOENT) {
			complain("--unlink", options->unlink[i]);
			return false;
		}
	}
	return true;
}

/* Ends with the supervisor, however that ends (prctl(2)). */
static void end_with(pid_t supervisor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(EXIT_FAILURE);
}

/*
 * The copy is a parent of its own then, which answers the program's calls, and has the library's
 * part in keeping. One hook is enough: the library, the last one in LD_PRELOAD, is left out, unless
 * it is to be the hook where the other one is not available.
 */
static void attend(const struct options *options, char **command, bool or_preload)
{
	const char *library = options->preload ? strrchr(options->preload, ':') : NULL;
	const char *before[] = {
		"reuse-run", "--attend", hook_name(options->hook), "--", NULL, NULL};
	size_t n_before = 4, count = 0;

	if (or_preload) {
		before[3] = "--preload";
		before[4] = options->preload;
		before[5] = "--";
		n_before = 6;
	}
	while (command[count])
		count++;
	char **words = calloc(n_before + count + 1, sizeof *words);
	if (!words)
		return;
	memcpy(words, before, n_before * sizeof *words);
	memcpy(words + n_before, command, count * sizeof *words);
	unsetenv("LD_PRELOAD");
	if (library)
		setenv("LD_PRELOAD",
			strndup(options->preload, (size_t)(library - options->preload)), true);
	execv("/proc/self/exe", words);
}

static _Noreturn void become(const struct launch *launch, const struct keeper *keeper,
	const struct copy *copy, const struct copy *predecessor, pid_t supervisor)
{
	const struct options *options = launch->options;
	char **command = options->command;

	/* It could not be told to stop, with all that it starts. */
	if (setpgid(0, 0) < 0) {
		complain("", "a process group of its own");
		_exit(EX_OSERR);
	}
	end_with(supervisor);
	take_null_as_input();
	if (!pass_sockets(launch, keeper, copy, predecessor)) {
		complain("", "the kept sockets cannot be passed on");
		_exit(EX_OSERR);
	}
	if ((options->env_file && !env_file_load(options->env_file)) || !go_where_it_runs(options))
		_exit(EX_CONFIG);
	set_environment(launch, copy);
	if (options->is_pinned && pin_to_place(copy->slot) < 0)
		complain("", "--pin");
	if (options->is_expanded)
		command = expand_all(command, copy);
	int status =
		command ? prepare_program(options->hook, command[0], options->preload) : EX_OSERR;
	if (!prepare_is_permission(status))
		_exit(status);
	if (status == PREPARE_PRELOAD_ASAN)
		prepare_for_asan();
	restore(launch);
	if (status == PREPARE_NOTIFY || status == PREPARE_NOTIFY_OR_PRELOAD)
		attend(options, command, status == PREPARE_NOTIFY_OR_PRELOAD && options->preload);
	else
		execvp(command[0], command);
	complain("", command[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

int launch_copy(const struct launch *launch, const struct keeper *keeper, struct copy *copy,
	const struct copy *predecessor)
{
	pid_t supervisor = getpid();

	fflush(NULL);
	copy->pid = fork();
	if (copy->pid == 0)
		become(launch, keeper, copy, predecessor, supervisor);
	if (copy->pid < 0)
		return -errno;
	setpgid(copy->pid, copy->pid);
	return 0;
}

pid_t launch_probe(const struct launch *launch, const struct copy *copy)
{
	pid_t supervisor = getpid(), probe = fork();

	if (probe)
		return probe < 0 ? -errno : probe;
	setpgid(0, 0);
	end_with(supervisor);
	take_null_as_input();
	set_number("REUSE_WORKER", copy->slot);
	set_number("REUSE_GENERATION", copy->generation);
	set_number("REUSE_PID", copy->pid);
	restore(launch);
	execl("/bin/sh", "sh", "-c", launch->options->ready_command, (char *)NULL);
	_exit(127);
}
