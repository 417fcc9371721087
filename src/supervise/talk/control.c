/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

#include "ground/errnos.h"
#include "ground/number.h"
#include "ground/procfs.h"
#include "ground/status.h"
#include "ground/system.h"
#include "ground/text.h"
#include "peer.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define LINE_SIZE 512
#define END	  "end " /* and the status behind it */

/* The number that a process has in its own pid namespace; 0 where it cannot be seen. */
static pid_t own_number_of(pid_t process)
{
	struct status_field numbers = {.name = "NSpid:"};

	if (status_read(process, &numbers, 1) < 0)
		return process;
	const char *last = strrchr(numbers.value, '\t');
	return (pid_t)atoi(last ? last : numbers.value);
}

/*
 * An abstract name (unix(7)): nothing stays behind on any disk. Containers that share a network may
 * each have a process of that number, so the pid namespace belongs to the name. Returns 0 where
 * there is no such process, or where it cannot be seen.
 */
static socklen_t name_of(pid_t process, struct sockaddr_un *address)
{
	char path[PROCFS_PATH_SIZE];
	struct stat status;

	if (stat(procfs_path(path, process, "ns/pid"), &status) < 0)
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1,
		"libreuse-supervisor-%ju-%d", (uintmax_t)status.st_ino,
		(int)own_number_of(process));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static bool peer_of(int fd, struct ucred *peer)
{
	socklen_t length = sizeof *peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length) == 0;
}

/* ---- the supervisor's side ---- */

int control_open(struct control *control)
{
	struct sockaddr_un address;
	socklen_t length = name_of(getpid(), &address);

	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++)
		control->clients[i] = -1;
	control->listener = -1;
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (length == 0)
		return -ENOENT; /* there is no /proc */
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener >= 0 &&
		bind(control->listener, (struct sockaddr *)&address, length) == 0 &&
		listen(control->listener, CONTROL_CLIENTS_MOST) == 0)
		return 0;
	int error = -errno;
	control_close(control);
	return error;
}

void control_close(struct control *control)
{
	system_close(control->listener);
	control->listener = -1;
	system_close(control->spare);
	control->spare = -1;
}

static bool add_client(struct control *control, int client)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		if (control->clients[i] < 0) {
			control->clients[i] = client;
			return true;
		}
	}
	return false;
}

static bool is_allowed(int client)
{
	struct ucred peer;

	return peer_of(client, &peer) && peer_is_ours(peer.uid, peer.pid);
}

static int accept_next(const struct control *control)
{
	int client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return client < 0 ? -errno : client;
}

/* Who has come would wait for ever, and so would we be woken. */
static void turn_away(struct control *control)
{
	system_close(control->spare);
	int client = accept_next(control);
	system_close(client);
	control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool control_accept(struct control *control)
{
	int client = accept_next(control);

	if (client < 0) {
		if (client != -EAGAIN)
			say(LOG_LEVEL_WARN, "a request for a roll cannot be taken: %s",
				errno_name(-client));
		if (client == -EMFILE || client == -ENFILE)
			turn_away(control);
		return false;
	}
	if (is_allowed(client) && add_client(control, client))
		return true;
	close(client);
	return false;
}

/* A client that does not read loses lines, and nobody waits for it. */
static void send_to_all(struct control *control, const char *line)
{
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		if (control->clients[i] >= 0)
			send(control->clients[i], line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void control_say(struct control *control, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	text_vprint(line, sizeof line - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	send_to_all(control, line);
}

void control_end(struct control *control, int status)
{
	control_say(control, END "%d", status);
	for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
		system_close(control->clients[i]);
		control->clients[i] = -1;
	}
}

/* ---- the other side ---- */

static int refuse(const char *target, const char *why)
{
	fprintf(stderr, "reuse-run: --roll %s: %s\n", target, why);
	return EX_UNAVAILABLE;
}

/* The number in a line; 0 where it is none. */
static pid_t process_in(const char *line)
{
	int number = number_of(line, strcspn(line, "\n"), INT32_MAX);

	return number > 0 ? number : 0;
}

static pid_t process_of(const char *target)
{
	char line[32] = "";
	pid_t process = process_in(target);
	FILE *file = process ? NULL : fopen(target, "re");

	if (!file)
		return process;
	if (fgets(line, sizeof line, file))
		process = process_in(line);
	fclose(file);
	return process;
}

/* Another user could have taken the name of PROCESS, when a process of his had that number. */
static bool is_itself(const struct ucred *peer, pid_t process)
{
	char path[32];
	struct stat status;

	snprintf(path, sizeof path, "/proc/%d", (int)process);
	return peer->pid == process && stat(path, &status) == 0 && peer->uid == status.st_uid;
}

/* Connects to the process itself. */
static FILE *connect_to(pid_t process)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t length = name_of(process, &address);
	int fd = length == 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0 &&
		peer_of(fd, &peer) && is_itself(&peer, process))
		return fdopen(fd, "r+");
	system_close(fd);
	return NULL;
}

/* Whom a pid file names may be anybody, and a terminal obeys what is printed on it. */
static void print_line(const char *line)
{
	char bytes[LINE_SIZE];

	text_print(bytes, sizeof bytes, "%.*s", (int)strcspn(line, "\n"), line);
	puts(bytes);
	fflush(stdout);
}

/* Prints each line; returns the status in the last one, or -1 when it does not come. */
static int follow(FILE *supervisor)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof line, supervisor)) {
		if (strncmp(line, END, sizeof END - 1) == 0)
			return atoi(line + sizeof END - 1);
		print_line(line);
	}
	return -1;
}

int control_roll(const char *target)
{
	pid_t process = process_of(target);
	FILE *supervisor = process ? connect_to(process) : NULL;

	if (!process)
		return refuse(target, "this is neither a process id nor a file that holds one");
	if (!supervisor)
		return refuse(target, "this process is no reuse-run with -n or --keep of yours");
	int status = follow(supervisor);
	fclose(supervisor);
	return status >= 0 ? status : refuse(target, "it turned the request away, or ended");
}
