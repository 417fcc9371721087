/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what an ELF file says of itself. */
#ifndef CHOOSE_ELF_FILE_H
#define CHOOSE_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>

/* What some files say; where a file is broken, or cut off, it says less. */
struct elf_file {
	Elf64_Ehdr header;    /* of a 32-bit file too */
	bool has_interpreter; /* it is dynamically linked */
	bool is_musl;
	bool is_go, is_pascal; /* compiled by a compiler of ... */
	bool needs_seccomp;    /* it is linked with libseccomp */
	bool needs_asan;       /* ... with the shared library of AddressSanitizer */
};

/* Reads the file behind FD, whose offset stays. Returns false where it is not an ELF file; elf(5).
 */
bool elf_file_read(int fd, struct elf_file *file);

/* Whether others find a socket(), bind(), listen() or connect() in a library, whose offset stays.
 */
bool elf_file_has_calls(int fd);

#endif
