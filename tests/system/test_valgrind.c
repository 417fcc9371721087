/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor leaves no memory and no descriptor behind, and uses nothing that it has not set.
 */
#include "supervised.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Expects that a log of valgrind tells of no descriptor but those that the process was given. */
static void expect_no_descriptor(const char *log)
{
	static const char inherited[] = "==    <inherited from parent>\n";

	cr_expect(strstr(log, "FILE DESCRIPTORS: "), "%s", log);
	for (const char *at = log; (at = strstr(at, "Open file descriptor "));) {
		at += strcspn(at, "\n");
		const char *origin = strstr(at, "== ");
		cr_expect(origin && strncmp(origin, inherited, strlen(inherited)) == 0, "%s", log);
	}
}

/* Since 3.24, a question about a descriptor of valgrind itself, which /proc has too, is an error.
 */
static void expect_no_error(const char *log)
{
	const char *summary = strstr(log, "ERROR SUMMARY: ");

	cr_assert(summary, "%s", log);
	cr_expect_eq(atoi(summary + strlen("ERROR SUMMARY: ")),
		occurrences(log, " Invalid file descriptor\n"), "%s", log);
}

Test(valgrind, copies_are_rolled_and_killed_and_stopped_and_nothing_is_left_behind)
{
	const char *file = format("%s/log", new_directory());
	struct process *supervisor = process_start(
		WORDS(need_program("valgrind"), "--leak-check=full", "--show-leak-kinds=all",
			"--errors-for-leak-kinds=all", "--track-fds=yes",
			"--child-silent-after-fork=yes", format("--log-file=%s", file),
			supervise_path(), "--copies=2", "--ready-delay=0", "--",
			program_path("server"), "tcp", "127.0.0.1", format("%d", port_new())),
		.is_bare = true, .environment = WORDS("REUSE_KEEP=1", "REUSE_LOG=info"));

	wait_ready(supervisor, 2);
	roll(supervisor, 2);
	cr_assert_eq(kill(copy_in(supervisor, 0), SIGKILL), 0);
	wait_ready(supervisor, 5);
	process_signal(supervisor, SIGTERM);
	int status = process_wait(supervisor);
	const char *log = read_file(file);
	cr_expect_eq(status, 0, "%d: %s%s", status, process_errors(supervisor), log);
	expect_no_error(log);
	expect_no_descriptor(log);
}
