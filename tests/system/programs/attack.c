/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does to a hook outside of it what a hostile program can do: "attack WHAT PORT [ARGUMENT...]"
 * prints the result. A status of 77: that cannot be tried here.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define CANNOT_BE_TRIED 77
#define OTHER_USER	61234
#define OTHER_GROUP	61235

int port;
static const char *argument;

const char *outcome(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

_Noreturn void give_up(const char *why)
{
	fprintf(stderr, "attack: %s: %s\n", why, strerrorname_np(errno));
	exit(CANNOT_BE_TRIED);
}

/* Another program's bind. */
static const char *bind_in_child(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(bind_port(0) < 0 ? errno : 0);
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return outcome(errno ? -1 : 0);
}

void bind_beside(void)
{
	printf("beside: %s\n", bind_in_child());
}

/* ---- who it is ---- */

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		give_up(path);
	close(fd);
}

/* A new user namespace, in which it is root. */
static void enter_user_namespace(void)
{
	char line[64];
	unsigned user = geteuid(), group = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		give_up("unshare");
	write_to("/proc/self/setgroups", "deny");
	snprintf(line, sizeof line, "0 %u 1", user);
	write_to("/proc/self/uid_map", line);
	snprintf(line, sizeof line, "0 %u 1", group);
	write_to("/proc/self/gid_map", line);
}

static void become_other_user(void)
{
	const gid_t groups[] = {OTHER_GROUP};

	if (setgroups(1, groups) < 0 || setgid(OTHER_USER) < 0 || setuid(OTHER_USER) < 0)
		give_up("setuid");
	prctl(PR_SET_DUMPABLE, 1); /* as after execve(2) */
}

static void become(const char *whom)
{
	if (strstr(whom, "user"))
		become_other_user();
	if (strstr(whom, "sandbox"))
		enter_user_namespace();
}

/* ---- getting at the process that acts for it ---- */

/* A file of /proc/PROCESS, or -1. */
int open_of(pid_t process, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
	return open(path, flags | O_CLOEXEC);
}

bool status_has(pid_t process, const char *words)
{
	char status[4096] = "";
	int fd = open_of(process, "status", O_RDONLY);

	if (fd >= 0 && read(fd, status, sizeof status - 1) < 0)
		status[0] = '\0';
	close(fd);
	return strstr(status, words) != NULL;
}

static bool is_supervisors(pid_t process)
{
	return status_has(process, "Name:\treuse-run\n");
}

/* Whether it acts for this user now, who is not the supervisor's. */
static bool acts_for_us(pid_t process)
{
	char words[64];

	snprintf(words, sizeof words, "Uid:\t0\t%d\t0", OTHER_USER);
	return is_supervisors(process) && status_has(process, words);
}

/* How many ways into the process there are; who may do one of these may mostly do all. */
static int ways_into(pid_t process)
{
	static const char *const doors[] = {"root/", "cwd/", "fd/2", "ns/net"};
	int ways = 0;

	if (ptrace(PTRACE_SEIZE, process, 0, 0) == 0) {
		ways++;
		ptrace(PTRACE_DETACH, process, 0, 0);
	}
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		int fd = open_of(process, doors[i], O_RDONLY);
		ways += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	return ways;
}

static void bind_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = bind_port(port);
		if (fd >= 0)
			close(fd);
		else if (errno != EADDRINUSE)
			printf("bind: %s\n", outcome(-1));
	}
}

/*
 * The first process of the supervisor that this one can stop, or where it cannot stop any, that
 * acts for it; the newest numbers are tried. It stays stopped.
 */
static pid_t meet(pid_t binder, int loadavg)
{
	char line[100] = "";

	if (pread(loadavg, line, sizeof line - 1, 0) < 0)
		give_up("/proc/loadavg");
	pid_t last = atoi(strrchr(line, ' '));
	for (pid_t p = last; p < last + 8; p++) {
		if (p == binder || p == getpid())
			continue;
		if (kill(p, SIGSTOP) == 0 ? is_supervisors(p) : acts_for_us(p))
			return p;
	}
	return 0;
}

bool is_time_over(void)
{
	static time_t end;

	if (!end)
		end = time(NULL) + 30;
	return time(NULL) > end;
}

static _Noreturn void bind_until_it_fails(void)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = bind_port(port)) >= 0)
		close(fd);
	printf("bind: %s\n", outcome(-1));
	exit(0);
}

static pid_t start_binder(void)
{
	pid_t binder = fork();

	if (binder == 0)
		bind_for_ever();
	return binder;
}

#define TRIES 1000

/*
 * Looks for ways into the processes of the supervisor that come and go while this one binds, and
 * into those that stay. Not stopped first: they can be before they are where it is to be tried.
 */
static void get_in(void)
{
	int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC), met = 0, ways = 0;
	char line[100] = "";

	become(argument);
	ways += ways_into(getppid());
	pid_t binder = start_binder();
	while (met < TRIES && ways == 0 && !is_time_over()) {
		if (pread(loadavg, line, sizeof line - 1, 0) < 0)
			give_up("/proc/loadavg");
		pid_t last = atoi(strrchr(line, ' '));
		for (pid_t p = last; p < last + 4; p++) {
			if (!is_supervisors(p))
				continue;
			ways += ways_into(p);
			met++;
		}
	}
	kill(binder, SIGKILL);
	printf("%s, %d ways in\n", met > 0 ? "some met" : "none met", ways);
}

/*
 * Stops a process that acts for it, and leaves it so. One that has done its work already ends by
 * that, and the next one is tried.
 */
static void stop(void)
{
	int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC), status;
	const char *beside = NULL;
	pid_t process = 0;

	become(argument);
	pid_t binder = fork();
	if (binder == 0)
		bind_until_it_fails();
	while (!is_time_over() && waitpid(binder, &status, WNOHANG) == 0) {
		/* It may stop a little after it was told to. */
		bool is_stopped = process && status_has(process, "State:\tT");
		pid_t met = is_stopped ? 0 : meet(binder, loadavg);
		if (met)
			process = met;
		if (is_stopped && !beside)
			beside = bind_in_child();
	}
	kill(binder, SIGKILL);
	if (!beside)
		give_up("nobody met");
	printf("beside: %s\n", beside);
}

/* ---- memory that does not answer ---- */

static int faults;
static char *page; /* every access to it waits until somebody answers the fault */

void make_page_at(void *place)
{
	struct uffdio_api api = {.api = UFFD_API};
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (place ? MAP_FIXED : 0);

	page = mmap(place, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
	struct uffdio_register area = {
		.range = {(unsigned long)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) < 0 ||
		ioctl(faults, UFFDIO_REGISTER, &area) < 0)
		give_up("userfaultfd");
}

static void make_page(void)
{
	make_page_at(NULL);
}

void wait_for_fault(void)
{
	struct pollfd polled = {.fd = faults, .events = POLLIN};

	if (poll(&polled, 1, -1) != 1)
		give_up("poll");
}

static void answer_fault(void)
{
	struct uffdio_zeropage zero = {.range = {(unsigned long)page, 4096}};

	if (ioctl(faults, UFFDIO_ZEROPAGE, &zero) < 0)
		give_up("UFFDIO_ZEROPAGE");
}

static void *bind_page(void *unused)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)unused;
	int result = bind(fd, (struct sockaddr *)page, sizeof(struct sockaddr_in));
	printf("bind: %s\n", outcome(result));
	return NULL;
}

/* Binds at as many addresses that do not answer as ARGUMENT says; they never will. */
void stuck(void)
{
	int count = atoi(argument);
	pthread_t threads[256];

	make_page();
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, bind_page, NULL);
	wait_for_fault();
	bind_beside();
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* The same, but it is answered after another program has bound. */
static void late(void)
{
	pthread_t thread;

	make_page();
	pthread_create(&thread, NULL, bind_page, NULL);
	wait_for_fault();
	bind_beside();
	answer_fault();
	pthread_join(thread, NULL);
}

/* ---- a socket that does not answer ---- */

static int connected;

static void *send_page(void *unused)
{
	(void)unused;
	return send(connected, page, 4096, 0) == 4096 ? page : NULL;
}

static void *bind_connected(void *unused)
{
	struct sockaddr_in address = loopback(port);

	(void)unused;
	int result = bind(connected, (struct sockaddr *)&address, sizeof address);
	printf("bind: %s\n", outcome(result));
	return NULL;
}

static void connect_to_self(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof address;
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	connected = socket(AF_INET, SOCK_STREAM, 0);
	if (listen(listening, 1) < 0 ||
		getsockname(listening, (struct sockaddr *)&address, &length) < 0 ||
		connect(connected, (struct sockaddr *)&address, length) < 0)
		give_up("connect");
}

/* The kernel keeps the socket locked while what it sends cannot be read. */
static void locked(void)
{
	pthread_t sender, binder;

	make_page();
	connect_to_self();
	pthread_create(&sender, NULL, send_page, NULL);
	wait_for_fault();
	pthread_create(&binder, NULL, bind_connected, NULL);
	for (int i = 0; i < 5; i++)
		bind_beside();
	answer_fault();
	pthread_join(sender, NULL);
	pthread_join(binder, NULL);
}

/* ---- traces that it leaves ---- */

static pthread_t first;

static const char *bind_number(int fd)
{
	struct sockaddr_in address = loopback(port);

	return outcome(bind(fd, (struct sockaddr *)&address, sizeof address));
}

static void *bind_alone(void *unused)
{
	(void)unused;
	pthread_join(first, NULL);
	while (!status_has(getpid(), "State:\tZ")) { /* of the process: its first thread */
	}
	dup2(socket(AF_INET, SOCK_STREAM, 0), 77); /* a number that old_kernel.c knows */
	printf("bind: %s\n", bind_number(77));
	printf("closed: %s\n", bind_number(78));
	exit(0);
}

/* Binds when the first thread has ended. */
static void alone(void)
{
	pthread_t thread;

	first = pthread_self();
	pthread_create(&thread, NULL, bind_alone, NULL);
	pthread_exit(NULL);
}

/* ---- sockets ---- */

static void show(const char *name, int type, int protocol)
{
	int fd = socket(AF_INET, type, protocol);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		printf("%s %s\n", name, outcome(-1));
	else
		printf("%s of %u, %u\n", name, status.st_uid, status.st_gid);
}

/* Whose a socket is, and whether it may ping. */
static void owner(void)
{
	become(argument);
	show("tcp", SOCK_STREAM, 0);
	show("ping", SOCK_DGRAM, IPPROTO_ICMP);
}

static const struct {
	const char *name;
	void (*make)(void);
} attacks[] = {
	{"get-in", get_in},
	{"stop", stop},
	{"stuck", stuck},
	{"late", late},
	{"unknown", unknown},
	{"locked", locked},
	{"alone", alone},
	{"calm", calm},
	{"killed", killed},
	{"no-process", alone_with_it},
	{"exchange", exchange},
	{"owner", owner},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 2;
	port = atoi(argv[2]);
	argument = argc > 3 ? argv[3] : "";
	for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
		if (strcmp(attacks[i].name, argv[1]) != 0)
			continue;
		attacks[i].make();
		return 0;
	}
	return 2;
}
