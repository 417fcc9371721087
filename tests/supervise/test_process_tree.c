/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervise/sockets/process_tree.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that has this socket, too. */
static pid_t start_child(uint64_t *inode)
{
	struct stat status;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(fstat(fd, &status), 0);
	*inode = status.st_ino;
	pid_t child = fork();
	if (child == 0)
		pause();
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
	pid_t child = start_child(&inode);

	process_tree_read(&tree, child);
	cr_expect(process_tree_has(&tree, inode));
	cr_expect_not(tree.is_partial);
	process_tree_free(&tree);
	end_child(child);
}

/* What a copy had open when it was killed has not been closed on purpose. */
Test(process_tree, the_sockets_of_a_leader_that_has_ended_and_is_not_reaped_are_not_known)
{
	struct process_tree tree;
	uint64_t inode;
	siginfo_t info;
	pid_t child = start_child(&inode);

	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	process_tree_read(&tree, child);
	cr_expect_not(process_tree_has(&tree, inode));
	cr_expect(tree.is_partial);
	process_tree_free(&tree);
	end_child(child);
}
