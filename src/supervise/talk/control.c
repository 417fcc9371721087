/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

#include "control_name.h"
#include "ground/errnos.h"
#include "ground/number.h"
#include "ground/text.h"
#include "peer.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_SIZE 512

/* What an event is about: the number of a client, or one of these. */
enum { LISTENER = CONTROL_CLIENTS_MOST, ROLL_LISTENER };

/* ---- opening and closing ---- */

static int watch(const struct control *control, int operation, int fd, uint32_t events, int what)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)what};

	return epoll_ctl(control->events, operation, fd, &event);
}

/* Returns a listening socket, or a negative errno. */
static int listen_as(const struct control *control, const char *beginning, int what)
{
	struct sockaddr_un address;
	socklen_t length = control_name(beginning, getpid(), &address);

	if (length == 0)
		return -ENOENT; /* /proc is not available */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
		listen(fd, CONTROL_CLIENTS_MOST) == 0 &&
		watch(control, EPOLL_CTL_ADD, fd, EPOLLIN, what) == 0)
		return fd;
	int error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

int control_open(struct control *control)
{
	*control = (struct control){.listener = -1, .roll_listener = -1};
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++)
		control->clients[i].fd = -1;
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	control->events = epoll_create1(EPOLL_CLOEXEC);
	int error = control->events < 0 ? -errno : 0;
	if (!error)
		error = control->listener = listen_as(control, CONTROL_NAME, LISTENER);
	if (error >= 0)
		error = control->roll_listener =
			listen_as(control, CONTROL_ROLL_NAME, ROLL_LISTENER);
	if (error < 0)
		control_close(control);
	return error < 0 ? error : 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void drop(struct control_client *client)
{
	close_one(&client->fd);
	free(client->answer);
	*client = (struct control_client){.fd = -1};
}

void control_close(struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++)
		drop(&control->clients[i]);
	close_one(&control->listener);
	close_one(&control->roll_listener);
	close_one(&control->spare);
	close_one(&control->events);
}

/* ---- new clients ---- */

/* At the limit, a client that has not sent its request, or does not read its answer, is dropped. */
static int find_place(struct control *control)
{
	int place = -1;

	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		const struct control_client *client = &control->clients[i];
		if (client->fd < 0)
			return i;
		if (client->request.verb == CONTROL_NONE || client->answer)
			place = i;
	}
	if (place >= 0)
		drop(&control->clients[place]);
	return place;
}

static bool is_allowed(int fd)
{
	struct ucred peer;

	return control_name_peer(fd, &peer) && peer_is_ours(peer.uid, peer.pid);
}

static int accept_next(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

/* Otherwise the client would wait for ever, and we would be woken again and again. */
static void turn_away(struct control *control, int listener)
{
	close_one(&control->spare);
	int fd = accept_next(listener);
	if (fd >= 0)
		close(fd);
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void say_not_taken(int error)
{
	say(LOG_LEVEL_WARN, "a request cannot be accepted: %s", errno_name(error));
}

/* Returns the number of the client, or -1. VERB is its request, if that is already known. */
static int take_client(struct control *control, int listener, enum control_verb verb)
{
	int fd = accept_next(listener);

	if (fd < 0) {
		if (fd != -EAGAIN)
			say_not_taken(-fd);
		if (fd == -EMFILE || fd == -ENFILE)
			turn_away(control, listener);
		return -1;
	}
	int place = is_allowed(fd) ? find_place(control) : -1;
	/* A client whose request is known can only hang up, which is reported in any case. */
	uint32_t events = verb == CONTROL_NONE ? EPOLLIN : 0;
	if (place < 0 || watch(control, EPOLL_CTL_ADD, fd, events, place) < 0) {
		if (place >= 0)
			say_not_taken(errno);
		close(fd);
		return -1;
	}
	control->clients[place] = (struct control_client){
		.fd = fd,
		.request = {.verb = verb, .client = place},
	};
	return place;
}

/* ---- requests ---- */

static bool read_scale(struct control_request *request, const char *words)
{
	int number = strncmp(words, "scale ", 6) == 0
			     ? number_of(words + 6, strlen(words + 6), INT32_MAX)
			     : -1;

	request->number = number > 0 ? (unsigned)number : 0;
	request->verb = CONTROL_SCALE;
	return number > 0;
}

static bool read_words(struct control_request *request, const char *words)
{
	static const struct {
		const char *words;
		enum control_verb verb;
		unsigned number;
	} known[] = {
		{"roll", CONTROL_ROLL, 0},
		{"status", CONTROL_STATUS, CONTROL_TEXT},
		{"status json", CONTROL_STATUS, CONTROL_JSON},
		{"status brief", CONTROL_STATUS, CONTROL_BRIEF},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(words, known[i].words) != 0)
			continue;
		request->verb = known[i].verb;
		request->number = known[i].number;
		return true;
	}
	return read_scale(request, words);
}

/* Reads what has come of a request; drops the client if it is invalid. */
static void hear(const struct control *control, struct control_client *client)
{
	size_t room = sizeof client->words - 1 - client->n_words;
	ssize_t length = read(client->fd, client->words + client->n_words, room);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	client->n_words += length > 0 ? (size_t)length : 0;
	char *end = memchr(client->words, '\n', client->n_words);
	if (end)
		*end = '\0';
	bool is_whole = end && read_words(&client->request, client->words);
	if (is_whole)
		is_whole =
			watch(control, EPOLL_CTL_MOD, client->fd, 0, client->request.client) == 0;
	if (length <= 0 || (end && !is_whole) || client->n_words == sizeof client->words - 1)
		drop(client);
}

/* ---- answers ---- */

static void send_answer(const struct control *control, struct control_client *client)
{
	while (client->n_sent < client->n_answer) {
		ssize_t sent = send(client->fd, client->answer + client->n_sent,
			client->n_answer - client->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		bool is_full = sent < 0 && errno == EAGAIN;
		if (is_full && watch(control, EPOLL_CTL_MOD, client->fd, EPOLLOUT,
				       client->request.client) == 0)
			return;
		if (sent < 0 && errno != EINTR)
			break;
		client->n_sent += sent > 0 ? (size_t)sent : 0;
	}
	drop(client);
}

void control_answer(struct control *control, int number, char *bytes, size_t size)
{
	struct control_client *client = &control->clients[number];

	client->answer = bytes;
	client->n_answer = size;
	send_answer(control, client);
}

static bool has_asked(const struct control_client *client, enum control_verb verb)
{
	return client->fd >= 0 && client->request.verb == verb;
}

static void send_line(struct control *control, enum control_verb verb, const char *line)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		if (has_asked(&control->clients[i], verb))
			send(control->clients[i].fd, line, strlen(line),
				MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void control_say(struct control *control, enum control_verb verb, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	text_vprint(line, sizeof line - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	send_line(control, verb, line);
}

static void end_one(struct control_client *client, int status)
{
	char line[LINE_SIZE];

	text_print(line, sizeof line, CONTROL_END "%d\n", status);
	send(client->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	drop(client);
}

void control_end(struct control *control, enum control_verb verb, int status)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		if (has_asked(&control->clients[i], verb))
			end_one(&control->clients[i], status);
	}
}

void control_end_others(
	struct control *control, enum control_verb verb, unsigned number, int status)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		if (has_asked(&control->clients[i], verb) &&
			control->clients[i].request.number != number)
			end_one(&control->clients[i], status);
	}
}

/* ---- both ---- */

static void attend_client(
	struct control *control, int number, uint32_t events, struct control_request *request)
{
	struct control_client *client = &control->clients[number];

	if (client->fd < 0)
		return;
	if (client->request.verb == CONTROL_NONE) {
		hear(control, client);
		*request = client->request;
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		drop(client);
	} else if (client->answer) {
		send_answer(control, client);
	}
}

bool control_next(struct control *control, struct control_request *request)
{
	struct epoll_event event;

	*request = (struct control_request){.verb = CONTROL_NONE};
	if (control->events < 0 || epoll_wait(control->events, &event, 1, 0) <= 0)
		return false;
	int what = (int)event.data.u32;
	if (what == LISTENER) {
		take_client(control, control->listener, CONTROL_NONE);
	} else if (what == ROLL_LISTENER) {
		int client = take_client(control, control->roll_listener, CONTROL_ROLL);
		if (client >= 0)
			*request = control->clients[client].request;
	} else {
		attend_client(control, what, event.events, request);
	}
	return true;
}
