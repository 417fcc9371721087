/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installation puts everything in the right place, and the installed copy works by its name. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED "bind: ok\nreuseport=1 reuseaddr=1\n"

static const char *bind_to(int port)
{
	return format("bind=127.0.0.1:%d", port);
}

static void expect_file(const char *path, mode_t mode)
{
	struct stat status;

	cr_expect(stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
			  (status.st_mode & 0111) == mode,
		"%s", path);
}

/* The files to be installed, by an installation whose folders have these names. */
static void expect_installed(const char *prefix, const char *library_folder)
{
	static const char *const pages[] = {
		"man1/reuse-run.1", "man5/libreuse.conf.5", "man7/libreuse.7"};
	struct stat status;

	cr_expect_eq(stat(format("%s/libreuse.so", library_folder), &status), 0);
	expect_file(format("%s/bin/reuse-run", prefix), 0111);
	expect_file(format("%s/libexec/libreuse/reuse-supervise", prefix), 0111);
	for (size_t i = 0; i < 3; i++)
		expect_file(format("%s/share/man/%s", prefix, pages[i]), 0);
	expect_file(format("%s/share/bash-completion/completions/reuse-run", prefix), 0);
	expect_file(format("%s/share/zsh/site-functions/_reuse-run", prefix), 0);
	expect_file(format("%s/share/doc/libreuse/examples/server@.service", prefix), 0);
	expect_file(format("%s/share/doc/libreuse/examples/deploy", prefix), 0111);
}

/* One line of the output of a shell's find, without the newline. */
static const char *find_under(const char *directory, const char *name)
{
	const char *found = process_output(process_run(
		WORDS(need_program("find"), directory, "-name", name), .is_bare = true));

	return format("%.*s", (int)strcspn(found, "\n"), found);
}

static const char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	cr_assert_not_null(slash, "\"%s\"", path);
	return format("%.*s", (int)(slash - path), path);
}

/* Installs the build tree that is tested, and returns where. */
static const char *install_into_destdir(void)
{
	const char *destdir = new_directory();

	process_run(WORDS(need_program("meson"), "install", "--no-rebuild", "--quiet", "-C",
			    build_path()),
		.is_bare = true, .environment = WORDS(format("DESTDIR=%s", destdir)));
	return destdir;
}

Test(install, an_installation_into_a_destdir_has_everything)
{
	const char *destdir = install_into_destdir();
	const char *supervise = find_under(destdir, "reuse-supervise");

	expect_installed(folder_of(folder_of(folder_of(supervise))),
		folder_of(find_under(destdir, "libreuse.so")));
	cr_expect_str_empty(find_under(destdir, "*.h"));
	cr_expect_str_empty(find_under(destdir, "libreuse.so.*"));
	cr_expect_str_empty(find_under(destdir, "ld.so.cache"));
	/* where anything could be later, which no installed file may execute */
	cr_expect_null(strstr(read_file(find_under(destdir, "reuse-run")), build_path()));
	cr_expect(strstr(read_file(run_path()), build_path()));
}

Test(install, the_installed_library_is_preloaded_by_its_bare_name)
{
	const char *library = find_under(install_into_destdir(), "libreuse.so");
	struct process *process =
		process_run(WORDS(program_path("calls"), "tcp", bind_to(port_new()), "options"),
			.preload = "libreuse.so",
			.environment = WORDS(format("LD_LIBRARY_PATH=%s", folder_of(library))));

	cr_expect_str_eq(process_output(process), SHARED);
	cr_expect_str_empty(process_errors(process));
}

/* The whole tree may be moved elsewhere: it was installed for another prefix. */
Test(install, the_installed_reuse_run_finds_its_parts)
{
	const char *destdir = install_into_destdir();
	const char *supervise = find_under(destdir, "reuse-supervise");
	const char *run = format("%s/bin/reuse-run", folder_of(folder_of(folder_of(supervise))));
	struct process *process = process_run(
		WORDS(run, program_path("calls"), "tcp", bind_to(port_new()), "options"),
		.is_bare = true);

	cr_expect_str_eq(process_output(process), SHARED);
	cr_expect_str_empty(process_errors(process));
	process = process_run(WORDS(run, "--check"), .is_bare = true);
	cr_expect(strstr(process_output(process), "share"));
}

/* ---- builds of their own ---- */

/* In parts, each in the time that a process has: beside other tests, all of it may take longer. */
static void compile(const char *build, const char *user)
{
	const char *errors = "";

	for (int i = 0; i < 5; i++) {
		struct process *ninja = process_start(
			WORDS(need_program("timeout"), "40", need_program("ninja"), "-C", build),
			.is_bare = true, .user = user);
		if (process_wait(ninja) == 0)
			return;
		errors = format("%s%s", process_output(ninja), process_errors(ninja));
	}
	cr_assert_fail("it cannot be built: %s", errors);
}

/*
 * Builds the sources again, for that prefix, as that user; returns the build tree. A copy, because
 * another user may not be able to read the sources where they are.
 */
static const char *build_for(const char *prefix, const char *user)
{
	static const char script[] =
		"cd \"$0\" && tar cf - --exclude=./build --exclude='./build-*' --exclude=./.git . |"
		" tar xf - -C \"$1\"";
	const char *copy = new_directory(), *build = new_directory();

	process_run(WORDS("/bin/sh", "-c", script, source_path(), copy), .is_bare = true);
	chmod(build, 0777);
	/* as it is compiled does not matter here, and without optimization takes half the time */
	process_run(WORDS(need_program("meson"), "setup", build, copy, "--libdir=lib",
			    "--buildtype=plain", "-Dtests=disabled", format("--prefix=%s", prefix)),
		.is_bare = true, .user = user);
	compile(build, user);
	return build;
}

/* Such a user cannot refresh the linker's cache, and need not. */
Test(install, an_ordinary_user_installs_into_a_prefix_and_uses_it_there)
{
	const char *user = geteuid() == 0 ? "nobody" : NULL;
	const char *prefix = new_directory();

	chmod(prefix, 0777);
	const char *build = build_for(prefix, user);
	process_run(WORDS(need_program("meson"), "install", "--quiet", "-C", build),
		.is_bare = true, .user = user);
	expect_installed(prefix, format("%s/lib", prefix));
	const char *run = format("%s/bin/reuse-run", prefix);
	const char *link = format("%s/linked", new_directory());
	cr_assert_eq(symlink(run, link), 0);
	for (int i = 0; i < 2; i++) {
		struct process *process =
			process_run(WORDS(i == 0 ? run : link, program_path("calls"), "tcp",
					    bind_to(port_new()), "options"),
				.is_bare = true);
		cr_expect_str_eq(process_output(process), SHARED);
		cr_expect_str_empty(process_errors(process));
	}
}

/*
 * In a new mount namespace, where /usr/local is empty and /etc has only what ld.so and libc read:
 * nothing of the machine is changed.
 */
Test(install, root_installs_it_and_LD_PRELOAD_finds_it_by_its_name)
{
	static const char script[] = "mkdir \"$1/etc\" \"$1/cache\"\n"
				     "cp -a /etc/ld.so.* /etc/passwd /etc/group \"$1/etc\"\n"
				     "mount --bind \"$1/etc\" /etc\n"
				     "mount -t tmpfs -o mode=755 none /usr/local\n"
				     "if [ -d /var/cache/ldconfig ]; then mount --bind "
				     "\"$1/cache\" /var/cache/ldconfig; fi\n"
				     "\"$2\" install --quiet -C \"$3\" >&2\n"
				     "LD_PRELOAD=libreuse.so\n"
				     "export LD_PRELOAD\n"
				     "\"$4\" tcp \"$5\" options\n";

	need_root();
	struct process *process = process_run(
		WORDS(need_program("unshare"), "--mount", "/bin/sh", "-euc", script, "sh",
			new_directory(), need_program("meson"), build_for("/usr/local", NULL),
			program_path("calls"), bind_to(port_new())),
		.is_bare = true);
	cr_expect_str_eq(process_output(process), SHARED, "%s and \"%s\"", process_output(process),
		process_errors(process));
}
