/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *pin_variable[2]; /* NULL at its end */

const char *const *kernel_environment(void)
{
	return pin_variable;
}

void kernel_pin_in(const char *folder)
{
	pin_variable[0] = format("REUSE_BPF_PIN=%s", folder);
}

const char *bpf_path(void)
{
	return format("%s/reuse-bpf", build_path());
}

static void mount_at(const char *folder)
{
	need_root();
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip("no mount namespace: %s", strerror(errno));
	if (mount("bpf", folder, "bpf", 0, NULL) < 0)
		skip("no BPF file system: %s", strerror(errno));
}

const char *kernel_prepare(void)
{
	const char *folder = new_directory();

	mount_at(folder);
	const char *pin = format("%s/libreuse", folder);
	kernel_pin_in(pin);
	return pin;
}

void kernel_mount(void)
{
	mount_at("/sys/fs/bpf");
}

void kernel_load_groups(void)
{
	kernel_mount();
	reuse_bpf(0, "load", "-f", kernel_rules("share"));
}

const char *reuse_bpf_words(int status, const char *const *words)
{
	struct process *process =
		process_start(words, .is_bare = true, .environment = pin_variable);
	int ended = process_wait(process);
	const char *said = format("%s%s", process_output(process), process_errors(process));

	cr_assert_eq(ended, status, "reuse-bpf %s ends with %d: %s", words[1], ended, said);
	return said;
}

void kernel_run_script(const char *directory, const char *script)
{
	const char *mounted = format("set -e\nmount -t bpf bpf /sys/fs/bpf\n"
				     "umount -l -R /sys/fs/cgroup\n"
				     "mount -t cgroup2 cgroup2 /sys/fs/cgroup\n%s",
		script);
	struct process *shell = process_start(
		WORDS("/bin/sh", "-e", "-c",
			"echo $$ >\"$0\"/cgroup.procs\nexec unshare -C -m sh -c \"$1\"",
			new_cgroup(), mounted),
		.is_bare = true, .directory = directory,
		.environment = WORDS(format("PATH=%s:/usr/bin:/bin", build_path())));
	int status = process_wait(shell);

	cr_expect_eq(status, 0, "%s%s", process_output(shell), process_errors(shell));
}

/* ---- programs under the hook ---- */

#define PLACES_MOST 64

static struct place {
	const char *rules, *cgroup; /* RULES: all that the environment says of them */
} places[PLACES_MOST];

static int n_places;

static const char *make_place(const char *const *environment)
{
	static const char *folder;
	const char *words[16];
	size_t count = 0;

	if (!folder) {
		folder = new_directory();
		mount_at(folder);
	}
	while (environment && environment[count] && count < 14) {
		words[count] = environment[count];
		count++;
	}
	words[count++] = format("REUSE_BPF_PIN=%s/%d", folder, n_places);
	words[count] = NULL;
	struct process *load =
		process_start(WORDS(bpf_path(), "load"), .is_bare = true, .environment = words);
	if (process_wait(load) == 78)
		cr_skip_test("the kernel hook cannot keep this: %s", process_errors(load));
	const char *cgroup = new_cgroup();
	process_run(WORDS(bpf_path(), "attach", cgroup), .is_bare = true, .environment = words);
	return cgroup;
}

const char *kernel_place(const char *const *environment)
{
	const char *rules = "";
	struct place *place = places;

	for (size_t i = 0; environment && environment[i]; i++) {
		if (strncmp(environment[i], "REUSE_", 6) == 0)
			rules = format("%s%s\n", rules, environment[i]);
	}
	while (place < places + PLACES_MOST && place->rules && strcmp(place->rules, rules) != 0)
		place++;
	cr_assert(place < places + PLACES_MOST);
	if (!place->rules) {
		place->cgroup = make_place(environment);
		place->rules = rules;
		n_places++;
	}
	return place->cgroup;
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
