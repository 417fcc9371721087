/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include "copies.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "guardian.h"
#include "pid_file.h"
#include "roll.h"
#include "schedule.h"
#include "state.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PASS_MS 10 /* between two passes of the loop that only messages of copies call for */

/* ---- signals ---- */

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

/* The first time in good order; the second time at once. */
static void stop(struct supervisor *supervisor, int number)
{
	(void)number;
	if (supervisor->is_stopping) {
		for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
			if (copy->state != COPY_STOPPING)
				worker_stop(supervisor, copy);
		}
		return;
	}
	supervisor->is_stopping = true;
	roll_abandon(supervisor);
	supervisor->stop_ms = clock_now_ms();
	const struct options *options = supervisor->options;
	uint64_t budget_ms = (uint64_t)options->stop_delay_ms + options->drain_timeout_ms +
			     2 * (uint64_t)options->grace_ms + 1000;
	service_manager_say("STOPPING=1\nSTATUS=Stopping\nEXTEND_TIMEOUT_USEC=%ju",
		(uintmax_t)budget_ms * 1000);
}

static void roll(struct supervisor *supervisor, int number)
{
	(void)number;
	roll_begin(supervisor);
}

static void one_more(struct supervisor *supervisor, int number)
{
	struct slot *slot = &supervisor->slots[supervisor->n_slots];

	(void)number;
	if (supervisor->is_stopping || supervisor->n_slots == OPTIONS_COPIES_MOST)
		return;
	*slot = (struct slot){.start_ms = clock_now_ms(), .backoff_ms = SLOT_BACKOFF_FIRST_MS};
	supervisor->n_slots++;
}

static void one_less(struct supervisor *supervisor, int number)
{
	(void)number;
	if (supervisor->is_stopping || supervisor->n_slots == 1)
		return;
	supervisor->n_slots--;
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->slot == supervisor->n_slots && copy->state == COPY_READY)
			worker_retire(supervisor, copy);
		else if (copy->slot == supervisor->n_slots && copy->state == COPY_STARTING)
			worker_stop(supervisor, copy);
	}
	keeper_drop_orphans(&supervisor->keeper, supervisor->n_slots);
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

/* Whether the session has a terminal (now). */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int open_signals(void)
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
			     (pid_t)info->ssi_pid == getsid(0) && !has_terminal();

	return info->ssi_code == SI_KERNEL || is_from_shell;
}

static void take_signals(struct supervisor *supervisor, int fd)
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

/* ---- what is due ---- */

static void start_guardian(void)
{
	int error = guardian_start();

	if (error)
		say(LOG_LEVEL_WARN, "what copies have forked may outlive this process: %s",
			errno_name(-error));
}

/* The next child that has ended, which still has its number; 0: there is none. */
static pid_t next_ended(void)
{
	siginfo_t info = {.si_pid = 0};

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == EINTR) {
	}
	return info.si_pid;
}

static void child_ended(struct supervisor *supervisor, pid_t process, int status)
{
	if (guardian_has_ended(process)) {
		say(LOG_LEVEL_WARN,
			"the guardian, process %d, which ends the copies if this process is "
			"killed, has ended itself; another one is started",
			(int)process);
		start_guardian();
	}
	worker_ended(supervisor, process, status);
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t process;

	/* What a copy said before it ended counts. */
	worker_listen(supervisor);
	while ((process = next_ended()) > 0) {
		guardian_forget_process(process);
		pid_t waited = waitpid(process, &status, WNOHANG);
		if (waited != process && errno != EINTR)
			return;
		if (waited == process)
			child_ended(supervisor, process, status);
	}
}

static const struct copy *last_to_stop(const struct supervisor *supervisor)
{
	const struct copy *last = NULL;

	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_READY && !copy->is_over &&
			(!last || copy->slot < last->slot))
			last = copy;
	}
	return last;
}

/* Others, that are not ours, may be on its port. */
static void stop_last(struct supervisor *supervisor, struct copy *copy)
{
	if (worker_can_drain(supervisor, copy))
		worker_retire(supervisor, copy);
	else
		worker_stop(supervisor, copy);
}

/* Copies whose clients another one can take drain; the last one goes when they have gone. */
static void advance_stop(struct supervisor *supervisor)
{
	const struct copy *last = last_to_stop(supervisor);
	bool is_time = clock_now_ms() >= supervisor->stop_ms + supervisor->options->stop_delay_ms;

	for (struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_STARTING)
			worker_stop(supervisor, copy);
		else if (copy->state == COPY_READY && copy != last &&
			 (is_time || worker_can_drain(supervisor, copy)))
			worker_retire(supervisor, copy);
		else if (copy == last && is_time && !copies_any(supervisor, COPY_DRAINING))
			stop_last(supervisor, copy);
	}
}

/* ---- the service manager ---- */

static void describe(const struct supervisor *supervisor, unsigned n_ready, struct text *text)
{
	text_format(text, "%u of %u copies ready", n_ready, supervisor->n_slots);
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		const struct copy *copy = copies_serving(supervisor, slot);
		if (copy && copy->status_text[0])
			text_format(text, "; copy %u: %s", slot, copy->status_text);
	}
}

/* Tells how many copies are ready, and what they say, where that has changed. */
static void report(struct supervisor *supervisor, unsigned n_ready)
{
	char bytes[sizeof supervisor->reported];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	describe(supervisor, n_ready, &text);
	if (strcmp(bytes, supervisor->reported) == 0 || supervisor->is_rolling ||
		supervisor->is_stopping)
		return;
	memcpy(supervisor->reported, bytes, sizeof bytes);
	bool is_first = !supervisor->is_announced && n_ready == supervisor->n_slots;
	supervisor->is_announced |= is_first;
	service_manager_say("%sSTATUS=%s", is_first ? "READY=1\n" : "", bytes);
}

/* The manager hears that we live when every copy has said so of itself. */
static void relay_watchdog(struct supervisor *supervisor)
{
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (copy->state == COPY_READY && !copy->is_over && !copy->has_said_alive)
			return;
	}
	service_manager_say("WATCHDOG=1");
	for (struct copy *copy = supervisor->copies; copy; copy = copy->next)
		copy->has_said_alive = false;
}

static void tell_manager(struct supervisor *supervisor)
{
	unsigned n_ready = 0;

	if (!service_manager_is_there())
		return;
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next)
		n_ready += copy->state == COPY_READY && !copy->is_over;
	report(supervisor, n_ready);
	if (n_ready && service_manager_watchdog_us())
		relay_watchdog(supervisor);
}

/* ---- the loop ---- */

static void advance(struct supervisor *supervisor)
{
	reap(supervisor);
	if (supervisor->is_stopping)
		advance_stop(supervisor);
	schedule_advance(supervisor);
	roll_advance(supervisor);
	tell_manager(supervisor);
}

static bool is_done(const struct supervisor *supervisor)
{
	if (supervisor->copies)
		return false;
	for (unsigned slot = 0; slot < supervisor->n_slots; slot++) {
		if (supervisor->slots[slot].start_ms != CLOCK_NEVER && !supervisor->is_stopping)
			return false;
	}
	return true;
}

/* Until then, or for ever. */
static int timeout_at(int64_t due)
{
	int64_t now = clock_now_ms();

	return due == CLOCK_NEVER ? -1 : due <= now ? 0 : (int)(due - now);
}

/*
 * Waits until DUE, or for anything at FDS, the first two of which are no copy's. A pass looks at
 * all sockets; a copy that opens many says so of each, and these do not have a pass each.
 */
static void wait_and_listen(
	struct supervisor *supervisor, struct pollfd *fds, nfds_t count, int64_t due)
{
	int64_t next_ms = clock_now_ms() + PASS_MS;

	while (poll(fds, count, timeout_at(due)) > 0 && !fds[0].revents && !fds[1].revents &&
		clock_now_ms() < next_ms) {
		worker_listen(supervisor);
		due = due < next_ms ? due : next_ms;
	}
}

/* Waits for a signal, a message, a request, or for what is due. */
static void wait_for_event(struct supervisor *supervisor, int signals_fd)
{
	static struct pollfd fds[2 * OPTIONS_COPIES_MOST + 2];
	int64_t due = schedule_due_ms(supervisor), now = clock_now_ms();
	nfds_t count = 2;

	if (supervisor->is_stopping) {
		int64_t stop_ms = supervisor->stop_ms + supervisor->options->stop_delay_ms;
		due = due < stop_ms || stop_ms <= now ? due : stop_ms;
	}
	fds[0] = (struct pollfd){.fd = signals_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = supervisor->control.listener, .events = POLLIN};
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (count < sizeof fds / sizeof *fds)
			fds[count++] = (struct pollfd){.fd = copy->channel.fd, .events = POLLIN};
	}
	wait_and_listen(supervisor, fds, count, due);
	take_signals(supervisor, signals_fd);
	if (fds[1].revents && control_accept(&supervisor->control))
		roll_begin(supervisor);
}

/* Sockets of more copies than there are now. */
static void drop_surplus(struct supervisor *supervisor)
{
	for (struct kept *kept = supervisor->keeper.list, *next; kept; kept = next) {
		next = kept->next;
		if (kept->slot < supervisor->n_slots)
			continue;
		say(LOG_LEVEL_WARN,
			"the service manager kept %s of a copy that there is no more; it is "
			"closed",
			kept->name);
		keeper_drop(&supervisor->keeper, kept);
	}
}

static void close_supervisor(struct supervisor *supervisor)
{
	control_end(&supervisor->control, EXIT_FAILURE);
	control_close(&supervisor->control);
	steering_free(supervisor->steering, &supervisor->keeper);
	snapshot_forget(&supervisor->snapshot);
	keeper_close(&supervisor->keeper);
	guardian_end();
	free(supervisor);
}

/* NULL where there is no memory. */
static struct supervisor *open_supervisor(
	const struct options *options, const struct policy *policy)
{
	struct supervisor *supervisor = calloc(1, sizeof *supervisor);

	if (!supervisor)
		return NULL;
	supervisor->options = options;
	supervisor->policy = policy;
	supervisor->generation = 1;
	supervisor->had_terminal = has_terminal();
	supervisor->steering = steering_new(policy);
	supervisor->n_slots = options->n_copies;
	for (unsigned slot = 0; slot < options->n_copies; slot++)
		supervisor->slots[slot].backoff_ms = SLOT_BACKOFF_FIRST_MS;
	launch_open(&supervisor->launch, options, &supervisor->keeper);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* see process_tree.h */
	start_guardian();
	service_manager_open();
	drop_surplus(supervisor);
	int error = control_open(&supervisor->control);
	if (error)
		say(LOG_LEVEL_WARN, "reuse-run --roll will not find this process: %s",
			errno_name(-error));
	if (supervisor->steering)
		return supervisor;
	close_supervisor(supervisor);
	return NULL;
}

static int fail_to_start(int error)
{
	fprintf(stderr, "reuse-run: the supervisor cannot start: %s\n", strerror(error));
	return EX_OSERR;
}

int supervisor_run(const struct options *options, const struct policy *policy)
{
	struct supervisor *supervisor = open_supervisor(options, policy);

	if (!supervisor)
		return fail_to_start(ENOMEM);
	int signals_fd = open_signals();
	int failure = signals_fd < 0 ? fail_to_start(errno)
		      : options->pid_file && !pid_file_write(options->pid_file) ? EX_CANTCREAT
										: 0;
	if (failure) {
		close_supervisor(supervisor);
		return failure;
	}
	advance(supervisor);
	while (!is_done(supervisor)) {
		wait_for_event(supervisor, signals_fd);
		advance(supervisor);
	}
	int status = supervisor->is_stopping ? 0 : supervisor->failure;
	if (options->pid_file)
		pid_file_remove(options->pid_file);
	close_supervisor(supervisor);
	close(signals_fd);
	return status;
}
