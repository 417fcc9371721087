/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ask.h"

#include "control.h"
#include "control_name.h"
#include "ground/clock.h"
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
#define PATIENCE_S     10	  /* for a supervisor that does not answer at once */
#define OTHERS_S       1	  /* for each one of another user, when root asks all */
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
static void limit_patience(int fd, int seconds)
{
	const struct timeval limit = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* How long to wait if the queue of the other side is full. */
enum patience {
	NO_PATIENCE,
	LIMITED_PATIENCE,
	ENDLESS_PATIENCE,
};

/*
 * Returns a descriptor, and stores the other side in PEER; or returns -1, with an errno: EAGAIN if
 * the queue there is still full.
 */
static int connect_at(const struct sockaddr_un *address, socklen_t length, enum patience patience,
	struct ucred *peer)
{
	int flags = SOCK_STREAM | SOCK_CLOEXEC | (patience == NO_PATIENCE ? SOCK_NONBLOCK : 0);
	int fd = length == 0 ? -1 : socket(AF_UNIX, flags, 0);

	if (fd < 0)
		return -1;
	if (patience == LIMITED_PATIENCE)
		limit_patience(fd, PATIENCE_S);
	if (connect(fd, (const struct sockaddr *)address, length) == 0 &&
		control_name_peer(fd, peer)) {
		fcntl(fd, F_SETFL, 0);
		return fd;
	}
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

/*
 * From a line of /proc/net/unix: "Num: RefCount Protocol Flags Type St Inode Path", see proc(5).
 * Returns the abstract name without its '@' if a socket listens there, and sets its INODE; else
 * NULL.
 */
static const char *listening_name(const char *line, unsigned *inode)
{
	char flags[16];
	const char *name = strstr(line, " @");

	if (!name || sscanf(line, "%*s %*s %*s %15s %*s %*s %u", flags, inode) != 2 ||
		strcmp(flags, LISTENING_FLAG) != 0)
		return NULL;
	return name + 2;
}

/* Anybody can take the name of a process. */
static bool is_taken_by_its_user(const struct sockaddr_un *address, socklen_t length, pid_t process)
{
	struct procfs_reader reader = {.fd = open("/proc/net/unix", O_RDONLY | O_CLOEXEC)};
	bool is_its_users = reader.fd < 0;
	char line[256];
	unsigned inode;
	uid_t user;

	size_t size = length - offsetof(struct sockaddr_un, sun_path) - 1;
	while (!is_its_users && procfs_next_line(&reader, line, sizeof line)) {
		const char *name = listening_name(line, &inode);
		if (!name || strlen(name) != size || memcmp(name, address->sun_path + 1, size) != 0)
			continue;
		int error = unix_owner_of_name(inode, name, size, &user);
		is_its_users = error ? error != -ENOENT : is_user_of(user, process);
	}
	system_close(reader.fd);
	return is_its_users;
}

/*
 * Connects to the process itself; returns a descriptor, or -1, with an errno: EAGAIN if it lets
 * nobody in. Nobody waits for another user who has taken its name.
 */
static int connect_to(pid_t process, const char *beginning, bool is_patient)
{
	struct sockaddr_un address;
	struct ucred peer;
	socklen_t length = control_name(beginning, process, &address);
	int fd = connect_at(&address, length, NO_PATIENCE, &peer);

	if (fd < 0 && errno == EAGAIN) {
		bool is_its = is_taken_by_its_user(&address, length, process);
		errno = ECONNREFUSED;
		fd = !is_its ? -1
			     : connect_at(&address, length,
				       is_patient ? ENDLESS_PATIENCE : LIMITED_PATIENCE, &peer);
	}
	if (fd < 0)
		return -1;
	if (!is_patient)
		limit_patience(fd, PATIENCE_S);
	if (is_itself(&peer, process))
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

/* Bytes that have been read, and are not in a line yet. */
struct answer {
	int fd;
	int64_t end_ms;
	size_t length;
	char bytes[LINE_SIZE];
};

/* PART becomes the next line with its '\n', or the next part of a longer one. */
static bool next_part(struct answer *answer, char part[static LINE_SIZE])
{
	const char *end = NULL;

	while (!(end = memchr(answer->bytes, '\n', answer->length)) &&
		answer->length < LINE_SIZE - 1) {
		ssize_t got = clock_now_ms() < answer->end_ms
				      ? recv(answer->fd, answer->bytes + answer->length,
						LINE_SIZE - 1 - answer->length, 0)
				      : -1;
		if (got <= 0)
			return false;
		answer->length += (size_t)got;
	}
	size_t length = end ? (size_t)(end + 1 - answer->bytes) : answer->length;
	memcpy(part, answer->bytes, length);
	part[length] = '\0';
	answer->length -= length;
	memmove(answer->bytes, answer->bytes + length, answer->length);
	return true;
}

/* Prints each line; returns the status in the last one, or -1 if that does not come by END_MS. */
static int follow(int fd, int64_t end_ms)
{
	struct answer answer = {.fd = fd, .end_ms = end_ms};
	char part[LINE_SIZE];
	bool is_start = true;

	while (next_part(&answer, part)) {
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
static int converse(int fd, const char *words, int64_t end_ms)
{
	ssize_t length = (ssize_t)strlen(words);
	bool is_sent = length == 0 || send(fd, words, (size_t)length, MSG_NOSIGNAL) == length;
	int status = is_sent ? follow(fd, end_ms) : -1;

	close(fd);
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
	errno = 0;
	int fd = connect_to(process, CONTROL_NAME, !is_status), error = errno;
	if (fd < 0 && strcmp(words, "roll\n") == 0) {
		fd = connect_to(process, CONTROL_ROLL_NAME, true);
		words = "";
	}
	if (fd < 0)
		return refuse(option, target,
			error == EAGAIN ? "it does not answer"
					: "this process is not a supervisor (reuse-run with -n or "
					  "--keep) of this user");
	int status = converse(fd, words, CLOCK_NEVER);
	if (status >= 0)
		return status;
	return refuse(option, target,
		is_status ? "it refused the request, ended, or does not answer"
			  : "it refused the request, or ended");
}

/* ---- for --stop ---- */

int ask_is_supervisor(pid_t process)
{
	errno = 0;
	int fd = connect_to(process, CONTROL_NAME, false), error = errno;

	if (fd < 0 && (errno_is_shortage(error) || error == EAGAIN))
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

struct listed {
	struct sockaddr_un address;
	socklen_t length;
	bool is_ours;
};

struct list {
	struct listed *names;
	size_t count;
};

/* Root asks the supervisors of all users, but waits for none of them to let it in. */
static void take_line(struct list *list, const char *line)
{
	struct listed listed = {.address.sun_family = AF_UNIX};
	unsigned inode;
	uid_t user;
	const char *name = listening_name(line, &inode);
	size_t length = name ? strlen(name) : 0;

	if (length >= sizeof listed.address.sun_path ||
		strncmp(name ? name : "", CONTROL_NAME, sizeof CONTROL_NAME - 1) != 0)
		return;
	int error = unix_owner_of_name(inode, name, length, &user);
	listed.is_ours = error ? error != -ENOENT : user == geteuid();
	if (!listed.is_ours && geteuid() != 0)
		return;
	struct listed *larger = realloc(list->names, (list->count + 1) * sizeof *larger);
	if (!larger)
		return;
	list->names = larger;
	memcpy(listed.address.sun_path + 1, name, length);
	listed.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	list->names[list->count++] = listed;
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
static bool is_to_be_asked(const struct ucred *peer, const struct listed *listed)
{
	struct sockaddr_un own;

	return (geteuid() == 0 || peer->uid == geteuid()) && is_itself(peer, peer->pid) &&
	       control_name(CONTROL_NAME, peer->pid, &own) == listed->length &&
	       memcmp(&own, &listed->address, listed->length) == 0;
}

/* Returns a descriptor, or -1. */
static int connect_to_listed(const struct listed *listed)
{
	struct ucred peer;
	int fd = connect_at(&listed->address, listed->length,
		listed->is_ours ? LIMITED_PATIENCE : NO_PATIENCE, &peer);

	if (fd < 0)
		return -1;
	limit_patience(fd, listed->is_ours ? PATIENCE_S : OTHERS_S);
	if (is_to_be_asked(&peer, listed))
		return fd;
	close(fd);
	return -1;
}

/* Whether it answers; the answer is still to be read. */
static bool begins_to_answer(int fd, const char *words)
{
	ssize_t length = (ssize_t)strlen(words);
	char byte;

	return send(fd, words, (size_t)length, MSG_NOSIGNAL) == length &&
	       recv(fd, &byte, sizeof byte, MSG_PEEK) == 1;
}

int ask_status_of_all(bool is_json)
{
	struct list list = {.count = 0};
	unsigned n_answers = 0;
	bool are_ready = true;

	read_list(&list);
	if (is_json)
		puts("[");
	for (size_t i = 0; i < list.count; i++) {
		int fd = connect_to_listed(&list.names[i]);
		if (fd < 0)
			continue;
		if (!begins_to_answer(fd, is_json ? "status json\n" : "status brief\n")) {
			are_ready = false;
			close(fd);
			continue;
		}
		if (is_json && n_answers)
			puts(",");
		int status = converse(fd, "", clock_now_ms() + PATIENCE_S * 1000);
		are_ready &= status == 0;
		n_answers++;
	}
	free(list.names);
	if (is_json)
		puts("]");
	if (n_answers == 0)
		fputs("reuse-run: --status: no supervisor answers\n", stderr);
	return n_answers == 0 ? EX_UNAVAILABLE : !are_ready;
}
