/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include "choose/preloaded.h"
#include "choose/prepare.h"
#include "env_file.h"
#include "expand.h"
#include "ground/arena.h"
#include "ground/exit_status.h"
#include "ground/procfs.h"
#include "passing.h"
#include "pin.h"
#include "socket/inherited.h"
#include "supervise/talk/service_manager.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define FDS_MOST (64 * 1024)

/* ---- what the supervisor was started with ---- */

/* libreuse 0.1.0 kept a file as well; files of later versions are unknown. */
static bool is_old_order(int fd)
{
	char path[32];

	text_print(path, sizeof path, "/proc/self/fd/%d", fd);
	return procfs_links_to(AT_FDCWD, path, "/memfd:libreuse-order (deleted)");
}

static void inherit(int fd, void *keeper)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (is_old_order(fd))
		service_manager_forget("libreuse-order");
	if (!keeper_inherit(keeper, fd))
		close(fd);
}

static void read_passed(struct launch *launch, struct keeper *keeper)
{
	static struct arena arena; /* lives as long as the process: the environment refers to it */
	const char *count, *whom;

	if (arena_open(&arena, 1024 * 1024) == 0)
		inherited_sort(&environ, &arena, inherit, keeper);
	unsetenv("REUSE_KEPT");
	count = getenv("LISTEN_FDS");
	whom = getenv("LISTEN_PID");
	/* If it is for another process, its descriptors are not ours. */
	int most = count && whom && atoi(whom) == getpid() ? atoi(count) : 0;
	while (launch->n_passed < most &&
		fcntl(INHERITED_FIRST_FD + launch->n_passed, F_GETFD) >= 0)
		launch->n_passed++;
}

bool launch_was_passed(const struct launch *launch, uint32_t inode)
{
	struct stat status;

	for (int fd = INHERITED_FIRST_FD; fd < INHERITED_FIRST_FD + launch->n_passed; fd++) {
		if (fstat(fd, &status) == 0 && (uint32_t)status.st_ino == inode)
			return true;
	}
	return false;
}

/* What we have opened ourselves has FD_CLOEXEC. */
static void note_inherited(int fd, int *end)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags >= 0 && !(flags & FD_CLOEXEC) && fd >= *end)
		*end = fd + 1;
}

static bool note_name(int directory, const char *name, void *end)
{
	int fd = procfs_number(name);

	if (fd >= 0 && fd != directory)
		note_inherited(fd, end);
	return false;
}

/* The number after all descriptors that the supervisor was started with. */
static int end_of_inherited(const struct rlimit *files)
{
	int end = INHERITED_FIRST_FD;
	int most = files->rlim_cur < FDS_MOST ? (int)files->rlim_cur : FDS_MOST;

	if (procfs_walk_path("/proc/self/fd", note_name, &end) >= 0)
		return end;
	for (int fd = INHERITED_FIRST_FD; fd < most; fd++)
		note_inherited(fd, &end);
	return end;
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
	read_passed(launch, keeper);
	if (getrlimit(RLIMIT_NOFILE, &launch->files) == 0) {
		launch->end_of_inherited = end_of_inherited(&launch->files);
		raised = launch->files;
		raised.rlim_cur = raised.rlim_max;
		launch->is_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
	}
}

/* ---- the environment of a copy ---- */

static void set_number(const char *name, intmax_t number)
{
	char value[24];

	snprintf(value, sizeof value, "%jd", number);
	setenv(name, value, true);
}

static void set_flag(const char *name, bool is_set)
{
	unsetenv(name);
	if (is_set)
		setenv(name, "1", true);
}

static void set_environment(const struct launch *launch, const struct copy *copy)
{
	setenv("NOTIFY_SOCKET", copy->channel.name, true);
	if (service_manager_watchdog_us()) {
		set_number("WATCHDOG_USEC", (intmax_t)service_manager_watchdog_us());
		set_number("WATCHDOG_PID", getpid());
	}
	set_number("REUSE_WORKER", copy->slot);
	set_number("REUSE_GENERATION", copy->generation);
	if (launch->options->preload)
		setenv("LD_PRELOAD", launch->options->preload, true);
	set_flag("REUSE_SUCCESSOR", copy->is_successor);
	set_flag("REUSE_SHARED", copy->is_shared);
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

/* ---- becoming the program ---- */

static void complain(const char *what, const char *name, int error)
{
	fprintf(stderr, "reuse-run: %s%s%s: %s\n", what, *what ? " " : "", name, strerror(error));
}

static _Noreturn void give_up(const char *name, int error, int status)
{
	complain("", name, error);
	_exit(status);
}

/* TEXT as it is for COPY, or NULL, which has been reported. */
static const char *text_for(
	const struct options *options, const char *text, const struct copy *copy)
{
	const char *expanded =
		options->is_expanded ? expand_text(text, copy->slot, copy->generation) : text;

	if (!expanded)
		complain("--expand", text, ENOMEM);
	return expanded;
}

static bool load_env_file(const struct options *options, const struct copy *copy)
{
	const char *file = options->env_file ? text_for(options, options->env_file, copy) : NULL;

	return file ? env_file_load(file) : !options->env_file;
}

static bool go_where_it_runs(const struct options *options, const struct copy *copy)
{
	const char *directory =
		options->directory ? text_for(options, options->directory, copy) : NULL;

	if (!directory)
		return !options->directory;
	if (chdir(directory) == 0)
		return true;
	complain("--chdir", directory, errno);
	return false;
}

static bool remove_files(const struct options *options, const struct copy *copy)
{
	for (unsigned i = 0; i < options->n_unlink; i++) {
		const char *file = text_for(options, options->unlink[i], copy);
		if (!file)
			return false;
		if (unlink(file) < 0 && errno != ENOENT) {
			complain("--unlink", file, errno);
			return false;
		}
	}
	return true;
}

/* Ends when the supervisor ends, for whatever reason (prctl(2)). */
static void end_with(pid_t supervisor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(EXIT_FAILURE);
}

/*
 * The copy becomes the parent of its program, answers the program's calls, and keeps its sockets.
 * One hook is enough: the library is removed from LD_PRELOAD, unless it is to be used if the notify
 * hook is not available.
 */
static void start_notified(const struct options *options, char **command, bool or_preload)
{
	char *others = options->preload ? preloaded_without_us(options->preload) : NULL;
	const char *before[] = {"reuse-run", "--parent", hook_name(options->hook), "--preload",
		options->preload, "--"};
	size_t n_before = 6, count = 0;

	if (!or_preload) {
		before[3] = "--";
		n_before = 4;
	}
	while (command[count])
		count++;
	char **words = calloc(n_before + count + 1, sizeof *words);
	if (!words)
		return;
	memcpy(words, before, n_before * sizeof *words);
	memcpy(words + n_before, command, count * sizeof *words);
	unsetenv("LD_PRELOAD");
	if (others && *others)
		setenv("LD_PRELOAD", others, true);
	execv("/proc/self/exe", words);
}

static _Noreturn void become(const struct launch *launch, const struct keeper *keeper,
	const struct copy *copy, pid_t supervisor)
{
	const struct options *options = launch->options;
	char **command = options->command;

	/* Without its own group it could not be told to stop together with all that it starts. */
	if (setpgid(0, 0) < 0)
		give_up("a process group of its own cannot be made", errno, EX_OSERR);
	end_with(supervisor);
	take_null_as_input();
	int error = passing_place(launch->n_passed, launch->end_of_inherited, keeper, copy);
	if (error)
		give_up("the kept sockets cannot be passed on", -error, EX_OSERR);
	if (!load_env_file(options, copy) || !go_where_it_runs(options, copy) ||
		!remove_files(options, copy))
		_exit(EX_CONFIG);
	set_environment(launch, copy);
	int cpu = options->is_pinned ? pin_to_place(copy->slot) : 0;
	if (cpu < 0)
		complain("", "--pin", -cpu);
	if (options->is_expanded)
		command = expand_words(command, copy->slot, copy->generation);
	if (!command)
		give_up("--expand", ENOMEM, EX_OSERR);
	int status = prepare_program(options->hook, command[0], options->preload, true);
	if (!prepare_is_permission(status))
		_exit(status);
	if (status == PREPARE_PRELOAD_ASAN)
		prepare_for_asan();
	restore(launch);
	if (status == PREPARE_NOTIFY || status == PREPARE_NOTIFY_OR_PRELOAD)
		start_notified(
			options, command, status == PREPARE_NOTIFY_OR_PRELOAD && options->preload);
	else
		execvp(command[0], command);
	give_up(command[0], errno, exit_status_for(errno));
}

int launch_copy(const struct launch *launch, const struct keeper *keeper, struct copy *copy)
{
	pid_t supervisor = getpid();

	fflush(NULL);
	copy->pid = fork();
	if (copy->pid == 0)
		become(launch, keeper, copy, supervisor);
	if (copy->pid < 0)
		return -errno;
	setpgid(copy->pid, copy->pid);
	return 0;
}

pid_t launch_probe(const struct launch *launch, const struct copy *copy, const char *command)
{
	pid_t supervisor = getpid(), probe = fork();

	if (probe < 0)
		return -errno;
	if (probe > 0) {
		setpgid(probe, probe);
		return probe;
	}
	setpgid(0, 0);
	end_with(supervisor);
	take_null_as_input();
	set_number("REUSE_WORKER", copy->slot);
	set_number("REUSE_GENERATION", copy->generation);
	set_number("REUSE_PID", copy->pid);
	restore(launch);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(EXIT_NOT_FOUND);
}
