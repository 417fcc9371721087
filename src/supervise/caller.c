/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "caller.h"

#include "../compare.h"
#include "../procfs.h"
#include "../system.h"
#include "../text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

#define PATH_SIZE  48
#define STACK_SIZE (64 * 1024)

/* ---- looking ---- */

static const char *path_of(char bytes[static PATH_SIZE], pid_t thread, const char *name)
{
	struct text text;

	text_start(&text, bytes, PATH_SIZE);
	text_format(&text, "/proc/%d/%s", (int)thread, name);
	return bytes;
}

/* The number of the namespace, by which it is known; 0 where it cannot be seen. */
static ino_t namespace_of(pid_t thread, const char *name)
{
	char path[PATH_SIZE];
	struct stat status;

	return stat(path_of(path, thread, name), &status) == 0 ? status.st_ino : 0;
}

/* A line of /proc/PID/status, proc(5); returns whether it is the last one that counts. */
static bool read_status_line(struct caller *caller, const char *line)
{
	if (string_starts(line, "Tgid:"))
		caller->process = (pid_t)strtol(line + 5, NULL, 10);
	else if (string_starts(line, "PPid:"))
		caller->parent = (pid_t)strtol(line + 5, NULL, 10);
	else if (string_starts(line, "Uid:")) /* the real one, then the effective one */
		caller->rights.user = (uid_t)strtoul(
			strchr(line + 5, '\t') ? strchr(line + 5, '\t') : "", NULL, 10);
	else if (string_starts(line, "CapEff:"))
		caller->rights.capabilities = strtoull(line + 7, NULL, 16);
	return string_starts(line, "CapEff:");
}

static int read_status(struct caller *caller, pid_t thread)
{
	char path[PATH_SIZE], line[128];
	struct procfs_reader reader = {.fd = system_open(AT_FDCWD, path_of(path, thread, "status"),
					       O_RDONLY | O_CLOEXEC, 0)};

	*caller = (struct caller){.thread = thread, .pidfd = -1};
	if (reader.fd < 0)
		return reader.fd;
	/* Half of it would be somebody else's rights. */
	bool is_whole = false;
	while (!is_whole && procfs_next_line(&reader, line, sizeof line))
		is_whole = read_status_line(caller, line);
	system_close(reader.fd);
	return is_whole ? 0 : -EIO;
}

static int look(struct caller *caller, pid_t thread)
{
	int error = read_status(caller, thread);

	caller->rights.user_namespace = namespace_of(thread, "ns/user");
	caller->rights.network_namespace = namespace_of(thread, "ns/net");
	return error;
}

static struct caller supervisor; /* this process */

static const struct rights *our_rights(void)
{
	return &supervisor.rights;
}

int caller_start(void)
{
	return look(&supervisor, getpid());
}

int caller_open(struct caller *caller, pid_t thread)
{
	int error = look(caller, thread);
	const struct rights *ours = our_rights(), *theirs = &caller->rights;

	if (error)
		return error;
	/* A kernel without namespaces shows none of ours either. */
	if (!ours->user_namespace != !theirs->user_namespace ||
		!ours->network_namespace != !theirs->network_namespace)
		return -EPERM;
	caller->pidfd = (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
	/* Before Linux 6.9 there are descriptors of whole processes only, and of their first
	 * thread. */
	if (caller->pidfd < 0)
		caller->pidfd = (int)syscall(SYS_pidfd_open, caller->process, 0);
	return caller->pidfd < 0 ? -errno : 0;
}

void caller_close(struct caller *caller)
{
	if (caller->pidfd >= 0)
		close(caller->pidfd);
}

bool caller_is_descendant(pid_t process)
{
	struct caller at = {.parent = process};
	pid_t ourselves = getpid();

	while (at.parent > 1 && at.parent != ourselves)
		read_status(&at, at.parent);
	return at.parent == ourselves;
}

int caller_descriptor(const struct caller *caller, int number)
{
	long fd = syscall(SYS_pidfd_getfd, caller->pidfd, number, 0);

	return fd < 0 ? -errno : (int)fd;
}

ssize_t caller_read(const struct caller *caller, uint64_t address, void *bytes, size_t size)
{
	struct iovec here = {bytes, size}, there = {(void *)(uintptr_t)address, size};
	ssize_t got = process_vm_readv(caller->thread, &here, 1, &there, 1, 0);

	return got < 0 ? -errno : got;
}

/* ---- acting ---- */

bool caller_is_in_our_network(const struct caller *caller)
{
	return caller->rights.network_namespace == our_rights()->network_namespace;
}

bool caller_has_capability(const struct caller *caller, int capability)
{
	return caller->rights.user_namespace == our_rights()->user_namespace &&
	       (caller->rights.capabilities >> capability & 1);
}

struct errand {
	const struct caller *caller;	       /* whose rights to assume; NULL: keep ours */
	int user_namespace, network_namespace; /* to enter; -1: none */
	int (*work)(void *);
	void *context;
	int result;
};

struct capabilities {
	struct __user_cap_data_struct half[2];
};

static int set_effective(uint64_t wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct capabilities set;

	if (syscall(SYS_capget, &header, &set) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		set.half[i].effective = set.half[i].permitted & (uint32_t)(wanted >> (32 * i));
	return syscall(SYS_capset, &header, &set) < 0 ? -errno : 0;
}

/*
 * Directly, for libc's setresuid() would do it to every thread. The capabilities that a change of
 * user takes away are still permitted, because the real user stays, and come back until the user
 * namespace is entered.
 */
static int assume_rights(const struct errand *errand)
{
	const struct rights *rights = &errand->caller->rights;

	if (rights->user != our_rights()->user && syscall(SYS_setresuid, -1, rights->user, -1) < 0)
		return -errno;
	if (errand->user_namespace >= 0 &&
		(set_effective(UINT64_MAX) < 0 || setns(errand->user_namespace, CLONE_NEWUSER) < 0))
		return -errno;
	if (errand->network_namespace >= 0 &&
		(set_effective(UINT64_MAX) < 0 ||
			setns(errand->network_namespace, CLONE_NEWNET) < 0))
		return -errno;
	return set_effective(rights->capabilities);
}

static int run_errand(void *context)
{
	struct errand *errand = context;
	int error = errand->caller ? assume_rights(errand) : 0;

	errand->result = error ? error : errand->work(errand->context);
	return 0;
}

/*
 * Like vfork(2): this process waits until the other one ends. That one reports to nobody but the
 * waitpid() here, so whoever waits for children at large does not see it, and no signal handler
 * runs in it.
 */
static int run_aside(struct errand *errand, int flags)
{
	static _Alignas(16) char stack[STACK_SIZE];
	sigset_t all, before;

	errand->result = -EPERM;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t process =
		clone(run_errand, stack + sizeof stack, CLONE_VM | CLONE_VFORK | flags, errand);
	if (process < 0)
		errand->result = -errno;
	if (process > 0) {
		while (waitpid(process, NULL, (int)__WCLONE) < 0 && errno == EINTR) {
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return errand->result;
}

int caller_aside(int (*work)(void *), void *context)
{
	struct errand errand = {.work = work, .context = context};

	return run_aside(&errand, 0);
}

static int open_namespace(const struct caller *caller, const char *name)
{
	char path[PATH_SIZE];

	return system_open(AT_FDCWD, path_of(path, caller->thread, name), O_RDONLY | O_CLOEXEC, 0);
}

int caller_do(const struct caller *caller, bool in_network, int (*work)(void *), void *context)
{
	const struct rights *ours = our_rights(), *theirs = &caller->rights;
	bool is_same_user_namespace = theirs->user_namespace == ours->user_namespace;
	bool is_same_network = !in_network || caller_is_in_our_network(caller);
	struct errand errand = {.caller = caller,
		.user_namespace = -1,
		.network_namespace = -1,
		.work = work,
		.context = context};

	if (theirs->user == ours->user && theirs->capabilities == ours->capabilities &&
		is_same_user_namespace && is_same_network)
		return work(context);
	if (!is_same_user_namespace)
		errand.user_namespace = open_namespace(caller, "ns/user");
	if (!is_same_network)
		errand.network_namespace = open_namespace(caller, "ns/net");
	bool is_open = (is_same_user_namespace || errand.user_namespace >= 0) &&
		       (is_same_network || errand.network_namespace >= 0);
	int result = is_open ? run_aside(&errand, CLONE_FILES) : -EPERM;
	if (errand.user_namespace >= 0)
		close(errand.user_namespace);
	if (errand.network_namespace >= 0)
		close(errand.network_namespace);
	return result;
}
