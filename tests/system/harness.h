/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts real programs with libreuse preloaded, and observes what they do.
 *
 * If a function cannot do its work, it ends the test with a reason; so none returns an error.
 * Whatever a test starts is killed when the test ends, also when it fails or crashes: harness.c has
 * its own main(), whose parent process adopts and kills what a test leaves behind.
 */
#ifndef TESTS_SYSTEM_HARNESS_H
#define TESTS_SYSTEM_HARNESS_H

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* How long anything may take. Nothing waits longer than it must; only a failure waits this long. */
#define DEADLINE_SECONDS 120

/* ---- where things are ---- */

const char *library_path(void);	  /* libreuse.so, LIBREUSE_LIBRARY */
const char *run_path(void);	  /* reuse-run, LIBREUSE_RUN */
const char *source_path(void);	  /* the source tree, LIBREUSE_SOURCE */
const char *build_path(void);	  /* the build tree, LIBREUSE_BUILD */
const char *supervise_path(void); /* reuse-supervise, in it */

/*
 * Whether programs get the notify hook instead of the preload, LIBREUSE_HOOK=notify: tests that
 * hold for both are run twice.
 */
bool is_under_notify(void);

/* Whether they get the kernel hook, LIBREUSE_HOOK=kernel. A test whose rules it cannot keep ends.
 */
bool is_under_kernel(void);

/* Ends the test without a failure under the kernel hook, where WHY it is otherwise. */
void not_under_kernel(const char *why);

/* Whether the notify hook makes the sockets of programs itself, as it does below programs/refused.
 */
bool is_pidfd_getfd_refused(void);

/* Skips the test where libreuse was built without the notify hook, LIBREUSE_NOTIFY=no. */
void need_notify(void);

/* A file of tests/system/programs. */
const char *script_path(const char *name);

/*
 * What is built from a file there; without it (static-pie needs a libc.a) the test is skipped. It
 * is also skipped if this machine does not run NAME_i386, and this skip is one even in CI.
 */
const char *program_path(const char *name);

/* Whether the machine runs 32-bit programs: a virtual one may not. */
bool runs_32_bit(void);

/* A directory with reuse-run, its parts and PROGRAM, where every user can start them. */
const char *copy_for_everybody(const char *program);

/* A new string; nothing frees it before the test ends. */
const char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The path of a program that the test needs: NAME itself when it has a slash, else what PATH or a
 * sbin directory has; "python3" is the system's own. Without it the test is skipped.
 */
const char *need_program(const char *name);

/* Skips the test unless the effective user is root. */
void need_root(void);

/* Whether tests shall take their time, and do more of the same: LIBREUSE_LONG=1. */
bool is_long(void);

/* Skips the test with a reason. With LIBREUSE_NO_SKIP=1, the test fails instead. */
void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A new empty directory that every user can read; removed after the last test. */
const char *new_directory(void);

/* Writes CONTENT to DIRECTORY/NAME, readable by every user; returns the path. */
const char *write_file(const char *directory, const char *name, const char *content);

/* All of a file that is there and readable. */
const char *read_file(const char *path);

/* ---- waiting ---- */

/*
 * Calls CONDITION again and again until it is true. After the deadline the test fails with WHAT as
 * what it waited for.
 */
void wait_until(bool (*condition)(void *context), void *context, const char *what);

/* ---- processes ---- */

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct launch {
	const char *const *arguments;	/* the program's path first */
	const char *const *environment; /* NAME=VALUE, set after all others; NULL: none */
	bool is_bare;			/* without libreuse */
	const char *user;		/* to run as; NULL: as the test does */
	const char *directory;		/* to run in; NULL: / */
	const char *preload;		/* LD_PRELOAD instead of libreuse alone */
};

struct process;

/*
 * Starts a program in a process group of its own, with nothing on standard input, and standard
 * output and standard error each caught in a file. Its environment is the test's without what
 * would configure libreuse, and with REUSE_CONFIG= so that the machine's own policy is not read.
 *
 *     process_start(WORDS(python, "-m", "http.server"), .environment = WORDS("REUSE_PORT=1"));
 *
 * Only the test's main thread may start programs: they die with the thread that started them.
 */
#define process_start(WORDS, ...)                                                                  \
	process_launch(&(struct launch){.arguments = (WORDS), __VA_ARGS__})
struct process *process_launch(const struct launch *launch);

pid_t process_id(const struct process *process);

/* The program itself, which under the notify hook is a child of the process. */
pid_t process_program(const struct process *process);

/* Waits until a process has a child, and returns the first one. */
pid_t process_child(pid_t parent);

/* What it wrote up to now. */
const char *process_output(const struct process *process); /* to standard output */
const char *process_errors(const struct process *process); /* to standard error */

/* Waits for the end of it, and expects that it has written OUTPUT and nothing else. */
void expect_output(struct process *process, const char *output);

/* Waits for the end of it, and expects that it ends with STATUS, as process_wait(). */
void expect_status(struct process *process, int status);

/* Expects that it has written WORDS to standard error. */
void expect_says(const struct process *process, const char *words);

/* Waits until it has written TEXT to either; fails when it ends before. */
void process_wait_text(struct process *process, const char *text);

/*
 * Waits until the process itself, or one that it started, holds a socket of PROTOCOL ("tcp":
 * listening; "udp": bound) on PORT.
 */
void process_wait_port(struct process *process, const char *protocol, int port);

/* Whether it has ended. */
bool process_ended(struct process *process);

/* Waits for its end; returns the exit status, or 128 and the number of the signal. */
int process_wait(struct process *process);

/* Sends the signal to the process alone. */
void process_signal(struct process *process, int signal);

/* Kills the whole group, and waits for the end of the process. */
void process_kill(struct process *process);

/* Starts, waits for the end, and expects status 0. Returns the process, for what it wrote. */
#define process_run(WORDS, ...)                                                                    \
	process_run_launch(&(struct launch){.arguments = (WORDS), __VA_ARGS__})
struct process *process_run_launch(const struct launch *launch);

/*
 * A new directory with an nginx.conf for one worker, and what else it needs. LISTEN are its listen
 * directives, "listen 80;"; to every request it answers ANSWER.
 */
const char *nginx_directory(const char *listen, const char *answer);

/* Starts nginx with that, in the foreground. */
#define nginx_start(LISTEN, ANSWER, ...) nginx_launch(LISTEN, ANSWER, (struct launch){__VA_ARGS__})
struct process *nginx_launch(const char *listen, const char *answer, struct launch launch);

/* ---- ports and sockets ---- */

/*
 * A port that nobody uses with TCP or UDP on any address, that the kernel does not give out by
 * itself, and that no other test gets before this one has ended.
 */
int port_new(void);

/* One line of /proc/net/{tcp,udp}{,6}. */
struct socket_line {
	char address[INET6_ADDRSTRLEN];
	int port;
	bool is_ip6;
	bool is_listening; /* TCP: LISTEN; UDP: not connected */
	unsigned state;	   /* as include/net/tcp_states.h has it */
	uid_t user;
	unsigned long inode; /* 0: of no process */
};

#define ANY_PORT (-1)

/*
 * The sockets of PROTOCOL ("tcp", "udp") with that local port, of both families and in every state.
 * More than ROOM fail the test.
 */
size_t socket_list(const char *protocol, int port, struct socket_line *lines, size_t room);

/* How many sockets of all processes listen on a port. */
int count_listening(const char *protocol, int port);

/* The sum of their inodes: it stays the same while they are the same sockets. */
unsigned long sum_listening(const char *protocol, int port);

/* Waits until exactly COUNT sockets listen on the port. */
void wait_listening(const char *protocol, int port, int count);

enum { STATE_ESTABLISHED = 1, STATE_TIME_WAIT = 6 }; /* include/net/tcp_states.h */

/* Whether the kernel has a TCP connection in that state whose local port it is. */
bool has_state(int port, unsigned state);

/* Waits until it has one. */
void wait_state(int port, unsigned state);

/* "127.0.0.1" and 80, or "::1" and 80, as the kernel wants it; returns the length. */
socklen_t make_address(struct sockaddr_storage *storage, const char *address, int port);

/* A TCP connection from an address that the kernel chooses. */
int client_connect(const char *address, int port);

/* A TCP connection, or -1 with errno. */
int client_try(const char *address, int port);

/*
 * Sends REQUEST (NULL: nothing) on a new connection, and reads until the answer holds STOP (NULL:
 * until it ends), or SIZE - 1 bytes are full. The answer ends in a NUL.
 */
void client_ask(const char *address, int port, const char *request, const char *stop, char *answer,
	size_t size);

/* A socket that listens for the test's own clients, with a queue long enough for all. */
int server_listen(const char *address, int port);

#define PEER_SIZE (INET6_ADDRSTRLEN + 8)

/* The next connection; PEER becomes where it comes from, "127.0.0.1,4711". */
int server_accept(int fd, char peer[PEER_SIZE]);

/* ---- network namespaces ---- */

/*
 * Moves the test, and what it starts from now on, into a new network, where only the loopback
 * interface exists and is up. Skips the test if that is not permitted.
 */
void enter_network_namespace(void);

/* Runs "ip ARGUMENTS..." and expects it to work. */
#define ip(...) process_run(WORDS(need_program("ip"), __VA_ARGS__), .is_bare = true)

/* ---- control groups ---- */

/*
 * The directory of a new, empty control group (cgroups(7), version 2); removed after the last test.
 * Skips the test where none can be made.
 */
const char *new_cgroup(void);

#endif
