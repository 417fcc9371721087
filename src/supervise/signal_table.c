/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signal_table.h"

#include "ground/procfs.h"
#include "ground/text.h"
#include "roll.h"
#include "scale.h"
#include "signal_name.h"
#include "stop.h"
#include "supervise/talk/say.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef const struct signalfd_siginfo signal_info;

static void signal_all(const struct supervisor *supervisor, int number)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copy->is_over)
			kill(-copy->pid, number);
	}
}

static void forward(struct supervisor *supervisor, signal_info *info)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copy->is_over)
			kill(copy->pid, (int)info->ssi_signo);
	}
}

/* A sender outside of our PID namespace has the id 0. */
static void say_why(struct supervisor *supervisor, signal_info *info)
{
	char program[PROCFS_PROGRAM_SIZE];
	char sender[sizeof program + 32] = "the terminal";

	if (info->ssi_code != SI_KERNEL && info->ssi_pid) {
		procfs_program((pid_t)info->ssi_pid, program);
		text_print(sender, sizeof sender, "process %u (%s)", (unsigned)info->ssi_pid,
			*program ? program : "it has ended");
	} else if (info->ssi_code != SI_KERNEL) {
		text_print(sender, sizeof sender, "outside of its PID namespace");
	}
	text_print(supervisor->stop_reason, sizeof supervisor->stop_reason, "SIG%s from %s",
		signal_name((int)info->ssi_signo), sender);
	say(LOG_LEVEL_INFO, "the supervisor stops: %s", supervisor->stop_reason);
}

static void stop(struct supervisor *supervisor, signal_info *info)
{
	if (!supervisor->is_stopping)
		say_why(supervisor, info);
	stop_begin(supervisor);
}

static void roll(struct supervisor *supervisor, signal_info *info)
{
	(void)info;
	roll_begin(supervisor);
}

static void one_more(struct supervisor *supervisor, signal_info *info)
{
	(void)info;
	scale_one_more(supervisor);
}

static void one_less(struct supervisor *supervisor, signal_info *info)
{
	(void)info;
	scale_one_less(supervisor);
}

static void hang_up(struct supervisor *supervisor, signal_info *info)
{
	if (!sigismember(&supervisor->launch.ignored, SIGHUP))
		stop(supervisor, info);
}

/* As a foreground program does: the copies stop and continue together with us. */
static void suspend(struct supervisor *supervisor, signal_info *info)
{
	int number = (int)info->ssi_signo;
	sigset_t set;

	signal_all(supervisor, SIGSTOP);
	sigemptyset(&set);
	sigaddset(&set, number);
	/* If no shell could continue us, the kernel does not stop us. */
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_all(supervisor, SIGCONT);
}

static void ignore(struct supervisor *supervisor, signal_info *info)
{
	(void)supervisor;
	(void)info;
}

typedef void handler(struct supervisor *supervisor, signal_info *info);

/* What a signal means from a process, and from the terminal. */
static const struct {
	int number;
	handler *from_process, *from_terminal;
} signals[] = {
	{SIGHUP, roll, hang_up},
	{SIGTERM, stop, stop},
	{SIGINT, stop, stop},
	{SIGQUIT, forward, stop},
	{SIGUSR1, forward, forward},
	{SIGUSR2, forward, forward},
	{SIGWINCH, forward, ignore},
	{SIGTTIN, one_more, ignore},
	{SIGTTOU, one_less, ignore},
	{SIGTSTP, suspend, suspend},
	{SIGCHLD, ignore, ignore},
};

bool signal_table_has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int signal_table_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		signal(signals[i].number, SIG_DFL); /* an ignored signal would not arrive */
		sigaddset(&set, signals[i].number);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A shell whose terminal was closed sends SIGHUP to its jobs, as the terminal does. */
static bool is_from_terminal(const struct supervisor *supervisor, signal_info *info)
{
	bool is_from_shell = info->ssi_signo == SIGHUP && supervisor->had_terminal &&
			     (pid_t)info->ssi_pid == getsid(0) && !signal_table_has_terminal();

	return info->ssi_code == SI_KERNEL || is_from_shell;
}

void signal_table_take(struct supervisor *supervisor, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == sizeof info) {
		for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
			if (signals[i].number != (int)info.ssi_signo)
				continue;
			handler *handle = is_from_terminal(supervisor, &info)
						  ? signals[i].from_terminal
						  : signals[i].from_process;
			handle(supervisor, &info);
		}
	}
}
