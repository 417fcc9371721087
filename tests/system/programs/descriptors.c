/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does, in a static program, what changes which socket a descriptor is, between socket() and the
 * calls that follow: "descriptors WHAT PORT [ARGUMENT]" says what came of it.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int port;
static char **rest; /* the program, then the arguments behind the port */

static const char *outcome(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

static int make(int type)
{
	return socket(AF_INET, type, 0);
}

static int bind_to(int fd, int to)
{
	struct sockaddr_in address = loopback(to);

	return bind(fd, (struct sockaddr *)&address, sizeof address);
}

/* Whether a socket that is bound and listens was shared by somebody. */
static const char *shares(int fd)
{
	if (bind_to(fd, port) < 0 || listen(fd, 8) < 0)
		return strerrorname_np(errno);
	return has_option(fd, SO_REUSEPORT) ? "shared" : "not shared";
}

/* ---- what socket() returns ---- */

static void numbers(void)
{
	int first = make(SOCK_STREAM), second = make(SOCK_DGRAM), third = make(SOCK_STREAM);

	close(first);
	int again = make(SOCK_DGRAM);
	printf("%d %d %d\n", second - first, third - first, again - first);
}

static void flags(void)
{
	int fds[] = {make(SOCK_STREAM), make(SOCK_STREAM | SOCK_CLOEXEC),
		make(SOCK_DGRAM | SOCK_NONBLOCK), make(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)};

	for (int i = 0; i < 4; i++)
		printf("%s%s\n", fcntl(fds[i], F_GETFD) & FD_CLOEXEC ? "cloexec " : "",
			fcntl(fds[i], F_GETFL) & O_NONBLOCK ? "nonblock" : "block");
}

static void emfile(void)
{
	struct rlimit limit = {8, 8};

	setrlimit(RLIMIT_NOFILE, &limit);
	while (make(SOCK_STREAM) >= 0) {
	}
	printf("%s\n", strerrorname_np(errno));
	close(7);
	printf("%d\n", make(SOCK_STREAM));
}

static void kinds(void)
{
	printf("%s\n", outcome(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)));
	printf("%s\n", outcome(socket(AF_INET, 77, 0)));
	printf("%s\n", outcome(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP)));
	printf("%s\n", outcome(socket(AF_UNIX, SOCK_STREAM, 0)));
	printf("%s\n", outcome(socket(1000, SOCK_STREAM, 0)));
}

/* ---- which socket it is ---- */

static void duplicated(void)
{
	int fd = make(SOCK_STREAM), other = dup(fd);

	close(fd);
	puts(shares(other));
}

/* The number of one socket becomes another one: the first is closed by that. */
static void moved(void)
{
	int one = make(SOCK_STREAM), other = make(SOCK_STREAM);

	dup2(other, one);
	close(other);
	puts(shares(one));
}

/* The number belongs to a socket again that is not the one before. */
static void reused(void)
{
	int fd = make(SOCK_STREAM);

	close(fd);
	if (make(SOCK_STREAM) == fd)
		puts(shares(fd));
}

static void executed(void)
{
	char number[16], to[16];

	if (rest[1]) {
		puts(shares(atoi(rest[1])));
		return;
	}
	snprintf(number, sizeof number, "%d", make(SOCK_STREAM));
	snprintf(to, sizeof to, "%d", port);
	execl(rest[0], rest[0], "executed", to, number, NULL);
}

static void forked(void)
{
	int fd = make(SOCK_STREAM), status;
	pid_t child = fork();

	if (child == 0) {
		puts(shares(fd));
		fflush(stdout);
		_exit(0);
	}
	close(fd);
	waitpid(child, &status, 0);
}

static void send_fd(int channel, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof fd)];
	} control = {.header = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec part = {"x", 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	sendmsg(channel, &message, 0);
}

static int receive_fd(int channel)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	int fd = -1;

	recvmsg(channel, &message, 0);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	return fd;
}

static void passed(void)
{
	int channels[2], status;

	socketpair(AF_UNIX, SOCK_STREAM, 0, channels);
	pid_t child = fork();
	if (child == 0) {
		puts(shares(receive_fd(channels[1])));
		fflush(stdout);
		_exit(0);
	}
	int fd = make(SOCK_STREAM);
	send_fd(channels[0], fd);
	close(fd);
	waitpid(child, &status, 0);
}

/* ---- what is held ---- */

/* Each port is bound again at once, which works only where nobody has the one before. */
static void frees(void)
{
	int failures = 0;

	for (int i = 0; i < 200; i++) {
		int fd = make(i % 4 == 1 ? SOCK_DGRAM : SOCK_STREAM);
		failures += bind_to(fd, port) < 0 || (i % 4 == 2 && listen(fd, 8) < 0);
		close(fd);
	}
	printf("%d failures\n", failures);
}

/* Closes what it has bound, and says so: then another program may have the port. */
static void closes(void)
{
	int fd = make(SOCK_STREAM);

	if (bind_to(fd, port) < 0 || listen(fd, 8) < 0)
		puts(strerrorname_np(errno));
	close(fd);
	puts("closed");
	fflush(stdout);
	pause();
}

/* The other side sees the end of a connection when it is closed here. */
static void ends(void)
{
	int listener = make(SOCK_STREAM), fd = make(SOCK_STREAM);
	struct sockaddr_in address = loopback(port);
	char byte;

	alarm(60);
	if (bind_to(listener, port) < 0 || listen(listener, 8) < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		puts(strerrorname_np(errno));
	int accepted = accept(listener, NULL, NULL);
	close(fd);
	printf("%s\n", read(accepted, &byte, 1) == 0 ? "ended" : "goes on");
}

/* Opens and closes many, while one stays open that is bound in the end. */
static void many(void)
{
	int fd = make(SOCK_STREAM);

	for (int i = 0; i < 2000; i++)
		close(make(i % 2 ? SOCK_STREAM : SOCK_DGRAM));
	puts(shares(fd));
}

/* So many are open at once before any is bound. */
static void at_once(void)
{
	enum { COUNT = 400 };
	int fds[COUNT], shared = 0;

	for (int i = 0; i < COUNT; i++)
		fds[i] = make(SOCK_STREAM);
	for (int i = 0; i < COUNT; i++)
		shared += bind_to(fds[i], port) == 0 && has_option(fds[i], SO_REUSEPORT);
	printf("%d shared\n", shared);
}

static void *bind_often(void *unused)
{
	long shared = 0;

	(void)unused;
	for (int i = 0; i < 4; i++)
		shared += port_is_shared(port);
	return (void *)shared;
}

static void threads(void)
{
	pthread_t list[16];
	long shared = 0;

	for (int i = 0; i < 16; i++)
		pthread_create(&list[i], NULL, bind_often, NULL);
	for (int i = 0; i < 16; i++) {
		void *result;
		pthread_join(list[i], &result);
		shared += (long)result;
	}
	printf("%ld shared\n", shared);
}

/* A second call is of no use, but no mistake either. */
static void twice(void)
{
	struct sockaddr_in address = loopback(port);
	int listener = make(SOCK_STREAM), client = make(SOCK_STREAM | SOCK_NONBLOCK);

	printf("bind %s\n", outcome(bind_to(listener, port)));
	printf("listen %s\n", outcome(listen(listener, 8)));
	printf("listen %s\n", outcome(listen(listener, 16)));
	connect(client, (struct sockaddr *)&address, sizeof address);
	accept(listener, NULL, NULL);
	connect(client, (struct sockaddr *)&address, sizeof address);
	printf("connect %s\n",
		outcome(connect(client, (struct sockaddr *)&address, sizeof address)));
}

/* A bind that fails is tried again on the same socket. */
static void retries(void)
{
	int first = make(SOCK_STREAM), second = make(SOCK_STREAM);

	printf("%s\n", outcome(bind_to(first, port)));
	printf("%s\n", outcome(bind_to(second, port)));
	close(first);
	puts(outcome(bind_to(second, port)));
}

/* One that a parent has left us, as descriptor ARGUMENT. */
static void inherited(void)
{
	puts(shares(atoi(rest[1])));
}

/* A socket of another family has nothing to do with rules for IP. */
static void local(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ""};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	printf("%s\n", outcome(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t))));
	printf("%s\n", outcome(listen(fd, 8)));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{"numbers", numbers},
		{"flags", flags},
		{"emfile", emfile},
		{"kinds", kinds},
		{"duplicated", duplicated},
		{"moved", moved},
		{"reused", reused},
		{"executed", executed},
		{"forked", forked},
		{"passed", passed},
		{"frees", frees},
		{"closes", closes},
		{"ends", ends},
		{"many", many},
		{"at-once", at_once},
		{"threads", threads},
		{"twice", twice},
		{"retries", retries},
		{"inherited", inherited},
		{"local", local},
	};

	if (argc < 3)
		return 2;
	port = atoi(argv[2]);
	argv[2] = argv[0];
	rest = argv + 2;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].run();
	}
	return 0;
}
