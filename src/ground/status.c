/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include "compare.h"
#include "procfs.h"
#include "system.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Returns whether the line is about that field. */
static bool read_line(struct status_field *field, const char *line)
{
	if (!string_starts(line, field->name))
		return false;
	const char *value = line + strlen(field->name);
	strcpy(field->value, *value == '\t' ? value + 1 : value);
	return true;
}

int status_read(pid_t process, struct status_field *fields, size_t count)
{
	struct procfs_reader reader = {.fd = procfs_open(process, "status")};
	char line[STATUS_VALUE_SIZE];
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		fields[i].value[0] = '\0';
	if (reader.fd < 0)
		return reader.fd;
	while (found < count && procfs_next_line(&reader, line, sizeof line)) {
		for (size_t i = 0; i < count; i++)
			found += read_line(&fields[i], line);
	}
	system_close(reader.fd);
	return found == count ? 0 : -EIO;
}
