/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that are too old for something: each such answer has its message, or its way around. */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Only root may install such a filter without giving up privileges. */
static const char *old_kernel(void)
{
	need_root();
	return program_path("old_kernel");
}

#define on_a_kernel_without(LACK, ...)                                                             \
	process_start(WORDS(old_kernel(), LACK, run_path(), __VA_ARGS__), .is_bare = true)

static const char *bind_word(void)
{
	return format("bind=127.0.0.1:%d", port_new());
}

/* ---- sharing ---- */

Test(old_kernel, without_so_reuseport_the_log_says_so_and_the_bind_continues)
{
	struct process *process = on_a_kernel_without(
		"SO_REUSEPORT", program_path("calls"), "tcp", bind_word(), "listen");

	expect_output(process, "bind: ok\nlisten: ok\n");
	expect_says(process, "SO_REUSEPORT cannot be set: ENOPROTOOPT");
}

Test(old_kernel, without_so_reuseport_a_strict_policy_fails_the_bind)
{
	struct process *process = process_start(WORDS(old_kernel(), "SO_REUSEPORT", run_path(),
							program_path("calls"), "tcp", bind_word()),
		.is_bare = true, .environment = WORDS("REUSE_STRICT=1"));

	expect_output(process, "bind: ENOPROTOOPT\n");
}

Test(old_kernel, without_so_reuseport_the_notify_hook_does_the_same)
{
	struct process *process = on_a_kernel_without("SO_REUSEPORT", "--hook=notify",
		program_path("calls"), "tcp", bind_word(), "listen");

	expect_output(process, "bind: ok\nlisten: ok\n");
	expect_says(process, "SO_REUSEPORT cannot be set: ENOPROTOOPT");
}

/* ---- steering ---- */

Test(old_kernel, without_a_program_for_the_group_the_kernel_chooses_and_the_log_says_so)
{
	struct process *process = on_a_kernel_without("SO_ATTACH_REUSEPORT_CBPF", "--steer",
		"source", program_path("calls"), "tcp", bind_word(), "listen");

	expect_output(process, "bind: ok\nlisten: ok\n");
	expect_says(process, "steer=source is not available: ENOPROTOOPT");
}

/* Such a kernel answers ENOMEM, which would pass elsewhere. */
Test(old_kernel, where_md5_is_not_allowed_a_drain_and_a_stop_end_all_the_same)
{
	int port = port_new();
	struct process *supervisor = on_a_kernel_without("TCP_MD5SIG", "-v", "-n2",
		"--ready-delay=0", "--probation=0", "--drain-timeout=1h", program_path("server"),
		"tcp", "127.0.0.1", format("%d", port));

	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	end_supervisor(supervisor);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0, "%s",
		process_errors(supervisor));
}

Test(old_kernel, without_a_program_for_the_group_a_new_copy_takes_over_the_old_ones_socket)
{
	int port = port_new();
	struct process *supervisor = on_a_kernel_without("SO_ATTACH_REUSEPORT_CBPF", "-v", "-n",
		"2", "--keep", program_path("server"), "tcp", "127.0.0.1", format("%d", port));

	wait_ready(supervisor, 2);
	unsigned long before = sum_listening("tcp", port);
	roll(supervisor, 2);
	cr_expect_eq(sum_listening("tcp", port), before);
	expect_says(supervisor, "ENOPROTOOPT, so the new copy takes over the old one's socket");
	end_supervisor(supervisor);
}

/* ---- the notify hook ---- */

/* What makes the hook impossible, and the message about it. */
static const struct {
	const char *lack, *says;
} needs[] = {
	{"pidfd_open",
		"lacks seccomp(2), pidfd_open(2), pidfd_getfd(2) or memfd_create(2) (ENOSYS)"},
	{"memfd_create", "pidfd_getfd(2) or memfd_create(2) (ENOSYS)"},
	{"seccomp", "the notify hook is not available: the kernel"},
	{"SECCOMP_FILTER_FLAG_NEW_LISTENER", "the kernel is too old: the hook needs Linux 5.6"},
};

#define NEEDS (sizeof needs / sizeof *needs)

Test(old_kernel, the_message_says_what_the_notify_hook_needs)
{
	for (size_t i = 0; i < NEEDS; i++) {
		struct process *process = on_a_kernel_without(
			needs[i].lack, "--hook=notify", program_path("calls"), "tcp", bind_word());
		cr_expect_eq(process_wait(process), 78, "%s", needs[i].lack);
		cr_expect_str_empty(process_output(process), "%s", needs[i].lack);
		expect_says(process, needs[i].says);
	}
}

Test(old_kernel, if_a_rule_protects_a_program_without_its_hook_is_not_started)
{
	for (size_t i = 0; i < NEEDS; i++) {
		struct process *process = on_a_kernel_without(needs[i].lack, "-r", "port=1 -> deny",
			program_path("trouble"), "vfork", format("%d", port_new()));
		cr_expect_eq(process_wait(process), 78, "%s", needs[i].lack);
		expect_says(process, "the policy has a rule that protects, so it is not started");
	}
}

Test(old_kernel, if_the_policy_only_shares_a_program_runs_without_its_hook)
{
	for (size_t i = 0; i < NEEDS; i++) {
		struct process *process = on_a_kernel_without(
			needs[i].lack, program_path("trouble"), "vfork", format("%d", port_new()));
		expect_output(process, "status 1\n");
		expect_says(process, "the program runs, but libreuse does nothing for it");
	}
}

/* It makes the sockets of the program itself then. */
Test(old_kernel, without_pidfd_getfd_the_notify_hook_works)
{
	struct process *process =
		on_a_kernel_without("pidfd_getfd", "-r", "tcp -> deny=ECONNREFUSED",
			"--hook=notify", program_path("calls"), "tcp", bind_word());

	expect_output(process, "bind: ECONNREFUSED\n");
}

Test(old_kernel, threads_are_served_if_only_processes_have_pidfds)
{
	expect_output(on_a_kernel_without("PIDFD_THREAD", program_path("trouble"), "threads",
			      format("%d", port_new())),
		"200 shared\n");
}

Test(old_kernel, the_hook_works_if_signals_interrupt_answered_calls)
{
	expect_output(on_a_kernel_without("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
			      program_path("trouble"), "threads", format("%d", port_new())),
		"200 shared\n");
}

Test(old_kernel, a_socket_that_cannot_be_installed_is_not_kept_but_shared)
{
	int port = port_new();
	struct process *supervisor =
		on_a_kernel_without("SECCOMP_IOCTL_NOTIF_ADDFD", "-v", "--keep", "--hook=notify",
			program_path("server"), "tcp", "127.0.0.1", format("%d", port));

	wait_ready(supervisor, 1);
	expect_says(
		supervisor, "keep and adopt= are not available here: EINVAL; they need Linux 5.9");
	/* The next copy would be given a kept one, could not take it, and end. */
	cr_assert_eq(kill(-copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 2);
	cr_expect_eq(times_said(supervisor, "ended with status"), 0);
	roll(supervisor, 1);
	end_supervisor(supervisor);
}

Test(old_kernel, a_socket_is_made_without_early_if_it_cannot_be_installed)
{
	struct process *process = on_a_kernel_without("SECCOMP_IOCTL_NOTIF_ADDFD", "--hook=notify",
		"-r", "tcp -> share early", program_path("calls"), "tcp", bind_word(), "listen");

	expect_output(process, "bind: ok\nlisten: ok\n");
	expect_says(process, "early is not available here: EINVAL; it needs Linux 5.14");
}
