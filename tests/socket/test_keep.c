/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ground/system.h"
#include "socket/adopt.h"
#include "socket/keep.h"
#include "socket/share.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* The file that has the inode of another one, on another device; -1: none. */
static int twin = -1;
static uint64_t inode_of_twin;

struct file_identity __real_file_identity_of(int fd);
struct file_identity __wrap_file_identity_of(int fd);

struct file_identity __wrap_file_identity_of(int fd)
{
	struct file_identity file = __real_file_identity_of(fd);

	if (fd == twin)
		file.inode = inode_of_twin;
	return file;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listening(struct endpoint *endpoint)
{
	struct sockaddr_in address = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(share_ask_bound(fd, endpoint), 0);
	endpoint->protocol = PROTOCOL_TCP;
	return fd;
}

/* The service manager, at an abstract name that the kernel chooses, which PATH is given. */
static int manager(char *path, size_t size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof name.sun_family;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&name, length), 0);
	length = sizeof name;
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	snprintf(path, size, "NOTIFY_SOCKET=@%s", name.sun_path + 1);
	return fd;
}

static const char *next_message(int fd)
{
	static char bytes[256];
	ssize_t length = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);

	bytes[length > 0 ? length : 0] = '\0';
	return bytes;
}

static int duplicate_of(int fd)
{
	struct file_identity file = file_identity_of(fd);

	for (int other = fd + 1; other < 1024; other++) {
		struct file_identity others = file_identity_of(other);
		if (file_identity_equals(&file, &others))
			return other;
	}
	return -1;
}

Test(keep, a_file_with_the_inode_of_a_kept_socket_is_not_mistaken_for_it)
{
	static struct configuration configuration = {.policy.has_keep = true};
	char path[128], *variables[] = {path, NULL}, **environment = variables;
	struct endpoint endpoint;
	int keeper = manager(path, sizeof path), fd = listening(&endpoint);

	keep_start(&configuration, &environment);
	keep_store(&configuration, fd, &endpoint, MEANT_ALWAYS);
	cr_expect_eq(strncmp(next_message(keeper), "FDSTORE=1\n", 10), 0);
	int duplicate = duplicate_of(fd);
	cr_assert_gt(duplicate, 0);
	inode_of_twin = file_identity_of(fd).inode;
	close(fd);
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(dup2(file, duplicate), duplicate);
	twin = duplicate;
	/*
	 * No process has the socket any more, and the keeper learns that from the next process that
	 * wants it.
	 */
	int wanting = socket(AF_INET, SOCK_STREAM, 0);
	cr_expect_eq(keep_take(&configuration, wanting, &endpoint), 0);
	cr_expect_eq(strncmp(next_message(keeper), "FDSTOREREMOVE=1\n", 16), 0);
}
