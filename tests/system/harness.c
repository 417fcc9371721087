/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#include "kernel.h"

#include <arpa/inet.h>
#include <criterion/options.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH	      "LIBREUSE_TEST_SCRATCH" /* the directory of this run, removed after it */
#define STATE_LISTEN  10
#define STATE_UDP_ANY 7 /* how an unconnected UDP socket shows */

extern char **environ;

#define fail(...)                                                                                  \
	do {                                                                                       \
		cr_assert_fail(__VA_ARGS__);                                                       \
		abort(); /* never reached; the compiler does not know */                           \
	} while (0)

/* ---- where things are ---- */

const char *format(const char *fmt, ...)
{
	char *string;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&string, fmt, args) < 0)
		abort();
	va_end(args);
	return string;
}

static const char *place(const char *variable)
{
	const char *value = getenv(variable);

	if (!value)
		fail("%s is not set; start the tests with meson test", variable);
	return value;
}

const char *library_path(void)
{
	return place("LIBREUSE_LIBRARY");
}

const char *run_path(void)
{
	return place("LIBREUSE_RUN");
}

const char *source_path(void)
{
	return place("LIBREUSE_SOURCE");
}

const char *build_path(void)
{
	return place("LIBREUSE_BUILD");
}

const char *supervise_path(void)
{
	return format("%s/reuse-supervise", build_path());
}

const char *script_path(const char *name)
{
	return format("%s/tests/system/programs/%s", source_path(), name);
}

/* Criterion says this only with --verbose. */
static __attribute__((noreturn)) void leave_out(const char *reason)
{
	dprintf(STDERR_FILENO, "[SKIP] %s::%s: %s\n", criterion_current_suite->name,
		criterion_current_test->name, reason);
	cr_skip_test("%s", reason);
	abort(); /* never reached; the compiler does not know */
}

static const char *built_program(const char *name)
{
	return need_program(format("%s/tests/system/programs/%s", build_path(), name));
}

bool runs_32_bit(void)
{
	char *path = (char *)built_program("server_i386");
	pid_t process;
	int error = posix_spawn(&process, path, NULL, NULL, (char *[]){path, NULL}, environ);

	if (!error)
		waitpid(process, NULL, 0);
	return error != ENOEXEC;
}

const char *program_path(const char *name)
{
	size_t length = strlen(name);

	/* skip() would fail where nothing may be skipped, but no package changes the machine */
	if (length > 5 && strcmp(name + length - 5, "_i386") == 0 && !runs_32_bit())
		leave_out("this machine runs no 32-bit programs");
	return built_program(name);
}

bool is_long(void)
{
	const char *value = getenv("LIBREUSE_LONG");

	return value && strcmp(value, "1") == 0;
}

void skip(const char *fmt, ...)
{
	const char *no_skip = getenv("LIBREUSE_NO_SKIP");
	char *reason;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&reason, fmt, args) < 0)
		abort();
	va_end(args);
	if (no_skip && strcmp(no_skip, "1") == 0)
		fail("nothing may be skipped here: %s", reason);
	leave_out(reason);
}

static const char *find_in(const char *directories, const char *name)
{
	char *copy = strdup(directories), *rest = copy;

	for (const char *directory; (directory = strsep(&rest, ":"));) {
		const char *path = format("%s/%s", directory, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	free(copy);
	return NULL;
}

const char *need_program(const char *name)
{
	const char *path = getenv("PATH");
	const char *found = NULL;

	/* A version manager's python3 in PATH is a shell script. */
	if (strcmp(name, "python3") == 0)
		found = find_in("/usr/bin", name);
	if (!found && strchr(name, '/') && access(name, X_OK) == 0)
		found = name;
	if (!found && path)
		found = find_in(path, name);
	if (!found)
		found = find_in("/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", name);
	if (!found)
		skip("%s is not installed", name);
	return found;
}

void need_root(void)
{
	if (geteuid() != 0)
		skip("only root can do this");
}

const char *new_directory(void)
{
	char *path = (char *)(uintptr_t)format("%s/XXXXXX", place(SCRATCH));

	if (!mkdtemp(path) || chmod(path, 0755) < 0)
		fail("mkdtemp %s: %s", path, strerror(errno));
	return path;
}

const char *write_file(const char *directory, const char *name, const char *content)
{
	const char *path = format("%s/%s", directory, name);
	FILE *file = fopen(path, "we");

	if (!file || fputs(content, file) < 0 || fclose(file) < 0 || chmod(path, 0644) < 0)
		fail("%s: %s", path, strerror(errno));
	return path;
}

static const char *read_all(int fd)
{
	size_t length = 0, room = 4096;
	char *bytes = malloc(room);
	ssize_t got;

	while (bytes && (got = pread(fd, bytes + length, room - length - 1, (off_t)length)) > 0) {
		length += (size_t)got;
		if (length + 1 == room)
			bytes = realloc(bytes, room *= 2);
	}
	if (!bytes)
		abort();
	bytes[length] = '\0';
	return bytes;
}

const char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	const char *content = read_all(fd);
	close(fd);
	return content;
}

/* ---- waiting ---- */

/* Calls CONDITION until it is true; false after the deadline. */
static bool becomes_true(bool (*condition)(void *context), void *context)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (time_t end = now.tv_sec + DEADLINE_SECONDS; now.tv_sec < end;) {
		if (condition(context))
			return true;
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	return condition(context);
}

void wait_until(bool (*condition)(void *context), void *context, const char *what)
{
	if (!becomes_true(condition, context))
		fail("%d seconds were not enough for: %s", DEADLINE_SECONDS, what);
}

/* ---- processes ---- */

struct process {
	pid_t pid;
	bool is_notified;
	const char *cgroup; /* with the kernel hook, or NULL */
	const char *name;
	int output, errors;
	bool has_ended;
	int status; /* of waitpid(2) */
};

/* What would configure libreuse or change what a program does; a test sets what it needs. */
static bool is_dropped(const char *assignment)
{
	static const char *const prefixes[] = {"REUSE_", "BIND_ADDR=", "BIND_PORT=",
		"IP_TRANSPARENT=", "LD_PRELOAD=", "JOURNAL_STREAM=", "NOTIFY_SOCKET=", "LISTEN_",
		"BXFI_", "MALLOC_PERTURB_=", "http_proxy=", "https_proxy=", "all_proxy=",
		"ALL_PROXY=", "HTTP_PROXY=", "HTTPS_PROXY=", "NODE_OPTIONS=", "JAVA_TOOL_OPTIONS=",
		"_JAVA_OPTIONS=", "PYTHONPATH=", "PYTHONHOME="};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (strncmp(assignment, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (words && words[count])
		count++;
	return count;
}

/* Another user may not be able to reach the build tree: gives that user a copy of a file. */
static const char *copy_for(const char *user, const char *original)
{
	if (!user)
		return original;
	const char *path = format("%s/%s", new_directory(), strrchr(original, '/') + 1);
	int from = open(original, O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char bytes[65536];
	ssize_t got;

	if (from < 0 || to < 0 || fchmod(to, 0755) < 0)
		fail("%s: %s", path, strerror(errno));
	while ((got = read(from, bytes, sizeof bytes)) > 0) {
		if (write(to, bytes, (size_t)got) != got)
			fail("%s: %s", path, strerror(errno));
	}
	close(from);
	close(to);
	return path;
}

static bool is_under(const char *hook)
{
	const char *wanted = getenv("LIBREUSE_HOOK");

	return wanted && strcmp(wanted, hook) == 0;
}

bool is_under_notify(void)
{
	return is_under("notify");
}

bool is_under_kernel(void)
{
	return is_under("kernel");
}

void not_under_kernel(const char *why)
{
	if (is_under_kernel())
		cr_skip_test("under the kernel hook, %s", why);
}

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* glibc 2.32 has it */
#endif

bool is_pidfd_getfd_refused(void)
{
	return syscall(SYS_pidfd_getfd, -1, 0, 0) < 0 && errno == EPERM;
}

void need_notify(void)
{
	const char *is_built = getenv("LIBREUSE_NOTIFY");

	if (is_built && strcmp(is_built, "no") == 0)
		skip("libreuse was built without the notify hook");
}

static bool is_notified(const struct launch *launch)
{
	return is_under_notify() && !launch->is_bare && !launch->preload;
}

static bool is_in_kernel(const struct launch *launch)
{
	return is_under_kernel() && !launch->is_bare && !launch->preload;
}

static const char *const *make_arguments(const struct launch *launch)
{
	static const char *const front[] = {"--parent=notify", "--"};
	size_t count = count_words(launch->arguments);

	if (!is_notified(launch))
		return launch->arguments;
	const char **arguments = calloc(count + 4, sizeof *arguments);
	if (!arguments)
		abort();
	arguments[0] = copy_for(launch->user, supervise_path());
	memcpy(arguments + 1, front, sizeof front);
	memcpy(arguments + 3, launch->arguments, count * sizeof *arguments);
	return arguments;
}

static char **make_environment(const struct launch *launch)
{
	size_t room = count_words((const char *const *)environ) + count_words(launch->environment);
	char **environment = calloc(room + 4, sizeof *environment);
	size_t count = 0;

	if (!environment)
		abort();
	for (char **at = environ; *at; at++) {
		if (!is_dropped(*at))
			environment[count++] = *at;
	}
	environment[count++] = strdup("REUSE_CONFIG=");
	environment[count++] = strdup("PYTHONUNBUFFERED=1");
	if (!launch->is_bare && !is_notified(launch) && !is_in_kernel(launch))
		environment[count++] = (char *)(uintptr_t)format("LD_PRELOAD=%s",
			launch->preload ? launch->preload : copy_for(launch->user, library_path()));
	for (size_t i = 0; i < count_words(launch->environment); i++) {
		size_t name = strcspn(launch->environment[i], "=") + 1;
		size_t at = 0;
		while (at < count && strncmp(environment[at], launch->environment[i], name) != 0)
			at++;
		environment[at] = strdup(launch->environment[i]);
		count += at == count;
	}
	return environment;
}

static void become(const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry || setgroups(0, NULL) < 0 || setgid(entry->pw_gid) < 0 ||
		setuid(entry->pw_uid) < 0) {
		dprintf(STDERR_FILENO, "cannot become %s: %s\n", user, strerror(errno));
		_exit(126);
	}
}

static void enter(const char *cgroup)
{
	int fd = open(format("%s/cgroup.procs", cgroup), O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) < 0) {
		dprintf(STDERR_FILENO, "cannot enter %s: %s\n", cgroup, strerror(errno));
		_exit(126);
	}
	close(fd);
}

/* In the child: never returns. */
static void __attribute__((noreturn)) run_program(const struct process *process,
	const struct launch *launch, const char *const *arguments, char **environment, pid_t test)
{
	int nothing = open("/dev/null", O_RDONLY);
	sigset_t none;

	setpgid(0, 0);
	dup2(nothing, STDIN_FILENO);
	dup2(process->output, STDOUT_FILENO);
	dup2(process->errors, STDERR_FILENO);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	for (int signal = 1; signal < NSIG; signal++)
		(void)!sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (process->cgroup)
		enter(process->cgroup);
	if (launch->user)
		become(launch->user);
	/* A change of user takes this back, so it comes after it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == test && chdir(launch->directory ? launch->directory : "/") == 0)
		execve(arguments[0], (char **)(uintptr_t)arguments, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* What forks away from a program belongs to the test until the test is over. */
static void adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct process *process_launch(const struct launch *launch)
{
	struct process *process = calloc(1, sizeof *process);
	pid_t test = getpid();

	if (!process)
		abort();
	adopt_orphans();
	process->name = launch->arguments[0];
	process->is_notified = is_notified(launch);
	process->cgroup = is_in_kernel(launch) ? kernel_place(launch->environment) : NULL;
	process->output = memfd_create("standard output", MFD_CLOEXEC);
	process->errors = memfd_create("standard error", MFD_CLOEXEC);
	if (process->output < 0 || process->errors < 0)
		fail("memfd_create: %s", strerror(errno));
	/* A process that opens /proc/self/fd/1 again writes after what is there. */
	fcntl(process->output, F_SETFL, O_APPEND);
	fcntl(process->errors, F_SETFL, O_APPEND);
	char **environment = make_environment(launch);
	const char *const *arguments = make_arguments(launch);
	process->pid = fork();
	if (process->pid < 0)
		fail("fork: %s", strerror(errno));
	if (process->pid == 0)
		run_program(process, launch, arguments, environment, test);
	setpgid(process->pid, process->pid);
	free(environment);
	return process;
}

pid_t process_id(const struct process *process)
{
	return process->pid;
}

struct child {
	pid_t parent, child;
};

static bool has_child(void *context)
{
	struct child *child = context;

	child->child = atoi(read_file(
		format("/proc/%d/task/%d/children", (int)child->parent, (int)child->parent)));
	return child->child > 0;
}

pid_t process_child(pid_t parent)
{
	struct child child = {.parent = parent};

	wait_until(has_child, &child, "a child");
	return child.child;
}

pid_t process_program(const struct process *process)
{
	return process->is_notified ? process_child(process->pid) : process->pid;
}

const char *process_output(const struct process *process)
{
	return read_all(process->output);
}

const char *process_errors(const struct process *process)
{
	return read_all(process->errors);
}

void expect_output(struct process *process, const char *output)
{
	int status = process_wait(process);

	cr_expect_str_eq(process_output(process), output, "status %d, \"%s\", and: %s", status,
		process_output(process), process_errors(process));
}

void expect_says(const struct process *process, const char *words)
{
	cr_expect(strstr(process_errors(process), words), "it does not say \"%s\" but: %s", words,
		process_errors(process));
}

void expect_status(struct process *process, int status)
{
	int ended = process_wait(process);

	cr_expect_eq(
		ended, status, "it ended with %d, and said: %s", ended, process_errors(process));
}

bool process_ended(struct process *process)
{
	if (!process->has_ended)
		process->has_ended = waitpid(process->pid, &process->status, WNOHANG) != 0;
	return process->has_ended;
}

static bool has_ended(void *context)
{
	return process_ended(context);
}

int process_wait(struct process *process)
{
	if (!becomes_true(has_ended, process))
		fail("%s did not end; it wrote \"%s\" and \"%s\"", process->name,
			process_output(process), process_errors(process));
	return WIFSIGNALED(process->status) ? 128 + WTERMSIG(process->status)
					    : WEXITSTATUS(process->status);
}

void process_signal(struct process *process, int signal)
{
	if (process_ended(process) || kill(process->pid, signal) < 0)
		fail("%s has ended, and was to get signal %d; it wrote \"%s\" and \"%s\"",
			process->name, signal, process_output(process), process_errors(process));
}

void process_kill(struct process *process)
{
	kill(-process->pid, SIGKILL);
	process_wait(process);
}

struct process *process_run_launch(const struct launch *launch)
{
	struct process *process = process_launch(launch);
	int status = process_wait(process);

	if (status != 0)
		fail("%s ended with status %d; it wrote \"%s\" and \"%s\"", process->name, status,
			process_output(process), process_errors(process));
	return process;
}

const char *nginx_directory(const char *listen, const char *answer)
{
	const char *directory = new_directory();
	const char *temporary = "";
	const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		temporary = format(
			"%s\t%s_temp_path %s/%s;\n", temporary, kinds[i], directory, kinds[i]);
	write_file(directory, "nginx.conf",
		format("worker_processes 1;\n"
		       "pid %s/nginx.pid;\n"
		       "error_log stderr;\n"
		       "events { worker_connections 64; }\n"
		       "http {\n"
		       "	access_log off;\n"
		       "%s"
		       "	server { %s return 200 \"%s\"; }\n"
		       "}\n",
			directory, temporary, listen, answer));
	return directory;
}

struct process *nginx_launch(const char *listen, const char *answer, struct launch launch)
{
	const char *directory = nginx_directory(listen, answer);

	launch.arguments = WORDS(need_program("nginx"), "-p", directory, "-c",
		format("%s/nginx.conf", directory), "-g", "daemon off;");
	return process_launch(&launch);
}

struct expectation {
	struct process *process;
	const char *text;
	const char *protocol;
	int port;
	bool has_come;
};

/* Whether it is as expected, or will never be. */
static bool is_text_decided(void *context)
{
	struct expectation *expectation = context;
	bool has_ended_before = process_ended(expectation->process);

	expectation->has_come = strstr(process_output(expectation->process), expectation->text) ||
				strstr(process_errors(expectation->process), expectation->text);
	return expectation->has_come || has_ended_before;
}

static void fail_expectation(const struct expectation *expectation, const char *what)
{
	struct process *process = expectation->process;

	fail("%s %s without %s; it wrote \"%s\" and \"%s\"", process->name,
		process->has_ended ? "ended" : "went on", what, process_output(process),
		process_errors(process));
}

void process_wait_text(struct process *process, const char *text)
{
	struct expectation expectation = {.process = process, .text = text};

	becomes_true(is_text_decided, &expectation);
	if (!expectation.has_come)
		fail_expectation(&expectation, format("saying \"%s\"", text));
}

static bool process_holds(const char *pid, const char *socket)
{
	const char *path = format("/proc/%s/fd", pid);
	DIR *files = opendir(path);
	bool is_held = false;

	for (const struct dirent *file; files && !is_held && (file = readdir(files));) {
		char link[64];
		ssize_t length = readlinkat(dirfd(files), file->d_name, link, sizeof link - 1);
		link[length > 0 ? length : 0] = '\0';
		is_held = strcmp(link, socket) == 0;
	}
	if (files)
		closedir(files);
	return is_held;
}

/* Whether a process of that group has a socket open. */
static bool group_holds(pid_t group, unsigned long inode)
{
	const char *socket = format("socket:[%lu]", inode);
	DIR *proc = opendir("/proc");
	bool is_held = false;

	for (const struct dirent *entry; proc && !is_held && (entry = readdir(proc));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		is_held = pid > 0 && getpgid(pid) == group && process_holds(entry->d_name, socket);
	}
	if (proc)
		closedir(proc);
	return is_held;
}

static bool is_port_decided(void *context)
{
	struct expectation *expectation = context;
	struct socket_line lines[64];
	bool has_ended_before = process_ended(expectation->process);
	size_t count = socket_list(expectation->protocol, expectation->port, lines, 64);

	for (size_t i = 0; i < count && !expectation->has_come; i++)
		expectation->has_come = lines[i].is_listening &&
					group_holds(expectation->process->pid, lines[i].inode);
	return expectation->has_come || has_ended_before;
}

void process_wait_port(struct process *process, const char *protocol, int port)
{
	struct expectation expectation = {.process = process, .protocol = protocol, .port = port};

	becomes_true(is_port_decided, &expectation);
	if (!expectation.has_come)
		fail_expectation(&expectation, format("a socket on %s port %d", protocol, port));
}

const char *copy_for_everybody(const char *program)
{
	const char *directory = new_directory();

	process_run(
		WORDS("/bin/cp", run_path(), library_path(), supervise_path(), program, directory),
		.is_bare = true);
	return directory;
}

/* ---- ports and sockets ---- */

static bool can_bind(int family, int type, int port)
{
	struct sockaddr_storage address;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	socklen_t length = make_address(&address, family == AF_INET ? "0.0.0.0" : "::", port);

	if (fd < 0)
		return errno == EAFNOSUPPORT; /* no IPv6 here, so the port is free there */
	bool is_free = bind(fd, (struct sockaddr *)&address, length) == 0;
	is_free = is_free && (type != SOCK_STREAM || listen(fd, 1) == 0);
	close(fd);
	return is_free;
}

/*
 * Holds a port for this test, in a way that programs do not see: by a name that belongs to one
 * socket at a time, and goes away with this process. Never closed.
 */
static bool reserve(int port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length = snprintf(
		name.sun_path + 1, sizeof name.sun_path - 1, "libreuse-test-port-%d", port);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&name,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
		return true;
	close(fd);
	return false;
}

int port_new(void)
{
	const int first = 10000, count = 20000; /* below what the kernel gives by itself */
	int port = first + (int)((unsigned)getpid() * 7919U % (unsigned)count);

	for (int i = 0; i < count; i++) {
		port = port + 1 < first + count ? port + 1 : first;
		if (reserve(port) && can_bind(AF_INET, SOCK_STREAM, port) &&
			can_bind(AF_INET6, SOCK_STREAM, port) &&
			can_bind(AF_INET, SOCK_DGRAM, port) && can_bind(AF_INET6, SOCK_DGRAM, port))
			return port;
	}
	fail("no port is free");
}

/* The kernel prints addresses as words of 32 bits in its own byte order. */
static void read_address(const char *hex, struct socket_line *line)
{
	uint32_t words[4] = {0};
	int count = line->is_ip6 ? 4 : 1;

	for (int i = 0; i < count; i++) {
		char word[9] = {0};
		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	inet_ntop(line->is_ip6 ? AF_INET6 : AF_INET, words, line->address, sizeof line->address);
}

static bool read_line(const char *text, const char *protocol, struct socket_line *line)
{
	char hex[33];
	unsigned port;

	if (sscanf(text, " %*u: %32[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %u %*u %lu",
		    hex, &port, &line->state, &line->user, &line->inode) != 5)
		return false;
	line->port = (int)port;
	line->is_ip6 = strlen(hex) == 32;
	line->is_listening =
		line->state == (strcmp(protocol, "udp") == 0 ? STATE_UDP_ANY : STATE_LISTEN);
	read_address(hex, line);
	return true;
}

/* Calls VISIT for each of PROTOCOL with that local port. */
static void visit_sockets(const char *protocol, int port,
	void (*visit)(const struct socket_line *line, void *context), void *context)
{
	const char *digits = format(":%04X ", (unsigned)port);
	char text[512];

	for (int family = 0; family < 2; family++) {
		FILE *file = fopen(format("/proc/net/%s%s", protocol, family ? "6" : ""), "re");
		while (file && fgets(text, sizeof text, file)) {
			struct socket_line line;
			bool may_match = port == ANY_PORT || strstr(text, digits);
			if (may_match && read_line(text, protocol, &line) &&
				(port == ANY_PORT || line.port == port))
				visit(&line, context);
		}
		if (file)
			fclose(file);
	}
}

struct socket_lines {
	struct socket_line *lines;
	size_t count, room;
};

static void add_line(const struct socket_line *line, void *context)
{
	struct socket_lines *all = context;

	if (all->count == all->room)
		fail("more than %zu sockets on port %d", all->room, line->port);
	all->lines[all->count++] = *line;
}

size_t socket_list(const char *protocol, int port, struct socket_line *lines, size_t room)
{
	struct socket_lines all = {.lines = lines, .room = room};

	visit_sockets(protocol, port, add_line, &all);
	return all.count;
}

static void count_line(const struct socket_line *line, void *context)
{
	*(int *)context += line->is_listening;
}

int count_listening(const char *protocol, int port)
{
	int listening = 0;

	visit_sockets(protocol, port, count_line, &listening);
	return listening;
}

static void sum_line(const struct socket_line *line, void *context)
{
	*(unsigned long *)context += line->is_listening ? line->inode : 0;
}

unsigned long sum_listening(const char *protocol, int port)
{
	unsigned long sum = 0;

	visit_sockets(protocol, port, sum_line, &sum);
	return sum;
}

struct listening {
	const char *protocol;
	int port, count;
};

static bool is_listening(void *context)
{
	const struct listening *listening = context;

	return count_listening(listening->protocol, listening->port) == listening->count;
}

void wait_listening(const char *protocol, int port, int count)
{
	struct listening listening = {protocol, port, count};

	if (!becomes_true(is_listening, &listening))
		fail("%d sockets, not %d, listen on %s port %d", count_listening(protocol, port),
			count, protocol, port);
}

struct port_state {
	int port;
	unsigned state;
};

bool has_state(int port, unsigned state)
{
	struct socket_line lines[64];
	size_t count = socket_list("tcp", port, lines, 64);

	for (size_t i = 0; i < count; i++) {
		if (lines[i].state == state)
			return true;
	}
	return false;
}

static bool is_in_state(void *context)
{
	const struct port_state *wanted = context;

	return has_state(wanted->port, wanted->state);
}

void wait_state(int port, unsigned state)
{
	struct port_state wanted = {port, state};

	wait_until(is_in_state, &wanted, format("TCP state %u on port %d", state, port));
}

socklen_t make_address(struct sockaddr_storage *storage, const char *address, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, address, &in6->sin6_addr) != 1)
		fail("%s is not an address", address);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return sizeof *in6;
}

int client_try(const char *address, int port)
{
	struct sockaddr_storage peer;
	socklen_t length = make_address(&peer, address, port);
	int fd = socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS};

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&peer, length) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int client_connect(const char *address, int port)
{
	int fd = client_try(address, port);

	if (fd < 0)
		fail("connect to %s port %d: %s", address, port, strerror(errno));
	return fd;
}

void client_ask(const char *address, int port, const char *request, const char *stop, char *answer,
	size_t size)
{
	int fd = client_connect(address, port);
	size_t length = 0;
	ssize_t got = 1;

	if (request && send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		fail("send to %s port %d: %s", address, port, strerror(errno));
	answer[0] = '\0';
	while (got > 0 && length + 1 < size && !(stop && strstr(answer, stop))) {
		got = recv(fd, answer + length, size - length - 1, 0);
		if (got < 0)
			fail("recv from %s port %d: %s", address, port, strerror(errno));
		length += (size_t)got;
		answer[length] = '\0';
	}
	close(fd);
}

int server_listen(const char *address, int port)
{
	struct sockaddr_storage local;
	socklen_t length = make_address(&local, address, port);
	int fd = socket(local.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = DEADLINE_SECONDS};

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, length) < 0 || listen(fd, 128) < 0)
		fail("listen on %s port %d: %s", address, port, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

int server_accept(int fd, char peer[PEER_SIZE])
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	char port[8];
	int client = accept4(fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);

	if (client < 0)
		fail("accept: %s", strerror(errno));
	getnameinfo((struct sockaddr *)&from, length, peer, INET6_ADDRSTRLEN, port, sizeof port,
		NI_NUMERICHOST | NI_NUMERICSERV);
	strcat(strcat(peer, ","), port);
	return client;
}

/* ---- network namespaces ---- */

void enter_network_namespace(void)
{
	struct ifreq interface = {.ifr_name = "lo"};

	if (unshare(CLONE_NEWNET) < 0)
		skip("no network namespace: %s", strerror(errno));
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &interface) < 0)
		fail("lo: %s", strerror(errno));
	interface.ifr_flags |= IFF_UP | IFF_MULTICAST;
	if (ioctl(fd, SIOCSIFFLAGS, &interface) < 0)
		fail("lo: %s", strerror(errno));
	close(fd);
}

/* ---- control groups ---- */

/* Where the groups of this run are made, below the one that it is in; NULL: there is no cgroup2. */
static const char *cgroup_of_run(const char *scratch)
{
	char line[4096], mount[4096] = "", own[4096] = "";
	FILE *file = fopen("/proc/self/mountinfo", "re");

	while (file && !mount[0] && fgets(line, sizeof line, file)) {
		if (strstr(line, " - cgroup2 "))
			sscanf(line, "%*s %*s %*s %*s %4095s", mount);
	}
	if (file)
		fclose(file);
	file = fopen("/proc/self/cgroup", "re");
	while (file && !own[0] && fgets(line, sizeof line, file))
		sscanf(line, "0::/%4095s", own);
	if (file)
		fclose(file);
	return mount[0] ? format("%s/%s%s", mount, own, strrchr(scratch, '/')) : NULL;
}

const char *new_cgroup(void)
{
	const char *run = cgroup_of_run(place(SCRATCH));

	if (!run)
		skip("there is no cgroup2");
	char *path = (char *)(uintptr_t)format("%s/XXXXXX", run);
	if ((mkdir(run, 0755) < 0 && errno != EEXIST) || !mkdtemp(path))
		skip("no control group: %s: %s", path, strerror(errno));
	return path;
}

/* ---- the guard ---- */

/* Kills every child but one, which may be 0. */
static void kill_children_but(pid_t spared)
{
	char path[64];
	int pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1) {
		if (pid != spared)
			kill(pid, SIGKILL);
	}
	if (file)
		fclose(file);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status, (void)type, (void)ftw;
	remove(path);
	return 0;
}

/*
 * The parent of Criterion's runner. What a test leaves behind when it ends becomes a child of this
 * process, whether or not it has left its group, and is killed: while the runner lives, only
 * leftovers are other children. A signal that asks this process to end makes it end everything;
 * only SIGKILL does not, and then the kernel still kills all but what the programs started
 * themselves.
 */
static int guard(pid_t runner, const char *scratch, const sigset_t *signals)
{
	const struct timespec round = {.tv_nsec = 100 * 1000 * 1000};
	const char *cgroup = cgroup_of_run(scratch);
	int result = 1, status;
	bool is_running = true;
	pid_t pid;

	while (is_running) {
		int signal = sigtimedwait(signals, NULL, &round);
		if (signal > 0 && signal != SIGCHLD)
			kill(runner, SIGKILL);
		kill_children_but(runner);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid != runner)
				continue;
			is_running = false;
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	do
		kill_children_but(0);
	while (waitpid(-1, &status, 0) > 0 || errno != ECHILD);
	nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (cgroup)
		nftw(cgroup, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return result;
}

static int run_tests(int argc, char **argv)
{
	struct criterion_test_set *tests = criterion_initialize();
	int result = 0;

	criterion_options.timeout = (is_long() ? 40 : 4) * DEADLINE_SECONDS;
	if (criterion_handle_args(argc, argv, true))
		result = !criterion_run_all_tests(tests);
	criterion_finalize(tests);
	return result;
}

/* The signals that the guard waits for; they stay blocked in it. */
static sigset_t block_signals(sigset_t *before)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, before);
	return signals;
}

/*
 * Criterion runs a test by starting this program again, with a main() that BoxFort puts in the
 * place of this one. In a libcriterion that was linked with -Bsymbolic-functions, as Ubuntu's is,
 * it finds only the library's own main() to replace: that one is to be called then.
 */
static bool is_test(void)
{
	return getenv("BXFI_MAP") != NULL;
}

static int run_test(int argc, char **argv)
{
	int (*next_main)(int, char **);

	/* POSIX's way to make a function of what dlsym() returns */
	*(void **)&next_main = dlsym(RTLD_NEXT, "main");
	return next_main(argc, argv);
}

int main(int argc, char **argv)
{
	if (is_test())
		return run_test(argc, argv);
	const char *temporary = getenv("TMPDIR");
	char *scratch = (char *)(uintptr_t)format(
		"%s/libreuse-test-XXXXXX", temporary && *temporary ? temporary : "/tmp");
	sigset_t before, signals = block_signals(&before);
	pid_t parent = getpid();

	if (!mkdtemp(scratch) || chmod(scratch, 0755) < 0 || setenv(SCRATCH, scratch, 1) < 0) {
		perror(scratch);
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t runner = fork();
	if (runner > 0)
		return guard(runner, scratch, &signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (runner < 0 || getppid() != parent)
		return 1;
	return run_tests(argc, argv);
}
