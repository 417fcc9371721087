/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pinned_list.h"

#include "policy/rule.h"
#include "socket/steer_pins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct pinned_list *list, const struct pinned_member *member)
{
	struct pinned_member *larger =
		realloc(list->members, (list->count + 1) * sizeof *list->members);

	if (!larger)
		return;
	list->members = larger;
	list->members[list->count++] = *member;
}

void pinned_list_read(struct pinned_list *list, unsigned protocol)
{
	FILE *file = fopen(protocol == PROTOCOL_UDP ? STEER_PINS "/" STEER_PIN_MEMBERS_UDP
						    : STEER_PINS "/" STEER_PIN_MEMBERS_TCP,
		"re");
	char line[128], buffer[STEER_PINS_READ_SIZE];

	*list = (struct pinned_list){.count = 0};
	if (!file)
		return;
	setvbuf(file, buffer, _IOFBF, sizeof buffer);
	while (fgets(line, sizeof line, file) && *line) {
		struct pinned_member member = {.inode = 0};
		if (sscanf(line, "%" SCNu64 " %7s %u", &member.inode, member.program,
			    &member.open) == 3) {
			member.is_draining = strstr(line, " draining") != NULL;
			add(list, &member);
		}
	}
	fclose(file);
}

const struct pinned_member *pinned_list_find(const struct pinned_list *list, uint64_t inode)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->members[i].inode == inode)
			return &list->members[i];
	}
	return NULL;
}

void pinned_list_free(struct pinned_list *list)
{
	free(list->members);
	*list = (struct pinned_list){.count = 0};
}
