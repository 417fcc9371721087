/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binds in a signal handler, over and over, while the main thread is in the middle of something:
 *
 *     in_handler PORT malloc|bind [small]
 *
 * "small": the handler runs on an alternate stack of SIGSTKSZ bytes, with a guard page under it.
 * Prints "shared N, in use N of N".
 */
#include "program.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS 300

static int port;
static volatile sig_atomic_t shared, in_use, rounds;
static atomic_bool is_over;
static atomic_uint progress; /* of the main thread, outside the handler */
static sem_t is_done;

static void handle(int signal)
{
	int saved_errno = errno;

	(void)signal;
	errno = 0;
	shared += port_is_shared(port);
	in_use += errno == EADDRINUSE;
	rounds++;
	errno = saved_errno;
	sem_post(&is_done);
}

/* Lets the main thread get on, by another distance each time. */
static void let_work(unsigned round)
{
	unsigned start = progress;

	while (progress - start < 1 + round % 3)
		sched_yield();
	for (volatile unsigned i = 0; i < round * 7919 % 2003; i++)
		;
}

/* Interrupts the main thread, wherever it is. */
static void *interrupt(void *main_thread)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		let_work(round);
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
		while (sem_wait(&is_done) < 0)
			;
	}
	is_over = true;
	return NULL;
}

/* malloc_trim() holds the lock of the one arena for long. */
static void work_with_malloc(void)
{
	static void *volatile blocks[64];
	unsigned at = 0;
	FILE *nothing = fopen("/dev/null", "w");

	mallopt(M_ARENA_MAX, 1);
	for (; !is_over; progress++) {
		at = (at * 69069 + 1) % 64;
		free(blocks[at]);
		blocks[at] = malloc(16 + (size_t)at * 97);
		malloc_trim(0);
		fprintf(nothing, "%p", blocks[at]);
	}
}

static void work_with_bind(void)
{
	int wrong = 0;

	for (; !is_over; progress++)
		wrong += !port_is_shared(port);
	printf("outside wrong %d\n", wrong);
}

static void use_small_stack(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = ((size_t)SIGSTKSZ + page - 1) / page * page;
	char *memory = mmap(NULL, page + size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) < 0)
		exit(2);
	/* the part next to the guard page */
	sigaltstack(&(stack_t){.ss_sp = memory + page, .ss_size = (size_t)SIGSTKSZ}, NULL);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	pthread_t self = pthread_self(), thread;

	if (argc < 3)
		return 2;
	port = atoi(argv[1]);
	if (argc > 3) {
		use_small_stack();
		action.sa_flags |= SA_ONSTACK;
	}
	sem_init(&is_done, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, interrupt, &self) != 0)
		return 2;
	if (strcmp(argv[2], "malloc") == 0)
		work_with_malloc();
	else
		work_with_bind();
	pthread_join(thread, NULL);
	printf("shared %d, in use %d of %d\n", (int)shared, (int)in_use, (int)rounds);
	return 0;
}
