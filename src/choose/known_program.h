/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Knows programs that forbid themselves system calls, and so those of a library inside them. */
#ifndef CHOOSE_KNOWN_PROGRAM_H
#define CHOOSE_KNOWN_PROGRAM_H

#include "elf_file.h"

/*
 * Why the program at PATH, whose file says FILE, is taken for one that locks itself in by
 * seccomp(2), in words that follow its name; NULL for any other. A link counts as what it leads to.
 */
const char *known_program_lock(const char *path, const struct elf_file *file);

#endif
