/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *environment[2]; /* NULL at its end */

const char *const *kernel_environment(void)
{
	return environment;
}

void kernel_pin_in(const char *folder)
{
	environment[0] = format("REUSE_BPF_PIN=%s", folder);
}

const char *bpf_path(void)
{
	return format("%s/reuse-bpf", build_path());
}

const char *kernel_prepare(void)
{
	need_root();
	const char *folder = new_directory();

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip("no mount namespace: %s", strerror(errno));
	if (mount("bpf", folder, "bpf", 0, NULL) < 0)
		skip("no BPF file system: %s", strerror(errno));
	const char *pin = format("%s/libreuse", folder);
	kernel_pin_in(pin);
	return pin;
}

const char *reuse_bpf_words(int status, const char *const *words)
{
	struct process *process = process_start(words, .is_bare = true, .environment = environment);
	int ended = process_wait(process);
	const char *said = format("%s%s", process_output(process), process_errors(process));

	cr_assert_eq(ended, status, "reuse-bpf %s ends with %d: %s", words[1], ended, said);
	return said;
}

const char *kernel_rules(const char *rules)
{
	return write_file(new_directory(), "rules", rules);
}

const char *kernel_attach(const char *rules)
{
	const char *cgroup = new_cgroup();

	kernel_prepare();
	reuse_bpf(0, "load", "-f", kernel_rules(rules));
	reuse_bpf(0, "attach", cgroup);
	return cgroup;
}

/* The shell enters the cgroup, and then another user may begin. */
struct process *start_words_in(const char *cgroup, const char *user, const char *const *words)
{
	const char *all[24] = {
		"/bin/sh", "-c", "echo 0 >\"$0/cgroup.procs\" && exec \"$@\"", cgroup};
	size_t count = 4;

	if (user) {
		all[count++] = need_program("setpriv");
		all[count++] = format("--reuid=%s", user);
		all[count++] = "--clear-groups";
	}
	for (; *words && count < 23; words++)
		all[count++] = *words;
	return process_start(all, .is_bare = true);
}

const char *calls_words_in(const char *cgroup, const char *const *words)
{
	struct process *process = start_words_in(cgroup, NULL, words);
	const char *results = "";

	process_wait(process);
	/* the last word of each line */
	for (const char *line = process_output(process); *line;) {
		int length = (int)strcspn(line, "\n"), start = length;
		while (start > 0 && line[start - 1] != ' ')
			start--;
		results = format("%s%.*s\n", results, length - start, line + start);
		line += length + (line[length] == '\n');
	}
	return results;
}
