/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "lineage WAY FIRST SECOND [ARGUMENT...]" asks for the port FIRST; WAY defines which thread,
 * process or program then asks for SECOND. Each prints a line with the port that it got, or the
 * reason why it got none.
 */
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MANY 600

extern char **environ;

static int first, second;
static const char *second_text;
static char **rest;

static void say(int fd)
{
	struct sockaddr_in address = {.sin_port = 0};
	socklen_t length = sizeof address;

	if (fd < 0) {
		dprintf(STDOUT_FILENO, "%s\n", strerrorname_np(errno));
		return;
	}
	getsockname(fd, (struct sockaddr *)&address, &length);
	dprintf(STDOUT_FILENO, "%d\n", ntohs(address.sin_port));
}

static void ask(int port)
{
	say(bind_port(port));
}

/* Is over when every other process has closed its end, which all do that ask for a port. */
static int ends[2];

static void wait_for_others(void)
{
	char byte;

	close(ends[1]);
	while (read(ends[0], &byte, 1) > 0) {
	}
}

/* ---- within one program ---- */

static void same(void)
{
	ask(first);
	ask(second);
}

static void *ask_second(void *unused)
{
	(void)unused;
	ask(second);
	return NULL;
}

static void in_thread(void)
{
	pthread_t thread;

	ask(first);
	pthread_create(&thread, NULL, ask_second, NULL);
	pthread_join(thread, NULL);
}

static void in_child(void)
{
	ask(first);
	if (fork() == 0)
		ask(second);
	else
		wait_for_others();
}

static void in_older_child(void)
{
	int go[2];
	char byte;

	if (pipe(go) < 0)
		return;
	if (fork() == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 0)
			ask(second);
		return;
	}
	ask(first);
	close(go[1]);
	wait_for_others();
}

static void in_parent(void)
{
	if (fork() == 0) {
		ask(first);
		return;
	}
	wait_for_others();
	ask(second);
}

static void in_orphan(void)
{
	ask(first);
	pid_t child = fork();
	if (child > 0) {
		wait_for_others();
		return;
	}
	pid_t parent = getpid();
	if (fork() > 0)
		_exit(0);
	while (getppid() == parent)
		sched_yield();
	ask(second);
}

/* ---- in another program ---- */

static void execute(void)
{
	execl("/proc/self/exe", "lineage", "only", second_text, second_text, NULL);
	_exit(1);
}

static void by_exec(void)
{
	ask(first);
	execute();
}

static void by_fork_and_exec(void)
{
	ask(first);
	if (fork() == 0)
		execute();
	wait_for_others();
}

static void by_vfork_and_exec(void)
{
	ask(first);
	if (vfork() == 0)
		execute();
	wait_for_others();
}

static void by_spawn(void)
{
	char *words[] = {"lineage", "only", (char *)second_text, (char *)second_text, NULL};

	ask(first);
	posix_spawn(&(pid_t){0}, "/proc/self/exe", NULL, NULL, words, environ);
	wait_for_others();
}

/* With a program between them that asks for nothing. */
static void by_shell(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

	ask(first);
	path[length > 0 ? length : 0] = '\0';
	if (fork() == 0)
		execl("/bin/sh", "sh", "-c", "\"$0\" only \"$1\" \"$1\"; :", path, second_text,
			NULL);
	wait_for_others();
}

static void by_exec_after_exec(void)
{
	ask(first);
	execl("/proc/self/exe", "lineage", "pass-on", second_text, second_text, NULL);
	_exit(1);
}

/* After hundreds of programs that ask for the first one too, and say nothing. */
static void after_many(void)
{
	char text[16];

	ask(first);
	snprintf(text, sizeof text, "%d", first);
	for (int i = 0; i < MANY; i++) {
		if (fork() == 0) {
			execl("/proc/self/exe", "lineage", "silent", text, text, NULL);
			_exit(1);
		}
		wait(NULL);
	}
	ask(second);
}

static void silent(void)
{
	close(bind_port(first));
}

/* ---- what a program is called ---- */

static void *ask_without_main_thread(void *main_thread)
{
	char link[2];

	pthread_join(*(pthread_t *)main_thread, NULL);
	while (readlink("/proc/self/exe", link, sizeof link) > 0)
		sched_yield(); /* the kernel has not ended it yet */
	ask(first);
	if (fork() == 0)
		execute();
	wait_for_others();
	exit(0);
}

static void without_main_thread(void)
{
	static pthread_t ourselves;
	pthread_t thread;

	ourselves = pthread_self();
	pthread_create(&thread, NULL, ask_without_main_thread, &ourselves);
	pthread_exit(NULL);
}

/* ARGUMENT is put in the place of our file, which the other ARGUMENT is. */
static void when_replaced(void)
{
	ask(first);
	if (rename(rest[0], rest[1]) == 0)
		ask(second);
}

static void when_removed(void)
{
	ask(first);
	if (unlink(rest[0]) == 0)
		ask(second);
}

static void by_name(void)
{
	ask(first);
	execl(rest[0], rest[0], "only", second_text, second_text, NULL);
}

#ifdef __x86_64__
/* As a 32-bit program makes it, but this one is none; all memory must be in the lower half. */
static void with_32_bit_call(void)
{
	static struct sockaddr_in address;
	static uint32_t arguments[3];
	long result;

	address = loopback(first);
	arguments[0] = (uint32_t)socket(AF_INET, SOCK_STREAM, 0);
	arguments[1] = (uint32_t)(uintptr_t)&address;
	arguments[2] = sizeof address;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(102L), "b"(2L), "c"(arguments)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? (int)-result : 0;
	say(result < 0 ? -1 : (int)arguments[0]);
}
#endif

static void only(void)
{
	ask(second);
}

static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"same", same},
	{"thread", in_thread},
	{"fork", in_child},
	{"older-child", in_older_child},
	{"parent", in_parent},
	{"double-fork", in_orphan},
	{"exec", by_exec},
	{"fork-exec", by_fork_and_exec},
	{"vfork-exec", by_vfork_and_exec},
	{"spawn", by_spawn},
	{"shell", by_shell},
	{"exec-exec", by_exec_after_exec},
	{"pass-on", execute},
	{"no-main-thread", without_main_thread},
	{"many", after_many},
	{"silent", silent},
	{"replaced", when_replaced},
	{"removed", when_removed},
	{"name", by_name},
#ifdef __x86_64__
	{"32-bit", with_32_bit_call},
#endif
	{"only", only},
};

int main(int argc, char **argv)
{
	if (argc < 4 || pipe(ends) < 0)
		return 2;
	first = atoi(argv[2]);
	second = atoi(argv[3]);
	second_text = argv[3];
	rest = argv + 4;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		ways[i].go();
		return 0;
	}
	return 2;
}
