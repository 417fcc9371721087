/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include "background.h"
#include "copies.h"
#include "ended.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "guardian.h"
#include "hung.h"
#include "pid_file.h"
#include "requests.h"
#include "roll.h"
#include "scale.h"
#include "schedule.h"
#include "signal_table.h"
#include "stop.h"
#include "supervise/sockets/relisten.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define PASS_MS 10 /* between two passes of the loop that only messages of copies cause */

/* ---- what is due ---- */

static void start_guardian(void)
{
	int error = guardian_start();

	if (error)
		say(LOG_LEVEL_WARN,
			"the guardian cannot be started, so children of copies may continue when "
			"this process has ended: %s",
			errno_name(-error));
}

/* The next child that has ended, which still has its process id; 0: there is none. */
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
			"killed, has ended; another one is started",
			(int)process);
		start_guardian();
	}
	ended_take(supervisor, process, status);
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t process;

	/* What a copy reported before it ended counts. */
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

/* Reports how many copies are ready, and their own reports, if that has changed. */
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

/* The manager gets a sign of life when every copy has sent one. */
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
		n_ready += copies_is_well(copy);
	report(supervisor, n_ready);
	if (n_ready && service_manager_watchdog_us())
		relay_watchdog(supervisor);
}

/* ---- the loop ---- */

static void advance(struct supervisor *supervisor)
{
	reap(supervisor);
	if (supervisor->is_to_stop && !supervisor->is_stopping)
		stop_begin(supervisor);
	if (supervisor->is_stopping)
		stop_advance(supervisor);
	schedule_advance(supervisor);
	roll_split(supervisor);
	roll_advance(supervisor);
	scale_advance(supervisor);
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

/* How long to wait until DUE, or for ever. */
static int timeout_at(int64_t due)
{
	int64_t now = clock_now_ms();

	return due == CLOCK_NEVER ? -1 : due <= now ? 0 : (int)(due - now);
}

#define EVENTS_OF_OTHERS 4 /* which come before those of copies */

static bool is_others(const struct pollfd *fds)
{
	size_t i = 0;

	while (i < EVENTS_OF_OTHERS && !fds[i].revents)
		i++;
	return i < EVENTS_OF_OTHERS;
}

/* All probes are looked at in each pass, so the events need no details. */
static void forget_probe_events(const struct supervisor *supervisor)
{
	struct epoll_event events[16];

	while (epoll_wait(supervisor->probe_events, events, 16, 0) == 16)
		;
}

/*
 * Waits until DUE, or for an event of FDS; the first of these do not belong to copies. A pass looks
 * at all sockets; a copy that opens many reports each of them, and these reports are taken
 * together.
 */
static void wait_and_listen(
	struct supervisor *supervisor, struct pollfd *fds, nfds_t count, int64_t due)
{
	int64_t next_ms = clock_now_ms() + PASS_MS;

	while (poll(fds, count, timeout_at(due)) > 0 && !is_others(fds) &&
		clock_now_ms() < next_ms) {
		worker_listen(supervisor);
		due = due < next_ms ? due : next_ms;
	}
}

/* Waits for a signal, a message, a request, or until something is due. */
static void wait_for_event(struct supervisor *supervisor, int signals_fd)
{
	static struct pollfd fds[2 * OPTIONS_COPIES_MOST + EVENTS_OF_OTHERS];
	int64_t due = schedule_due_ms(supervisor), stop_due = stop_due_ms(supervisor);
	nfds_t count = EVENTS_OF_OTHERS;

	fds[0] = (struct pollfd){.fd = signals_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = supervisor->control.events, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = supervisor->keeper.shut_downs, .events = POLLIN};
	fds[3] = (struct pollfd){.fd = supervisor->probe_events, .events = POLLIN};
	for (const struct copy *copy = supervisor->copies; copy; copy = copy->next) {
		if (count < sizeof fds / sizeof *fds)
			fds[count++] = (struct pollfd){.fd = copy->channel.fd, .events = POLLIN};
	}
	wait_and_listen(supervisor, fds, count, due < stop_due ? due : stop_due);
	if (fds[2].revents)
		relisten(&supervisor->keeper);
	if (fds[3].revents)
		forget_probe_events(supervisor);
	signal_table_take(supervisor, signals_fd);
	if (fds[1].revents)
		requests_serve(supervisor);
}

/*
 * There may be more sockets than there are queues now: a supervisor that was killed in a roll has
 * left an old one and a new one for a queue. Each needs a copy until no client waits in it.
 */
static void spread_inherited(struct supervisor *supervisor)
{
	for (struct kept *kept = supervisor->keeper.list; kept; kept = kept->next) {
		kept->slot %= supervisor->n_slots;
		unsigned queue = kept->slot % supervisor->keeper.n_queues;
		supervisor->slots[queue].is_split |= kept->slot != queue;
	}
}

static void close_supervisor(struct supervisor *supervisor)
{
	control_end(&supervisor->control, CONTROL_ROLL, EXIT_FAILURE);
	control_close(&supervisor->control);
	steering_free(supervisor->steering, &supervisor->keeper);
	if (supervisor->probe_events >= 0)
		close(supervisor->probe_events);
	hung_free(supervisor);
	snapshot_forget(&supervisor->snapshot);
	keeper_close(&supervisor->keeper);
	guardian_end();
	if (supervisor->is_to_stop)
		background_end();
	free(supervisor);
}

/* Returns NULL if there is no memory. */
static struct supervisor *open_supervisor(
	const struct options *options, const struct policy *policy)
{
	struct supervisor *supervisor = calloc(1, sizeof *supervisor);

	if (!supervisor)
		return NULL;
	supervisor->options = options;
	supervisor->policy = policy;
	supervisor->generation = 1;
	supervisor->had_terminal = signal_table_has_terminal();
	supervisor->steering = steering_new(policy);
	supervisor->n_slots = options->n_copies;
	for (unsigned slot = 0; slot < options->n_copies; slot++)
		supervisor->slots[slot].backoff_ms = SLOT_BACKOFF_FIRST_MS;
	keeper_open(&supervisor->keeper,
		options->n_queues ? options->n_queues : OPTIONS_COPIES_MOST, options->n_queues > 0);
	service_manager_open();
	/* It examines what we were started with, so it comes before we open anything. */
	launch_open(&supervisor->launch, options, &supervisor->keeper);
	supervisor->probe_events = epoll_create1(EPOLL_CLOEXEC);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* see process_tree.h */
	start_guardian();
	spread_inherited(supervisor);
	int error = control_open(&supervisor->control);
	if (error)
		say(LOG_LEVEL_WARN,
			"reuse-run --roll, --scale and --status cannot reach this process: %s",
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
	int signals_fd = signal_table_open();
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
	int status = supervisor->is_stopping && !supervisor->is_to_stop ? 0 : supervisor->failure;
	if (options->pid_file)
		pid_file_remove(options->pid_file);
	close_supervisor(supervisor);
	close(signals_fd);
	return status;
}
