/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which program makes a call, and what that, its children and its successors know of each other. */
#include "harness.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT_OF(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

#define run_by_rules(RULES, ...)                                                                   \
	process_run(WORDS(__VA_ARGS__), .environment = WORDS(format("REUSE_RULES=%s", RULES)))

/* A copy of the program in a new directory. */
static const char *copy_as(const char *program, const char *name)
{
	const char *path = format("%s/%s", new_directory(), name);

	process_run(WORDS("/bin/cp", program_path(program), path), .is_bare = true);
	return path;
}

static const char *link_to(const char *path, const char *name)
{
	const char *link = format("%s/%s", new_directory(), name);

	cr_assert_eq(symlink(path, link), 0);
	return link;
}

/* What each hook can get: one library for all, or all programs. */
static const char *const *variants(void)
{
	static const char *const dynamic[] = {"lineage", NULL};
	static const char *const some[] = {"lineage", "lineage_static", NULL};
	static const char *const all[] = {"lineage", "lineage_static", "lineage_i386", NULL};

	return !is_under_notify() ? dynamic : runs_32_bit() ? all : some;
}

/* ---- once ---- */

static const char *const ways[] = {"same", "thread", "fork", "older-child", "parent", "double-fork",
	"exec", "fork-exec", "vfork-exec", "spawn", "shell", "exec-exec", "no-main-thread"};

static const char *once_to(int target)
{
	return format("tcp -> share to=:%d once", target);
}

static void expect_second_fails(const char *program, const char *way)
{
	const char *first = format("%d", port_new()), *second = format("%d", port_new());
	int target = port_new();
	struct process *process =
		run_by_rules(once_to(target), program_path(program), way, first, second);

	cr_expect_str_eq(process_output(process), format("%d\nEADDRINUSE\n", target), "%s %s: %s",
		program, way, process_output(process));
	expect_says(process, format("port %s was moved to %d already", first, target));
}

Test(identity, a_second_port_fails_whichever_thread_process_or_program_asks)
{
	for (const char *const *program = variants(); *program; program++) {
		for (size_t i = 0; i < COUNT_OF(ways); i++)
			expect_second_fails(*program, ways[i]);
	}
}

Test(identity, the_first_port_is_shared_whichever_thread_process_or_program_asks)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		const char *port = format("%d", port_new());
		int target = port_new();
		struct process *process =
			run_by_rules(once_to(target), program_path("lineage"), ways[i], port, port);
		cr_expect_str_eq(process_output(process), format("%d\n%d\n", target, target),
			"%s: %s", ways[i], process_output(process));
	}
}

Test(identity, programs_that_a_third_one_starts_do_not_know_each_others_first_port)
{
	const char *script = "\"$0\" only $1 $1; \"$0\" only $2 $2";
	int target = port_new();
	struct process *process = run_by_rules(once_to(target), "/bin/sh", "-c", script,
		program_path("lineage"), format("%d", port_new()), format("%d", port_new()));

	cr_expect_str_eq(process_output(process), format("%d\n%d\n", target, target));
}

Test(identity, a_program_with_another_target_has_its_own_first_port)
{
	int target = port_new(), other_target = port_new();
	const char *other = copy_as("lineage", "other");
	const char *rules = format("exe=other tcp -> share to=:%d once; "
				   "exe=lineage tcp -> share to=:%d once",
		other_target, target);
	struct process *process = run_by_rules(rules, program_path("lineage"), "name",
		format("%d", port_new()), format("%d", port_new()), other);

	cr_expect_str_eq(process_output(process), format("%d\n%d\n", target, other_target));
}

Test(identity, the_first_port_is_remembered_after_hundreds_of_other_programs)
{
	int target = port_new();
	struct process *process = run_by_rules(once_to(target), program_path("lineage"), "many",
		format("%d", port_new()), format("%d", port_new()));

	cr_expect_str_eq(process_output(process), format("%d\nEADDRINUSE\n", target));
}

Test(identity, an_exported_first_port_is_missing_if_children_get_no_policy)
{
	struct process *process = process_run(WORDS("/usr/bin/env"),
		.environment =
			WORDS(format("REUSE_RULES=%s", once_to(port_new())), "REUSE_INHERIT=off"));

	if (!is_under_notify())
		cr_expect_null(strstr(process_output(process), "REUSE_FIRST_PORT"));
}

/* ---- exe= ---- */

#define DENY(NAME) "exe=\"" NAME "\" tcp -> deny; tcp -> share"

static void expect_denied(struct process *process, const char *what)
{
	cr_expect_str_eq(process_output(process), "EACCES\nEACCES\n", "%s: \"%s\"", what,
		process_output(process));
}

Test(identity, a_rule_holds_for_a_program_whose_main_thread_has_ended)
{
	const char *port = format("%d", port_new());

	for (const char *const *variant = variants(); *variant; variant++)
		expect_denied(run_by_rules(DENY("server"), copy_as(*variant, "server"),
				      "no-main-thread", port, port),
			*variant);
}

/* And it is known which file that is: nothing is refused for not knowing. */
Test(identity, a_program_whose_main_thread_has_ended_is_moved_by_its_rule)
{
	const char *port = format("%d", port_new());
	int target = port_new();
	const char *rules = format("exe=server tcp port=%s -> share to=:%d", port, target);

	for (const char *const *variant = variants(); *variant; variant++) {
		struct process *process = run_by_rules(rules,
			link_to(copy_as(*variant, "server"), "link"), "no-main-thread", port, port);
		cr_expect_str_eq(process_output(process), format("%d\n%d\n", target, target),
			"%s: \"%s\"", *variant, process_output(process));
	}
}

Test(identity, a_rule_holds_for_a_program_whose_file_is_replaced_or_removed)
{
	const char *port = format("%d", port_new());

	for (const char *const *variant = variants(); *variant; variant++) {
		const char *path = copy_as(*variant, "server-1"), *next = copy_as(*variant, "new");
		const char *link = link_to(path, "server");
		expect_denied(
			run_by_rules(DENY("server-1"), link, "replaced", port, port, next, path),
			*variant);
		expect_denied(run_by_rules(DENY("server-1"), link, "removed", port, port, path),
			*variant);
	}
}

Test(identity, a_rule_holds_for_a_program_whose_real_name_is_like_that_of_a_removed_one)
{
	const char *port = format("%d", port_new());

	for (const char *const *variant = variants(); *variant; variant++)
		expect_denied(run_by_rules(DENY("server (deleted)"),
				      copy_as(*variant, "server (deleted)"), "same", port, port),
			*variant);
}

/* Its auxiliary vector, with the name that it was executed by, is that of a 64-bit program. */
Test(identity, a_rule_holds_for_the_32_bit_call_of_a_64_bit_program)
{
#ifdef __x86_64__
	const char *port = format("%d", port_new());

	const char *link = link_to(program_path("lineage_static"), "alias");
	program_path("lineage_i386"); /* or the kernel may not have such calls */
	struct process *process = run_by_rules(DENY("alias"), link, "32-bit", port, port);
	/* the preload hook does not see it */
	cr_expect_str_eq(
		process_output(process), is_under_notify() ? "EACCES\n" : format("%s\n", port));
#else
	skip("there are no 32-bit calls on this machine");
#endif
}
