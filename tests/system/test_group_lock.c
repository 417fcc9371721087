/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only one process of a user steers at a time, and tells others which members it has closed. */
#include "ground/log.h"
#include "supervise/sockets/closed.h"
#include "supervise/sockets/group_lock.h"
#include "supervised.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct log say_log;

#define NOBODY 65534

/* ---- other processes ---- */

struct other {
	pid_t process;
	int pipe; /* closed, or written to, by the other one */
};

/* Runs WORK in a process of USER; returns when it has written a byte, or ended. */
static struct other start(void (*work)(int pipe), uid_t user)
{
	int ends[2];
	char byte;

	cr_assert_eq(pipe(ends), 0);
	struct other other = {.process = fork(), .pipe = ends[0]};
	cr_assert_geq(other.process, 0);
	if (other.process == 0) {
		close(ends[0]);
		if (setresuid(user, user, user) == 0)
			work(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	cr_assert_eq(read(other.pipe, &byte, 1), 1);
	return other;
}

static void end(struct other *other, int signal)
{
	if (signal)
		kill(other->process, signal);
	cr_assert_eq(waitpid(other->process, NULL, 0), other->process);
	close(other->pipe);
}

static void say_done(int pipe)
{
	cr_assert_eq(write(pipe, ".", 1), 1);
}

static void hold_for_ever(int pipe)
{
	group_lock(geteuid());
	say_done(pipe);
	for (;;)
		pause();
}

static socklen_t name_socket(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(address->sun_path + 1, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static int take_name(const char *name, int type)
{
	struct sockaddr_un address;
	socklen_t length = name_socket(&address, name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0, "%s: %s", name,
		strerror(errno));
	return fd;
}

static const char *lock_name(void)
{
	return format("libreuse-steer/%u", (unsigned)geteuid());
}

static bool is_locked(void)
{
	struct sockaddr_un address;
	socklen_t length = name_socket(&address, lock_name());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there = connect(fd, (struct sockaddr *)&address, length) == 0;

	close(fd);
	return is_there;
}

static void fill_queue(const char *name)
{
	struct sockaddr_un address;
	socklen_t length = name_socket(&address, name);
	int result = 0;

	while (result == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		result = connect(fd, (struct sockaddr *)&address, length);
		close(fd);
	}
	cr_assert_eq(errno, EAGAIN);
}

static const char *log_path;

/* What WORK logs. */
static const char *said(void (*work)(void))
{
	log_path = write_file(new_directory(), "log", "");
	say_log = log_open(LOG_LEVEL_WARN, log_path, NULL);
	work();
	return read_file(log_path);
}

static void lock_and_unlock(void)
{
	int lock = group_lock(geteuid());

	cr_expect(lock >= 0, "no lock");
	cr_expect(is_locked());
	group_unlock(lock);
}

static void lock_without(void)
{
	cr_expect_eq(group_lock(geteuid()), -1);
}

/* ---- the lock ---- */

static int *inside;

static void take_turns(int pipe)
{
	say_done(pipe);
	for (int i = 0; i < 200; i++) {
		int lock = group_lock(geteuid());
		if (lock < 0 || __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST) != 1)
			_exit(1);
		if (i % 10 == 0)
			usleep(100);
		__atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
		group_unlock(lock);
	}
}

Test(group_lock, only_one_process_has_the_lock_at_a_time)
{
	struct other others[4];

	enter_network_namespace();
	inside = mmap(
		NULL, sizeof *inside, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4; i++)
		others[i] = start(take_turns, geteuid());
	for (int i = 0; i < 4; i++) {
		int status;
		cr_assert_eq(waitpid(others[i].process, &status, 0), others[i].process);
		cr_expect_eq(status, 0, "it was not alone, or did not get it");
	}
	cr_expect_not(is_locked());
}

Test(group_lock, a_killed_process_releases_the_lock)
{
	enter_network_namespace();
	struct other other = start(hold_for_ever, geteuid());
	cr_expect(is_locked());
	end(&other, SIGKILL);
	cr_expect_str_empty(said(lock_and_unlock));
	cr_expect_not(is_locked());
}

Test(group_lock, a_process_that_keeps_the_lock_is_waited_for_once)
{
	enter_network_namespace();
	struct other other = start(hold_for_ever, geteuid());
	cr_expect(strstr(said(lock_without),
		format("process %d does not release the lock", (int)other.process)));
	cr_expect(group_lock_is_stuck());
	for (int i = 0; i < 3; i++)
		cr_expect_str_empty(said(lock_without));
	/* and also when its queue is full of those who have waited for it */
	fill_queue(lock_name());
	cr_expect_str_empty(said(lock_without));
	cr_expect_eq(group_try_lock(geteuid()), -1);
	end(&other, SIGKILL);
	cr_expect_str_empty(said(lock_and_unlock));
	cr_expect_not(group_lock_is_stuck());
}

static void hold_until_told(int pipe)
{
	int lock = group_lock(geteuid());

	say_done(pipe);
	/* until the waiting process has logged that */
	raise(SIGSTOP);
	group_unlock(lock);
}

static struct other holder;

static void wait_and_say(void)
{
	pid_t watcher = fork();

	cr_assert_geq(watcher, 0);
	if (watcher == 0) {
		struct stat status;
		while (stat(log_path, &status) == 0 && status.st_size == 0)
			usleep(10000);
		wait_stopped(holder.process);
		kill(holder.process, SIGCONT);
		_exit(0);
	}
	lock_and_unlock();
	waitpid(watcher, NULL, 0);
}

Test(group_lock, a_process_that_waits_long_logs_which_process_has_the_lock)
{
	enter_network_namespace();
	holder = start(hold_until_told, geteuid());
	const char *text = said(wait_and_say);
	cr_expect(strstr(text, format("waiting for process %d", (int)holder.process)), "%s", text);
	end(&holder, 0);
}

static const char *squatted;

static void squat(int pipe)
{
	listen(take_name(squatted, SOCK_STREAM), 5);
	say_done(pipe);
	for (;;)
		pause();
}

Test(group_lock, a_lock_of_another_user_is_ignored_and_logged)
{
	need_root();
	enter_network_namespace();
	squatted = lock_name();
	struct other other = start(squat, NOBODY);
	const char *text = said(lock_without);
	cr_expect(strstr(text, format("process %d of user %d", (int)other.process, NOBODY)), "%s",
		text);
	cr_expect_str_empty(said(lock_without));
	end(&other, SIGKILL);
	cr_expect_str_empty(said(lock_and_unlock));
}

/* ---- closed members ---- */

static const struct closed nothing;

static bool hears(uint32_t inode)
{
	struct heard heard;

	closed_hear(&heard, &nothing, geteuid());
	bool is_heard = closed_is_heard(&heard, inode);
	free(heard.inodes);
	return is_heard;
}

static void tell_for_ever(int pipe)
{
	struct closed closed = {0};
	uint32_t inodes[20];

	for (uint32_t i = 0; i < 20; i++)
		inodes[i] = 4000000000U + i;
	closed_tell(&closed, inodes, 20);
	say_done(pipe);
	for (;;)
		pause();
}

static void expect_all(bool are_heard)
{
	for (uint32_t i = 0; i < 20; i++)
		cr_expect_eq(hears(4000000000U + i), are_heard, "%u", i);
	cr_expect_not(hears(1));
}

Test(closed, members_that_another_process_has_closed_are_known_while_it_lives)
{
	enter_network_namespace();
	struct other other = start(tell_for_ever, geteuid());
	expect_all(true);
	end(&other, SIGKILL);
	expect_all(false);
}

static void hear_of_root(int pipe)
{
	say_done(pipe);
	_exit(hears(4000000000U) ? 0 : 1);
}

Test(closed, what_root_has_closed_counts_and_what_another_user_has_closed_does_not)
{
	need_root();
	enter_network_namespace();
	struct other nobody = start(tell_for_ever, NOBODY);
	expect_all(false);
	end(&nobody, SIGKILL);
	struct other root = start(tell_for_ever, 0), hearer = start(hear_of_root, NOBODY);
	int status;
	cr_assert_eq(waitpid(hearer.process, &status, 0), hearer.process);
	cr_expect_eq(status, 0, "root is not heard");
	end(&root, SIGKILL);
}

static unsigned forged_inode;

/* As the kernel lists names, the rest of this one is a line. */
static void forge_for_ever(int pipe)
{
	take_name(format("\n0: 2 0 0 2 1 %u @libreuse-closed/1.0,%x", forged_inode, 4000000000U),
		SOCK_DGRAM);
	say_done(pipe);
	for (;;)
		pause();
}

Test(closed, a_name_that_looks_like_another_line_of_the_list_does_not_count)
{
	struct stat roots;

	need_root();
	enter_network_namespace();
	cr_assert_eq(fstat(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), &roots), 0);
	const unsigned inodes[] = {(unsigned)roots.st_ino, UINT32_MAX};
	for (int i = 0; i < 2; i++) {
		forged_inode = inodes[i];
		struct other nobody = start(forge_for_ever, NOBODY);
		cr_expect_not(hears(4000000000U), "inode %u", forged_inode);
		end(&nobody, SIGKILL);
	}
}

Test(closed, own_members_are_not_heard_and_disappear_when_they_are_no_longer_told)
{
	struct closed closed = {0};
	struct heard heard;
	uint32_t inodes[] = {4711, 4712};

	enter_network_namespace();
	closed_tell(&closed, inodes, 2);
	cr_expect(hears(4711) && hears(4712));
	closed_hear(&heard, &closed, geteuid());
	cr_expect_eq(heard.count, 0);
	closed_tell(&closed, inodes + 1, 1);
	cr_expect(!hears(4711) && hears(4712));
	closed_tell(&closed, NULL, 0);
	cr_expect_not(hears(4712));
}

static void tell_again_and_again(int pipe)
{
	struct closed closed = {0};
	uint32_t inodes[] = {4711, 1};

	closed_tell(&closed, inodes, 2);
	say_done(pipe);
	for (;; inodes[1]++) {
		int lock = group_lock(geteuid());
		closed_tell(&closed, inodes, 2);
		group_unlock(lock);
	}
}

/* Without the lock, the kernel's list may show neither a name that goes nor one that comes. */

Test(closed, members_that_stay_closed_are_told_without_a_gap)
{
	int times = is_long() ? 20000 : 1000;

	enter_network_namespace();
	struct other other = start(tell_again_and_again, geteuid());
	for (int i = 0; i < times; i++) {
		int lock = group_lock(geteuid());
		bool is_heard = hears(4711);
		group_unlock(lock);
		cr_assert(is_heard, "at look %d", i);
	}
	end(&other, SIGKILL);
}
