/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what an ELF file contains, as far as it matters for the choice of a hook. */
#ifndef CHOOSE_ELF_FILE_H
#define CHOOSE_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>

/* What some files contain; if a file is broken, or cut off, less is found. */
struct elf_file {
	Elf64_Ehdr header;    /* also for a 32-bit file */
	bool has_interpreter; /* it is dynamically linked */
	bool is_musl;
	bool is_go, is_pascal; /* compiled by Go's, or by Free Pascal's compiler */
	bool needs_seccomp;    /* it is linked with libseccomp */
	bool needs_asan;       /* it is linked with the shared library of AddressSanitizer */
};

/*
 * Reads the file of FD, whose offset does not change. Returns false if it is not an ELF file;
 * elf(5).
 */
bool elf_file_read(int fd, struct elf_file *file);

/*
 * Whether a library exports a socket(), bind(), listen() or connect(); the offset does not change.
 */
bool elf_file_has_calls(int fd);

#endif
