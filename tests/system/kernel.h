/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel hook of a test: a new BPF file system, so that all ends with the test, and a cgroup.
 * As in harness.h, a failure ends the test.
 */
#ifndef TESTS_SYSTEM_KERNEL_H
#define TESTS_SYSTEM_KERNEL_H

#include "harness.h"

/*
 * Mounts the file system, visible to this process and what it starts. Skips the test if that is not
 * permitted. Returns the folder in which reuse-bpf pins from now on.
 */
const char *kernel_prepare(void);
void kernel_pin_in(const char *folder); /* another one */

/* The same, in the folder where the library looks for programs for groups. */
void kernel_mount(void);
void kernel_load_groups(void); /* and loads them */

/* REUSE_BPF_PIN with it. */
const char *const *kernel_environment(void);

/* Runs reuse-bpf with these words, and expects STATUS. Returns what it wrote. */
#define reuse_bpf(STATUS, ...) reuse_bpf_words(STATUS, WORDS(bpf_path(), __VA_ARGS__))
const char *reuse_bpf_words(int status, const char *const *words);
const char *bpf_path(void);

/*
 * Runs a script for sh with reuse-bpf in its PATH, in DIRECTORY, and expects it to succeed. To be
 * called after kernel_prepare(). /sys/fs/cgroup shows a new control group only, and nothing is
 * pinned under /sys/fs/bpf.
 */
void kernel_run_script(const char *directory, const char *script);

/*
 * A control group in which the policy holds that programs would have with this ENVIRONMENT. Ends
 * the test without a failure where the kernel hook cannot keep it.
 */
const char *kernel_place(const char *const *environment);

/* A file with these rules. */
const char *kernel_rules(const char *rules);

/* kernel_prepare(), then loads the rules and attaches them to a new cgroup, whose path it returns.
 */
const char *kernel_attach(const char *rules);

/* Starts a program in a cgroup, without libreuse. */
#define start_in(CGROUP, ...) start_words_in(CGROUP, NULL, WORDS(__VA_ARGS__))
struct process *start_words_in(const char *cgroup, const char *user, const char *const *words);

/* What the calls of sockets.py give in that cgroup, each on a line. */
#define calls_in(CGROUP, ...)                                                                      \
	calls_words_in(                                                                            \
		CGROUP, WORDS(need_program("python3"), script_path("sockets.py"), __VA_ARGS__))
const char *calls_words_in(const char *cgroup, const char *const *words);

#endif
