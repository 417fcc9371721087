/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter.h"

#include "syscalls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int add_architectures(scmp_filter_ctx context)
{
	for (size_t i = 1; i < syscalls_architecture_count; i++) {
		int error = seccomp_arch_add(context, syscalls_architectures[i].token);
		if (error && error != -EEXIST)
			return error;
	}
	return 0;
}

/* libseccomp knows the numbers of each call, and adds what socketcall(2) needs. */
static int add_rules(scmp_filter_ctx context, unsigned calls)
{
	static const struct {
		enum syscalls call;
		int number;
	} rules[] = {
		{CALL_BIND, SCMP_SYS(bind)},
		{CALL_LISTEN, SCMP_SYS(listen)},
		{CALL_CONNECT, SCMP_SYS(connect)},
		{CALL_SOCKET, SCMP_SYS(socket)},
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof rules / sizeof *rules; i++) {
		if (calls & rules[i].call)
			error = seccomp_rule_add(context, SCMP_ACT_NOTIFY, rules[i].number, 0);
	}
	return error;
}

/* Exports the program for the kernel: libseccomp 2.5 cannot give every flag when it loads one. */
static int export(scmp_filter_ctx context, struct sock_fprog *program)
{
	int file = memfd_create("filter", MFD_CLOEXEC);
	int error = file < 0 ? -errno : seccomp_export_bpf(context, file);
	off_t size = error ? 0 : lseek(file, 0, SEEK_END);
	void *bytes = size < 0 ? NULL : malloc((size_t)size + 1);

	/* libseccomp returns ECANCELED for a call that failed with errno. */
	if (error == -ECANCELED || (!error && !bytes) ||
		(!error && pread(file, bytes, (size_t)size, 0) != size))
		error = -errno;
	if (file >= 0)
		close(file);
	program->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
	program->filter = bytes;
	if (error)
		filter_drop(program);
	return error;
}

int filter_build(struct sock_fprog *program, unsigned calls)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);

	if (!context)
		return -ENOMEM;
	/* Calls of an unknown architecture are let through. */
	int error = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW)
		?: add_architectures(context)
		?: add_rules(context, calls)
		?: export(context, program);
	seccomp_release(context);
	return error;
}

void filter_drop(struct sock_fprog *program)
{
	free(program->filter);
	*program = (struct sock_fprog){0, NULL};
}
