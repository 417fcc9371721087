/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ask.h"

#include "control.h"
#include "control_name.h"
#include "ground/errnos.h"
#include "ground/number.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "ground/text.h"
#include "socket/unix_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#define LINE_SIZE      512
#define PATIENCE_S     10 /* for a supervisor that does not answer at once */
#define LISTED_MOST    1024
#define LISTENING_FLAG "00010000" /* in /proc/net/unix: __SO_ACCEPTCON */

/* ---- connecting ---- */

/* The number in a line; 0 if it is not one. */
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

/* An answer does not take long; a supervisor that is stopped would never send one. */
static void limit_patience(int fd)
{
	const struct timeval limit = {.tv_sec = PATIENCE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* Returns a descriptor, and stores the other side in PEER; or returns -1, with an errno. */
static int connect_at(
	const struct sockaddr_un *address, socklen_t length, bool is_patient, struct ucred *peer)
{
	int fd = length == 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (!is_patient)
		limit_patience(fd);
	if (connect(fd, (const struct sockaddr *)address, length) == 0 &&
		control_name_peer(fd, peer))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool is_user_of(uid_t user, pid_t process)
{
	char path[32];
	struct stat status;

	snprintf(path, sizeof path, "/proc/%d", (int)process);
	return stat(path, &status) == 0 && user == status.st_uid;
}

/* Another user could have taken the name of PROCESS while one of his processes had that id. */
static bool is_itself(const struct ucred *peer, pid_t process)
{
	return peer->pid == process && is_user_of(peer->uid, process);
}

/* Connects to the process itself; returns a descriptor, or -1. */
static int connect_to(pid_t process, const char *beginning, bool is_patient)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t length = control_name(beginning, process, &address);
	int fd = connect_at(&address, length, is_patient, &peer);

	if (fd < 0 || is_itself(&peer, process))
		return fd;
	close(fd);
	return -1;
}

/* ---- asking ---- */

/*
 * A pid file may name any process, and a terminal obeys control characters that are printed on it.
 */
static void print_part(const char *part)
{
	char bytes[LINE_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	text_add_printable(&text, part, strcspn(part, "\n"));
	fputs(bytes, stdout);
	if (strchr(part, '\n')) {
		putchar('\n');
		fflush(stdout);
	}
}

/* Prints each line; returns the status in the last one, or -1 if that does not come. */
static int follow(FILE *supervisor)
{
	char part[LINE_SIZE];
	bool is_start = true;

	while (fgets(part, sizeof part, supervisor)) {
		if (is_start && strncmp(part, CONTROL_END, sizeof CONTROL_END - 1) == 0)
			return atoi(part + sizeof CONTROL_END - 1) & 0xff;
		print_part(part);
		is_start = strchr(part, '\n') != NULL;
	}
	return -1;
}

/*
 * Sends WORDS on FD, which is then closed, and prints the answer; returns what follow() returns. If
 * there are no words, the other side may have answered and gone already.
 */
static int converse(int fd, const char *words)
{
	ssize_t length = (ssize_t)strlen(words);
	bool is_sent = length == 0 || send(fd, words, (size_t)length, MSG_NOSIGNAL) == length;
	FILE *supervisor = is_sent ? fdopen(fd, "r") : NULL;

	if (!supervisor) {
		close(fd);
		return -1;
	}
	int status = follow(supervisor);
	fclose(supervisor);
	return status;
}

static int refuse(const char *option, const char *target, const char *why)
{
	fprintf(stderr, "reuse-run: %s %s: %s\n", option, target, why);
	return EX_UNAVAILABLE;
}

/* An older supervisor only knows the roll, and takes no words for it. */
static int ask(const char *option, const char *target, const char *words)
{
	pid_t process = process_of(target);
	bool is_status = strncmp(words, "status", 6) == 0;

	if (!process)
		return refuse(option, target,
			"this is neither a process number nor a file that contains one");
	int fd = connect_to(process, CONTROL_NAME, !is_status);
	if (fd < 0 && strcmp(words, "roll\n") == 0) {
		fd = connect_to(process, CONTROL_ROLL_NAME, true);
		words = "";
	}
	if (fd < 0)
		return refuse(option, target,
			"this process is not a supervisor (reuse-run with -n or --keep) of this "
			"user");
	int status = converse(fd, words);
	if (status >= 0)
		return status;
	return refuse(option, target,
		is_status ? "it refused the request, ended, or does not answer"
			  : "it refused the request, or ended");
}

/* ---- names ---- */

/*
 * From a line of /proc/net/unix: "Num: RefCount Protocol Flags Type St Inode Path", see proc(5).
 * Returns the name after its '@' if a socket listens there, and sets its INODE; else NULL.
 */
static const char *listening_name(const char *line, unsigned *inode)
{
	char flags[16];
	const char *name = strstr(line, " @" CONTROL_NAME);

	if (!name || sscanf(line, "%*s %*s %*s %15s %*s %*s %u", flags, inode) != 2 ||
		strcmp(flags, LISTENING_FLAG) != 0)
		return NULL;
	return name + 2;
}

/* Anybody can take the name of a process. */
static bool has_name_of_its_user(pid_t process)
{
	struct procfs_reader reader = {.fd = open("/proc/net/unix", O_RDONLY | O_CLOEXEC)};
	struct sockaddr_un address;
	bool is_its_users = reader.fd < 0;
	char line[256];
	unsigned inode;
	uid_t user;

	socklen_t length = control_name(CONTROL_NAME, process, &address);
	size_t size = length - offsetof(struct sockaddr_un, sun_path) - 1;
	while (!is_its_users && procfs_next_line(&reader, line, sizeof line)) {
		const char *name = listening_name(line, &inode);
		if (!name || strlen(name) != size || memcmp(name, address.sun_path + 1, size) != 0)
			continue;
		int error = unix_owner_of_name(inode, name, size, &user);
		is_its_users = error ? error != -ENOENT : is_user_of(user, process);
	}
	system_close(reader.fd);
	return is_its_users;
}

/* ---- for --stop ---- */

/* Not if nobody listens there, or if another user does. */
static bool may_be_there(pid_t process, int error)
{
	return errno_is_shortage(error) ||
	       (error == EAGAIN && has_name_of_its_user(process)); /* its queue is full */
}

int ask_is_supervisor(pid_t process)
{
	errno = 0;
	int fd = connect_to(process, CONTROL_NAME, false), error = errno;

	if (fd < 0 && may_be_there(process, error))
		return -error;
	if (fd < 0)
		fd = connect_to(process, CONTROL_ROLL_NAME, false);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int ask_process(const char *target, pid_t *process)
{
	*process = process_of(target);
	if (*process)
		return 0;
	if (access(target, F_OK) < 0) {
		fprintf(stderr, "reuse-run: --stop %s: no such file, so there is nothing to stop\n",
			target);
		return 0;
	}
	refuse("--stop", target, "this is neither a process number nor a file that contains one");
	return EX_USAGE;
}

/* ---- requests ---- */

int ask_roll(const char *target)
{
	return ask("--roll", target, "roll\n");
}

int ask_status(const char *target, bool is_json)
{
	return ask("--status", target, is_json ? "status json\n" : "status\n");
}

int ask_scale(const char *target, unsigned copies)
{
	char words[CONTROL_WORDS_MOST];

	snprintf(words, sizeof words, "scale %u\n", copies);
	return ask("--scale", target, words);
}

/* ---- all supervisors ---- */

struct list {
	struct sockaddr_un addresses[LISTED_MOST];
	socklen_t lengths[LISTED_MOST];
	size_t count;
};

static void take_line(struct list *list, const char *line)
{
	unsigned inode;
	const char *name = listening_name(line, &inode);
	struct sockaddr_un *address = &list->addresses[list->count];

	if (!name || list->count == LISTED_MOST)
		return;
	size_t length = strlen(name);
	if (length >= sizeof address->sun_path)
		return;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path + 1, name, length);
	list->lengths[list->count++] =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

static void read_list(struct list *list)
{
	struct procfs_reader reader = {.fd = open("/proc/net/unix", O_RDONLY | O_CLOEXEC)};
	char line[256];

	if (reader.fd < 0)
		return;
	while (procfs_next_line(&reader, line, sizeof line))
		take_line(list, line);
	close(reader.fd);
}

/*
 * Anybody can take such a name: it must belong to that process, and the process to us, unless we
 * are root.
 */
static bool is_to_be_asked(
	const struct ucred *peer, const struct sockaddr_un *address, socklen_t length)
{
	struct sockaddr_un own;

	return (geteuid() == 0 || peer->uid == geteuid()) && is_itself(peer, peer->pid) &&
	       control_name(CONTROL_NAME, peer->pid, &own) == length &&
	       memcmp(&own, address, length) == 0;
}

int ask_status_of_all(bool is_json)
{
	static struct list list;
	unsigned n_answers = 0;
	bool are_ready = true;

	read_list(&list);
	if (is_json)
		puts("[");
	for (size_t i = 0; i < list.count; i++) {
		struct ucred peer;
		int fd = connect_at(&list.addresses[i], list.lengths[i], false, &peer);
		if (fd >= 0 && !is_to_be_asked(&peer, &list.addresses[i], list.lengths[i])) {
			close(fd);
			fd = -1;
		}
		if (fd < 0)
			continue;
		if (is_json && n_answers)
			puts(",");
		int status = converse(fd, is_json ? "status json\n" : "status brief\n");
		are_ready &= status == 0;
		n_answers++;
	}
	if (is_json)
		puts("]");
	if (n_answers == 0)
		fputs("reuse-run: --status: no supervisor answers\n", stderr);
	return n_answers == 0 ? EX_UNAVAILABLE : !are_ready;
}
