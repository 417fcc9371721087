/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS_MOST   5   /* the kernel follows no more #! lines */
#define FIRST_LINE_MAX 256 /* bytes of a #! line that the kernel reads (BINPRM_BUF_SIZE) */

/* Go's build information: an aligned magic number in the data. */
#define BUILDINFO_ALIGN	 16
#define BUILDINFO_STEP	 4096
#define BUILDINFO_WITHIN (1024 * 1024)

#ifdef __GLIBC__
#define OUR_LIBC "glibc"
#else
#define OUR_LIBC "musl"
#endif

/* ---- finding ---- */

static int executable_at(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 127 : 126;
	return S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0
											   : 126;
}

int inspect_find(const char *command, char *path_out)
{
	const char *directories = getenv("PATH");
	int found = 127;

	if (strchr(command, '/')) {
		if (snprintf(path_out, PATH_MAX, "%s", command) >= PATH_MAX)
			return 127;
		return executable_at(path_out);
	}
	if (!directories)
		directories = "/bin:/usr/bin"; /* what execvp(3) uses then */
	for (const char *at = directories; *command;) {
		size_t length = strcspn(at, ":");
		int size = snprintf(path_out, PATH_MAX, "%.*s%s%s", (int)length, at,
			length ? "/" : "./", command);
		int result = size < PATH_MAX ? executable_at(path_out) : 127;
		if (result == 0)
			return 0;
		if (result == 126)
			found = 126;
		if (at[length] == '\0')
			break;
		at += length + 1;
	}
	return found;
}

/* ---- privileges ---- */

/* Whether execve() of the file would gain privileges; then the dynamic linker preloads nothing. */
static bool is_privileged(int fd, char *reason)
{
	struct stat status;
	struct statvfs filesystem;
	bool is_nosuid = fstatvfs(fd, &filesystem) == 0 && (filesystem.f_flag & ST_NOSUID) != 0;

	if (fstat(fd, &status) < 0 || is_nosuid || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	bool is_setuid = (status.st_mode & S_ISUID) && status.st_uid != getuid();
	bool is_setgid = (status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) &&
			 status.st_gid != getgid();
	bool has_capabilities = getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
	if (!is_setuid && !is_setgid && !has_capabilities)
		return false;
	snprintf(reason, INSPECT_REASON_SIZE,
		"%s, and the dynamic linker takes no LD_PRELOAD for it",
		is_setuid   ? "is set-user-ID"
		: is_setgid ? "is set-group-ID"
			    : "has file capabilities");
	return true;
}

/* ---- ELF ---- */

struct elf {
	int fd;
	bool is_64;
	bool has_interpreter, is_musl, is_go;
};

static void read_interpreter(struct elf *elf, off_t offset, size_t size)
{
	char path[PATH_MAX] = "";

	elf->has_interpreter = true;
	if (size >= sizeof path)
		return;
	ssize_t got = pread(elf->fd, path, size, offset);
	elf->is_musl = got > 0 && strstr(path, "ld-musl") != NULL;
}

/* Go marks its programs with a note of its own (its build id). */
static void read_note(struct elf *elf, off_t offset, size_t size)
{
	struct {
		ElfW(Nhdr) header;
		char name[4];
	} note;

	if (size >= sizeof note && pread(elf->fd, &note, sizeof note, offset) == sizeof note)
		elf->is_go |= note.header.n_namesz == 4 && memcmp(note.name, "Go\0", 4) == 0;
}

static void read_segment(struct elf *elf, uint32_t type, uint64_t offset, uint64_t size)
{
	if (type == PT_INTERP)
		read_interpreter(elf, (off_t)offset, (size_t)size);
	else if (type == PT_NOTE)
		read_note(elf, (off_t)offset, (size_t)size);
}

/* A part of the program that holds what its Go compiler says of it (debug/buildinfo in Go). */
static void look_for_buildinfo(struct elf *elf, uint64_t offset, uint64_t size)
{
	static const char magic[] = "\xff Go buildinf:";
	char bytes[BUILDINFO_STEP];

	offset -= offset % BUILDINFO_ALIGN; /* it is aligned in memory, so in the file too */
	for (uint64_t at = 0; !elf->is_go && at < size && at < BUILDINFO_WITHIN;
		at += sizeof bytes) {
		ssize_t got = pread(elf->fd, bytes, sizeof bytes, (off_t)(offset + at));
		for (ssize_t i = 0; i + BUILDINFO_ALIGN <= got; i += BUILDINFO_ALIGN)
			elf->is_go |= memcmp(bytes + i, magic, sizeof magic - 1) == 0;
	}
}

/* Both sizes of ELF have the same fields, of different widths. */
#define READ_PARTS(BITS)                                                                           \
	static void read_parts_##BITS(struct elf *elf, const Elf##BITS##_Ehdr *header)             \
	{                                                                                          \
		Elf##BITS##_Phdr segment;                                                          \
                                                                                                   \
		for (unsigned i = 0; i < header->e_phnum; i++) {                                   \
			off_t at = (off_t)(header->e_phoff + i * header->e_phentsize);             \
			if (pread(elf->fd, &segment, sizeof segment, at) != sizeof segment)        \
				return;                                                            \
			read_segment(elf, segment.p_type, segment.p_offset, segment.p_filesz);     \
			if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W))                 \
				look_for_buildinfo(elf, segment.p_offset, segment.p_filesz);       \
		}                                                                                  \
	}

READ_PARTS(64)
READ_PARTS(32)

/* The ELF header of this very program: what the library beside it was built for. */
static bool is_our_kind(const unsigned char *bytes, const char **difference)
{
	Elf64_Half machine, ours;
	unsigned char own[EI_NIDENT + 4];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool is_read = fd >= 0 && read(fd, own, sizeof own) == sizeof own;

	if (fd >= 0)
		close(fd);
	if (!is_read)
		return true;
	memcpy(&machine, bytes + EI_NIDENT + 2, sizeof machine);
	memcpy(&ours, own + EI_NIDENT + 2, sizeof ours);
	*difference = bytes[EI_CLASS] != own[EI_CLASS]
			      ? (bytes[EI_CLASS] == ELFCLASS32 ? "is a 32-bit program"
							       : "is a 64-bit program")
			      : "is for another machine";
	return bytes[EI_CLASS] == own[EI_CLASS] && bytes[EI_DATA] == own[EI_DATA] &&
	       machine == ours;
}

static enum inspect_hook inspect_elf(
	int fd, const unsigned char *bytes, size_t length, char *reason)
{
	struct elf elf = {.fd = fd, .is_64 = bytes[EI_CLASS] == ELFCLASS64};
	const char *difference = NULL;

	if (length < sizeof(Elf64_Ehdr))
		return INSPECT_PRELOAD;
	if (elf.is_64)
		read_parts_64(&elf, (const Elf64_Ehdr *)(const void *)bytes);
	else
		read_parts_32(&elf, (const Elf32_Ehdr *)(const void *)bytes);
	if (is_privileged(fd, reason))
		return INSPECT_NEITHER;
	if (elf.is_go)
		snprintf(reason, INSPECT_REASON_SIZE,
			"is a Go program, which makes its system calls without libc");
	else if (!elf.has_interpreter)
		snprintf(reason, INSPECT_REASON_SIZE,
			"is statically linked, and a library cannot be preloaded into it");
	else if (!is_our_kind(bytes, &difference))
		snprintf(
			reason, INSPECT_REASON_SIZE, "%s, and this libreuse.so is not", difference);
	else if (elf.is_musl != (strcmp(OUR_LIBC, "musl") == 0))
		snprintf(reason, INSPECT_REASON_SIZE,
			"is linked with another libc than " OUR_LIBC
			", for which this libreuse.so is");
	else
		return INSPECT_PRELOAD;
	return INSPECT_NOTIFY;
}

/* ---- scripts ---- */

static char *skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}

/*
 * The program that runs a script: the interpreter of its #! line, or what env(1) will look up.
 * Returns false where there is none.
 */
static bool interpreter_of(char *line, char *path_out)
{
	line[strcspn(line, "\n")] = '\0';
	char *interpreter = skip_blanks(line + 2);
	char *argument = interpreter + strcspn(interpreter, " \t");
	if (*argument)
		*argument++ = '\0';
	argument = skip_blanks(argument);
	const char *slash = strrchr(interpreter, '/');
	bool is_env = strcmp(slash ? slash + 1 : interpreter, "env") == 0;
	if (is_env && strncmp(argument, "-S", 2) == 0)
		argument = skip_blanks(argument + 2);
	argument[strcspn(argument, " \t")] = '\0';
	if (is_env && *argument && *argument != '-' && !strchr(argument, '='))
		return inspect_find(argument, path_out) == 0;
	return snprintf(path_out, PATH_MAX, "%s", interpreter) < PATH_MAX && *interpreter;
}

static enum inspect_hook inspect_file(const char *path, unsigned depth, char *reason)
{
	union {
		Elf64_Ehdr header; /* for its alignment */
		unsigned char bytes[FIRST_LINE_MAX + 1];
		char line[FIRST_LINE_MAX + 1];
	} start = {.bytes = {0}};
	char interpreter[PATH_MAX];
	enum inspect_hook hook = INSPECT_PRELOAD;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, start.bytes, FIRST_LINE_MAX);

	snprintf(reason, INSPECT_REASON_SIZE, "is dynamically linked");
	if (length > SELFMAG && memcmp(start.bytes, ELFMAG, SELFMAG) == 0)
		hook = inspect_elf(fd, start.bytes, (size_t)length, reason);
	if (fd >= 0)
		close(fd);
	if (length <= 2 || memcmp(start.line, "#!", 2) != 0 || depth == SCRIPTS_MOST ||
		!interpreter_of(start.line, interpreter))
		return hook;
	hook = inspect_file(interpreter, depth + 1, reason);
	char *inner = strdup(reason);
	snprintf(reason, INSPECT_REASON_SIZE, "is run by %s, which %s", interpreter,
		inner ? inner : "decides");
	free(inner);
	return hook;
}

enum inspect_hook inspect_program(const char *path, char *reason)
{
	return inspect_file(path, 0, reason);
}
