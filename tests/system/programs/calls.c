/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the calls that its arguments name, in their order, and prints what comes of each:
 *
 *     calls tcp bind=127.0.0.1:8080 listen options
 */
#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static int fd = -1; /* the newest socket */

static void say(const char *call, int result)
{
	printf("%s: %s\n", call, result < 0 ? strerrorname_np(errno) : "ok");
}

static void make(int domain, int type, int protocol)
{
	fd = socket(domain, type, protocol);
	if (fd < 0)
		say("socket", fd);
}

/* "ADDRESS:PORT" */
static socklen_t read_address(const char *text, struct sockaddr_storage *storage)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
	const char *port = strrchr(text, ':');
	char address[64] = "";

	memset(storage, 0, sizeof *storage);
	if (port)
		memcpy(address, text, (size_t)(port - text));
	if (port && inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port + 1));
		return sizeof *in;
	}
	if (!port || inet_pton(AF_INET6, address, &in6->sin6_addr) != 1)
		exit(2);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)atoi(port + 1));
	return sizeof *in6;
}

static void call_tcp(const char *unused)
{
	(void)unused;
	make(AF_INET, SOCK_STREAM, 0);
}

static void call_tcp6(const char *unused)
{
	(void)unused;
	make(AF_INET6, SOCK_STREAM, 0);
}

static void call_udp(const char *unused)
{
	(void)unused;
	make(AF_INET, SOCK_DGRAM, 0);
}

/* Takes packets of the protocol with that number as they come. */
static void call_raw(const char *protocol)
{
	make(AF_INET, SOCK_RAW, atoi(protocol));
}

static void call_bind(const char *text)
{
	struct sockaddr_storage address;
	socklen_t length = read_address(text, &address);

	say("bind", bind(fd, (struct sockaddr *)&address, length));
}

static void call_listen(const char *backlog)
{
	say("listen", listen(fd, backlog ? atoi(backlog) : 5));
}

static void call_connect(const char *text)
{
	struct sockaddr_storage address;
	socklen_t length = read_address(text, &address);

	say("connect", connect(fd, (struct sockaddr *)&address, length));
}

/* A socket of no interest to libreuse. */
static void call_unix(const char *unused)
{
	const struct sockaddr address = {.sa_family = AF_UNIX};

	(void)unused;
	make(AF_UNIX, SOCK_STREAM, 0);
	say("bind", bind(fd, &address, sizeof(sa_family_t))); /* the kernel finds a name */
}

static void call_options(const char *unused)
{
	(void)unused;
	printf("reuseport=%d reuseaddr=%d\n", has_option(fd, SO_REUSEPORT),
		has_option(fd, SO_REUSEADDR));
}

/* What a program does that shares by itself. */
static void call_share(const char *unused)
{
	int on = 1;

	(void)unused;
	say("share", setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
}

/* What most servers do; for UDP, it lets others join. */
static void call_reuseaddr(const char *unused)
{
	int on = 1;

	(void)unused;
	say("reuseaddr", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

static void call_address(const char *unused)
{
	struct sockaddr_in in = {.sin_port = 0};
	socklen_t length = sizeof in;

	(void)unused;
	getsockname(fd, (struct sockaddr *)&in, &length);
	printf("address=%s\n", inet_ntoa(in.sin_addr));
}

static void call_ttl(const char *unused)
{
	int value = 0;
	socklen_t length = sizeof value;

	(void)unused;
	getsockopt(fd, IPPROTO_IP, IP_TTL, &value, &length);
	printf("ttl=%d\n", value);
}

/* A system call that is easy to find in a trace. */
static void call_mark(const char *unused)
{
	(void)unused;
	(void)!write(-1, "mark", 4);
}

/* Which descriptors are open, and what they refer to. */
static void call_descriptors(const char *unused)
{
	DIR *directory = opendir("/proc/self/fd");
	char path[32], target[256];

	(void)unused;
	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%.8s", entry->d_name);
		ssize_t length = readlink(path, target, sizeof target - 1);
		target[length > 0 ? length : 0] = '\0';
		target[strcspn(target, "[")] = '\0';
		printf("descriptor %s %s\n", entry->d_name, target);
	}
	if (directory)
		closedir(directory);
}

/* ---- sandboxes ---- */

static const struct {
	const char *name;
	unsigned number;
} system_calls[] = {
	{"socket", SYS_socket},
	{"bind", SYS_bind},
	{"listen", SYS_listen},
	{"connect", SYS_connect},
	{"getsockopt", SYS_getsockopt},
	{"setsockopt", SYS_setsockopt},
	{"getsockname", SYS_getsockname},
	{"write", SYS_write},
	{"statx", SYS_statx},
	{"exit_group", SYS_exit_group},
};

static unsigned number_of(const char *name)
{
	for (size_t i = 0; i < sizeof system_calls / sizeof *system_calls; i++) {
		if (strcmp(system_calls[i].name, name) == 0)
			return system_calls[i].number;
	}
	fprintf(stderr, "calls: %s: no such system call\n", name);
	exit(2);
}

/* From here on, the kernel does THIS about the system calls that LIST names, and THAT about others.
 */
static void lock(const char *list, unsigned this, unsigned that)
{
	struct sock_filter code[2 * sizeof system_calls / sizeof *system_calls + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog filter = {1, code};
	char *copy = strdup(list);

	for (const char *name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
		code[filter.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, number_of(name), 0, 1);
		code[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, this);
	}
	code[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, that);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		exit(3);
}

static void call_allow(const char *list)
{
	lock(list, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
}

static void call_refuse(const char *list)
{
	lock(list, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
}

/* ---- descriptors ---- */

/* What a careless daemon does: the next file that it opens is descriptor 2. */
static void call_reopen2(const char *path)
{
	close(STDERR_FILENO);
	if (open(path, O_RDWR | O_CREAT, 0600) != STDERR_FILENO ||
		write(STDERR_FILENO, "a database\n", 11) != 11)
		exit(2);
}

static void call_close2(const char *unused)
{
	(void)unused;
	close(STDERR_FILENO);
}

static void call_chdir(const char *path)
{
	if (chdir(path) < 0)
		exit(2);
}

static void call_errno(const char *number)
{
	errno = atoi(number);
}

static void call_print_errno(const char *unused)
{
	(void)unused;
	printf("errno=%d\n", errno);
}

/* Runs a program as a child, with the environment that is there now. */
static void call_child(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*call)(const char *argument);
} calls[] = {
	{"tcp", call_tcp},
	{"tcp6", call_tcp6},
	{"udp", call_udp},
	{"raw", call_raw},
	{"unix", call_unix},
	{"bind", call_bind},
	{"listen", call_listen},
	{"connect", call_connect},
	{"options", call_options},
	{"share", call_share},
	{"reuseaddr", call_reuseaddr},
	{"address", call_address},
	{"ttl", call_ttl},
	{"allow", call_allow},
	{"refuse", call_refuse},
	{"mark", call_mark},
	{"descriptors", call_descriptors},
	{"reopen2", call_reopen2},
	{"close2", call_close2},
	{"chdir", call_chdir},
	{"errno", call_errno},
	{"print-errno", call_print_errno},
	{"child", call_child},
};

static void make_call(const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (strlen(calls[i].name) != length || memcmp(calls[i].name, word, length) != 0)
			continue;
		calls[i].call(word[length] ? word + length + 1 : NULL);
		return;
	}
	fprintf(stderr, "calls: %s: no such call\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc; i++)
		make_call(argv[i]);
	return 0;
}
