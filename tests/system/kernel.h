/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel hook of a test: a BPF file system of its own, so that all ends with the test, and a
 * cgroup. As in harness.h, what cannot be done ends the test.
 */
#ifndef TESTS_SYSTEM_KERNEL_H
#define TESTS_SYSTEM_KERNEL_H

#include "harness.h"

/*
 * Mounts the file system, where this process and what it starts see it. Skips the test where that
 * is not permitted. Returns the folder that reuse-bpf pins in from now on.
 */
const char *kernel_prepare(void);
void kernel_pin_in(const char *folder); /* another one */

/* REUSE_BPF_PIN with it. */
const char *const *kernel_environment(void);

/* Runs reuse-bpf with these words, and expects it to end with STATUS. Returns what it wrote. */
#define reuse_bpf(STATUS, ...) reuse_bpf_words(STATUS, WORDS(bpf_path(), __VA_ARGS__))
const char *reuse_bpf_words(int status, const char *const *words);
const char *bpf_path(void);

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
