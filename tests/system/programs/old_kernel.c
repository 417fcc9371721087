/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "old_kernel LACK PROGRAM [ARGUMENT...]" starts a program to which the kernel answers as one that
 * is too old for something, by a seccomp filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define PIDFD_THREAD O_EXCL
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/*
 * What is missing: a call, if the masked arguments have these values. A mask of 0 matches every
 * value.
 */
static const struct lack {
	const char *name;
	int call, error;
	struct {
		int number;
		uint32_t mask, value;
	} arguments[2];
} lacks[] = {
	{"SO_REUSEPORT", SYS_setsockopt, ENOPROTOOPT,
		{{1, ~0U, SOL_SOCKET}, {2, ~0U, SO_REUSEPORT}}},
	{"SO_ATTACH_REUSEPORT_CBPF", SYS_setsockopt, ENOPROTOOPT,
		{{1, ~0U, SOL_SOCKET}, {2, ~0U, SO_ATTACH_REUSEPORT_CBPF}}},
	/* as where MD5 is not allowed */
	{"TCP_MD5SIG", SYS_setsockopt, ENOMEM, {{1, ~0U, IPPROTO_TCP}, {2, ~0U, TCP_MD5SIG}}},
	{"pidfd_open", SYS_pidfd_open, ENOSYS, {{0}}},
	{"pidfd_getfd", SYS_pidfd_getfd, ENOSYS, {{0}}},
	/* as of a process whose first thread has ended, see attack.c */
	{"pidfd_getfd of 77", SYS_pidfd_getfd, EBADF, {{1, ~0U, 77}, {0}}},
	{"PIDFD_THREAD", SYS_pidfd_open, EINVAL, {{1, PIDFD_THREAD, PIDFD_THREAD}}},
	{"close_range", SYS_close_range, ENOSYS, {{0}}},
	{"memfd_create", SYS_memfd_create, ENOSYS, {{0}}},
	{"seccomp", SYS_seccomp, ENOSYS, {{0}}},
	{"SECCOMP_FILTER_FLAG_NEW_LISTENER", SYS_seccomp, EINVAL,
		{{0, ~0U, SECCOMP_SET_MODE_FILTER},
			{1, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER}}},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SYS_seccomp, EINVAL,
		{{1, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV}}},
	{"SECCOMP_IOCTL_NOTIF_ADDFD", SYS_ioctl, EINVAL,
		{{1, ~0U, (uint32_t)SECCOMP_IOCTL_NOTIF_ADDFD}}},
};

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_HALF 4
#else
#define LOW_HALF 0
#endif

#define ARGUMENT(n) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)(n) + LOW_HALF)

static void install(const struct lack *lack)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)lack->call, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(lack->arguments[0].number)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, lack->arguments[0].mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack->arguments[0].value, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(lack->arguments[1].number)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, lack->arguments[1].mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack->arguments[1].value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)lack->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		sizeof code / sizeof *code, (struct sock_filter *)(uintptr_t)code};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return;
	perror("old_kernel: prctl");
	_exit(2);
}

int main(int argc, char **argv)
{
	const struct lack *lack = lacks, *end = lacks + sizeof lacks / sizeof *lacks;

	while (argc > 2 && lack < end && strcmp(lack->name, argv[1]) != 0)
		lack++;
	if (argc < 3 || lack == end)
		return 2;
	install(lack);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
