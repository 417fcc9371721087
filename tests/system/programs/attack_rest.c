/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attacks on the rest of the hook: on what it remembers, and on its processes. */
#include "attack.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- memory of the hook ---- */

static void *bind_once(void *unused)
{
	int fd = bind_port(port);

	(void)unused;
	printf("bind: %s\n", outcome(fd));
	return NULL;
}

/* The page is where our random bytes were, and much of what the kernel gave us on our stack. */
static void *bind_unknown(void *stuck)
{
	pthread_t thread;

	make_page_at((void *)(getauxval(AT_RANDOM) & ~4095UL));
	pthread_create(&thread, NULL, bind_once, NULL);
	wait_for_fault();
	if (write(*(int *)stuck, "", 1) < 0)
		give_up("write");
	pthread_join(thread, NULL);
	exit(0);
}

/* Who wants to know which program this is reads memory that does not answer. */
void unknown(void)
{
	static int stuck[2];
	int status;
	pthread_t thread;
	char byte;

	if (pipe(stuck) < 0)
		give_up("pipe");
	pid_t child = fork();
	if (child == 0) {
		pthread_create(&thread, NULL, bind_unknown, &stuck[1]);
		pthread_join(thread, NULL);
	}
	close(stuck[1]);
	if (read(stuck[0], &byte, 1) == 1)
		bind_beside();
	waitpid(child, &status, 0);
	exit(WEXITSTATUS(status));
}

/* ---- a hook that has nothing to do ---- */

#define PROCESSES_MOST 64

/* The other children of the supervisor that has started this process. */
static int list_others(pid_t list[static PROCESSES_MOST])
{
	char name[32], text[4096] = "", *at = text;
	int count = 0;

	snprintf(name, sizeof name, "task/%d/children", (int)getppid());
	int fd = open_of(getppid(), name, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
		give_up(name);
	close(fd);
	for (char *end; count < PROCESSES_MOST && (end = strchr(at, ' ')); at = end + 1) {
		pid_t process = atoi(at);
		if (process != getpid())
			list[count++] = process;
	}
	return count;
}

#define LOOKS 1000

/* The supervisor sleeps for as long as so many looks take: nothing wakes it up again and again. */
static void say_calm(void)
{
	for (int looks = 0; looks < LOOKS && !is_time_over(); looks++) {
		if (!status_has(getppid(), "State:\tS"))
			looks = 0;
	}
	printf("%s\n", is_time_over() ? "busy" : "calm");
}

/* After a call that hung there are a dead process to answer calls, and another that lives. */
void calm(void)
{
	pid_t others[PROCESSES_MOST];

	stuck();
	while (list_others(others) != 1 && !is_time_over()) {
	}
	say_calm();
}

/* Whether one of the processes in LIST is there still. */
static bool is_one_left(const pid_t *list, int count)
{
	pid_t others[PROCESSES_MOST];
	int others_count = list_others(others);

	for (int i = 0; i < count * others_count; i++) {
		if (list[i / others_count] == others[i % others_count])
			return true;
	}
	return false;
}

/* As an administrator does who is short of memory. */
void killed(void)
{
	pid_t others[PROCESSES_MOST];

	bind_beside(); /* then they are there */
	int count = list_others(others);
	for (int i = 0; i < count; i++)
		kill(others[i], SIGKILL);
	while (is_one_left(others, count) && !is_time_over()) {
	}
	bind_beside();
	say_calm();
}

/* Whose supervisor can start no process any more, and has none. */
void alone_with_it(void)
{
	const struct rlimit none = {0, 0};
	pid_t others[PROCESSES_MOST];

	bind_beside();
	if (prlimit(getppid(), RLIMIT_NPROC, &none, NULL) < 0)
		give_up("prlimit");
	int count = list_others(others);
	for (int i = 0; i < count; i++)
		kill(others[i], SIGKILL);
	while (is_one_left(others, count) && !is_time_over()) {
	}
	bind_beside();
}

/* ---- a number that changes hands ---- */

#define NUMBER 77
#define TRIES  2000

static int one;
static volatile bool is_bound;

/* Has a socket under the number now and then. */
static void *open_and_close(void *unused)
{
	while (!is_bound) {
		close(NUMBER);
		dup2(one, NUMBER);
	}
	return unused;
}

/* Binds what may not be open when the hook looks, and be a socket when the kernel does. */
void exchange(void)
{
	struct sockaddr_in address = loopback(port);
	pthread_t thread;

	one = socket(AF_INET, SOCK_STREAM, 0);
	pthread_create(&thread, NULL, open_and_close, NULL);
	for (int i = 0; i < TRIES && !is_bound; i++)
		is_bound = bind(NUMBER, (struct sockaddr *)&address, sizeof address) == 0;
	printf("%s\n", is_bound ? "bound" : "not bound");
	exit(0);
}
