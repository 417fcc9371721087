/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * refused [--pidfds] [--capabilities] PROGRAM [ARGUMENT...]: runs PROGRAM where the kernel refuses
 * what the default seccomp profile of Docker refuses without CAP_SYS_PTRACE: pidfd_getfd(2),
 * process_vm_readv(2), kcmp(2) and process_madvise(2); with --pidfds, pidfd_open(2) too. With
 * --capabilities, root has no more of them than in a container of Docker.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* glibc 2.32 has it */
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440 /* glibc 2.33 has it */
#endif

static int refuse(bool pidfds)
{
	const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_getfd, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_madvise, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, pidfds ? 1 : 0, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, refused),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

	/* An engine has the right to install one, so that the program may still gain privileges. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int drop_capabilities(void)
{
	static const uint64_t kept =
		1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER | 1U << CAP_FSETID |
		1U << CAP_KILL | 1U << CAP_SETGID | 1U << CAP_SETUID | 1U << CAP_SETPCAP |
		1U << CAP_NET_BIND_SERVICE | 1U << CAP_NET_RAW | 1U << CAP_SYS_CHROOT |
		1U << CAP_MKNOD | 1U << CAP_AUDIT_WRITE | 1U << CAP_SETFCAP;

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
		if (!(kept >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool pidfds = false, capabilities = false;
	int first = 1;

	for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
		pidfds |= strcmp(argv[first], "--pidfds") == 0;
		capabilities |= strcmp(argv[first], "--capabilities") == 0;
	}
	if (refuse(pidfds) < 0 || (capabilities && geteuid() == 0 && drop_capabilities() < 0)) {
		perror("refused");
		return 125;
	}
	execv(argv[first], argv + first);
	perror(argv[first]);
	return 127;
}
