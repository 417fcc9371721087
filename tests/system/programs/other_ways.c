/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * other_ways HOW PORT: listens on 127.0.0.1:PORT, and stays. HOW: "uring", bound by io_uring, with
 * no call of bind(); "late", bound when it gets SIGUSR1. Prints "waiting", then "ready" or the
 * errno.
 */
#include "program.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define OP_BIND 56 /* IORING_OP_BIND, Linux 6.11; not in every header */

static void *map(int ring, size_t size, uint64_t offset)
{
	void *at = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, (off_t)offset);

	if (at == MAP_FAILED)
		exit(3);
	return at;
}

/* Returns 0 or a negative errno. */
static int bind_by_ring(int fd, const struct sockaddr *address, socklen_t length)
{
	struct io_uring_params params = {.flags = 0};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		return -errno;
	size_t submissions = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
	size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	char *queue = map(ring, submissions, IORING_OFF_SQ_RING);
	char *done = map(ring, completions, IORING_OFF_CQ_RING);
	struct io_uring_sqe *entry = map(ring, sizeof *entry, IORING_OFF_SQES);
	*entry = (struct io_uring_sqe){
		.opcode = OP_BIND, .fd = fd, .addr = (uintptr_t)address, .addr2 = length};
	*(uint32_t *)(void *)(queue + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return ((struct io_uring_cqe *)(void *)(done + params.cq_off.cqes))->res;
}

static void wait_for_signal(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("waiting");
	sigwait(&set, &signal);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	bool is_late = strcmp(argv[1], "late") == 0;
	struct sockaddr_in in = loopback(atoi(argv[2]));
	struct sockaddr *address = (struct sockaddr *)&in;
	if (is_late)
		wait_for_signal();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int error = is_late ? (bind(fd, address, sizeof in) < 0 ? -errno : 0)
			    : bind_by_ring(fd, address, sizeof in);
	if (!error)
		error = listen(fd, 5) < 0 ? -errno : 0;
	puts(error ? strerrorname_np(-error) : "ready");
	if (error)
		return 1;
	for (;;)
		pause();
}
