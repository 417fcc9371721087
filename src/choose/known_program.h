/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists programs that restrict their own system calls, and so those of a preloaded library. */
#ifndef CHOOSE_KNOWN_PROGRAM_H
#define CHOOSE_KNOWN_PROGRAM_H

#include "elf_file.h"

/*
 * Why the program at PATH, with the contents FILE, may restrict itself with seccomp(2), in words
 * that follow its name; NULL for any other program. A link counts as its target.
 */
const char *known_program_lock(const char *path, const struct elf_file *file);

#endif
