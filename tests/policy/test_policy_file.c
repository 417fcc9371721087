/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/policy_file.h"

#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY	     12345 /* a user that owns nothing and needs no name */
#define OVERFLOW_UID 65534

static char complaint_bytes[512];
static struct text complaint;
static struct policy_file file;

static int read_as(const char *path, bool is_default)
{
	text_start(&complaint, complaint_bytes, sizeof complaint_bytes);
	memset(&file, 0xff, sizeof file);
	return policy_file_read(&file, path, is_default, &complaint);
}

static void expect_refused_file(const char *path, bool is_default, int error, const char *why)
{
	int result = read_as(path, is_default);

	cr_expect_eq(result, error, "%s: %d", path, result);
	cr_expect_str_eq(complaint.bytes, why, "%s: \"%s\"", path, complaint.bytes);
	cr_expect_null(file.bytes, "%s", path);
}

static void expect_read(const char *path, bool is_default, const char *text)
{
	int error = read_as(path, is_default);

	cr_assert_eq(error, 0, "%s: %d: %s", path, error, complaint.bytes);
	cr_assert_not_null(file.bytes);
	cr_expect_eq(file.length, strlen(text));
	cr_expect_eq(memcmp(file.bytes, text, file.length), 0);
	cr_expect_str_eq(complaint.bytes, "");
	policy_file_drop(&file);
	cr_expect_null(file.bytes);
	policy_file_drop(&file); /* once more does nothing */
}

TestSuite(policy_file, .init = enter_directory, .fini = leave_directory);

#define NOT_REGULAR "it is not a regular file"
#define NOT_TRUSTED                                                                                \
	"its owner is neither root nor the user that runs the program; change the owner with "     \
	"chown"
#define FOR_ALL	  "other users can write to it; run chmod o-w on it"
#define FOR_GROUP "its group can write to it; run chmod g-w on it"

/* ---- reading ---- */

Test(policy_file, a_file_of_the_same_user_is_read)
{
	write_file("policy", "tcp -> share\n", 0644);
	expect_read("policy", false, "tcp -> share\n");
	expect_read("policy", true, "tcp -> share\n");
}

Test(policy_file, an_empty_file_is_read)
{
	write_file("policy", "", 0644);
	expect_read("policy", true, "");
}

Test(policy_file, a_large_file_is_read_whole)
{
	FILE *out = fopen("policy", "w");

	cr_assert_not_null(out);
	for (unsigned i = 0; i < 300000; i++)
		fprintf(out, "%07u\n", i);
	fclose(out);
	cr_assert_eq(read_as("policy", false), 0);
	cr_assert_eq(file.length, 2400000);
	cr_expect_eq(memcmp(file.bytes, "0000000\n", 8), 0);
	cr_expect_eq(memcmp(file.bytes + 2399992, "0299999\n", 8), 0);
	policy_file_drop(&file);
}

Test(policy_file, a_missing_file_gives_no_message)
{
	expect_refused_file("nowhere", true, -ENOENT, "");
	expect_refused_file("nowhere/policy", false, -ENOENT, "");
}

Test(policy_file, no_descriptor_stays_open)
{
	int before = open("/dev/null", O_RDONLY);

	close(before);
	write_file("policy", "share\n", 0644);
	write_file("refused", "share\n", 0666);
	cr_assert_eq(read_as("policy", false), 0);
	cr_assert_neq(read_as("refused", false), 0);
	cr_assert_neq(read_as(".", false), 0);
	int after = open("/dev/null", O_RDONLY);
	cr_expect_eq(after, before);
	close(after);
	policy_file_drop(&file);
}

/* ---- kinds of files ---- */

Test(policy_file, a_directory_is_refused)
{
	cr_assert_eq(mkdir("directory", 0755), 0);
	expect_refused_file("directory", false, -EPERM, NOT_REGULAR);
	expect_refused_file("directory", true, -EPERM, NOT_REGULAR);
}

Test(policy_file, a_fifo_is_refused_without_waiting)
{
	cr_assert_eq(mkfifo("fifo", 0644), 0);
	expect_refused_file("fifo", false, -EPERM, NOT_REGULAR);
}

Test(policy_file, a_device_is_refused)
{
	expect_refused_file("/dev/null", false, -EPERM, NOT_REGULAR);
	expect_refused_file("/dev/zero", false, -EPERM, NOT_REGULAR);
}

Test(policy_file, a_socket_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	expect_refused_file("socket", false, -ENXIO, "it cannot be read: ENXIO");
	close(fd);
}

Test(policy_file, a_symbolic_link_is_followed_and_its_target_is_checked)
{
	write_file("policy", "share\n", 0644);
	cr_assert_eq(symlink("policy", "link"), 0);
	expect_read("link", true, "share\n");
	cr_assert_eq(chmod("policy", 0646), 0);
	expect_refused_file("link", true, -EPERM, FOR_ALL);
	cr_assert_eq(unlink("policy"), 0);
	expect_refused_file("link", true, -ENOENT, "");
	cr_assert_eq(mkdir("policy", 0755), 0);
	expect_refused_file("link", true, -EPERM, NOT_REGULAR);
}

Test(policy_file, a_symbolic_link_that_leads_to_itself_is_refused)
{
	cr_assert_eq(symlink("link", "link"), 0);
	expect_refused_file("link", false, -ELOOP, "it cannot be read: ELOOP");
}

Test(policy_file, a_file_used_as_a_directory_is_refused)
{
	write_file("policy", "share\n", 0644);
	expect_refused_file("policy/x", false, -ENOTDIR, "it cannot be read: ENOTDIR");
}

Test(policy_file, a_file_larger_than_16_mib_is_refused)
{
	write_file("policy", "", 0644);
	cr_assert_eq(truncate("policy", 16 * 1024 * 1024 + 1), 0);
	expect_refused_file("policy", false, -EPERM, "it is larger than 16 MiB");
	cr_assert_eq(truncate("policy", 16 * 1024 * 1024), 0);
	cr_assert_eq(read_as("policy", false), 0, "%s", complaint.bytes);
	cr_expect_eq(file.length, 16 * 1024 * 1024);
	policy_file_drop(&file);
}

Test(policy_file, without_memory_for_it_a_file_is_refused)
{
	struct rlimit limit, none;

	write_file("policy", "", 0644);
	cr_assert_eq(truncate("policy", 16 * 1024 * 1024), 0);
	cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
	none = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
	int error = read_as("policy", false);
	setrlimit(RLIMIT_AS, &limit);
	cr_expect_eq(error, -ENOMEM);
	cr_expect_str_eq(complaint.bytes, "it cannot be read: ENOMEM");
	cr_expect_null(file.bytes);
}

/* ---- who may write ---- */

Test(policy_file, a_file_that_others_may_write_is_refused)
{
	static const unsigned modes[] = {0646, 0666, 0602, 0777};

	write_file("policy", "share\n", 0644);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		cr_assert_eq(chmod("policy", modes[i]), 0);
		expect_refused_file("policy", false, -EPERM, FOR_ALL);
		expect_refused_file("policy", true, -EPERM, FOR_ALL);
	}
}

Test(policy_file, a_default_file_that_a_group_may_write_is_refused)
{
	write_file("policy", "share\n", 0664);
	expect_refused_file("policy", true, -EPERM, FOR_GROUP);
	cr_assert_eq(chmod("policy", 0620), 0);
	expect_refused_file("policy", true, -EPERM, FOR_GROUP);
}

Test(policy_file, a_named_file_may_be_writable_for_a_group)
{
	write_file("policy", "share\n", 0664);
	expect_read("policy", false, "share\n");
}

Test(policy_file, a_file_that_only_its_owner_may_read_is_read)
{
	write_file("policy", "share\n", 0400);
	expect_read("policy", true, "share\n");
	cr_assert_eq(chmod("policy", 0755), 0);
	expect_read("policy", true, "share\n");
}

Test(policy_file, a_file_that_cannot_be_read_is_refused)
{
	write_file("policy", "share\n", 0200);
	if (geteuid() == 0) {
		cr_assert_eq(chown(".", NOBODY, (gid_t)-1), 0);
		cr_assert_eq(seteuid(NOBODY), 0);
	}
	expect_refused_file("policy", false, -EACCES, "it cannot be read: EACCES");
	cr_assert_eq(seteuid(getuid()), 0);
}

Test(policy_file, roots_file_is_read_by_everybody)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to have a file of another user");
	write_file("policy", "share\n", 0644);
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(seteuid(NOBODY), 0);
	expect_read("policy", true, "share\n");
	cr_assert_eq(seteuid(0), 0);
}

Test(policy_file, another_users_file_is_refused_by_everybody)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to have a file of another user");
	write_file("policy", "share\n", 0644);
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(chown("policy", NOBODY, (gid_t)-1), 0);
	expect_refused_file("policy", false, -EPERM, NOT_TRUSTED);
	expect_refused_file("policy", true, -EPERM, NOT_TRUSTED);
	cr_assert_eq(seteuid(NOBODY + 1), 0);
	expect_refused_file("policy", false, -EPERM, NOT_TRUSTED);
	cr_assert_eq(seteuid(0), 0);
}

/* The program of a user's own set-user-ID binary has that user's rights, and trusts that user. */
Test(policy_file, the_effective_user_counts_and_not_the_real_one)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to become another user");
	write_file("policy", "share\n", 0644);
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(chown("policy", NOBODY, (gid_t)-1), 0);
	cr_assert_eq(setresuid(0, NOBODY, 0), 0);
	expect_read("policy", true, "share\n");
	cr_assert_eq(setresuid(NOBODY, 0, 0), 0);
	expect_refused_file("policy", true, -EPERM, NOT_TRUSTED);
	cr_assert_eq(setresuid(0, 0, 0), 0);
}

Test(policy_file, the_user_with_the_overflow_id_is_not_trusted_if_he_exists)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to have a file of another user");
	write_file("policy", "share\n", 0644);
	cr_assert_eq(chown("policy", OVERFLOW_UID, (gid_t)-1), 0);
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(setresuid(NOBODY, NOBODY, 0), 0); /* who could not write it */
	expect_refused_file("policy", false, -EPERM, NOT_TRUSTED);
	cr_assert_eq(setresuid(0, 0, 0), 0);
}

/* ---- in a user namespace, where owners may have no number ---- */

#define NO_NAMESPACE 1000

struct outcome {
	int error;
	char complaint[sizeof complaint_bytes];
};

static bool write_map(pid_t process, unsigned users)
{
	char path[64], map[64];

	snprintf(path, sizeof path, "/proc/%d/uid_map", (int)process);
	snprintf(map, sizeof map, "%u %u %u", getuid(), geteuid(), users);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map);
	close(fd);
	return is_written;
}

/* Enters a namespace, waits for its map on CHANNEL, reads as USER, and sends the outcome. */
static void read_as_child(int channel, const char *path, bool is_default, uid_t user)
{
	struct outcome outcome = {.error = unshare(CLONE_NEWUSER) ? NO_NAMESPACE : 0};
	bool is_mapped = false;

	if (send(channel, &outcome.error, sizeof outcome.error, 0) < 0 ||
		recv(channel, &is_mapped, sizeof is_mapped, 0) != sizeof is_mapped)
		_exit(1);
	if (!is_mapped || setresuid(user, user, user) < 0)
		outcome.error = NO_NAMESPACE;
	else
		outcome.error = read_as(path, is_default);
	memcpy(outcome.complaint, complaint_bytes, sizeof outcome.complaint);
	_exit(send(channel, &outcome, sizeof outcome, 0) != sizeof outcome);
}

/*
 * Reads in a user namespace that has as many users, from this one on, as the last of them. Only a
 * process with one thread can enter one, and a test's has more: so a child does.
 */
static int read_from_namespace(const char *path, bool is_default, unsigned users)
{
	struct outcome outcome;
	int ends[2], status;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	pid_t child = fork();
	if (child == 0)
		read_as_child(ends[1], path, is_default, getuid() + users - 1);
	cr_assert_gt(child, 0);
	close(ends[1]);
	cr_assert_eq(recv(ends[0], &outcome.error, sizeof outcome.error, 0),
		(ssize_t)sizeof outcome.error);
	bool is_mapped = outcome.error == 0 && write_map(child, users);
	cr_assert_eq(send(ends[0], &is_mapped, sizeof is_mapped, 0), (ssize_t)sizeof is_mapped);
	cr_assert_eq(recv(ends[0], &outcome, sizeof outcome, 0), (ssize_t)sizeof outcome);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	close(ends[0]);
	if (outcome.error == NO_NAMESPACE)
		leave_and_skip("this system grants no user namespace");
	memcpy(complaint_bytes, outcome.complaint, sizeof complaint_bytes);
	return outcome.error;
}

Test(policy_file, a_file_of_a_user_without_an_id_is_read_if_we_cannot_write_it)
{
	const char *path = "policy";

	if (geteuid() == 0) {
		write_file(path, "share\n", 0644);
		cr_assert_eq(chown(path, NOBODY, NOBODY), 0);
	} else {
		path = "/proc/sys/kernel/ostype"; /* root's, and read-only for all others */
	}
	int error = read_from_namespace(path, true, 1);
	cr_expect_eq(error, 0, "%d: %s", error, complaint_bytes);
}

Test(policy_file, a_file_of_a_user_without_an_id_is_refused_if_we_can_write_it)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to have a file of another user");
	write_file("policy", "share\n", 0664);
	cr_assert_eq(chown("policy", NOBODY, getegid()), 0);
	cr_expect_eq(read_from_namespace("policy", false, 1), -EPERM);
	cr_expect_str_eq(complaint_bytes, NOT_TRUSTED);
}

Test(policy_file, a_file_of_another_user_of_the_namespace_is_refused)
{
	if (geteuid() != 0)
		leave_and_skip("it needs root to have a file of another user");
	write_file("policy", "share\n", 0644);
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(chown("policy", NOBODY, NOBODY), 0);
	cr_expect_eq(read_from_namespace("policy", false, NOBODY + 2), -EPERM);
	cr_expect_str_eq(complaint_bytes, NOT_TRUSTED);
}
