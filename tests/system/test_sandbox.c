/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that lock themselves in: what the library calls there, and what comes of a refusal. */
#include "harness.h"

#include <signal.h>
#include <string.h>

/* ---- a sandbox that answers with an error ---- */

/* What a program sees of CALL, on a TCP socket, where getsockopt() is refused from there on. */
static void expect_under_refusal(const char *rules, const char *call, const char *output)
{
	struct process *process =
		process_start(WORDS(program_path("calls"), "tcp", "refuse=getsockopt", call),
			.environment = WORDS(format("REUSE_RULES=%s", rules)));

	expect_output(process, output);
}

Test(sandbox, a_rule_that_protects_other_calls_does_not_fail_the_bind_of_an_unknown_socket)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	expect_under_refusal("share", bind, "bind: ok\n");
	expect_under_refusal("connect udp port=53 deny; share", bind, "bind: ok\n");
	expect_under_refusal("connect deny; share", bind, "bind: ok\n");
	expect_under_refusal("port=1 deny; share", bind, "bind: ok\n");
	expect_under_refusal("addr=127.0.0.2 exclusive; share", bind, "bind: ok\n");
}

Test(sandbox, a_rule_that_may_apply_to_a_call_fails_it_for_an_unknown_socket)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	expect_under_refusal("exclusive", bind, "bind: EPERM\n");
	expect_under_refusal("udp deny; share", bind, "bind: EPERM\n");
	expect_under_refusal(
		"connect udp port=53 deny", "connect=127.0.0.1:53", "connect: EPERM\n");
}

Test(sandbox, a_rule_for_bind_does_not_fail_the_connect_of_an_unknown_socket)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	expect_under_refusal(
		"deny; connect ttl=9", format("connect=127.0.0.1:%d", port), "connect: ok\n");
}

Test(sandbox, a_rule_that_is_done_at_bind_does_not_fail_the_listen_of_an_unknown_socket)
{
	const char *bind = format("bind=127.0.0.1:%d", port_new());

	for (int is_exclusive = 0; is_exclusive < 2; is_exclusive++) {
		const char *rules = format("REUSE_RULES=port=1 deny; port=2 %s; backlog=9",
			is_exclusive ? "exclusive" : "to=:3");
		struct process *process = process_start(
			WORDS(program_path("calls"), "tcp", bind, "refuse=getsockname", "listen"),
			.environment = WORDS(rules));
		expect_output(process,
			is_exclusive ? "bind: ok\nlisten: EPERM\n" : "bind: ok\nlisten: ok\n");
	}
}

/* ---- a sandbox that kills ---- */

#define SHARED_BIND "socket,bind,getsockopt,setsockopt,write,exit_group"
#define KILLED	    (128 + SIGSYS)

/* Binds a port that is taken, with nothing else allowed; returns how the program ends. */
static int bind_in_vain(const char *log, const char *before, const char *allowed)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	struct process *process = process_start(
		WORDS(program_path("calls"), before, "tcp", format("allow=%s", allowed),
			format("bind=127.0.0.1:%d", port)),
		.environment = WORDS(format("REUSE_LOG=%s", log)));
	int status = process_wait(process);
	cr_expect(status != 0 || strcmp(process_output(process), "bind: EADDRINUSE\n") == 0, "%s",
		process_output(process));
	return status;
}

Test(sandbox, for_a_line_that_is_not_written_the_kernel_is_not_asked)
{
	cr_expect_eq(bind_in_vain("error", "errno=0", SHARED_BIND), 0);
	cr_expect_eq(bind_in_vain("warn", "close2", SHARED_BIND ",statx"), 0);
	cr_expect_eq(bind_in_vain("warn", "errno=0", SHARED_BIND ",statx"), KILLED);
}

/* ---- the list in the manual ---- */

#define NAMES_MOST 64
#define NAME_SIZE  32

struct names {
	size_t count;
	struct {
		char name[NAME_SIZE];
		int times;
	} list[NAMES_MOST];
};

static int *times_of(struct names *names, const char *name, size_t length)
{
	size_t i = 0;

	cr_assert_lt(length, NAME_SIZE, "%.*s", (int)length, name);
	while (i < names->count && (strncmp(names->list[i].name, name, length) != 0 ||
					   names->list[i].name[length] != '\0'))
		i++;
	if (i == names->count) {
		cr_assert_lt(names->count++, NAMES_MOST);
		memcpy(names->list[i].name, name, length);
	}
	return &names->list[i].times;
}

/* Adds the words of TEXT, up to END, that can be names of system calls. */
static void add_words(struct names *names, const char *text, const char *end)
{
	while (text < end) {
		size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789");
		if (length > 1)
			++*times_of(names, text, length);
		text += length + (length == 0);
	}
}

/* The literals in the lines under one title of the manual's list. */
static void add_listed(struct names *names, const char *title)
{
	const char *manual = read_file(format("%s/man/libreuse.7", source_path()));
	const char *at = strstr(manual, format(".It Sy \"%s\"\n", title));

	cr_assert_not_null(at, "the manual has no \"%s\"", title);
	while ((at = strchr(at, '\n') + 1) && strncmp(at, ".It", 3) != 0 &&
		strncmp(at, ".El", 3) != 0) {
		if (strncmp(at, ".Li ", 4) == 0)
			add_words(names, at + 4, strchr(at, '\n'));
	}
}

#define MARK "write(-1, \"mark\""

/* Counts the system calls of a trace: before the first mark, or from there to the second one. */
static void count_calls(struct names *names, const char *trace, bool is_start, int step)
{
	const char *at = trace, *mark = strstr(trace, MARK);

	cr_assert_not_null(mark, "%s", trace);
	for (const char *next; (next = strstr(at + 1, "\nexecve(")) && next < mark;)
		at = next; /* the last program */
	const char *end = is_start ? mark : strstr(mark + 1, MARK);
	cr_assert_not_null(end, "%s", trace);
	for (at = strchr(is_start ? at + 1 : mark, '\n') + 1; at < end; at = strchr(at, '\n') + 1)
		*times_of(names, at, strcspn(at, "(")) += step;
}

struct scenario {
	const char *titles[4]; /* in the manual */
	const char *rest;      /* what they list and this does not show */
	const char *variables[4];
	const char *before[4], *calls[4]; /* of the program "calls" */
	const char *launcher;		  /* a script that runs its arguments; NULL: none */
};

static const char *trace_of(const struct scenario *scenario, const struct launch *how)
{
	const char *path = format("%s/trace", new_directory());
	const char *words[24] = {need_program("python3"), "-c", scenario->launcher};
	size_t count = scenario->launcher ? 3 : 0;
	struct launch launch = *how;

	words[count++] = need_program("strace");
	words[count++] = "-o";
	words[count++] = path;
	words[count++] = "/bin/sh";
	words[count++] = "-c";
	words[count++] = "export LISTEN_PID=$$; exec \"$@\"";
	words[count++] = "-";
	words[count++] = program_path("calls");
	for (size_t i = 0; i < 4 && scenario->before[i]; i++)
		words[count++] = scenario->before[i];
	words[count++] = "mark";
	for (size_t i = 0; i < 4 && scenario->calls[i]; i++)
		words[count++] = scenario->calls[i];
	words[count++] = "mark";
	launch.arguments = words;
	process_run_launch(&launch);
	return read_file(path);
}

/* That the library adds what the manual lists, and nothing else. */
static void expect_listed(const struct scenario *scenario)
{
	struct names added = {0}, listed = {0}, rest = {0};
	bool is_start = scenario->calls[0] == NULL;
	const struct launch ours = {.environment = scenario->variables};
	/* a library that needs no other one: front.so needs libdl before glibc 2.34 */
	const struct launch bare = {
		.preload = program_path("plugin.so"), .environment = scenario->variables};

	count_calls(&added, trace_of(scenario, &ours), is_start, 1);
	count_calls(&added, trace_of(scenario, &bare), is_start, -1);
	for (size_t i = 0; i < 4 && scenario->titles[i]; i++)
		add_listed(&listed, scenario->titles[i]);
	for (size_t i = 0; i < added.count; i++) {
		const char *name = added.list[i].name;
		cr_expect(added.list[i].times <= 0 || *times_of(&listed, name, strlen(name)) > 0,
			"%s: %s is not listed", scenario->titles[0], name);
	}
	if (scenario->rest)
		add_words(&rest, scenario->rest, scenario->rest + strlen(scenario->rest));
	for (size_t i = 0; i < listed.count; i++) {
		const char *name = listed.list[i].name;
		cr_expect(*times_of(&added, name, strlen(name)) > 0 ||
				  *times_of(&rest, name, strlen(name)) > 0,
			"%s: %s is not called", scenario->titles[0], name);
	}
}

#define START	"at its start"
#define BIND	"bind: a rule that matches"
#define LISTEN	"listen: a rule with exclusive, backlog=, keep or steer="
#define CONNECT "connect: a rule that matches"
#define KEEP	"a rule with keep"
#define ADOPT	"a rule with adopt="
#define IN_USE	"EADDRINUSE at level warn, info or debug"
#define LINE	"a line of the log to "

Test(sandbox, the_manual_lists_what_is_called_at_the_start)
{
	const char *directory = new_directory();
	const char *config =
		format("REUSE_CONFIG=%s", write_file(directory, "policy", "tcp share\n"));
	const struct scenario scenarios[] = {
		{{START}, "munmap", {NULL}, {"errno=0"}, {NULL}, NULL},
		{{START, START ": a policy file"}, "geteuid faccessat", {config}, {"errno=0"},
			{NULL}, NULL},
		{{START, START ": a rule with exe=, or a relative path in REUSE_LOG"},
			"munmap statx", {"REUSE_RULES=exe=calls share", "REUSE_LOG=info:log"},
			{"errno=0"}, {NULL}, NULL},
		{{START, START ": an address with a network interface"}, "munmap",
			{"REUSE_RULES=addr=fe80::1%lo share"}, {"errno=0"}, {NULL}, NULL},
	};

	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		expect_listed(&scenarios[i]);
}

Test(sandbox, the_manual_lists_what_is_called_by_rules)
{
	const char *tcp4 = format("bind=127.0.0.1:%d", port_new());
	const char *tcp6 = format("bind=::1:%d", port_new());
	const struct scenario scenarios[] = {
		{{BIND}, NULL, {"REUSE_RULES=share nodelay"}, {"tcp"}, {tcp4}, NULL},
		{{BIND}, NULL, {"REUSE_RULES=exclusive"}, {"udp"}, {tcp4}, NULL},
		{{BIND}, NULL, {"REUSE_RULES=to=127.0.0.1"}, {"tcp6"}, {tcp6}, NULL},
		{{BIND}, "setsockopt", {"REUSE_RULES=deny", "REUSE_LOG=error"}, {"tcp"}, {tcp4},
			NULL},
		{{LISTEN}, "bind", {"REUSE_RULES=exclusive"}, {"tcp", tcp4}, {"listen"}, NULL},
		{{LISTEN}, "setsockopt", {"REUSE_RULES=to=127.0.0.1"}, {"tcp"}, {"listen"}, NULL},
		{{CONNECT}, NULL, {"REUSE_RULES=connect ttl=8"}, {"udp"}, {"connect=127.0.0.1:9"},
			NULL},
		{{"connect: a rule with from="}, NULL, {"REUSE_RULES=connect from=127.0.0.1"},
			{"udp"}, {"connect=127.0.0.1:9"}, NULL},
		{{"socket: a rule with early"}, "close", {"REUSE_RULES=tcp early share"},
			{"errno=0"}, {"tcp"}, NULL},
		{{"a rule with steer=", LISTEN}, "bind", {"REUSE_RULES=steer=random share"},
			{"tcp", tcp4}, {"listen"}, NULL},
	};

	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		expect_listed(&scenarios[i]);
}

/* Hands on two listening sockets, as descriptors 3 and 4, and the name of a keeper. */
#define INHERIT                                                                                    \
	"import os, socket, sys\n"                                                                 \
	"for number, port in enumerate(os.environ['PORTS'].split()):\n"                            \
	"    made = socket.socket()\n"                                                             \
	"    made.setsockopt(1, 15, 1)\n"                                                          \
	"    made.bind(('127.0.0.1', int(port)))\n"                                                \
	"    made.listen()\n"                                                                      \
	"    os.dup2(made.detach(), 13 + number, False)\n"                                         \
	"keeper = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"                              \
	"keeper.bind('')\n"                                                                        \
	"os.environ['NOTIFY_SOCKET'] = '@' + keeper.getsockname()[1:].decode()\n"                  \
	"os.dup2(keeper.detach(), 15)\n"                                                           \
	"for number in range(2):\n"                                                                \
	"    os.dup2(13 + number, 3 + number)\n"                                                   \
	"os.execv(sys.argv[1], sys.argv[1:])\n"

Test(sandbox, the_manual_lists_what_is_called_for_sockets_that_are_kept_or_adopted)
{
	int kept = port_new(), adopted = port_new();
	const char *ports = format("PORTS=%d %d", kept, adopted);
	const char *bind_kept = format("bind=127.0.0.1:%d", kept);
	const char *bind_adopted = format("bind=127.0.0.1:%d", adopted);
	const char *keep = "REUSE_RULES=share keep", *adopt = "REUSE_RULES=share adopt=web";
	const char *names = "LISTEN_FDNAMES=libreuse-1:web";
	const struct scenario scenarios[] = {
		{{START, START ": kept or inherited sockets"}, "munmap",
			{ports, "LISTEN_FDS=2", names, keep}, {"errno=0"}, {NULL}, INHERIT},
		{{KEEP, LISTEN}, "kill epoll_ctl geteuid bind",
			{ports, "LISTEN_FDS=2", names, keep}, {"tcp"}, {bind_kept, "listen"},
			INHERIT},
		{{ADOPT}, "epoll_ctl read fchown statx geteuid",
			{ports, "LISTEN_FDS=2", names, adopt}, {"tcp"}, {bind_adopted}, INHERIT},
	};

	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		expect_listed(&scenarios[i]);
}

/* Standard error becomes a pipe that somebody reads, or a socket. */
#define TO_PIPE                                                                                    \
	"import os, sys\n"                                                                         \
	"reading, writing = os.pipe()\n"                                                           \
	"os.set_inheritable(reading, True)\n"                                                      \
	"os.dup2(writing, 2)\n"                                                                    \
	"os.execv(sys.argv[1], sys.argv[1:])\n"
#define TO_SOCKET                                                                                  \
	"import os, socket, sys\n"                                                                 \
	"reading, writing = socket.socketpair()\n"                                                 \
	"reading.set_inheritable(True)\n"                                                          \
	"os.dup2(writing.fileno(), 2)\n"                                                           \
	"os.execv(sys.argv[1], sys.argv[1:])\n"

Test(sandbox, the_manual_lists_what_is_called_for_the_log)
{
	int port = port_new(), taken = port_new();
	const char *free = format("bind=127.0.0.1:%d", port);
	const char *in_vain = format("bind=127.0.0.1:%d", taken);
	const char *to_file = format("REUSE_LOG=info:%s/log", new_directory());
	const struct scenario scenarios[] = {
		{{LINE "a file or a terminal", BIND}, "openat close",
			{"REUSE_RULES=share", "REUSE_LOG=info"}, {"tcp"}, {free}, NULL},
		{{LINE "a file or a terminal", BIND}, NULL, {"REUSE_RULES=share", to_file}, {"tcp"},
			{free}, NULL},
		{{LINE "a pipe", BIND}, "rt_sigtimedwait", {"REUSE_RULES=share", "REUSE_LOG=info"},
			{"tcp"}, {free}, TO_PIPE},
		{{LINE "a socket", BIND}, NULL, {"REUSE_RULES=share", "REUSE_LOG=info"}, {"tcp"},
			{free}, TO_SOCKET},
		{{IN_USE, LINE "a file or a terminal", BIND}, NULL, {"REUSE_RULES=share"}, {"tcp"},
			{in_vain}, NULL},
		{{BIND}, NULL, {"REUSE_RULES=share", "REUSE_LOG=error"}, {"tcp"}, {in_vain}, NULL},
	};

	server_listen("127.0.0.1", taken);
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
		expect_listed(&scenarios[i]);
}
