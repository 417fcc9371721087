/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-bpf: what its verbs do, and that nothing stays half done. */
#include "kernel.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *bind_in(const char *cgroup, int port)
{
	return calls_in(cgroup, "tcp4", format("bind=127.0.0.1,%d", port));
}

#define BOUND  "ok\nok\n"
#define DENIED "ok\nEACCES\n"
#define BROKEN "ok\nEINVAL\n"

static void expect_said(const char *said, const char *words)
{
	cr_expect(strstr(said, words), "it says \"%s\", not \"%s\"", said, words);
}

/* ---- verbs ---- */

Test(kernel_load, each_command_may_be_given_twice)
{
	int port = port_new();
	const char *cgroup = new_cgroup(), *pin = kernel_prepare(), *rules = kernel_rules("deny");

	expect_said(reuse_bpf(69, "list"), "nothing is loaded");
	expect_said(reuse_bpf(69, "attach", cgroup), "run reuse-bpf load first");
	expect_said(reuse_bpf(0, "load", "-f", rules), "loaded 1 rule of ");
	expect_said(reuse_bpf(0, "load", "-f", rules), "replaced the policy by 1 rule of ");
	cr_expect_str_eq(bind_in(cgroup, port), BOUND);
	expect_said(reuse_bpf(0, "attach", cgroup), "attached to ");
	expect_said(reuse_bpf(0, "attach", cgroup), "is attached already");
	cr_expect_str_eq(bind_in(cgroup, port), DENIED);
	expect_said(reuse_bpf(0, "detach", cgroup), "detached from ");
	expect_said(reuse_bpf(0, "detach", cgroup), "is not attached");
	cr_expect_str_eq(bind_in(cgroup, port), BOUND);
	reuse_bpf(0, "attach", cgroup);
	cr_expect_str_eq(bind_in(cgroup, port), DENIED);
	expect_said(reuse_bpf(0, "unload"), "unloaded ");
	expect_said(reuse_bpf(0, "unload"), "nothing is loaded");
	cr_expect_str_eq(bind_in(cgroup, port), BOUND);
	cr_expect_neq(access(pin, F_OK), 0);
}

Test(kernel_load, the_list_counts_by_rule)
{
	int port[3] = {port_new(), port_new(), port_new()};
	const char *cgroup = kernel_attach(format("tcp port=%d -> share\ntcp port=%d -> deny\n"
						  "tcp port=%d -> to=127.0.0.9\n",
		port[0], port[1], port[2]));

	for (int i = 0; i < 6; i++)
		bind_in(cgroup, port[i % 3]);
	bind_in(cgroup, port[0]);
	const char *said = reuse_bpf(0, "list");
	expect_said(said, format(" 3          3          0          0  %s", ""));
	expect_said(said, format("rules:1: tcp port=%d -> share\n", port[0]));
	expect_said(said, " 2          0          0          2  ");
	expect_said(said, " 2          0          2          0  ");
	expect_said(said, format("attached to %s\n", realpath(cgroup, NULL)));
}

Test(kernel_load, an_unknown_command_is_a_usage_error)
{
	expect_said(reuse_bpf(64, "atach"), "did you mean attach?");
	expect_said(reuse_bpf(64, "frobnicate"), "unknown command");
	expect_said(reuse_bpf(64, "attach"), "Usage:");
	expect_said(reuse_bpf(64, "attach", ""), "Usage:");
	expect_said(reuse_bpf(64, "load", "-f"), "Usage:");
	expect_said(reuse_bpf(64, "list", "all"), "Usage:");
	expect_said(reuse_bpf(0, "--help"), "Usage: reuse-bpf load [-f FILE]");
	expect_said(reuse_bpf(0, "--version"), "reuse-bpf (libreuse) ");
}

/* ---- policies ---- */

Test(kernel_load, a_rule_that_the_hook_cannot_apply_is_refused_with_its_place_and_nothing_changes)
{
	static const struct {
		const char *rule, *words;
	} cases[] = {
		{"sctp port=80 -> share", "sctp"},
		{"exe=nginx -> share", "exe="},
		{"tcp -> keep", "keep"},
		{"adopt=web", "adopt="},
		{"tcp -> backlog=5", "backlog="},
		{"share steer=cpu", "steer="},
		{"early share", "early"},
		{"to=:80 once", "once"},
		{"addr=fe80::1%lo -> deny", "an address of one network interface"},
		{"transparent", "transparent: the kernel does not let"},
		{"pacing-rate=4294967295", "pacing-rate=4294967295: "},
	};
	int port = port_new();
	const char *cgroup = kernel_attach("deny");

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *rules = kernel_rules(format("port=1 -> share\n%s\n", cases[i].rule));
		const char *said = reuse_bpf(78, "load", "-f", rules);
		expect_said(said,
			format("%s:2: the kernel hook cannot apply %s", rules, cases[i].words));
		expect_said(said, "nothing has been changed");
	}
	cr_expect_str_eq(bind_in(cgroup, port), DENIED);
}

Test(kernel_load, with_a_broken_policy_every_call_fails)
{
	int port = port_new();
	const char *cgroup = kernel_attach("share"), *rules = kernel_rules("prot=80 share");

	cr_expect_str_eq(bind_in(cgroup, port), BOUND);
	const char *said = reuse_bpf(78, "load", "-f", rules);
	expect_said(said, "did you mean \"port\"?");
	expect_said(said, "fail with EINVAL");
	cr_expect_str_eq(bind_in(cgroup, port), BROKEN);
	cr_expect_str_eq(calls_in(cgroup, "tcp4", format("connect=127.0.0.1,%d", port)), BROKEN);
	expect_said(reuse_bpf(0, "list"), "did you mean \"port\"?");
	reuse_bpf(0, "load", "-f", kernel_rules("share"));
	cr_expect_str_eq(bind_in(cgroup, port), BOUND);
}

/* Either policy denies all; a bind without one would work. */
Test(kernel_load, a_policy_is_replaced_while_sixty_four_threads_bind, .timeout = 3000)
{
	int port = port_new(), rounds = is_long() ? 1000 : 100;
	const char *cgroup = kernel_attach("deny");
	const char *rules[2] = {
		kernel_rules("deny=EPERM"), kernel_rules("tcp -> deny\nudp -> share")};

	for (int i = 0; i < rounds;) {
		struct process *binds =
			start_in(cgroup, program_path("binds"), format("%d", port), "4000");
		do
			reuse_bpf(0, "load", "-f", rules[i++ % 2]);
		while (!strstr(process_output(binds), " binds, ") && !process_ended(binds));
		process_wait_text(binds, "256000 binds, 256000 failed");
		process_kill(binds);
	}
}

/* ---- killed ---- */

/* Ends reuse-bpf with SIGKILL before its call with that number; whether it came so far. */
static bool kill_before(int call, const char *const *words)
{
	const char *all[24] = {need_program("strace"), "-o", "/dev/null", "-f", "-e",
		format("inject=bpf,mkdir,rename,unlink,rmdir,unlinkat:signal=KILL:when=%d", call)};
	size_t count = 6;

	for (; *words && count < 23; words++)
		all[count++] = *words;
	return process_wait(process_start(
		       all, .is_bare = true, .environment = kernel_environment())) == 128 + SIGKILL;
}

static int count_files(const char *path)
{
	DIR *folder = opendir(path);
	int count = 0;

	for (const struct dirent *entry; folder && (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

Test(kernel_load, a_load_that_is_killed_has_loaded_all_or_nothing, .timeout = 600)
{
	const char *pin = kernel_prepare(), *rules = kernel_rules("deny");
	int step = is_long() ? 1 : 9, n_others = count_files(format("%s/..", pin));

	reuse_bpf(0, "load", "-f", rules);
	int n_files = count_files(pin);
	reuse_bpf(0, "unload");
	for (int call = 1; kill_before(call, WORDS(bpf_path(), "load", "-f", rules));
		call += step) {
		bool is_loaded = access(pin, F_OK) == 0;
		cr_expect_eq(count_files(pin), is_loaded ? n_files : 0, "call %d", call);
		reuse_bpf(is_loaded ? 0 : 69, "list");
		reuse_bpf(0, "unload");
		cr_expect_eq(count_files(format("%s/..", pin)), n_others, "call %d", call);
	}
	reuse_bpf(0, "list");
}

/* The port is denied in whole, or not at all; and the verb can be given again. */
static void expect_whole(const char *verb, const char *before, const char *after)
{
	int port = port_new();
	const char *cgroup =
		kernel_attach(format("port=%d -> deny\nconnect port=%d -> deny", port, port));
	const char *bind = format("bind=127.0.0.1,%d", port);
	const char *connect = format("connect=127.0.0.1,%d", port);
	int step = is_long() ? 1 : 5;
	bool is_killed = true;

	for (int call = 1; is_killed; call += step) {
		reuse_bpf(0, before, cgroup);
		is_killed = kill_before(call, WORDS(bpf_path(), verb, cgroup));
		const char *said = calls_in(
			cgroup, "tcp4", bind, "udp4", connect, "udp6", format("bind=::,%d", port));
		bool is_attached = strcmp(said, "ok\nEACCES\nok\nEACCES\nok\nEACCES\n") == 0;
		cr_expect(is_attached || strcmp(said, "ok\nok\nok\nok\nok\nok\n") == 0,
			"%s, call %d: %s", verb, call, said);
		const char *list = reuse_bpf(0, "list");
		cr_expect_eq(strstr(list, "not attached to any control group") == NULL, is_attached,
			"%s", list);
		reuse_bpf(0, verb, cgroup);
		cr_expect_str_eq(bind_in(cgroup, port), after);
	}
}

Test(kernel_load, an_attach_that_is_killed_is_whole_or_nothing, .timeout = 600)
{
	expect_whole("attach", "detach", DENIED);
}

Test(kernel_load, a_detach_that_is_killed_is_whole_or_nothing, .timeout = 600)
{
	expect_whole("detach", "attach", BOUND);
}

/* ---- what is missing ---- */

Test(kernel_load, a_control_group_within_another_one_is_not_attached_twice)
{
	const char *cgroup = kernel_attach("share"), *child = format("%s/child", cgroup);

	cr_assert_eq(mkdir(child, 0755), 0);
	expect_said(reuse_bpf(73, "attach", child), "is attached already, and contains ");
	reuse_bpf(0, "detach", cgroup);
	reuse_bpf(0, "attach", child);
	expect_said(reuse_bpf(73, "attach", cgroup), "is attached already, and is within ");
}

Test(kernel_load, a_control_group_that_was_removed_is_forgotten)
{
	const char *cgroup = new_cgroup(), *other = new_cgroup(), *pin = kernel_prepare();

	reuse_bpf(0, "load", "-f", kernel_rules("share"));
	reuse_bpf(0, "attach", cgroup);
	cr_assert_eq(rmdir(cgroup), 0);
	expect_said(reuse_bpf(0, "list"), "not attached to any control group");
	reuse_bpf(0, "attach", other);
	cr_expect_eq(count_files(format("%s/links", pin)), 1);
}

Test(kernel_load, the_message_says_what_is_missing)
{
	const char *rules = kernel_rules("share"), *pin = kernel_prepare();

	reuse_bpf(0, "load", "-f", rules);
	expect_said(reuse_bpf(66, "attach", "/tmp"), "is not a control group of version 2");
	expect_said(reuse_bpf(66, "attach", "/no/such"), "No such file or directory");
	expect_said(
		reuse_bpf_words(77, WORDS(need_program("setpriv"), "--bounding-set=-bpf,-sys_admin",
					    "--inh-caps=-all", bpf_path(), "load", "-f", rules)),
		"CAP_BPF");
	kernel_pin_in("/tmp/libreuse");
	expect_said(reuse_bpf(69, "load", "-f", rules), "mount -t bpf bpf /sys/fs/bpf");
	kernel_pin_in("here");
	expect_said(reuse_bpf(64, "load", "-f", rules), "it has to start with a slash");
	kernel_pin_in(pin);
	expect_said(reuse_bpf_words(66,
			    WORDS(need_program("unshare"), "--mount", "/bin/sh", "-c",
				    "umount -a -t cgroup2; exec \"$0\" attach /tmp", bpf_path())),
		"mount -t cgroup2 cgroup2");
}

/* ---- reuse-run --hook=kernel ---- */

#define in_kernel(...)                                                                             \
	process_start(WORDS(run_path(), "--hook=kernel", __VA_ARGS__), .is_bare = true,            \
		.environment = kernel_environment())

/* In a cgroup of the test's, so that nothing stays. */
static struct process *run_under(const char *hook, const char *cgroup, const char *const *words)
{
	const char *all[16] = {"/bin/sh", "-c", "echo 0 >\"$0/cgroup.procs\" && exec \"$@\"",
		cgroup, run_path(), hook};
	size_t count = 6;

	for (; *words && count < 15; words++)
		all[count++] = *words;
	return process_start(all, .is_bare = true, .environment = kernel_environment());
}

static struct process *run_in(const char *cgroup, const char *const *words)
{
	return run_under("--hook=kernel", cgroup, words);
}

Test(kernel_load, reuse_run_gives_a_program_an_attached_control_group)
{
	int port = port_new(), denied = port_new();
	const char *cgroup = new_cgroup(), *server = program_path("server_static");

	kernel_prepare();
	reuse_bpf(0, "load", "-f",
		kernel_rules(format("port=%d -> share\nport=%d -> deny", port, denied)));
	for (int i = 0; i < 2; i++)
		run_in(cgroup, WORDS(server, "tcp", "127.0.0.1", format("%d", port)));
	wait_listening("tcp", port, 2);
	struct process *refused =
		run_in(cgroup, WORDS(server, "tcp", "127.0.0.1", format("%d", denied)));
	cr_expect_neq(process_wait(refused), 0);
	cr_expect(strstr(process_output(refused), "Permission denied"), "%s",
		process_output(refused));
	/* two are in use, and the next one removes the third */
	process_wait(run_in(cgroup, WORDS("/bin/true")));
	cr_expect_eq(count_files(format("%s", cgroup)) - count_files(new_cgroup()), 3);
}

Test(kernel_load, a_program_in_an_attached_control_group_stays_there)
{
	const char *cgroup = kernel_attach("share"), *server = program_path("server_static");
	int port = port_new(), n_files = count_files(cgroup);

	run_in(cgroup, WORDS(server, "tcp", "127.0.0.1", format("%d", port)));
	wait_listening("tcp", port, 1);
	cr_expect_eq(count_files(cgroup), n_files);
}

Test(kernel_load, reuse_run_says_what_is_missing_for_the_kernel_hook)
{
	const char *rules = kernel_rules("share");

	kernel_prepare();
	struct process *process = in_kernel("/bin/true");
	expect_status(process, 69);
	expect_says(process, "run reuse-bpf load first");
	reuse_bpf(0, "load", "-f", rules);
	process = in_kernel("-r", "deny", "/bin/true");
	expect_status(process, 64);
	expect_says(process, "applies only the rules that reuse-bpf load has loaded");
	process = in_kernel("-n", "2", "/bin/true");
	expect_status(process, 64);
	expect_says(process, "cannot be used with -n or --keep");
	process = in_kernel("--explain", "/bin/true");
	expect_status(process, 0);
	expect_says(process, "the kernel hook is used for /bin/true: as --hook says; ");
	expect_says(process, "the kernel hook does not see: SCTP and raw sockets");
	expect_says(process, "the rules that reuse-bpf list prints");
	process = process_start(WORDS(run_path(), "--hook=kernel", "/bin/true"), .is_bare = true,
		.environment = kernel_environment(), .user = "nobody");
	expect_status(process, 77);
	expect_says(process, "it needs root");
}

static void expect_strict(const char *cgroup, const char *const *words, const char *said)
{
	struct process *process = run_under("--hook=strict", cgroup, words);

	expect_status(process, 0);
	expect_says(process, said);
}

Test(kernel_load, strict_is_the_kernel_hook_where_the_same_rules_are_loaded)
{
	need_notify();
	const char *cgroup = new_cgroup(), *server = program_path("server_static");
	int port = port_new();
	const char *rule = format("tcp port=%d -> deny", port), *rules = kernel_rules(rule);

	kernel_prepare();
	expect_strict(cgroup, WORDS("-r", rule, "--explain", "/bin/true"),
		"the kernel hook is not used: reuse-bpf has loaded nothing\n");
	reuse_bpf(0, "load", "-f", rules);
	struct process *refused = run_under("--hook=strict", cgroup,
		WORDS("-v", "-f", rules, server, "tcp", "127.0.0.1", format("%d", port)));
	cr_expect_neq(process_wait(refused), 0);
	cr_expect(strstr(process_output(refused), "Permission denied"), "%s",
		process_output(refused));
	expect_says(refused, "the kernel hook is used for ");
	expect_says(refused, "as --hook=strict says, because the policy has a rule that protects");
	cr_expect(strstr(reuse_bpf(0, "list"), " 1          0          0          1  "));

	expect_strict(cgroup, WORDS("-f", rules, "--explain", "/bin/true"),
		"the kernel hook is used for /bin/true: as --hook=strict says");
	expect_strict(cgroup, WORDS("-r", "deny", "--explain", "/bin/true"),
		"the kernel hook is not used: reuse-bpf has loaded other rules\n");
	expect_strict(cgroup, WORDS("-r", "deny", "-v", "/bin/true"), "the notify hook is used ");
	expect_strict(cgroup,
		WORDS("-r", rule, "--explain", "-n1", "--restart=no", "--ready=true", "/bin/true"),
		"the kernel hook is not used: it cannot be used with -n or --keep\n");
}
