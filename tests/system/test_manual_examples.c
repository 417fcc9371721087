/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every block of commands, rules or unit lines in the manual works exactly as it is printed: the
 * commands run in a folder with nothing but a ./server, reuse-run --check reads the rules, and
 * systemd-analyze reads the units. What cannot be tried is in a list, with the reason.
 */
#include "kernel.h"
#include "systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))
#define PORT	     8080

static const char *const pages[] = {"libreuse.7", "libreuse.conf.5", "reuse-run.1", "reuse-bpf.8"};

/* ---- what is not tried ---- */

static const struct {
	const char *page, *start, *reason;
} exceptions[] = {
	{"libreuse.7", "ENTRYPOINT [", "for a Dockerfile; tests/orchestrators runs these options"},
	{"reuse-run.1", "ENTRYPOINT [", "for a Dockerfile; tests/orchestrators runs these options"},
	{"libreuse.7", "$ systemctl show", "a unit is kept in test_keep_units"},
	{"libreuse.7", "LD_PRELOAD='/opt/", "needs two installations; tests/platforms has them"},
	{"libreuse.7", "BIND_ADDR=127.0.0.1 BIND_PORT=8888", "test_bindp starts nginx so"},
	{"libreuse.7", "libreuse[PID]: LEVEL", "the form of a line"},
	{"libreuse.conf.5", "[MATCH ...]", "the form of a rule"},
	{"libreuse.conf.5", "/etc/libreuse.conf:1:5:", "a message; test_parse_text has it"},
	{"reuse-run.1", "tcp 0.0.0.0:8080   shared", "an output; test_who has it"},
	{"reuse-run.1", "tcp 0.0.0.0:8080: a copy", "an output; test_why has it"},
	{"reuse-run.1", "supervisor 1200,", "an output; test_status has it"},
	{"reuse-bpf.8", "echo 'tcp port=8080", "for root; it has a test of its own here"},
};

/* ---- commands ---- */

struct example {
	const char *page, *part; /* a part of the block that no other has */
	int listeners;		 /* that there are then; 0: whatever */
	bool goes_on;		 /* its last command does not end */
	bool needs_notify;
	int status;	  /* with which it ends */
	const char *says; /* something that it prints, or NULL */
	const char *then; /* what the shell is to run afterwards, with success; or NULL */
};

/* The name of the test, and an example. */
#define EXAMPLES(TRY)                                                                              \
	TRY(two_copies_of_a_server_share_a_port, "reuse-run.1", "8080 &\nreuse-run --who",         \
		.says = "shared by 2")                                                             \
	TRY(two_copies_are_steered, "reuse-run.1", "--steer source", .listeners = 2)               \
	TRY(a_server_is_moved_to_another_address_and_port, "reuse-run.1", "-p 8000:8080",          \
		.goes_on = true, .listeners = 1,                                                   \
		.then = "reuse-run --who 8080 | grep -F '127.0.0.1:8080 '")                        \
	TRY(a_script_is_under_the_notify_hook, "reuse-run.1", "--hook=notify",                     \
		.needs_notify = true, .goes_on = true, .listeners = 1,                             \
		.then = "reuse-run ./server & until reuse-run --who 8080 | grep 'shared by 2'; "   \
			"do sleep 0.1; done")                                                      \
	TRY(a_second_copy_is_refused, "reuse-run.1", "'tcp -> exclusive' ./server",                \
		.goes_on = true, .listeners = 1, .then = "! reuse-run ./server")                   \
	TRY(one_port_is_shared_with_a_longer_queue, "reuse-run.1", "share backlog=4096'",          \
		.goes_on = true, .listeners = 1,                                                   \
		.then = "reuse-run --who 8080 | grep -F /$(cat /proc/sys/net/core/somaxconn)")     \
	TRY(a_policy_is_checked_and_explained, "reuse-run.1", "--explain ./server",                \
		.goes_on = true, .listeners = 1, .says = "site.conf:1: tcp port=8080 -> share")    \
	TRY(four_copies_are_rolled_and_scaled_and_stopped, "reuse-run.1", "--scale web.pid",       \
		.says = "is replaced by", .then = "! reuse-run --who 8080")                        \
	TRY(one_copy_is_kept, "reuse-run.1", "--keep ./server", .goes_on = true, .listeners = 1,   \
		.then = "until reuse-run --who 8080 | grep 'reuse-run [0-9]'; do sleep 0.1; done") \
	TRY(four_copies_have_one_queue, "reuse-run.1", "--queues=1", .goes_on = true,              \
		.listeners = 1,                                                                    \
		.then = "until reuse-run --status | grep -F '4 of 4 copies'; do sleep 0.1; done")  \
	TRY(a_release_is_changed_by_a_link, "reuse-run.1", "ln -sfn", .says = "is replaced by")    \
	TRY(each_copy_has_a_log_file, "reuse-run.1", "--log=server.%i", .goes_on = true,           \
		.listeners = 4, .then = "ls server.0.log server.1.log server.2.log server.3.log")  \
	TRY(each_copy_is_asked_on_a_unix_socket, "reuse-run.1", "--admin=%i", .goes_on = true,     \
		.listeners = 2, .then = "ls 0.1.sock 1.1.sock")                                    \
	TRY(a_server_that_nobody_supervises_is_replaced, "reuse-run.1", "--stop $old",             \
		.listeners = 1)                                                                    \
	TRY(a_client_gets_a_source_address, "reuse-run.1", "curl http", .says = "127.0.0.2\n")     \
	TRY(who_holds_a_port_and_why_nobody_can_join, "reuse-run.1", "--why 8080\n", .status = 1,  \
		.says = "cannot join")                                                             \
	TRY(a_port_that_opens_late_is_named_in_a_rule, "reuse-run.1", "port=8443 -> share' ",      \
		.goes_on = true, .listeners = 2)                                                   \
	TRY(copies_are_rolled_in_libreuse_7, "libreuse.7", "reuse-run --roll web.pid",             \
		.says = "is replaced by")                                                          \
	TRY(two_preloaded_copies_share_a_port, "libreuse.7", "8080 &\nLD_PRELOAD", .listeners = 2) \
	TRY(a_preloaded_server_says_what_happens, "libreuse.7", "REUSE_LOG=info", .goes_on = true, \
		.listeners = 1, .says = "tcp udp port=1-65535 -> share")                           \
	TRY(one_port_of_a_preloaded_server_is_shared, "libreuse.7", "REUSE_INHERIT=off",           \
		.goes_on = true, .listeners = 1)

#define TRY(NAME, PAGE, PART, ...) {.page = (PAGE), .part = (PART), __VA_ARGS__},
static const struct example examples[] = {EXAMPLES(TRY)};
#undef TRY

/* ---- pages ---- */

static const char *page_of(const char *name)
{
	return read_file(format("%s/man/%s", source_path(), name));
}

/* LENGTH bytes of a page as they are printed. */
static const char *plain(const char *text, size_t length)
{
	static const struct {
		const char *escape, *text;
	} escapes[] = {{"\\-", "-"}, {"\\(aq", "'"}, {"\\(dq", "\""}, {"\\e", "\\"}, {"\\&", ""}};
	const char *end = text + length;
	char *copy = calloc(1, length + 1), *out = copy;

	cr_assert(copy);
	while (text < end) {
		size_t i = 0;
		while (i < COUNT(escapes) &&
			strncmp(text, escapes[i].escape, strlen(escapes[i].escape)) != 0)
			i++;
		cr_assert(i < COUNT(escapes) || *text != '\\', "%.20s", text);
		if (i == COUNT(escapes)) {
			*out++ = *text++;
		} else {
			out = stpcpy(out, escapes[i].text);
			text += strlen(escapes[i].escape);
		}
	}
	return copy;
}

/* The next literal block of a page; NULL after the last one. */
static const char *next_block(const char **page)
{
	const char *start = strstr(*page, "\n.Bd -literal"),
		   *end = start ? strstr(start, "\n.Ed\n") : NULL;

	if (!end)
		return NULL;
	*page = end;
	start = strchr(start + 1, '\n') + 1;
	return plain(start, (size_t)(end + 1 - start));
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool is_exception(const char *page, const char *block)
{
	for (size_t i = 0; i < COUNT(exceptions); i++) {
		if (strcmp(exceptions[i].page, page) == 0 &&
			starts_with(block, exceptions[i].start))
			return true;
	}
	return false;
}

static bool is_unit(const char *block)
{
	return block[0] == '[' && block[1] >= 'A' && block[1] <= 'Z' && !strstr(block, "[MATCH");
}

static bool is_command(const char *page, const char *block)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		if (strcmp(examples[i].page, page) == 0 && strstr(block, examples[i].part))
			return true;
	}
	return false;
}

/* All that is left. */
static bool is_rules(const char *page, const char *block)
{
	return !is_exception(page, block) && !is_unit(block) && !is_command(page, block);
}

/* ---- rules ---- */

static void expect_rules(const char *rules)
{
	process_run(
		WORDS(run_path(), "--check", "-f", write_file(new_directory(), "policy", rules)),
		.is_bare = true);
}

/* What is neither a command nor a unit nor an exception is read as rules, so nothing is left out.
 */
Test(manual_examples, every_other_block_has_rules_without_a_mistake)
{
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(pages); i++) {
		const char *page = page_of(pages[i]);
		for (const char *block; (block = next_block(&page));) {
			if (is_rules(pages[i], block))
				expect_rules(block), count++;
		}
	}
	cr_expect(count > 8, "%u", count);
}

/* Beside each word of libreuse.conf(5): "Example: 'tcp port=80 -> nodelay'". */
Test(manual_examples, every_rule_beside_a_word_has_no_mistake)
{
	static const char start[] = "\n.Ql ";
	const char *rules = "";
	unsigned count = 0;

	for (const char *at = page_of("libreuse.conf.5"); (at = strstr(at, start)); at++) {
		const char *text = at + strlen(start);
		size_t length = strcspn(text, "\n");
		if (!memmem(text, length, "\\-> ", 4))
			continue;
		length -= strncmp(text + length - 2, " ,", 2) == 0 ? 2 : 0;
		rules = format("%s%s\n", rules, plain(text, length));
		count++;
	}
	expect_rules(rules);
	cr_expect(count > 40, "%u", count);
}

/* ---- units ---- */

static const char *replaced(const char *text, const char *word, const char *by)
{
	const char *at = text;

	while ((at = strstr(at, word))) {
		size_t before = (size_t)(at - text);
		text = format("%.*s%s%s", (int)before, text, by, at + strlen(word));
		at = text + before + strlen(by);
	}
	return text;
}

/* With what is installed elsewhere, or not at all, where it is now. */
static const char *with_paths(const char *unit)
{
	unit = replaced(unit, "/usr/bin/reuse-run", run_path());
	unit = replaced(unit, "=reuse-run ", format("=%s ", run_path()));
	return replaced(unit, "/usr/bin/server", "/bin/true");
}

/* As a unit, or if it does not start anything, added to one. */
static void expect_unit(const char *block)
{
	const char *directory = new_directory();
	const char *name = strstr(block, "[Socket]") ? "web.socket" : "web.service";
	bool is_whole = strstr(block, "[Socket]") || strstr(block, "ExecStart=");

	if (!strstr(block, "ExecStart="))
		write_file(directory, "web.service", "[Service]\nExecStart=/bin/true\n");
	write_file(directory, "libreuse-bpf.service", "[Service]\nExecStart=/bin/true\n");
	if (is_whole) {
		write_file(directory, name, with_paths(block));
	} else {
		const char *more = format("%s/%s.d", directory, name);
		process_run(WORDS("/bin/mkdir", more), .is_bare = true);
		write_file(more, "more.conf", with_paths(block));
	}
	struct process *process = process_run(WORDS(need_program("systemd-analyze"), "--man=no",
						      "verify", format("%s/%s", directory, name)),
		.is_bare = true);
	/* it also looks at the units of this machine */
	cr_expect_not(strstr(process_errors(process), directory), "%s\n%s", block,
		process_errors(process));
}

/* Whether systemd is older than what the block needs. */
static bool is_too_new(const char *block)
{
	return systemd_version() < 249 && strstr(block, "\nBPFProgram=");
}

Test(manual_examples, every_block_of_a_unit_is_valid)
{
	unsigned count = 0, too_new = 0;

	for (size_t i = 0; i < COUNT(pages); i++) {
		const char *page = page_of(pages[i]);
		for (const char *block; (block = next_block(&page));) {
			if (!is_unit(block))
				continue;
			count++;
			if (is_too_new(block))
				too_new++;
			else
				expect_unit(block);
		}
	}
	cr_assert(count > 8, "%u", count);
	if (too_new)
		skip("systemd does not know BPFProgram= before 249; the other %u units are valid",
			count - too_new);
}

/* ---- commands ---- */

static const char *block_of(const struct example *example)
{
	const char *page = page_of(example->page), *block = next_block(&page);

	while (block && !strstr(block, example->part))
		block = next_block(&page);
	cr_assert(block, "%s has no example with \"%s\"", example->page, example->part);
	return block;
}

/* Whether the shell runs the command of the line in the background. */
static bool is_background(const char *line, size_t length)
{
	return (length > 2 && memcmp(line + length - 2, " &", 2) == 0) ||
	       memmem(line, length, " & old=", 7) || memmem(line, length, " & new=", 7);
}

/*
 * What is printed, and after each command in the background the time that a person takes for the
 * next line: until it listens too.
 */
static const char *script_of(const char *block)
{
	const char *script = "";
	unsigned n_background = 0;

	for (const char *line = block; *line; line = strchr(line, '\n') + 1) {
		size_t length = strcspn(line, "\n");
		script = format("%s%.*s\n", script, (int)length, line);
		if (!is_background(line, length))
			continue;
		script = format("%suntil [ $(cat /proc/net/tcp /proc/net/tcp6 | grep -c ':%04X "
				"[0-9A-F:]* 0A ') -ge %u ]; do sleep 0.1; done\n",
			script, PORT, ++n_background);
		if (memmem(line, length, "--pid-file=web.pid", 18))
			script = format("%suntil reuse-run --status web.pid >&2; do sleep 0.1; "
					"done\n",
				script);
	}
	return script;
}

static struct process *shell(const char *directory, const char *script)
{
	return process_start(WORDS("/bin/sh", "-e", "-c", script), .is_bare = true,
		.directory = directory,
		.environment = WORDS(format("PATH=%s:/usr/bin:/bin", build_path()),
			format("LD_LIBRARY_PATH=%s", build_path())));
}

/* -I: not the modules beside the script, one of which is called copy. */
static const char *directory_with_server(void)
{
	const char *directory = new_directory();
	const char *server = write_file(directory, "server",
		format("#!/bin/sh\nexec %s -I %s \"$@\"\n", need_program("python3"),
			script_path("stand_in.py")));

	process_run(WORDS("/bin/chmod", "755", server), .is_bare = true);
	return directory;
}

static void try_example(const struct example *example)
{
	if (example->needs_notify)
		need_notify();
	need_program("curl");
	enter_network_namespace();
	const char *directory = directory_with_server();
	struct process *process = shell(directory, script_of(block_of(example)));

	if (!example->goes_on)
		expect_status(process, example->status);
	if (example->listeners)
		wait_listening("tcp", PORT, example->listeners);
	if (example->says)
		cr_expect(strstr(process_output(process), example->says) ||
				  strstr(process_errors(process), example->says),
			"%s%s", process_output(process), process_errors(process));
	if (example->then)
		expect_status(shell(directory, example->then), 0);
}

#define TRY(NAME, ...)                                                                             \
	Test(manual_examples, NAME)                                                                \
	{                                                                                          \
		static const struct example *example = examples + IS_##NAME;                       \
		try_example(example);                                                              \
	}
#define NUMBER(NAME, ...) IS_##NAME,
enum { EXAMPLES(NUMBER) };
EXAMPLES(TRY)

/* In control groups and a BPF file system of the test's own. */
Test(manual_examples, the_kernel_hook_is_attached_to_a_service)
{
	const char *page = page_of("reuse-bpf.8"), *block = next_block(&page);

	while (block && !starts_with(block, "echo "))
		block = next_block(&page);
	cr_assert(block);
	if (access(bpf_path(), X_OK) < 0)
		skip("reuse-bpf was not built");
	kernel_prepare();
	kernel_run_script(new_directory(),
		format("cd /sys/fs/cgroup\nmkdir -p system.slice/web.service\ncd - >/dev/null\n%s"
		       "cd /sys/fs/cgroup\nrmdir -p system.slice/web.service\n",
			block));
}

/* ---- the lists ---- */

static unsigned times_in(
	const char *page, bool (*is)(const char *block, const void *of), const void *of)
{
	unsigned count = 0;

	for (const char *block; (block = next_block(&page));)
		count += is(block, of);
	return count;
}

static bool has_part(const char *block, const void *example)
{
	return strstr(block, ((const struct example *)example)->part) != NULL;
}

static bool has_start(const char *block, const void *start)
{
	return starts_with(block, start);
}

Test(manual_examples, every_entry_of_the_lists_is_one_block)
{
	for (size_t i = 0; i < COUNT(examples); i++)
		cr_expect_eq(times_in(page_of(examples[i].page), has_part, examples + i), 1, "%s",
			examples[i].part);
	for (size_t i = 0; i < COUNT(exceptions); i++)
		cr_expect_eq(times_in(page_of(exceptions[i].page), has_start, exceptions[i].start),
			1, "%s", exceptions[i].start);
}
