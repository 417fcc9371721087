/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include "../socket/decision.h"
#include "../socket/diagnose.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_MOST 16
#define STEP_MS	     1
#define PATIENCE_MS  1000 /* a thread that is to bind waits for a processor, and at times long */

static struct watched {
	struct configuration configuration;
	int fd, errors;
	struct endpoint endpoint;
	uid_t user;
	bool is_shared;
	int64_t until_ms;
} list[WATCHED_MOST];

static unsigned count;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What has become of the bind; a socket that is bound to another port was refused this one. */
enum outcome { OPEN, BOUND, REFUSED };

static enum outcome outcome_of(const struct watched *watched)
{
	struct endpoint bound;

	if (share_ask_bound(watched->fd, &bound) < 0 || bound.port == 0)
		return OPEN;
	return bound.port == watched->endpoint.port ? BOUND : REFUSED;
}

/* A bind can be refused for other reasons too: somebody who holds the endpoint has to be there. */
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
	if (watched->errors >= 0)
		system_close(watched->errors);
}

void outcome_watch(const struct configuration *configuration, int fd, int errors,
	const struct endpoint *endpoint, uid_t user, bool is_shared)
{
	struct watched watched = {
		.configuration = *configuration,
		.fd = fd,
		.errors = errors,
		.endpoint = *endpoint,
		.user = user,
		.is_shared = is_shared,
		.until_ms = now_ms() + PATIENCE_MS,
	};

	if (outcome_of(&watched) == BOUND || count == WATCHED_MOST)
		drop(&watched);
	else
		list[count++] = watched;
}

static int look(int silence, bool is_last)
{
	unsigned kept = 0;
	int64_t now = now_ms();

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
	return count > 0 ? STEP_MS : -1;
}

int outcome_look(int silence)
{
	return count > 0 ? look(silence, false) : -1;
}

void outcome_finish(int silence)
{
	look(silence, true);
}
