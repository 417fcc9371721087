/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect.h"

#include "elf_file.h"
#include "ground/exit_status.h"
#include "known_program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS_MOST   5   /* the kernel follows this many #! lines */
#define FIRST_LINE_MAX 256 /* bytes of a #! line that the kernel reads (BINPRM_BUF_SIZE) */

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
		return errno == ENOTDIR ? EXIT_NOT_FOUND : exit_status_for(errno);
	return S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0
		       ? 0
		       : EXIT_NOT_EXECUTABLE;
}

int inspect_find(const char *command, char *path_out)
{
	const char *directories = getenv("PATH");
	int found = EXIT_NOT_FOUND;

	if (strchr(command, '/')) {
		if (snprintf(path_out, PATH_MAX, "%s", command) >= PATH_MAX)
			return EXIT_NOT_FOUND;
		return executable_at(path_out);
	}
	if (!directories)
		directories = "/bin:/usr/bin"; /* the default of execvp(3) */
	for (const char *at = directories; *command;) {
		size_t length = strcspn(at, ":");
		int size = snprintf(path_out, PATH_MAX, "%.*s%s%s", (int)length, at,
			length ? "/" : "./", command);
		int result = size < PATH_MAX ? executable_at(path_out) : EXIT_NOT_FOUND;
		if (result == 0)
			return 0;
		if (result == EXIT_NOT_EXECUTABLE)
			found = EXIT_NOT_EXECUTABLE;
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
	snprintf(reason, INSPECT_REASON_SIZE, "%s, so the dynamic linker ignores LD_PRELOAD for it",
		is_setuid   ? "is set-user-ID"
		: is_setgid ? "is set-group-ID"
			    : "has file capabilities");
	return true;
}

/* ---- ELF ---- */

/*
 * How a file for another machine differs from this program (and its library), or NULL. The compared
 * fields are in the same place in files of both sizes.
 */
static const char *difference_of(const Elf64_Ehdr *theirs)
{
	Elf64_Ehdr ours;
	size_t size = offsetof(Elf64_Ehdr, e_version);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool is_read = fd >= 0 && read(fd, &ours, size) == (ssize_t)size;

	if (fd >= 0)
		close(fd);
	if (!is_read)
		return NULL;
	if (theirs->e_ident[EI_CLASS] != ours.e_ident[EI_CLASS])
		return theirs->e_ident[EI_CLASS] == ELFCLASS32
			       ? "is a 32-bit program, but this libreuse.so is not"
			       : "is a 64-bit program, but this libreuse.so is not";
	return theirs->e_ident[EI_DATA] != ours.e_ident[EI_DATA] ||
			       theirs->e_machine != ours.e_machine
		       ? "is for another kind of processor than this libreuse.so"
		       : NULL;
}

/* Whether our library cannot be preloaded, or would see no calls. */
static bool is_out_of_reach(const struct elf_file *file, char *reason)
{
	const char *difference = NULL;

	if (file->is_go || file->is_pascal)
		snprintf(reason, INSPECT_REASON_SIZE,
			"is a %s program, which makes its system calls without libc",
			file->is_go ? "Go" : "Free Pascal");
	else if (!file->has_interpreter)
		snprintf(reason, INSPECT_REASON_SIZE,
			"is statically linked, so no library can be preloaded into it");
	else if ((difference = difference_of(&file->header)))
		snprintf(reason, INSPECT_REASON_SIZE, "%s", difference);
	else if (file->is_musl != (strcmp(OUR_LIBC, "musl") == 0))
		snprintf(reason, INSPECT_REASON_SIZE,
			"is not linked with " OUR_LIBC ", the libc of this libreuse.so");
	else
		return false;
	return true;
}

static enum inspect_hook inspect_elf(
	const char *path, int fd, const struct elf_file *file, struct inspection *inspection)
{
	if (is_privileged(fd, inspection->reason))
		return INSPECT_NEITHER;
	if (is_out_of_reach(file, inspection->reason))
		return INSPECT_NOTIFY;
	inspection->needs_asan = file->needs_asan;
	const char *lock = known_program_lock(path, file);
	if (!lock)
		return INSPECT_PRELOAD;
	snprintf(inspection->reason, INSPECT_REASON_SIZE,
		"%s, so the system calls of a preloaded library could get it killed", lock);
	return INSPECT_EITHER;
}

/* ---- scripts ---- */

static char *skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}

/*
 * The program that runs a script: the interpreter of its #! line, or what env(1) will look up.
 * Returns false if there is none.
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

/* Reads the first line of a script; returns false if the file is not a script. */
static bool read_first_line(int fd, char line[static FIRST_LINE_MAX + 1])
{
	ssize_t length = pread(fd, line, FIRST_LINE_MAX, 0);

	line[length > 0 ? length : 0] = '\0';
	return length > 2 && memcmp(line, "#!", 2) == 0;
}

static void inspect_file(const char *path, unsigned depth, struct inspection *inspection)
{
	char line[FIRST_LINE_MAX + 1], interpreter[PATH_MAX];
	struct elf_file file;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*inspection = (struct inspection){INSPECT_PRELOAD, false, "is dynamically linked"};
	if (fd < 0)
		return;
	bool is_script = depth < SCRIPTS_MOST && read_first_line(fd, line);
	if (!is_script && elf_file_read(fd, &file))
		inspection->hook = inspect_elf(path, fd, &file, inspection);
	close(fd);
	if (!is_script || !interpreter_of(line, interpreter))
		return;
	inspect_file(interpreter, depth + 1, inspection);
	char *inner = strdup(inspection->reason);
	snprintf(inspection->reason, INSPECT_REASON_SIZE, "is run by %s, which %s", interpreter,
		inner ? inner : "decides");
	free(inner);
}

void inspect_program(const char *path, struct inspection *inspection)
{
	inspect_file(path, 0, inspection);
}
