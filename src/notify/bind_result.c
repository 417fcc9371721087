/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bind_result.h"

#include "ground/clock.h"
#include "shared.h"
#include "socket/decision.h"
#include "socket/diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_MOST 16
#define STEP_MS	     1
#define PATIENCE_MS  1000 /* a thread or process waits for a processor, sometimes for long */

/* ---- held ports ---- */

#define PLACES_MOST 256

/*
 * A watched duplicate holds its port, and the program may have closed its socket and already bind
 * the next one there. So that bind waits until the duplicate was looked at once more.
 */
struct place {
	_Atomic uint64_t holder; /* the process and the port; 0: nobody */
	_Atomic unsigned looks;
};

static struct place *places; /* PLACES_MOST of them, shared */

static struct watched {
	struct configuration configuration;
	struct place *place;
	int fd, errors;
	struct endpoint endpoint;
	uid_t user;
	bool is_shared;
	int64_t until_ms;
} list[WATCHED_MOST];

static unsigned count;
static struct place *announced; /* for the next one */

static uint64_t holder_of(pid_t process, uint16_t port)
{
	return (uint64_t)process << 16 | port;
}

int bind_result_start(void)
{
	if (!places)
		places = shared_take(PLACES_MOST * sizeof *places);
	return places ? 0 : -errno;
}

bool bind_result_announce(uint16_t port)
{
	uint64_t holder = holder_of(getpid(), port);

	for (unsigned i = 0; count < WATCHED_MOST && i < PLACES_MOST; i++) {
		uint64_t nobody = 0;
		if (atomic_compare_exchange_strong(&places[i].holder, &nobody, holder)) {
			announced = &places[i];
			return true;
		}
	}
	return false;
}

void bind_result_forget(pid_t process)
{
	for (unsigned i = 0; i < PLACES_MOST; i++) {
		uint64_t holder = places[i].holder;
		if (holder >> 16 == (uint64_t)process)
			atomic_compare_exchange_strong(&places[i].holder, &holder, 0);
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
	watched->place->holder = 0;
}

void bind_result_watch(const struct configuration *configuration, int fd, int errors,
	const struct endpoint *endpoint, uid_t user, bool is_shared)
{
	struct watched watched = {
		.configuration = *configuration,
		.place = announced,
		.fd = fd,
		.errors = errors,
		.endpoint = *endpoint,
		.user = user,
		.is_shared = is_shared,
		.until_ms = clock_now_ms() + PATIENCE_MS,
	};

	if (outcome_of(&watched) == BOUND)
		drop(&watched);
	else
		list[count++] = watched;
}

/* SPEAKS: of what was refused, too. */
static void look(int silence, bool speaks, bool is_last)
{
	unsigned kept = 0;
	int64_t now = clock_now_ms();

	for (unsigned i = 0; i < count; i++) {
		struct watched *watched = &list[i];
		enum outcome outcome = outcome_of(watched);
		if (outcome == OPEN && (is_last || now >= watched->until_ms))
			outcome = REFUSED;
		if (outcome == REFUSED && speaks)
			say(watched, silence);
		if (outcome == BOUND || (outcome == REFUSED && speaks)) {
			drop(watched);
			continue;
		}
		/* Who waits for a look that begins later must not count this one twice. */
		watched->place->looks++;
		list[kept++] = *watched;
	}
	count = kept;
}

int bind_result_look(int silence)
{
	look(silence, true, false);
	return count > 0 ? STEP_MS : -1;
}

void bind_result_finish(int silence)
{
	look(silence, true, true);
}

/* ---- before the next bind ---- */

/* One look may have begun before; only the second one is sure to begin after the call. */
static void wait_for(const struct place *place, uint64_t holder, int64_t until_ms)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000};
	unsigned looks = place->looks;

	while (place->holder == holder && place->looks - looks < 2 && clock_now_ms() < until_ms) {
		look(-1, false, false); /* others may wait for us */
		nanosleep(&pause, NULL);
	}
}

void bind_result_wait_for_others(uint16_t port)
{
	uint64_t self = (uint64_t)getpid();
	int64_t until_ms = 0;

	for (unsigned i = 0; port && i < PLACES_MOST; i++) {
		uint64_t holder = places[i].holder;
		if ((uint16_t)holder != port || holder >> 16 == self)
			continue;
		if (!until_ms)
			until_ms = clock_now_ms() + PATIENCE_MS;
		wait_for(&places[i], holder, until_ms);
	}
}
