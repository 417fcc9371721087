/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "other_networks.h"

#include "ground/procfs.h"
#include "socket/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE	32 /* "net:[4026531840]" */
#define NAMESPACES_MOST 1024

struct network_search {
	struct other_networks *found;
	uint16_t port;
	char (*seen)[NAME_SIZE]; /* namespaces */
	unsigned n_seen;
};

static bool read_namespace(int proc, const char *process, char name[static NAME_SIZE])
{
	char path[64];

	snprintf(path, sizeof path, "%s/ns/net", process);
	ssize_t length = readlinkat(proc, path, name, NAME_SIZE - 1);
	name[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Whether a table of /proc/PID/net has the port in that state. */
static bool is_in_table(pid_t process, const char *table, uint16_t port, unsigned state)
{
	char path[64], line[256];
	unsigned line_port, line_state;
	bool is_found = false;

	snprintf(path, sizeof path, "/proc/%d/net/%s", (int)process, table);
	FILE *file = fopen(path, "re");
	while (file && !is_found && fgets(line, sizeof line, file))
		is_found = sscanf(line, " %*u: %*[0-9A-F]:%X %*[0-9A-F]:%*X %X", &line_port,
				   &line_state) == 2 &&
			   line_port == port && line_state == state;
	if (file)
		fclose(file);
	return is_found;
}

static void look_into(struct other_networks *found, pid_t process, uint16_t port)
{
	static const struct {
		enum protocol protocol;
		char tables[2][8];
		unsigned state;
	} kinds[] = {
		{PROTOCOL_TCP, {"tcp", "tcp6"}, TABLE_LISTENING},
		{PROTOCOL_UDP, {"udp", "udp6"}, TABLE_CLOSED},
	};

	for (int i = 0; i < 2 && found->count < OTHER_NETWORKS_MOST; i++) {
		if (!is_in_table(process, kinds[i].tables[0], port, kinds[i].state) &&
			!is_in_table(process, kinds[i].tables[1], port, kinds[i].state))
			continue;
		found->places[found->count].protocol = kinds[i].protocol;
		found->places[found->count++].process = process;
	}
}

static bool visit(int proc, const char *name, void *context)
{
	struct network_search *search = context;
	pid_t process = procfs_number(name);
	char *namespace = search->seen[search->n_seen];

	if (process < 0)
		return false;
	if (!read_namespace(proc, name, namespace)) {
		search->found->is_partial |= errno == EACCES || errno == EPERM;
		return false;
	}
	for (unsigned i = 0; i < search->n_seen; i++) {
		if (strcmp(search->seen[i], namespace) == 0)
			return false;
	}
	search->n_seen++;
	look_into(search->found, process, search->port);
	search->found->is_partial |= search->n_seen == NAMESPACES_MOST;
	return search->n_seen == NAMESPACES_MOST;
}

void other_networks_find(struct other_networks *found, uint16_t port)
{
	struct network_search search = {.found = found, .port = port};

	*found = (struct other_networks){.count = 0};
	search.seen = calloc(NAMESPACES_MOST, sizeof *search.seen);
	if (!search.seen || !read_namespace(AT_FDCWD, "/proc/self", search.seen[0])) {
		found->is_partial = true;
	} else {
		search.n_seen = 1;
		procfs_walk_path("/proc", visit, &search);
	}
	free(search.seen);
}
