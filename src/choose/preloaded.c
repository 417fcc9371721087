/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preloaded.h"

#include "elf_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEPARATORS ": "

struct object {
	const char *path;
	size_t length;
};

/* Finds the next object of a list, from *AT on; returns false at its end. */
static bool next_object(const char **at, struct object *object)
{
	object->path = *at + strspn(*at, SEPARATORS);
	object->length = strcspn(object->path, SEPARATORS);
	*at = object->path + object->length;
	return object->length > 0;
}

/* Whether it is a libreuse.so, in any folder. */
static bool is_us(const struct object *object)
{
	static const char name[] = "libreuse.so";
	size_t size = sizeof name - 1, length = object->length;
	const char *path = object->path;

	return length >= size && memcmp(path + length - size, name, size) == 0 &&
	       (length == size || path[length - size - 1] == '/');
}

static bool has_calls(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool result = fd >= 0 && elf_file_has_calls(fd);

	if (fd >= 0)
		close(fd);
	return result;
}

bool preloaded_has(const char *list, const char *path)
{
	for (struct object object; next_object(&list, &object);) {
		if (strlen(path) == object.length && memcmp(object.path, path, object.length) == 0)
			return true;
	}
	return false;
}

bool preloaded_has_us(const char *list)
{
	for (struct object object; next_object(&list, &object);) {
		if (is_us(&object))
			return true;
	}
	return false;
}

bool preloaded_before_us(const char *list, char *path_out)
{
	for (struct object object; next_object(&list, &object);) {
		bool is_whole = snprintf(path_out, PATH_MAX, "%.*s", (int)object.length,
					object.path) < PATH_MAX;
		if (is_us(&object))
			return false;
		if (is_whole && strchr(path_out, '/') && has_calls(path_out))
			return true;
	}
	return false;
}

char *preloaded_without_us(const char *list)
{
	char *others = calloc(1, strlen(list) + 1), *end = others;

	for (struct object object; others && next_object(&list, &object);) {
		if (is_us(&object))
			continue;
		if (end > others)
			*end++ = ':';
		end = mempcpy(end, object.path, object.length);
	}
	return others;
}
