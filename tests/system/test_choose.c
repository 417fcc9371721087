/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which hook reuse-run takes for a program, and what that hook holds against. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define wrapped(...) process_start(WORDS(run_path(), __VA_ARGS__), .is_bare = true)

static void expect_quiet(const struct process *process, const char *words)
{
	const char *errors = process_errors(process);

	cr_expect(!strstr(errors, words), "%s", errors);
}

/* Compiles with the words of COMPILER, which end in a NULL, and -o; returns the program's path. */
static const char *compiled(const char *const *compiler, const char *source)
{
	const char *words[16] = {need_program(compiler[0])};
	const char *path = format("%s/program", new_directory());
	size_t count = 1;

	for (; compiler[count]; count++)
		words[count] = compiler[count];
	words[count++] = format("-o%s", path);
	words[count++] = source;
	process_run(words, .is_bare = true);
	return path;
}

/* ---- calls that a library inside the program does not see ---- */

static const char *const unseen_ways[] = {"raw", "handle", "deep", "empty"};

#define N_UNSEEN_WAYS (sizeof unseen_ways / sizeof *unseen_ways)

static struct process *bind_under_deny(const char *hook, const char *how)
{
	return wrapped("-q", format("--hook=%s", hook), "-r", "tcp -> deny", program_path("unseen"),
		how, format("%d", port_new()), program_path("plugin.so"));
}

Test(choose, under_strict_deny_holds_against_every_way_to_bind)
{
	need_notify();
	expect_output(bind_under_deny("strict", "libc"), "refused\n");
	for (size_t i = 0; i < N_UNSEEN_WAYS; i++)
		expect_output(bind_under_deny("strict", unseen_ways[i]), "refused\n");
}

Test(choose, without_strict_deny_holds_for_libcs_own_functions_only)
{
	expect_output(bind_under_deny("auto", "libc"), "refused\n");
	for (size_t i = 0; i < N_UNSEEN_WAYS; i++)
		expect_output(bind_under_deny("auto", unseen_ways[i]), "bound\n");
}

Test(choose, under_strict_deny_holds_in_the_copies_of_a_supervisor)
{
	need_notify();
	expect_output(wrapped("-q", "-n1", "--restart=no", "--hook=strict", "-r", "tcp -> deny",
			      program_path("unseen"), "raw", format("%d", port_new())),
		"refused\n");
}

static const char *preload_under(const char *rule)
{
	struct process *process = wrapped(
		"--hook=strict", "-r", rule, "/bin/sh", "-c", "echo \"${LD_PRELOAD-none}\"");

	expect_status(process, 0);
	return process_output(process);
}

Test(choose, strict_uses_the_preload_hook_if_no_rule_protects)
{
	need_notify();
	cr_expect_str_eq(preload_under("tcp -> share"), format("%s\n", library_path()));
	cr_expect_str_eq(preload_under("exe=other port=1 -> deny"), "none\n");
}

Test(choose, strict_refuses_a_program_that_no_hook_covers)
{
	need_notify();
	struct process *process =
		process_start(WORDS(program_path("trouble"), "listener", "0", run_path(),
				      "--hook=strict", "-r", "tcp -> deny", "/bin/echo", "started"),
			.is_bare = true);

	expect_status(process, 78);
	cr_expect_str_empty(process_output(process));
	expect_says(process, "so it is not started");
}

Test(choose, check_names_what_the_hook_does_not_see_if_a_rule_protects)
{
	static const char *const blind_spots[] = {"raw system calls", "dlsym()", "RTLD_DEEPBIND",
		"empty environment", "set-user-ID", "io_uring", "--hook=strict"};
	struct process *process = wrapped("-c", "-r", "port=1 -> deny");

	expect_status(process, 0);
	for (size_t i = 0; i < sizeof blind_spots / sizeof *blind_spots; i++)
		cr_expect(strstr(process_output(process), blind_spots[i]), "%s", blind_spots[i]);
	process = wrapped("-c", "--hook=strict", "-r", "port=1 -> deny");
	expect_status(process, 0);
	cr_expect(!strstr(process_output(process), "raw system calls"));
	cr_expect(strstr(process_output(process), "io_uring"));
	process = wrapped("-c", "-r", "port=1 -> share");
	expect_status(process, 0);
	cr_expect(!strstr(process_output(process), "does not see"));
}

/* ---- programs that lock themselves in ---- */

/* A program that binds a port that is taken, for which the library would search the holder. */
static struct process *locked_in(const char *option)
{
	int port = port_new();

	server_listen("127.0.0.1", port);
	return wrapped(option, program_path("locked_in"), format("%d", port));
}

Test(choose, a_program_with_libseccomp_lives_because_auto_uses_the_notify_hook)
{
	need_notify();
	expect_output(locked_in("--hook=auto"), format("%d\n", EADDRINUSE));
	/* with the library inside, it would not */
	expect_status(locked_in("--hook=preload"), 128 + SIGSYS);
}

/* A program that is called NAME. */
static const char *named(const char *name)
{
	const char *path = format("%s/%s", new_directory(), name);

	process_run(WORDS("/bin/cp", program_path("unseen"), path), .is_bare = true);
	return path;
}

Test(choose, explain_and_the_log_say_why_a_program_gets_the_notify_hook)
{
	need_notify();
	const char *port = format("%d", port_new()), *link = format("%s/ftp", new_directory());
	struct process *process = locked_in("--explain");
	expect_status(process, 0);
	expect_says(process, "it is linked with libseccomp and may restrict its system calls");
	process = locked_in("-v");
	expect_status(process, 0);
	expect_says(process, "info: the notify hook is used");
	expect_says(process, "it is linked with libseccomp and may restrict its system calls");
	/* by its name, and not by that of a link */
	cr_assert_eq(symlink(named("vsftpd"), link), 0);
	process = wrapped("-v", link, "libc", port);
	expect_status(process, 0);
	expect_says(process,
		format("the notify hook is used for %s: it may restrict its system calls", link));
	process = wrapped("-v", named("ftpd"), "libc", port);
	expect_status(process, 0);
	expect_quiet(process, "the notify hook");
}

Test(choose, without_the_notify_hook_a_program_with_a_filter_gets_the_preload_hook)
{
	need_notify();
	static const char *const ways[] = {"-q", "-n1"};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct process *process = process_start(
			WORDS(program_path("trouble"), "listener", "0", run_path(), ways[i], "-r",
				"tcp -> deny", named("vsftpd"), "libc", format("%d", port_new())),
			.is_bare = true);
		process_wait(process);
		expect_says(process, "it gets the preload hook, and may be killed");
		cr_expect(strstr(process_output(process), "refused\n"), "%s%s",
			process_output(process), process_errors(process));
	}
}

/* ---- Free Pascal, whose run-time library makes its own system calls ---- */

static const char *pascal_program(const char *strip)
{
	const char *source = write_file(new_directory(), "program.pas",
		"program server;\n"
		"{$linklib c}\n"
		"uses sockets;\n"
		"var address: sockaddr_in; fd: longint; failure: integer;\n"
		"begin\n"
		"  fd := fpsocket(AF_INET, SOCK_STREAM, 0);\n"
		"  fillchar(address, sizeof(address), 0);\n"
		"  address.sin_family := AF_INET;\n"
		"  val(paramstr(1), address.sin_port, failure);\n"
		"  address.sin_port := htons(address.sin_port);\n"
		"  if fpbind(fd, @address, sizeof(address)) = 0 then writeln('bound')\n"
		"  else writeln('refused');\n"
		"end.\n");

	return compiled(WORDS("fpc", "-v0", strip), source);
}

/* Takes away the sections, which strip(1) leaves, and others do not. */
static void cut_sections(const char *path)
{
	ElfW(Ehdr) header;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	cr_assert_eq(pread(fd, &header, sizeof header, 0), (ssize_t)sizeof header);
	header.e_shoff = 0;
	header.e_shnum = header.e_shstrndx = 0;
	cr_assert_eq(pwrite(fd, &header, sizeof header, 0), (ssize_t)sizeof header);
	close(fd);
}

static void expect_pascal(const char *program)
{
	const char *port = format("%d", port_new());
	struct process *process = wrapped("--explain", program, port);

	expect_status(process, 0);
	expect_says(process, "it is a Free Pascal program, which makes its system calls");
	expect_output(wrapped("-q", "-r", "tcp -> deny", program, port), "refused\n");
	expect_status(wrapped("--hook=preload", "-r", "tcp -> deny", program, port), 78);
}

Test(choose, a_free_pascal_program_gets_the_notify_hook_also_when_it_is_stripped)
{
	need_notify();
	const char *stripped = pascal_program("-Xs");

	expect_pascal(pascal_program("-Xs-"));
	expect_pascal(stripped);
	cut_sections(stripped);
	expect_pascal(stripped);
}

/* ---- sanitizers, whose libraries want to be the first ---- */

static const char *asan_source(void)
{
	return write_file(new_directory(), "asan.c",
		"#include <netinet/in.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
		"#include <sys/socket.h>\n"
		"int main(int argc, char **argv)\n{\n"
		"	struct sockaddr_in a = {.sin_family = AF_INET,\n"
		"		.sin_port = htons(atoi(argv[argc - 1]))};\n"
		"	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 0;\n"
		"	socklen_t size = sizeof on;\n"
		"	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)\n		return 1;\n"
		"	getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &size);\n"
		"	printf(\"%d\\n\", on);\n	return 0;\n}\n");
}

/* Where clang has its shared sanitizers, which the linker does not know of. */
static const char *clang_libraries(void)
{
	struct process *process = process_run(
		WORDS(need_program("clang"), "-print-file-name=libclang_rt.asan-x86_64.so"),
		.is_bare = true);
	const char *path = process_output(process), *slash = strrchr(path, '/');

	if (!slash)
		skip("clang has no shared sanitizers");
	return format("LD_LIBRARY_PATH=%.*s", (int)(slash - path), path);
}

static void expect_shares(const char *const *compiler, const char *variable)
{
	const char *program = compiled(compiler, asan_source()), *port = format("%d", port_new());

	expect_output(process_start(WORDS(run_path(), program, port), .is_bare = true,
			      .environment = WORDS(variable)),
		"1\n");
	expect_output(process_start(WORDS(run_path(), "-n1", program, port), .is_bare = true,
			      .environment = WORDS(variable, "ASAN_OPTIONS=exitcode=9")),
		"1\n");
}

Test(choose, a_program_with_gccs_sanitizers_starts_and_shares)
{
	expect_shares(WORDS("gcc", "-fsanitize=address"), "A=");
	expect_shares(WORDS("gcc", "-fsanitize=address,undefined"), "A=");
	expect_shares(WORDS("gcc", "-fsanitize=address", "-static-libasan"), "A=");
	expect_shares(WORDS("gcc", "-fsanitize=thread"), "A=");
	expect_shares(WORDS("gcc", "-fsanitize=undefined"), "A=");
}

Test(choose, a_program_with_clangs_sanitizers_starts_and_shares)
{
	expect_shares(WORDS("clang", "-fsanitize=address"), "A=");
	expect_shares(WORDS("clang", "-fsanitize=address", "-shared-libsan"), clang_libraries());
	expect_shares(WORDS("clang", "-fsanitize=undefined", "-shared-libsan"), clang_libraries());
}

Test(choose, other_options_of_asan_stay_and_other_programs_get_none)
{
	struct process *process = process_start(
		WORDS(run_path(), compiled(WORDS("gcc", "-fsanitize=address"), asan_source()), "0"),
		.is_bare = true, .environment = WORDS("ASAN_OPTIONS=help=1"));

	process_wait(process);
	expect_says(process, "Available flags for AddressSanitizer");
	const char *ours = getenv("ASAN_OPTIONS");
	expect_output(wrapped("/bin/sh", "-c", "echo \"${ASAN_OPTIONS-none}\""),
		format("%s\n", ours ? ours : "none"));
}

/* ---- libraries that come first ---- */

static struct process *behind(const char *preload, const char *option, const char *rule)
{
	return process_start(WORDS(run_path(), option, "-r", rule, "/bin/true"), .is_bare = true,
		.environment = WORDS(format("LD_PRELOAD=%s", preload)));
}

Test(choose, a_line_names_a_library_that_comes_first_in_LD_PRELOAD_and_has_its_own_calls)
{
	const char *front = program_path("front.so"), *line = "comes first in LD_PRELOAD";
	struct process *process = behind(front, "-v", "tcp -> share");

	expect_status(process, 0);
	expect_says(process, format("%s %s", front, line));
	expect_quiet(process, "no rule applies to them");
	process = behind(front, "-q", "tcp -> share");
	expect_status(process, 0);
	expect_quiet(process, line);
	process = behind(front, "-q", "tcp -> deny");
	expect_status(process, 0);
	expect_says(process, "no rule applies to them");
	/* one without calls, and one that comes second itself */
	process = behind(program_path("plugin.so"), "-v", "tcp -> deny");
	expect_status(process, 0);
	expect_quiet(process, line);
	process = behind(format("%s %s", library_path(), front), "-v", "tcp -> deny");
	expect_status(process, 0);
	expect_quiet(process, line);
}

Test(choose, a_line_says_that_authbind_has_to_come_after_reuse_run)
{
	const char *authbind = need_program("authbind");
	struct process *process =
		process_start(WORDS(authbind, "--deep", run_path(), "/bin/true"), .is_bare = true);

	expect_status(process, 0);
	expect_says(process, "comes first in LD_PRELOAD, before libreuse.so");
	expect_says(process, "use reuse-run authbind --deep PROGRAM instead");
	process = process_start(WORDS(authbind, run_path(), "/bin/true"), .is_bare = true);
	expect_status(process, 0);
	expect_says(process, "authbind has no effect on /bin/true");
	process = wrapped(authbind, "/bin/true");
	expect_status(process, 0);
	expect_quiet(process, "authbind");
}
