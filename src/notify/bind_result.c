/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bind_result.h"

#include "ground/clock.h"
#include "shared.h"
#include "socket/decision.h"
#include "socket/diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_MOST 16
#define STEP_MS	     1
#define PATIENCE_MS  1000 /* a thread that is to bind waits for a processor, sometimes for long */

static struct watched {
	struct configuration configuration;
	int fd, errors;
	struct endpoint endpoint;
	uid_t user;
	bool is_shared;
	int64_t until_ms;
} list[WATCHED_MOST];

static unsigned count;

/* ---- watching processes ---- */

#define WATCHERS_MOST	 64
#define PATIENCE_WITH_MS 5

/*
 * A watched duplicate holds its port, and the program may have closed its socket and already bind
 * the next one. So the next bind waits until all others have looked.
 */
struct watcher {
	_Atomic pid_t process; /* 0: none */
	_Atomic unsigned looks;
};

static struct watcher *watchers; /* WATCHERS_MOST of them, shared */
static struct watcher *ourselves;

int bind_result_start(void)
{
	if (!watchers)
		watchers = shared_take(WATCHERS_MOST * sizeof *watchers);
	return watchers ? 0 : -errno;
}

void bind_result_announce(void)
{
	pid_t self = getpid();

	for (unsigned i = 0; !ourselves && i < WATCHERS_MOST; i++) {
		pid_t nobody = 0;
		if (atomic_compare_exchange_strong(&watchers[i].process, &nobody, self))
			ourselves = &watchers[i];
	}
}

void bind_result_forget(pid_t process)
{
	for (unsigned i = 0; i < WATCHERS_MOST; i++) {
		pid_t expected = process;
		atomic_compare_exchange_strong(&watchers[i].process, &expected, 0);
	}
}

static void has_looked(void)
{
	if (!ourselves)
		return;
	ourselves->looks++;
	if (count > 0)
		return;
	ourselves->process = 0;
	ourselves = NULL;
}

/* One look may have begun before; only the second one is sure to begin after the call. */
static void wait_for(const struct watcher *watcher, int64_t until_ms)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000};
	pid_t process = watcher->process;
	unsigned looks = watcher->looks;

	while (watcher->process == process && watcher->looks - looks < 2 &&
		clock_now_ms() < until_ms)
		nanosleep(&pause, NULL);
}

void bind_result_wait_for_others(void)
{
	int64_t until_ms = 0;

	for (unsigned i = 0; i < WATCHERS_MOST; i++) {
		if (watchers[i].process == 0 || &watchers[i] == ourselves)
			continue;
		if (!until_ms)
			until_ms = clock_now_ms() + PATIENCE_WITH_MS;
		wait_for(&watchers[i], until_ms);
	}
}

/* ---- watching ---- */

/* The result of the bind; if the socket is bound to another port, this one was refused. */
enum outcome { OPEN, BOUND, REFUSED };

static enum outcome outcome_of(const struct watched *watched)
{
	struct endpoint bound;

	if (share_ask_bound(watched->fd, &bound) < 0 || bound.port == 0)
		return OPEN;
	return bound.port == watched->endpoint.port ? BOUND : REFUSED;
}

/* A bind can be refused for other reasons too, so some process must hold the endpoint. */
static void say(const struct watched *watched, int silence)
{
	struct holder holder;

	if (diagnose_holder(&watched->endpoint, watched->user, &holder) != 1)
		return;
	if (watched->errors >= 0)
		system_dup3(watched->errors, STDERR_FILENO, O_CLOEXEC);
	decision_say_in_use(
		&watched->configuration, watched->is_shared, &watched->endpoint, watched->user);
	if (watched->errors >= 0)
		system_dup3(silence, STDERR_FILENO, O_CLOEXEC);
}

static void drop(struct watched *watched)
{
	system_close(watched->fd);
	system_close(watched->errors);
}

void bind_result_watch(const struct configuration *configuration, int fd, int errors,
	const struct endpoint *endpoint, uid_t user, bool is_shared)
{
	struct watched watched = {
		.configuration = *configuration,
		.fd = fd,
		.errors = errors,
		.endpoint = *endpoint,
		.user = user,
		.is_shared = is_shared,
		.until_ms = clock_now_ms() + PATIENCE_MS,
	};

	if (outcome_of(&watched) == BOUND || count == WATCHED_MOST)
		drop(&watched);
	else
		list[count++] = watched;
	has_looked();
}

static int look(int silence, bool is_last)
{
	unsigned kept = 0;
	int64_t now = clock_now_ms();

	for (unsigned i = 0; i < count; i++) {
		enum outcome outcome = outcome_of(&list[i]);
		if (outcome == OPEN && (is_last || now >= list[i].until_ms))
			outcome = REFUSED;
		if (outcome == REFUSED)
			say(&list[i], silence);
		if (outcome != OPEN)
			drop(&list[i]);
		else
			list[kept++] = list[i];
	}
	count = kept;
	has_looked();
	return count > 0 ? STEP_MS : -1;
}

int bind_result_look(int silence)
{
	return count > 0 ? look(silence, false) : -1;
}

void bind_result_finish(int silence)
{
	look(silence, true);
}
