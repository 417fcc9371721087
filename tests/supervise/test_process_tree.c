/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/process_tree.h"

#include <criterion/criterion.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* A child that has this socket, too. With READY, it becomes another user, and then writes a byte.
 */
static pid_t start_child(uint64_t *inode, int ready)
{
	struct stat status;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(fstat(fd, &status), 0);
	*inode = status.st_ino;
	pid_t child = fork();
	if (child == 0) {
		if (ready >= 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0)
			(void)!write(ready, "", 1);
		pause();
	}
	close(fd);
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

Test(process_tree, the_sockets_of_a_living_leader_are_known)
{
	struct process_tree tree;
	uint64_t inode;
	pid_t child = start_child(&inode, -1);

	process_tree_read(&tree, child);
	cr_expect(process_tree_has(&tree, inode));
	cr_expect_not(tree.error);
	process_tree_free(&tree);
	end_child(child);
}

static void ignore(const struct process *process, size_t index, void *context)
{
	(void)process;
	(void)index;
	(void)context;
}

/* What could not be read has not been closed, and its process group may live. */
Test(process_tree, what_cannot_be_read_for_want_of_descriptors_is_not_taken_for_gone)
{
	struct process_tree tree;
	struct rlimit limit;
	uint64_t inode;
	pid_t child = start_child(&inode, -1);

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	const struct rlimit none = {0, limit.rlim_max};
	const struct rlimit one = {(rlim_t)dup(0) + 1, limit.rlim_max};
	cr_assert_eq(close((int)one.rlim_cur - 1), 0);

	/* None to read the list of processes, and one, that each process still needs. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, i ? &one : &none), 0);
		process_tree_read(&tree, child);
		bool is_told = process_tree_visit(&child, 1, ignore, NULL);
		bool lives = process_tree_group_lives(child);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		cr_expect(tree.error);
		cr_expect_not(is_told);
		cr_expect(lives);
		process_tree_free(&tree);
	}
	end_child(child);
}

/* Its folder belongs to root, and it has no descriptors any more. */
Test(process_tree, a_child_that_has_ended_and_is_not_reaped_hides_nothing)
{
	struct process_tree tree;
	siginfo_t info;
	int inner[2];
	pid_t zombie;

	if (geteuid() == 0)
		cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	cr_assert_eq(pipe(inner), 0);
	pid_t child = fork();
	if (child == 0) {
		zombie = fork();
		if (zombie == 0)
			_exit(0);
		waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT);
		(void)!write(inner[1], &zombie, sizeof zombie);
		pause();
	}
	cr_assert_eq(read(inner[0], &zombie, sizeof zombie), (ssize_t)sizeof zombie);
	process_tree_read(&tree, child);
	cr_expect_eq(tree.error, 0);
	process_tree_free(&tree);
	end_child(child);
}

/* As a container's root has it, who may read another user's folders, but not look into processes.
 */
static void drop_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	cr_assert_eq(syscall(SYS_capget, &header, data), 0);
	data[capability / 32].effective &= ~(1U << capability % 32);
	cr_assert_eq(syscall(SYS_capset, &header, data), 0);
}

Test(process_tree, descriptors_that_are_listed_but_not_shown_are_not_taken_for_closed)
{
	struct process_tree tree;
	uint64_t inode;
	int ready[2];
	char byte;

	if (geteuid() != 0)
		cr_skip_test("only root can start a process of another user");
	cr_assert_eq(pipe(ready), 0);
	pid_t child = start_child(&inode, ready[1]);
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	drop_capability(CAP_SYS_PTRACE);
	process_tree_read(&tree, child);
	cr_expect_not(process_tree_has(&tree, inode));
	cr_expect(tree.error);
	process_tree_free(&tree);
	end_child(child);
}

/* What a copy had open when it was killed has not been closed on purpose. */
Test(process_tree, the_sockets_of_a_leader_that_has_ended_and_is_not_reaped_are_not_known)
{
	struct process_tree tree;
	uint64_t inode;
	siginfo_t info;
	pid_t child = start_child(&inode, -1);

	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	process_tree_read(&tree, child);
	cr_expect_not(process_tree_has(&tree, inode));
	cr_expect(tree.error);
	process_tree_free(&tree);
	end_child(child);
}
