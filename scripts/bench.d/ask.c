/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ask PORT CLIENTS: clients that connect, ask, and read to the end, in a loop, until SIGTERM. Then
 * prints how many were answered, how many found nobody listening, how many were cut off once they
 * were connected, and the microseconds of the median, of the slowest answer, and of the 99th
 * percentile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MOST 64
#define FINEST	     10 /* microseconds: one bucket of the answers' times */
#define BUCKETS	     65536
#define PATIENCE     30 /* seconds */
#define QUESTION     "GET / HTTP/1.0\r\n\r\n"

enum outcome { ANSWERED, REFUSED, CUT_OFF, OUTCOMES };

static struct sockaddr_in address = {.sin_family = AF_INET};
static atomic_bool is_over;
static atomic_ulong count[OUTCOMES], bucket[BUCKETS], slowest;

static unsigned long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long)time.tv_sec * 1000000UL + (unsigned long)time.tv_nsec / 1000;
}

static enum outcome talk(int fd)
{
	char answer[4096];
	ssize_t got, total = 0;

	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return errno == ECONNREFUSED ? REFUSED : CUT_OFF;
	if (send(fd, QUESTION, sizeof QUESTION - 1, MSG_NOSIGNAL) < 0)
		return CUT_OFF;
	while ((got = recv(fd, answer, sizeof answer, 0)) > 0)
		total += got;
	return got == 0 && total > 0 ? ANSWERED : CUT_OFF;
}

static enum outcome ask(void)
{
	const struct timeval patience = {PATIENCE, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	enum outcome outcome = talk(fd);
	close(fd);
	return outcome;
}

static void note(unsigned long took)
{
	unsigned long at = took / FINEST, most = slowest;

	bucket[at < BUCKETS ? at : BUCKETS - 1]++;
	while (took > most && !atomic_compare_exchange_weak(&slowest, &most, took)) {
	}
}

static void *run(void *unused)
{
	while (!is_over) {
		unsigned long asked = now();
		enum outcome outcome = ask();
		count[outcome]++;
		if (outcome == ANSWERED)
			note(now() - asked);
	}
	return unused;
}

static unsigned long percentile(unsigned long percent)
{
	unsigned long part = count[ANSWERED] * percent / 100, at = 0;

	for (unsigned long seen = bucket[0]; seen <= part && at < BUCKETS - 1;)
		seen += bucket[++at];
	return at * FINEST + FINEST / 2;
}

int main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MOST];
	sigset_t set;
	int clients, signal;

	if (argc != 3 || (clients = atoi(argv[2])) < 1 || clients > CLIENTS_MOST)
		return 2;
	/* Without whoever started it, nobody would end it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() == 1)
		return 2;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	sigwait(&set, &signal);
	is_over = true;
	for (int i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	printf("%lu %lu %lu %lu %lu %lu\n", count[ANSWERED], count[REFUSED], count[CUT_OFF],
		percentile(50), slowest, percentile(99));
	return 0;
}
