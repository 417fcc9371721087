/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.0\r\n\r\n" /* other servers read it as a greeting */

struct answer {
	int port;
	char start[32];
	char last;
};

static void read_answer(int fd, struct answer *answer)
{
	char bytes[4096];
	size_t room = sizeof answer->start - 1, length = 0;
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
		size_t part = (size_t)got < room - length ? (size_t)got : room - length;
		memcpy(answer->start + length, bytes, part);
		length += part;
		answer->last = bytes[got - 1];
	}
}

static bool is_answered(void *context)
{
	struct answer *answer = context;
	int fd = client_try("127.0.0.1", answer->port);

	if (fd < 0)
		return false;
	*answer = (struct answer){.port = answer->port};
	if (send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL) > 0)
		read_answer(fd, answer);
	close(fd);
	return answer->last == '\n';
}

int answering(int port)
{
	struct answer answer = {.port = port};

	wait_until(is_answered, &answer, "an answer");
	return atoi(answer.start);
}

struct process *load_start_in(const char *protocol, int port, int clients)
{
	struct process *load =
		process_start(WORDS(need_program("python3"), script_path("clients.py"),
				      format("%d", port), format("%d", clients), protocol),
			.is_bare = true);

	process_wait_text(load, "asking");
	return load;
}

struct process *load_start(int port, int clients)
{
	return load_start_in("http", port, clients);
}

struct outcome load_stop(struct process *load)
{
	struct outcome outcome = {0};
	int length = 0;

	process_signal(load, SIGTERM);
	cr_assert_eq(process_wait(load), 0, "%s", process_errors(load));
	cr_assert_str_empty(process_errors(load), "%s", process_errors(load));
	const char *output = process_output(load);
	cr_assert_eq(sscanf(output, "asking answered %d refused %d cut off %d hung %d ports%n",
			     &outcome.answered, &outcome.refused, &outcome.cut_off, &outcome.hung,
			     &length),
		4, "%s", output);
	outcome.cut_off_ports = strdup(output + length);
	return outcome;
}

int restarts(int few)
{
	return is_long() ? 100 : few;
}
