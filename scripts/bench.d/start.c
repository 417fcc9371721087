/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start N PROGRAM: starts PROGRAM N times, one after the other, and prints the nanoseconds that
 * passed, and the microseconds of the processor that the starts took.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long microseconds(const struct timeval *time)
{
	return time->tv_sec * 1000000LL + time->tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long started = now();
	int status = 0;
	pid_t pid;

	if (argc != 3)
		return 2;
	for (int n = atoi(argv[1]); n > 0; n--) {
		if (posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
			waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
	}
	long long passed = now() - started;
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%lld %lld\n", passed,
		microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime));
	return 0;
}
