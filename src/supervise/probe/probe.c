/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include "http.h"
#include "socket/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define REQUEST_SIZE (CHECK_PATH_MOST + 256)

struct probe *probe_new(const struct reached *reached, uint32_t listener, int events)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct probe *probe = malloc(sizeof *probe);

	if (!probe) {
		close(reached->fd);
		return NULL;
	}
	*probe = (struct probe){
		.end = {.here = reached->here, .listener = listener},
		.fd = reached->fd,
		.to = reached->to,
		.is_sure = reached->is_sure,
	};
	epoll_ctl(events, EPOLL_CTL_ADD, probe->fd, &event);
	probe_ends_add(&probe->end);
	return probe;
}

/* ---- its stages ---- */

static enum probe_result begin(struct probe *probe, const struct check *check)
{
	char bytes[REQUEST_SIZE];
	struct text text;

	if (check->kind == CHECK_HTTP) {
		text_start(&text, bytes, sizeof bytes);
		http_request(&text, check->text, &probe->to);
		if (send(probe->fd, bytes, text.length, MSG_NOSIGNAL) != (ssize_t)text.length)
			return PROBE_LOST;
	}
	probe->stage = PROBE_WAITS;
	return PROBE_GOES_ON;
}

static enum probe_result connects(struct probe *probe, const struct check *check)
{
	int connected = reach_is_connected(probe->fd);

	return connected < 0 ? PROBE_LOST : connected ? begin(probe, check) : PROBE_GOES_ON;
}

/*
 * If a process accepts a connection and closes it at once, no process is seen to have it. Then it
 * is only known that it came to the copy's own listener.
 */
static enum probe_result was_closed(const struct probe *probe, const struct check *check)
{
	char byte;
	bool is_refused = recv(probe->fd, &byte, 1, MSG_PEEK) < 0;

	return !probe->is_sure || is_refused ? PROBE_LOST
	       : check->kind == CHECK_TCP    ? PROBE_PASSED
					     : PROBE_FAILED;
}

/*
 * Waiting for the response before asking who has the connection would be too late: it may be gone
 * by then.
 */
static enum probe_result is_taken(struct probe *probe, const struct check *check)
{
	if (check->kind == CHECK_TCP)
		return PROBE_PASSED;
	if (send(probe->fd, HTTP_END, sizeof HTTP_END - 1, MSG_NOSIGNAL) < 0)
		return PROBE_FAILED;
	probe->stage = PROBE_IS_ANSWERED;
	return PROBE_GOES_ON;
}

static bool is_closed(const struct probe *probe)
{
	char byte;
	ssize_t got = recv(probe->fd, &byte, 1, MSG_PEEK);

	return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

static enum probe_result waits(
	struct probe *probe, const struct check *check, probe_ask_owner *ask, void *context)
{
	struct table_entry entry = {.inode = 0};
	int error = tables_find_connection(&probe->to, &probe->end.here, &entry);

	if (entry.inode == 0)
		return error || is_closed(probe) ? was_closed(probe, check) : PROBE_GOES_ON;
	enum probe_owner owner = ask(entry.inode, context);
	if (owner == PROBE_OF_COPY || (owner == PROBE_OWNER_UNKNOWN && probe->is_sure))
		return is_taken(probe, check);
	return PROBE_LOST;
}

static enum probe_result is_answered(struct probe *probe)
{
	ssize_t got;

	do {
		size_t room = sizeof probe->answer - probe->n_answer;
		got = recv(probe->fd, probe->answer + probe->n_answer, room, 0);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? PROBE_GOES_ON : PROBE_FAILED;
		probe->n_answer += (size_t)got;
		probe->status = http_status(probe->answer, probe->n_answer);
	} while (got > 0 && probe->status == 0);
	return probe->status >= 200 && probe->status < 400 ? PROBE_PASSED : PROBE_FAILED;
}

enum probe_result probe_look(
	struct probe *probe, const struct check *check, probe_ask_owner *ask, void *context)
{
	enum probe_result result = PROBE_GOES_ON;

	if (probe->stage == PROBE_CONNECTS)
		result = connects(probe, check);
	if (probe->stage == PROBE_WAITS)
		result = waits(probe, check, ask, context);
	if (probe->stage == PROBE_IS_ANSWERED)
		result = is_answered(probe);
	probe->has_passed = result == PROBE_PASSED;
	return result;
}

/* ---- its end ---- */

void probe_leave(struct probe *probe)
{
	probe->stage = PROBE_IS_OVER;
	shutdown(probe->fd, SHUT_WR);
}

bool probe_is_closed(struct probe *probe)
{
	ssize_t got;

	do
		got = recv(probe->fd, probe->answer, sizeof probe->answer, 0);
	while (got > 0);
	return got == 0 || (errno != EAGAIN && errno != EINTR);
}

void probe_free(struct probe *probe)
{
	probe_ends_remove(&probe->end);
	close(probe->fd);
	free(probe);
}
