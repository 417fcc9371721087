/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library.h"

#include "choose/preloaded.h"
#include "ground/errnos.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define NAME	   "libreuse.so"
#define SEPARATORS ": " /* of the objects in LD_PRELOAD, see ld.so(8) */
#define PASSED	   "REUSE_RUN_PRELOAD"

/* ---- finding it ---- */

/* The folder of this program, without links, and with its slash; empty if it is not known. */
static void find_own_folder(char *folder)
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	if (length > 0) {
		folder[length] = '\0';
	} else {
		const char *executed = (const char *)getauxval(AT_EXECFN);
		if (!executed || !realpath(executed, folder))
			folder[0] = '\0';
	}
	char *slash = strrchr(folder, '/');
	folder[slash ? slash + 1 - folder : 0] = '\0';
}

/*
 * The library at FOLDER and PATH, as a new string, or NULL. ERROR becomes an error that hides it,
 * and that does not mean that it is elsewhere.
 */
static char *library_at(const char *folder, const char *path, int *error)
{
	char joined[2 * PATH_MAX];

	if (snprintf(joined, sizeof joined, "%s%s", folder, path) >= (int)sizeof joined)
		return NULL;
	char *library = realpath(joined, NULL);
	if (!library && errno != ENOENT && errno != ENOTDIR)
		*error = errno;
	return library;
}

static char *find(int *error)
{
	char folder[PATH_MAX];
	char *library = NULL;

	find_own_folder(folder);
	if (*folder)
		library = library_at(folder, NAME, error);
	if (!library && *folder)
		library = library_at(folder, LIBRARY_FROM_HERE, error);
	return library ? library : library_at("", LIBRARY_INSTALLED, error);
}

/* Why LD_PRELOAD cannot name this path, or NULL. */
static const char *obstacle(const char *library)
{
	/* see ld.so(8) */
	static const char *const tokens[] = {
		"$ORIGIN", "${ORIGIN}", "$LIB", "${LIB}", "$PLATFORM", "${PLATFORM}"};

	if (strpbrk(library, SEPARATORS))
		return "LD_PRELOAD cannot contain a path with a blank or a colon; install libreuse "
		       "in a directory whose path has neither";
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		if (strstr(library, tokens[i]))
			return "in LD_PRELOAD, the dynamic linker replaces $ORIGIN, $LIB and "
			       "$PLATFORM; install libreuse in a directory whose path has none "
			       "of them";
	}
	return NULL;
}

static void report_missing(int error)
{
	if (error)
		fprintf(stderr, "reuse-run: %s cannot be found: %s\n", NAME, errno_name(error));
	else
		fprintf(stderr, "reuse-run: libreuse is not installed completely: %s is missing\n",
			LIBRARY_INSTALLED);
}

char *library_find(void)
{
	int error = 0;
	char *library = find(&error);

	if (!library) {
		report_missing(error);
		return NULL;
	}
	const char *reason = obstacle(library);
	bool is_readable = access(library, R_OK) == 0;
	if (is_readable && !reason)
		return library;
	if (!is_readable)
		fprintf(stderr, "reuse-run: %s cannot be read, so no program can load it: %s\n",
			library, errno_name(errno));
	else
		fprintf(stderr, "reuse-run: %s cannot be preloaded: %s\n", library, reason);
	free(library);
	return NULL;
}

/* ---- LD_PRELOAD ---- */

const char *library_preloaded(void)
{
	const char *value = getenv("LD_PRELOAD");

	return value ? value : "";
}

char *library_add(const char *library)
{
	const char *others = library_preloaded();
	char *list;

	if (preloaded_has(others, library))
		return strdup(others);
	return asprintf(&list, "%s%s%s", others, *others ? ":" : "", library) < 0 ? NULL : list;
}

void library_remove(void)
{
	const char *list = library_preloaded();
	char *others = preloaded_without_us(list);

	if (!others)
		return;
	if (!*others)
		unsetenv("LD_PRELOAD");
	else if (preloaded_has_us(list))
		setenv("LD_PRELOAD", others, true);
	free(others);
}

/* ---- this program itself ---- */

void library_step_out(char **argv)
{
	const char *passed = getenv(PASSED);

	if (passed) {
		setenv("LD_PRELOAD", passed, true);
		unsetenv(PASSED);
	} else if (preloaded_has_us(library_preloaded())) {
		setenv(PASSED, library_preloaded(), true);
		unsetenv("LD_PRELOAD");
		execv("/proc/self/exe", argv);
		setenv("LD_PRELOAD", getenv(PASSED), true);
		unsetenv(PASSED);
	}
}
