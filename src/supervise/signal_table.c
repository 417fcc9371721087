/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signal_table.h"

#include "roll.h"
#include "scale.h"
#include "stop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void signal_all(const struct supervisor *supervisor, int number)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copy->is_over)
			kill(-copy->pid, number);
	}
}

static void forward(struct supervisor *supervisor, int number)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (!copy->is_over)
			kill(copy->pid, number);
	}
}

static void stop(struct supervisor *supervisor, int number)
{
	(void)number;
	stop_begin(supervisor);
}

static void roll(struct supervisor *supervisor, int number)
{
	(void)number;
	roll_begin(supervisor);
}

static void one_more(struct supervisor *supervisor, int number)
{
	(void)number;
	scale_one_more(supervisor);
}

static void one_less(struct supervisor *supervisor, int number)
{
	(void)number;
	scale_one_less(supervisor);
}

static void hang_up(struct supervisor *supervisor, int number)
{
	if (!sigismember(&supervisor->launch.ignored, SIGHUP))
		stop(supervisor, number);
}

/* As a foreground program would: the copies stop with us, and go on with us. */
static void suspend(struct supervisor *supervisor, int number)
{
	sigset_t set;

	signal_all(supervisor, SIGSTOP);
	sigemptyset(&set);
	sigaddset(&set, number);
	/* Where no shell could let us go on, the kernel does not stop us. */
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_all(supervisor, SIGCONT);
}

static void ignore(struct supervisor *supervisor, int number)
{
	(void)supervisor;
	(void)number;
}

typedef void handler(struct supervisor *supervisor, int number);

/* What a signal means when a process sent it, and when the terminal did. */
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
		signal(signals[i].number, SIG_DFL); /* an ignored one would not come */
		sigaddset(&set, signals[i].number);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A shell whose terminal was closed sends SIGHUP to its jobs, as the terminal does. */
static bool is_from_terminal(
	const struct supervisor *supervisor, const struct signalfd_siginfo *info)
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
			handle(supervisor, signals[i].number);
		}
	}
}
