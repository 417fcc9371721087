/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does, in a static program, what is difficult for a hook outside of it: "trouble WHAT PORT
 * [ARGUMENT...]" prints the result.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static int port;
static char **rest; /* the arguments after it */

static const char *outcome(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

static int bound(int fd)
{
	struct sockaddr_in address = {.sin_port = 0};
	socklen_t length = sizeof address;

	getsockname(fd, (struct sockaddr *)&address, &length);
	return ntohs(address.sin_port);
}

/* ---- many at once ---- */

#define THREADS 200

static pthread_barrier_t barrier;
static atomic_int shared;

static void *bind_in_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	atomic_fetch_add(&shared, port_is_shared(port));
	return NULL;
}

static void in_threads(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, bind_in_thread, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%d shared\n", shared);
}

static void in_vfork(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0)
		_exit(port_is_shared(port) ? 42 : 1);
	waitpid(child, &status, 0);
	printf("status %d\n", WEXITSTATUS(status));
}

/* ---- signals ---- */

static void ignore(int signal)
{
	(void)signal;
}

/* Binds again and again while a timer interrupts every fraction of a millisecond. */
static void interrupted(void)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 50}, {0, 50}};
	int failures = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 2000; i++)
		failures += !port_is_shared(port);
	printf("%d failures\n", failures);
}

static volatile sig_atomic_t counts[_NSIG];

static void count(int signal)
{
	static const char *const words[_NSIG] = {
		[SIGCONT] = "continued\n", [SIGINT] = "interrupted\n", [SIGTERM] = "terminated\n"};

	counts[signal]++;
	if (words[signal])
		(void)!write(STDOUT_FILENO, words[signal], strlen(words[signal]));
}

/* Prints which signals it gets, until SIGRTMIN, which comes after all others, ends it. */
static void counting(void)
{
	static const int caught[] = {SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGUSR1};
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		signal(caught[i], count);
	signal(SIGRTMIN, count);
	printf("running in group %d\n", (int)getpgrp());
	while (!counts[SIGRTMIN])
		sigsuspend(&none);
	printf("interrupts=%d terminations=%d hangups=%d users=%d\n", (int)counts[SIGINT],
		(int)counts[SIGTERM], (int)counts[SIGHUP], (int)counts[SIGUSR1]);
	exit(42);
}

/* ---- when told to ---- */

/* Waits until standard output's reader sends SIGUSR1, then binds. */
static void later(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("waiting %d\n", (int)getpid());
	sigwait(&set, &signal);
	printf("bind: %s\n", outcome(bind_port(port)));
}

/* ---- memory that changes ---- */

static struct sockaddr_in changing;
static atomic_bool is_over;

static void *change(void *unused)
{
	volatile in_port_t *place = &changing.sin_port;
	in_port_t allowed = changing.sin_port, denied = htons((uint16_t)port);

	(void)unused;
	while (!is_over) {
		*place = denied;
		*place = allowed;
	}
	return NULL;
}

/* Wants a port that is allowed, and has another thread change it to the one that is denied. */
static void race(void)
{
	pthread_t thread;
	int denied = 0, won = 0;

	changing = loopback(atoi(rest[0]));
	pthread_create(&thread, NULL, change, NULL);
	for (int i = 0; i < 3000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		denied += bind(fd, (struct sockaddr *)&changing, sizeof changing) < 0;
		won += bound(fd) == port;
		close(fd);
	}
	is_over = true;
	pthread_join(thread, NULL);
	printf("%s, %d won\n", denied ? "some denied" : "none denied", won);
}

/* ---- rights ---- */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	syscall(SYS_capset, &header, none);
}

/* Gives its capabilities up, or its user, and then binds; the real user stays root. */
static void without_rights(void)
{
	if (strcmp(rest[0], "user") == 0)
		(void)!seteuid(65534);
	else if (strcmp(rest[0], "capabilities") == 0)
		drop_capabilities();
	else if (strcmp(rest[0], "namespace") == 0 && unshare(CLONE_NEWUSER) < 0)
		printf("unshare: %s\n", strerrorname_np(errno));
	printf("bind: %s\n", outcome(bind_port(port)));
}

static void undumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	printf("bind: %s\n", outcome(bind_port(port)));
}

static void says_no_new_privileges(void)
{
	printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* A listener for the calls of this process. */
static int listen_to_oneself(void)
{
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog program = {1, &allow};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Has its own seccomp listener, and starts another program under it. */
static void with_listener(void)
{
	int listener = listen_to_oneself();

	/* a listener that is closed is none */
	if (listener >= 0 && fcntl(listener, F_SETFD, 0) == 0)
		execv(rest[0], rest);
	printf("%s\n", strerrorname_np(errno));
}

/* Has a seccomp listener for the program that it starts, as reuse-run has one. */
static void poses(void)
{
	int status;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		if (listen_to_oneself() >= 0)
			execv(rest[0], rest);
		printf("%s\n", strerrorname_np(errno));
		_exit(1);
	}
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		exit(WEXITSTATUS(status));
}

/* What of the process that it runs in a program inherits. */
static void inherits(void)
{
	const char *count = getenv("LISTEN_FDS"), *whom = getenv("LISTEN_PID");
	sigset_t blocked, waiting;
	int is_subreaper = 0;

	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigpending(&waiting);
	printf("subreaper %d, listens %s, for it %d, names %s, descriptor 3 %s, group %d, "
	       "blocked %d, waiting %d\n",
		is_subreaper, count ? count : "-", whom && atoi(whom) == getpid(),
		getenv("LISTEN_FDNAMES") ? getenv("LISTEN_FDNAMES") : "-",
		fcntl(3, F_GETFD) < 0 ? strerrorname_np(errno) : "open", getpgrp() == getpid(),
		sigismember(&blocked, SIGTERM), sigismember(&waiting, SIGCHLD));
}

/* ---- a tracer ---- */

#define TRACED(NUMBER)                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NUMBER, 0, 1),                                         \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)

static _Noreturn void be_traced(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		TRACED(SYS_bind), TRACED(SYS_listen), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	int fd = bind_port(port);
	printf("bind: %s, ", outcome(fd));
	printf("listen: %s, ", outcome(listen(fd, 1)));
	_exit(0);
}

/* Counts the calls that a filter of the program's own tells its tracer of. */
static void traced(void)
{
	pid_t child = fork();
	int status, seen = 0;

	if (child == 0)
		be_traced();
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESECCOMP);
	do {
		seen += status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
		ptrace(PTRACE_CONT, child, NULL, NULL);
	} while (waitpid(child, &status, 0) == child && !WIFEXITED(status));
	printf("%d seen\n", seen);
}

/* ---- bare system calls ---- */

#ifdef __i386__
#define SYS_BIND_OLD 2 /* of socketcall(2) */

static void multiplexed(void)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long arguments[3] = {fd, (long)&address, sizeof address};
	long result = syscall(SYS_socketcall, SYS_BIND_OLD, arguments);

	printf("socketcall: %s %d\n", outcome((int)result), has_option(fd, SO_REUSEPORT));
}
#endif

static void direct(void)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long result = syscall(SYS_bind, fd, &address, sizeof address);

	printf("bind: %s %d\n", outcome((int)result), has_option(fd, SO_REUSEPORT));
}

/* What the kernel is to complain about itself. */
static void nonsense(void)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	printf("%s ", outcome(bind(-1, (struct sockaddr *)&address, sizeof address)));
	printf("%s ", outcome(bind(0, (struct sockaddr *)&address, sizeof address)));
	printf("%s ", outcome((int)syscall(SYS_bind, fd, 8, sizeof address)));
	printf("%s ", outcome((int)syscall(SYS_bind, fd, &address, -1)));
	printf("%s ", outcome((int)syscall(SYS_bind, fd, &address, 4096)));
	printf("%s\n", outcome(bind(fd, (struct sockaddr *)&address, 3)));
}

static const struct {
	const char *name;
	void (*make)(void);
} troubles[] = {
	{"threads", in_threads},
	{"vfork", in_vfork},
	{"interrupted", interrupted},
	{"counting", counting},
	{"later", later},
	{"race", race},
	{"without", without_rights},
	{"undumpable", undumpable},
	{"no-new-privileges", says_no_new_privileges},
	{"listener", with_listener},
	{"poser", poses},
	{"inherits", inherits},
	{"traced", traced},
#ifdef __i386__
	{"socketcall", multiplexed},
#endif
	{"direct", direct},
	{"nonsense", nonsense},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 3)
		return 2;
	port = atoi(argv[2]);
	rest = argv + 3;
	for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
		if (strcmp(troubles[i].name, argv[1]) != 0)
			continue;
		troubles[i].make();
		return 0;
	}
	return 2;
}
