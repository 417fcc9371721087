/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_FROM 32768 /* ports that the kernel chooses itself */

static enum mode mode;
static unsigned sequence, line;

/* ---- the call itself ---- */

static long call_libc(const struct action *action)
{
	const long *a = action->arguments;

	switch (action->call) {
	case CALL_SOCKET:
		return socket((int)a[0], (int)a[1], (int)a[2]);
	case CALL_BIND:
		return bind((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
	case CALL_CONNECT:
		return connect((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
	default:
		return listen((int)a[0], (int)a[1]);
	}
}

static long call_direct(const struct action *action)
{
	static const long numbers[] = {SYS_socket, SYS_bind, SYS_connect, SYS_listen};
	const long *a = action->arguments;

	return syscall(numbers[action->call], a[0], a[1], a[2]);
}

#ifdef SYS_socketcall
/* Of linux/net.h. */
static long call_socketcall(const struct action *action)
{
	static const int numbers[] = {1, 2, 3, 4};

	return syscall(SYS_socketcall, numbers[action->call],
		action->block ? action->block : action->arguments);
}
#else
static long call_socketcall(const struct action *action)
{
	return call_direct(action);
}
#endif

/* ---- reading a bad address may end this process ---- */

struct attempt {
	const struct action *action;
	long result;
	int error; /* errno; or SEGMENTATION */
};

#define SEGMENTATION (-1)

static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t is_trying;

static void segmentation(int number)
{
	if (is_trying)
		siglongjmp(back, 1);
	signal(number, SIG_DFL);
}

static void attempt(struct attempt *attempt)
{
	static long (*const calls[])(const struct action *) = {
		call_libc, call_direct, call_socketcall};

	errno = 0;
	if (sigsetjmp(back, 1) == 0) {
		is_trying = 1;
		attempt->result = calls[mode](attempt->action);
		attempt->error = attempt->result < 0 ? errno : 0;
	} else {
		attempt->result = -1;
		attempt->error = SEGMENTATION;
	}
	is_trying = 0;
}

/* ---- who makes it ---- */

static void *in_thread(void *context)
{
	attempt(context);
	return NULL;
}

static struct attempt *handled;

static void in_handler(int number)
{
	(void)number;
	attempt(handled);
}

static void by_thread(struct attempt *of)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, in_thread, of) != 0)
		exit(3);
	pthread_join(thread, NULL);
}

/* Its descriptors are the same open files. */
static void by_child(struct attempt *of)
{
	int fds[2];

	if (pipe(fds) < 0)
		exit(3);
	pid_t child = fork();
	if (child == 0) {
		attempt(of);
		_exit(write(fds[1], of, sizeof *of) != sizeof *of);
	}
	close(fds[1]);
	if (child < 0 || read(fds[0], of, sizeof *of) != sizeof *of)
		exit(3);
	close(fds[0]);
	waitpid(child, NULL, 0);
}

static void by_handler(struct attempt *of)
{
	handled = of;
	raise(SIGUSR1);
}

/* ---- lines ---- */

/* How soon a client's connection is there has to do with time. */
static bool is_under_way(const struct action *action, int error)
{
	return action->call == CALL_CONNECT &&
	       (error == EINPROGRESS || error == EALREADY || error == EAGAIN);
}

static void print_arguments(const struct action *action)
{
	static const char *const ways[] = {"", " thread", " child", " handler"};
	const long *a = action->arguments;

	printf("%u.%u %s%s ", sequence, line++, action->name, ways[action->way]);
	if (action->call == CALL_SOCKET)
		printf("%d, %#x, %d", (int)a[0], (unsigned)a[1], (int)a[2]);
	else if (action->call == CALL_LISTEN)
		printf("#%d, %d", action->number, (int)a[1]);
	else
		printf("#%d, family %u %s, %d bytes%s", action->number, action->family,
			action->place, (int)a[2], action->is_bad ? ", unreadable" : "");
	if (action->block && mode == MODE_SOCKETCALL)
		printf(" (bad arguments)");
}

static void print(const struct action *action, const struct attempt *outcome)
{
	print_arguments(action);
	if (outcome->error == SEGMENTATION)
		printf(" = SIGSEGV\n");
	else if (is_under_way(action, outcome->error))
		printf(" = under way\n");
	else if (outcome->error)
		printf(" = %ld, errno %d\n", outcome->result, outcome->error);
	else
		printf(" = %s\n", action->call == CALL_SOCKET ? "a socket" : "0");
}

/* ---- all ---- */

bool calls_start(enum mode wanted)
{
	struct sigaction caught = {.sa_handler = segmentation, .sa_flags = SA_NODEFER};
	struct sigaction handling = {.sa_handler = in_handler};

	mode = wanted;
	sigaction(SIGSEGV, &caught, NULL);
	sigaction(SIGBUS, &caught, NULL);
	sigaction(SIGUSR1, &handling, NULL);
	signal(SIGPIPE, SIG_IGN);
#ifndef SYS_socketcall
	return mode != MODE_SOCKETCALL;
#endif
	return true;
}

void calls_begin(unsigned number)
{
	sequence = number;
	line = 0;
}

int calls_make(const struct action *action)
{
	static void (*const ways[])(struct attempt *) = {attempt, by_thread, by_child, by_handler};
	struct attempt outcome = {.action = action};

	fflush(stdout);
	ways[action->way](&outcome);
	print(action, &outcome);
	return (int)outcome.result;
}

void calls_tell_name(int fd)
{
	union {
		struct sockaddr_storage storage;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name = {.storage = {0}};
	socklen_t length = sizeof name;
	char bytes[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return;
	int family = name.storage.ss_family, port = ntohs(name.in.sin_port);
	if (family != AF_INET && family != AF_INET6)
		return;
	inet_ntop(family,
		family == AF_INET ? (void *)&name.in.sin_addr : (void *)&name.in6.sin6_addr, bytes,
		sizeof bytes);
	printf("  at %s", bytes);
	if (port < CLIENTS_FROM)
		printf(":%d\n", port);
	else
		printf(":*\n");
}

void calls_settle(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	const struct timeval wait = {.tv_usec = 100 * 1000};

	/* No connection is left in TIME_WAIT, and a full queue is not waited for. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

void calls_end(void)
{
	fflush(stdout);
}
