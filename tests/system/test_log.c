/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libreuse says, where, and that saying it never harms the program. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* "NAME=PORT..." of loopback, as the program "calls" takes it. */
static const char *bind_to(int port)
{
	return format("bind=127.0.0.1:%d", port);
}

/* A rule that makes a bind to PORT fail, which is worth a warning. */
static const char *deny(int port)
{
	return format("REUSE_RULES=tcp port=%d deny; tcp share", port);
}

static size_t count(const char *text, const char *word)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, word)); at++)
		found++;
	return found;
}

static bool is_file(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- standard output ---- */

static void expect_silent_output(const char *level)
{
	int free_port = port_new(), denied = port_new();
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", bind_to(free_port), "listen", "tcp",
				    bind_to(denied), "udp", bind_to(free_port), "tcp",
				    format("connect=127.0.0.1:%d", free_port)),
			.environment = WORDS(deny(denied), level));

	cr_expect_str_eq(process_output(process),
		"bind: ok\nlisten: ok\nbind: EACCES\nbind: ok\nconnect: ok\n");
}

Test(log, nothing_is_written_to_standard_output_at_level_error)
{
	expect_silent_output("REUSE_LOG=error");
}

Test(log, nothing_is_written_to_standard_output_at_level_warn)
{
	expect_silent_output("REUSE_LOG=warn");
}

Test(log, nothing_is_written_to_standard_output_at_level_info)
{
	expect_silent_output("REUSE_LOG=info");
}

Test(log, nothing_is_written_to_standard_output_at_level_debug)
{
	expect_silent_output("REUSE_LOG=debug");
}

Test(log, nothing_is_written_to_standard_output_when_standard_error_is_closed)
{
	int denied = port_new();
	struct process *process =
		process_run(WORDS("/bin/sh", "-c", "exec \"$@\" 2>&-", "sh", program_path("calls"),
				    "tcp", bind_to(denied)),
			.environment = WORDS(deny(denied), "REUSE_LOG=debug"));

	cr_expect_str_eq(process_output(process), "bind: EACCES\n");
	cr_expect_str_empty(process_errors(process));
}

/* ---- levels ---- */

static void expect_levels(
	const char *level, const char *rules, size_t errors, size_t warnings, size_t infos)
{
	int denied = port_new();
	struct process *process = process_run(
		WORDS(program_path("calls"), "tcp", bind_to(port_new()), "tcp", bind_to(denied)),
		.environment = WORDS(level, rules ? rules : deny(denied)));
	const char *text = process_errors(process);
	const char *head = format("libreuse[%d]: ", (int)process_id(process));

	cr_expect_eq(count(text, format("%serror: ", head)) > 0, errors > 0, "%s", text);
	cr_expect_eq(count(text, format("%swarn: ", head)), warnings, "%s", text);
	cr_expect_eq(count(text, format("%sinfo: ", head)), infos, "%s", text);
	cr_expect_eq(count(text, "\n"), count(text, head), "%s", text);
}

Test(log, at_level_error_only_errors_are_logged)
{
	expect_levels("REUSE_LOG=error", NULL, 0, 0, 0);
	expect_levels("REUSE_LOG=error", "REUSE_RULES=nonsense", 1, 0, 0);
}

Test(log, at_level_warn_warnings_are_logged_too)
{
	expect_levels("REUSE_LOG=warn", NULL, 0, 1, 0);
	expect_levels("REUSE_LOG=warn", "REUSE_RULES=nonsense", 1, 0, 0);
}

Test(log, the_default_level_is_warn)
{
	expect_levels("REUSE_LOG=", NULL, 0, 1, 0);
	expect_levels("OTHER=", NULL, 0, 1, 0);
}

Test(log, at_level_info_each_decision_is_logged)
{
	expect_levels("REUSE_LOG=info", NULL, 0, 1, 1);
}

Test(log, at_level_debug_everything_is_logged)
{
	expect_levels("REUSE_LOG=debug", NULL, 0, 1, 1);
}

Test(log, an_unknown_level_is_named_and_treated_as_warn)
{
	expect_levels("REUSE_LOG=loud", NULL, 0, 2, 0);
}

/* ---- one write a message ---- */

static void expect_writes(const char *rules, size_t expected, size_t lines_least)
{
	const char *trace = format("%s/trace", new_directory());
	struct process *process =
		process_run(WORDS(need_program("strace"), "-f", "-s", "8192", "-e",
				    "trace=write,writev,sendto", "-o", trace, program_path("calls"),
				    "tcp", bind_to(port_new()), "tcp", bind_to(port_new())),
			.environment = WORDS(rules, "REUSE_LOG=debug"));

	cr_expect_eq(
		count(read_file(trace), "write(2, \"libreuse["), expected, "%s", read_file(trace));
	cr_expect_geq(
		count(process_errors(process), "\n"), lines_least, "%s", process_errors(process));
}

Test(log, a_message_is_one_write)
{
	expect_writes("REUSE_RULES=tcp share", 2, 2);
}

Test(log, a_message_of_several_lines_is_one_write)
{
	expect_writes("REUSE_RULES=tcp shar", 1, 4);
}

/* How many lines there are; all have to be whole. */
static size_t count_whole_lines(const char *text)
{
	static const char last[] = "tcp udp port=1-65535 -> share)";
	size_t lines = 0;

	for (const char *at = text; *at; lines++) {
		size_t length = strcspn(at, "\n");
		cr_assert(at[length] && strncmp(at, "libreuse[", 9) == 0 && length > strlen(last) &&
				  strncmp(at + length - strlen(last), last, strlen(last)) == 0,
			"%.*s", (int)length, at);
		at += length + 1;
	}
	return lines;
}

/* What the pipe cannot take at once is dropped. */
Test(log, the_lines_of_many_threads_in_one_pipe_are_whole)
{
	struct process *process =
		process_run(WORDS("/bin/sh", "-c", "\"$@\" 2>&1 >/dev/null | cat", "sh",
				    program_path("in_threads"), format("%d", port_new())),
			.environment = WORDS("REUSE_LOG=info"));

	cr_expect_gt(count_whole_lines(process_output(process)), 0);
}

Test(log, the_lines_of_many_threads_in_one_file_are_whole_and_complete)
{
	const char *path = format("%s/log", new_directory());

	process_run(WORDS(program_path("in_threads"), format("%d", port_new())),
		.environment = WORDS(format("REUSE_LOG=info:%s", path)));
	cr_expect_eq(count_whole_lines(read_file(path)), 1280);
}

/* ---- the journal ---- */

/* Runs a program whose standard error is what JOURNAL_STREAM names, with that much added. */
static const char *errors_with_journal(const char *added, const char *rules, int port)
{
	return process_errors(process_run(
		WORDS("/bin/sh", "-c",
			"JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)$0 exec \"$@\"", added,
			program_path("calls"), "tcp", bind_to(port), "tcp", bind_to(port_new())),
		.environment = WORDS(rules, "REUSE_LOG=info")));
}

Test(log, a_line_for_the_journal_starts_with_its_priority)
{
	int denied = port_new();
	const char *text = errors_with_journal("", deny(denied), denied);

	cr_expect(strncmp(text, "<4>libreuse[", 12) == 0, "%s", text);
	cr_expect_eq(count(text, "\n<6>libreuse["), 1, "%s", text);
}

Test(log, each_line_of_a_message_for_the_journal_starts_with_its_priority)
{
	const char *text = errors_with_journal("", "REUSE_RULES=nonsense", port_new());

	cr_expect_gt(count(text, "\n"), 3, "%s", text);
	cr_expect_eq(count(text, "<3>libreuse["), count(text, "\n"), "%s", text);
}

Test(log, lines_have_no_priority_where_the_journal_is_another_file)
{
	int denied = port_new();

	cr_expect_eq(count(errors_with_journal("1", deny(denied), denied), "<"), 0);
	cr_expect_eq(count(errors_with_journal(" ", deny(denied), denied), "<"), 0);
}

Test(log, lines_in_a_file_have_no_priority)
{
	const char *path = format("%s/log", new_directory());

	process_run(WORDS("/bin/sh", "-c",
			    "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$@\"", "sh",
			    program_path("calls"), "tcp", bind_to(port_new())),
		.environment = WORDS(format("REUSE_LOG=info:%s", path)));
	cr_expect(strncmp(read_file(path), "libreuse[", 9) == 0, "%s", read_file(path));
}

/* ---- a standard error that is none any more ---- */

Test(log, a_file_that_the_program_opens_as_descriptor_2_gets_no_byte_of_ours)
{
	const char *path = format("%s/database", new_directory());
	int denied = port_new();
	struct process *process =
		process_run(WORDS(program_path("calls"), format("reopen2=%s", path), "tcp",
				    bind_to(denied), "tcp", bind_to(port_new())),
			.environment = WORDS(deny(denied), "REUSE_LOG=debug"));

	cr_expect_str_eq(read_file(path), "a database\n");
	cr_expect_str_empty(process_errors(process));
}

Test(log, a_broken_policy_writes_nothing_into_a_file_that_is_descriptor_2_later)
{
	const char *path = format("%s/database", new_directory());
	struct process *process =
		process_run(WORDS(program_path("calls"), format("reopen2=%s", path), "tcp",
				    bind_to(port_new())),
			.environment = WORDS("REUSE_RULES=nonsense"));

	cr_expect_str_eq(process_output(process), "bind: EINVAL\n");
	cr_expect_str_eq(read_file(path), "a database\n");
	cr_expect_str_empty(process_errors(process));
}

Test(log, a_file_that_is_descriptor_2_from_the_start_gets_the_lines)
{
	const char *path = format("%s/errors", new_directory());
	int denied = port_new();

	process_run(WORDS("/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", path, program_path("calls"),
			    "tcp", bind_to(denied)),
		.environment = WORDS(deny(denied)));
	cr_expect_eq(count(read_file(path), "warn: "), 1, "%s", read_file(path));
}

Test(log, a_socket_that_is_descriptor_2_is_not_harmed)
{
	int denied = port_new(), port = port_new();
	struct process *process =
		process_run(WORDS(program_path("calls"), "close2", "tcp", bind_to(denied),
				    bind_to(port), "listen", "options"),
			.environment = WORDS(deny(denied), "REUSE_LOG=debug"));

	cr_expect_str_eq(process_output(process),
		"bind: EACCES\nbind: ok\nlisten: ok\nreuseport=1 reuseaddr=1\n");
}

/* ---- a reader that does not read ---- */

struct fifo {
	const char *path;
	int fd; /* its reader, and a writer */
};

static struct fifo make_fifo(void)
{
	struct fifo fifo = {.path = format("%s/fifo", new_directory())};

	cr_assert_eq(mkfifo(fifo.path, 0600), 0);
	fifo.fd = open(fifo.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(fifo.fd, 0);
	return fifo;
}

static void fill(const struct fifo *fifo)
{
	char bytes[4096];

	memset(bytes, '.', sizeof bytes);
	while (write(fifo->fd, bytes, sizeof bytes) > 0)
		;
	cr_assert_eq(errno, EAGAIN);
}

/* What is in it now. */
static const char *empty(const struct fifo *fifo)
{
	size_t room = 1024 * 1024, length = 0;
	char *bytes = malloc(room);
	ssize_t got;

	cr_assert_not_null(bytes);
	while ((got = read(fifo->fd, bytes + length, room - length - 1)) > 0)
		length += (size_t)got;
	bytes[length] = '\0';
	return bytes;
}

static struct process *run_into(
	const struct fifo *fifo, const char *program, const char *word, const char *rules)
{
	return process_run(WORDS("/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", fifo->path,
				   program_path(program), word, "small"),
		.environment = WORDS(rules, "REUSE_LOG=debug"));
}

Test(log, a_full_pipe_blocks_nobody)
{
	struct fifo fifo = make_fifo();

	fill(&fifo);
	struct process *process =
		run_into(&fifo, "in_threads", format("%d", port_new()), "REUSE_RULES=tcp share");
	cr_expect_str_eq(process_output(process), "shared 1280, in use 0 of 1280\n");
	cr_expect_eq(count(empty(&fifo), "libreuse"), 0);
}

#define POLL_IS_READY "inject=/^p?poll:retval=1:poke_exit=@arg1=0200000004000400"

/* strace 5.10 can change what a call returns, but not what it has written. */
static void need_poke(void)
{
	struct process *process =
		process_start(WORDS(need_program("strace"), "-o", "/dev/null", "-e",
				      "trace=/^p?poll", "-e", POLL_IS_READY, "/bin/true"),
			.is_bare = true);

	if (process_wait(process) != 0 &&
		strstr(process_errors(process), "invalid inject argument"))
		skip("this strace does not know poke_exit");
}

/*
 * Runs "calls" with a bind to a port that is denied and standard error as it is in the FIFO, while
 * every poll is answered with "descriptor 2 can be written to": that was so when it was asked, and
 * another thread was faster.
 */
static struct process *run_after_poll(const struct fifo *fifo, const struct fifo *go)
{
	static const char script[] =
		"exec 2>\"$0\"; echo ready; read line <\"$1\"; shift; exec \"$@\"";
	int denied = port_new();

	need_poke();
	return process_start(
		WORDS(need_program("strace"), "-f", "-qq", "-o", "/dev/null", "-e",
			"trace=/^p?poll", "-e", POLL_IS_READY, "/bin/sh", "-c", script, fifo->path,
			go->path, program_path("calls"), "tcp", bind_to(denied)),
		.environment = WORDS(deny(denied)));
}

static void expect_unharmed(struct process *process, const struct fifo *go)
{
	cr_assert_eq(write(go->fd, "\n", 1), 1);
	cr_expect_eq(process_wait(process), 0);
	cr_expect_str_eq(process_output(process), "ready\nbind: EACCES\n");
}

Test(log, a_pipe_that_others_fill_at_the_same_time_blocks_nobody)
{
	struct fifo errors = make_fifo(), go = make_fifo();

	fill(&errors);
	expect_unharmed(run_after_poll(&errors, &go), &go);
}

Test(log, a_pipe_whose_reader_goes_at_the_same_time_raises_no_signal)
{
	struct fifo errors = make_fifo(), go = make_fifo();
	struct process *process = run_after_poll(&errors, &go);

	process_wait_text(process, "ready\n");
	close(errors.fd);
	expect_unharmed(process, &go);
}

Test(log, a_pipe_without_a_reader_raises_no_signal)
{
	struct fifo errors = make_fifo(), go = make_fifo();
	int denied = port_new();
	struct process *process = process_start(
		WORDS("/bin/sh", "-c",
			"exec 2>\"$0\"; echo ready; read line <\"$1\"; shift; exec \"$@\"",
			errors.path, go.path, program_path("calls"), "tcp", bind_to(denied)),
		.environment = WORDS(deny(denied), "REUSE_LOG=debug"));

	process_wait_text(process, "ready\n");
	close(errors.fd);
	cr_assert_eq(write(go.fd, "\n", 1), 1);
	cr_expect_eq(process_wait(process), 0);
	cr_expect_str_eq(process_output(process), "ready\nbind: EACCES\n");
}

/* ---- a file ---- */

Test(log, a_file_gets_the_lines_at_its_end_and_standard_error_gets_none)
{
	const char *path = write_file(new_directory(), "log", "what was there\n");
	const char *log = format("REUSE_LOG=debug:%s", path);

	for (size_t run = 1; run <= 2; run++) {
		struct process *process =
			process_run(WORDS(program_path("calls"), "tcp", bind_to(port_new())),
				.environment = WORDS(log));
		cr_expect_str_empty(process_errors(process));
		cr_expect(strncmp(read_file(path), "what was there\nlibreuse[", 24) == 0);
		cr_expect_eq(count(read_file(path), "\n"), run + 1);
	}
}

Test(log, a_relative_path_is_relative_to_where_the_program_starts)
{
	const char *start = new_directory(), *later = new_directory();

	process_run(
		WORDS(program_path("calls"), format("chdir=%s", later), "tcp", bind_to(port_new())),
		.environment = WORDS("REUSE_LOG=debug:log"), .directory = start);
	cr_expect_eq(count(read_file(format("%s/log", start)), "libreuse["), 1);
	cr_expect_not(is_file(format("%s/log", later)));
}

Test(log, a_program_that_logs_nothing_makes_no_file)
{
	const char *path = format("%s/log", new_directory());

	process_run(WORDS(program_path("calls"), "unix"),
		.environment = WORDS(format("REUSE_LOG=debug:%s", path)));
	cr_expect_not(is_file(path));
}

Test(log, a_file_that_cannot_be_opened_harms_nothing)
{
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", bind_to(port_new())),
			.environment = WORDS("REUSE_LOG=debug:/no/such/directory/log"));

	cr_expect_str_eq(process_output(process), "bind: ok\n");
	cr_expect_str_empty(process_errors(process));
}

Test(log, a_fifo_without_a_reader_blocks_nobody)
{
	struct fifo fifo = make_fifo();

	close(fifo.fd);
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", bind_to(port_new())),
			.environment = WORDS(format("REUSE_LOG=debug:%s", fifo.path)));
	cr_expect_str_eq(process_output(process), "bind: ok\n");
}

/* ---- descriptors ---- */

Test(log, no_descriptor_stays_open)
{
	const char *directory = new_directory();
	const char *policy =
		write_file(directory, "policy", "tcp share nodelay\nconnect nodelay\n");
	int port = port_new(), held = port_new();
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, "127.0.0.1", held);
	int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *const words[] = {program_path("calls"), "tcp", bind_to(port), "listen", "tcp",
		bind_to(held), format("connect=127.0.0.1:%d", port), "descriptors", NULL};

	cr_assert_eq(bind(holder, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(holder, 1), 0);
	const char *bare = process_output(process_run(words, .is_bare = true));
	struct process *process =
		process_run(words, .environment = WORDS(format("REUSE_CONFIG=%s", policy),
					   format("REUSE_LOG=debug:%s/log", directory)));
	cr_expect_str_eq(process_output(process), bare);
	cr_expect_eq(count(bare, "descriptor "), 5, "%s", bare);
	cr_expect(strstr(read_file(format("%s/log", directory)), "is held by user"));
}

/* ---- a broken policy ---- */

Test(log, a_program_that_makes_no_socket_does_not_notice_a_broken_policy)
{
	const char *directory = new_directory();

	write_file(directory, "file", "");
	struct process *process = process_run(
		WORDS(need_program("ls"), directory), .environment = WORDS("REUSE_RULES=nonsense"));
	cr_expect_str_eq(process_output(process), "file\n");
	cr_expect_str_empty(process_errors(process));
}

Test(log, a_socket_that_is_not_ip_does_not_notice_a_broken_policy)
{
	struct process *process =
		process_run(WORDS(program_path("calls"), "unix", "listen", "tcp", "options"),
			.environment = WORDS("REUSE_RULES=nonsense"));

	cr_expect_str_eq(
		process_output(process), "bind: ok\nlisten: ok\nreuseport=0 reuseaddr=0\n");
	cr_expect_str_empty(process_errors(process));
}

/* A message of the form SOURCE:LINE:COLUMN: ..., the line, a caret under the place. */
static void expect_message(
	const struct process *process, const char *place, const char *line, const char *caret)
{
	const char *head = format("libreuse[%d]: error: ", (int)process_id(process));
	const char *text = process_errors(process);
	const char *at = strstr(text, format("%s%s: ", head, place));

	cr_assert_not_null(at, "%s", text);
	cr_expect_not_null(
		strstr(at, format("\n%s  %s\n%s  %s\n", head, line, head, caret)), "%s", text);
	cr_expect_eq(count(text, place), 1, "%s", text);
	cr_expect_eq(count(text, format("%s\n", head)), 0, "an empty line: %s", text);
}

static struct process *run_broken(const char *variable)
{
	const char *address = bind_to(port_new());

	return process_run(WORDS(program_path("calls"), "tcp", address, "listen", address, "udp",
				   address, "connect=127.0.0.1:9", "tcp6", "listen", "unix"),
		.environment = WORDS(variable));
}

Test(log, a_broken_policy_in_the_environment_fails_every_call_and_is_logged_once)
{
	struct process *process = run_broken("REUSE_RULES=tcp shar; udp share");

	cr_expect_str_eq(process_output(process),
		"bind: EINVAL\nlisten: EINVAL\nbind: EINVAL\nbind: EINVAL\nconnect: EINVAL\n"
		"listen: EINVAL\nbind: ok\n");
	expect_message(process, "REUSE_RULES:1:5", "tcp shar; udp share", "    ^");
}

Test(log, a_broken_policy_in_a_file_fails_every_call_and_is_logged_once)
{
	const char *path =
		write_file(new_directory(), "policy", "# a comment\nudp   port=70000 share\n");
	struct process *process = run_broken(format("REUSE_CONFIG=%s", path));

	cr_expect(strncmp(process_output(process), "bind: EINVAL\n", 13) == 0);
	expect_message(process, format("%s:2:12", path), "udp   port=70000 share", "           ^");
}

Test(log, a_missing_file_is_a_broken_policy)
{
	struct process *process = run_broken("REUSE_CONFIG=/no/such/file");

	cr_expect(strncmp(process_output(process), "bind: EINVAL\n", 13) == 0);
	cr_expect_eq(
		count(process_errors(process), "/no/such/file"), 1, "%s", process_errors(process));
}

Test(log, a_policy_file_that_others_can_write_is_a_broken_policy)
{
	const char *path = write_file(new_directory(), "policy", "tcp share\n");

	cr_assert_eq(chmod(path, 0666), 0);
	struct process *process = run_broken(format("REUSE_CONFIG=%s", path));
	cr_expect(strncmp(process_output(process), "bind: EINVAL\n", 13) == 0);
	cr_expect_eq(count(process_errors(process), path), 1, "%s", process_errors(process));
}

/* ---- children ---- */

static bool has_line(const char *text, const char *line)
{
	return strstr(format("\n%s", text), format("\n%s\n", line)) != NULL;
}

static struct process *run_with_child(const char *inherit, const char *preload)
{
	return process_run(WORDS(program_path("calls"), "tcp", bind_to(port_new()), "options",
				   format("child=%s", need_program("env")),
				   format("child=%s", program_path("calls"))),
		.preload = preload,
		.environment = WORDS(inherit, "REUSE_RULES=tcp share", "REUSE_LOG=error",
			"BIND_ADDR=127.0.0.1", "REUSE_OF_MY_OWN=1"));
}

Test(log, a_child_inherits_the_preload_and_the_policy)
{
	const char *text = process_output(run_with_child("REUSE_INHERIT=on", library_path()));

	cr_expect(has_line(text, format("LD_PRELOAD=%s", library_path())));
	cr_expect(has_line(text, "REUSE_RULES=tcp share"));
}

Test(log, with_REUSE_INHERIT_off_a_child_gets_neither_the_preload_nor_the_policy)
{
	const char *text = process_output(run_with_child("REUSE_INHERIT=off", library_path()));

	cr_expect(has_line(text, "reuseport=1 reuseaddr=1"), "the program itself shares");
	cr_expect_eq(count(text, "LD_PRELOAD="), 0);
	cr_expect_eq(count(text, "\nREUSE_"), 1);
	cr_expect(has_line(text, "REUSE_OF_MY_OWN=1"));
	cr_expect(has_line(text, "BIND_ADDR=127.0.0.1"));
}

static void expect_other_preload(const char *preload)
{
	const char *text = process_output(run_with_child("REUSE_INHERIT=off", preload));

	const char *list = strstr(text, format("\nLD_PRELOAD=%s", program_path("front.so")));

	cr_assert_not_null(list);
	cr_expect_eq(count(format("%.*s", (int)strcspn(list + 1, "\n"), list + 1), "libreuse"),
		count(program_path("front.so"), "libreuse"), "%.*s", (int)strcspn(list + 1, "\n"),
		list + 1);
	cr_expect(has_line(text, "front socket 1 bind 1 listen 0 connect 0"), "in the program");
	cr_expect(has_line(text, "front socket 0 bind 0 listen 0 connect 0"), "in its child");
}

Test(log, with_REUSE_INHERIT_off_other_preloads_stay)
{
	expect_other_preload(format("%s:%s", library_path(), program_path("front.so")));
	expect_other_preload(format("%s:%s", program_path("front.so"), library_path()));
	expect_other_preload(format("%s %s", program_path("front.so"), library_path()));
}

/* ---- who must not be believed ---- */

static int find_libc(struct dl_phdr_info *object, size_t size, void *path)
{
	(void)size;
	if (!strstr(object->dlpi_name, "/libc.so"))
		return 0;
	*(const char **)path = object->dlpi_name;
	return 1;
}

/* Any library of libc's own directory, which ld.so trusts; ours is mounted over it. */
static const char *trusted_library(void)
{
	const char *libc = NULL;

	dl_iterate_phdr(find_libc, &libc);
	cr_assert_not_null(libc);
	const char *path = format("%.*s/libpcprofile.so", (int)(strrchr(libc, '/') - libc), libc);
	if (!is_file(path))
		skip("%s is missing", path);
	return path;
}

/*
 * Runs "calls" with that mode and owner, and libreuse.so as a library that even a program in
 * secure-execution mode preloads (ld.so(8)), in a mount namespace of its own, where POLICY is what
 * the machine's own policy file holds; NULL: there is none.
 */
static struct process *run_secure_under(
	const char *policy, const char *mode, const char *const *environment, const char *calls)
{
	static const char script[] = "mount -t tmpfs -o mode=755 none \"$1\"\n"
				     "cp \"$2\" \"$1/library\"\n"
				     "cp \"$3\" \"$1/program\"\n"
				     "chown 65534 \"$1/program\"\n"
				     "chmod 4755 \"$1/library\"\n"
				     "chmod \"$4\" \"$1/program\"\n"
				     "mount --bind \"$1/library\" \"$5\"\n"
				     "mount -t tmpfs -o mode=755 none /etc\n"
				     "[ -z \"$7\" ] || echo \"$7\" >/etc/libreuse.conf\n"
				     "LD_PRELOAD=libpcprofile.so\n"
				     "export LD_PRELOAD\n"
				     "exec \"$1/program\" $6\n";

	need_root();
	return process_run(WORDS(need_program("unshare"), "--mount", "/bin/sh", "-euc", script,
				   "sh", new_directory(), library_path(), program_path("calls"),
				   mode, trusted_library(), calls, policy ? policy : ""),
		.is_bare = true, .environment = environment);
}

static struct process *run_secure(const char *mode, const char *const *environment, int port)
{
	return run_secure_under(NULL, mode, environment, format("tcp %s options", bind_to(port)));
}

Test(log, an_ordinary_program_obeys_the_environment)
{
	int port = port_new();
	struct process *process = run_secure("0755", WORDS(deny(port)), port);

	cr_expect_str_eq(process_output(process), "bind: EACCES\nreuseport=0 reuseaddr=0\n");
	cr_expect_eq(count(process_errors(process), "warn: "), 1, "%s", process_errors(process));
}

Test(log, a_setuid_program_ignores_the_rules_of_the_environment)
{
	int port = port_new();
	const char *path = format("%s/log", new_directory());
	struct process *process = run_secure("4755",
		WORDS(deny(port), format("REUSE_LOG=debug:%s", path), "REUSE_EXPLAIN=1"), port);

	cr_expect_str_eq(process_output(process), "bind: ok\nreuseport=1 reuseaddr=1\n");
	cr_expect_str_empty(process_errors(process));
	cr_expect_not(is_file(path));
}

Test(log, a_setuid_program_ignores_a_broken_policy_and_bindps_variables)
{
	int port = port_new();
	struct process *process = run_secure("4755",
		WORDS("REUSE_RULES=nonsense", "REUSE_CONFIG=/no/such/file", "BIND_ADDR=192.0.2.1"),
		port);

	cr_expect_str_eq(process_output(process), "bind: ok\nreuseport=1 reuseaddr=1\n");
}

/*
 * Who starts a set-user-ID program could listen himself where NOTIFY_SOCKET says, and be sent the
 * socket of a user that he is not.
 */
Test(log, a_setuid_program_hands_no_socket_to_a_keeper_that_the_environment_names)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int keeper = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), port = port_new();
	const char *policy = format("tcp port=%d share keep", port);
	const char *calls = format("tcp %s listen", bind_to(port));
	char message[256];

	need_root();
	strncpy(address.sun_path, format("%s/notify", new_directory()),
		sizeof address.sun_path - 1);
	cr_assert_eq(bind(keeper, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(chmod(address.sun_path, 0777), 0);
	const char *const *environment = WORDS(
		format("NOTIFY_SOCKET=%s", address.sun_path), format("REUSE_RULES=%s", policy));

	run_secure_under(policy, "0755", environment, calls);
	cr_expect_gt(recv(keeper, message, sizeof message, MSG_DONTWAIT), 0);
	run_secure_under(policy, "4755", environment, calls);
	cr_expect_lt(recv(keeper, message, sizeof message, MSG_DONTWAIT), 0);
	close(keeper);
}

/* The first socket stands for one that he has bound, and passed as descriptor 3. */
Test(log, a_setuid_program_adopts_nothing)
{
	int port = port_new();
	const char *policy = "tcp addr=127.0.0.1 share adopt=fd:3";
	const char *calls =
		format("tcp bind=127.0.0.2:%d listen tcp %s address", port, bind_to(port));
	const char *const *environment = WORDS(format("REUSE_RULES=%s", policy));

	struct process *process = run_secure_under(policy, "0755", environment, calls);
	cr_expect(strstr(process_output(process), "address=127.0.0.2\n"), "%s",
		process_output(process));
	process = run_secure_under(policy, "4755", environment, calls);
	cr_expect(strstr(process_output(process), "address=127.0.0.1\n"), "%s",
		process_output(process));
}

/* ---- memory ---- */

/* "memory" is given the word with each letter one lower, so that only the policy holds it. */
static void expect_read_only(const char *variable)
{
	struct process *process = process_run(
		WORDS(program_path("memory"), "find", "pyiwjuvo"), .environment = WORDS(variable));

	cr_expect_str_eq(process_output(process), "writable 0, read-only 1\n");
}

Test(log, the_policy_of_a_file_is_only_in_read_only_memory)
{
	const char *path = write_file(new_directory(), "policy", "tcp device=qzjxkvwp\n");

	expect_read_only(format("REUSE_CONFIG=%s", path));
}

Test(log, the_policy_of_the_environment_is_only_in_read_only_memory)
{
	expect_read_only("REUSE_RULES=tcp device=qzjxkvwp");
}

Test(log, the_message_about_a_broken_policy_is_only_in_read_only_memory)
{
	expect_read_only("REUSE_RULES=tcp qzjxkvwp");
}
