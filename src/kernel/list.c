/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "list.h"

#include "cgroup.h"
#include "pin.h"
#include "pinned.h"
#include "place.h"
#include "tell.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Returns all N_ROWS rows, or NULL if they cannot be read. */
static union row *read_rows(int policy, __u32 n_rows)
{
	union row *rows = calloc(n_rows, sizeof *rows);
	__u32 *keys = calloc(n_rows, sizeof *keys), next, count = n_rows;
	int error = rows && keys
			    ? bpf_map_lookup_batch(policy, NULL, &next, keys, rows, &count, NULL)
			    : -ENOMEM;

	free(keys);
	if (!error || (error == -ENOENT && count == n_rows))
		return rows;
	free(rows);
	return NULL;
}

static void print_rules(const union row *rows, __u32 n_rows)
{
	const struct row_head *head = &rows->head;
	const char *text = rows[head->texts].text, *end = rows[n_rows].text;

	if (head->error) {
		printf("The policy is broken, so every bind() and connect() fails:\n%s", text);
		return;
	}
	printf("%10s %10s %10s %10s  RULE\n", "SEEN", "SHARED", "MOVED", "REFUSED");
	for (__u32 i = 0; i < head->n_rules && text < end; i++) {
		const struct row_counts *counts = &rows[head->rules + i * ROWS_PER_RULE + 1].counts;
		const char *rule = text + strlen(text) + 1;
		printf("%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s: %s\n",
			(uint64_t)counts->seen, (uint64_t)counts->shared, (uint64_t)counts->moved,
			(uint64_t)counts->refused, text, rule);
		text = rule + strlen(rule) + 1;
	}
}

static void print_places(void)
{
	char path[PATH_MAX];
	uint64_t id = 0;
	bool is_any = false;

	for (bool is_first = true; place_next(&id, is_first); is_first = false) {
		if (place_find(id) != PLACE_ACTIVE || cgroup_path(id, path) < 0)
			continue;
		printf("attached to %s\n", path);
		is_any = true;
	}
	if (!is_any)
		printf("not attached to any control group\n");
}

static int print_policy(int policy)
{
	struct bpf_map_info info = {.type = 0};
	__u32 size = sizeof info;
	int error = bpf_obj_get_info_by_fd(policy, &info, &size);
	union row *rows = error ? NULL : read_rows(policy, info.max_entries);

	if (!rows)
		return tell_refused(error ? error : -EIO, "the policy cannot be read");
	print_rules(rows, info.max_entries);
	free(rows);
	return 0;
}

int list(void)
{
	union row head;
	int policy, error = place_open();

	if (error == -ENOENT)
		return tell_failure(EX_UNAVAILABLE,
			"nothing is loaded in %s; run reuse-bpf load first", pin_folder());
	if (!error)
		error = pinned_open_policy(&policy, &head);
	if (error)
		return tell_refused(error, "%s cannot be opened", pin_folder());
	if (strncmp(head.head.version, LIBREUSE_VERSION, sizeof head.head.version) != 0)
		return tell_failure(EX_CONFIG,
			"%s has the BPF programs of libreuse %.12s, but this is " LIBREUSE_VERSION,
			pin_folder(), head.head.version);
	int status = print_policy(policy);
	close(policy);
	if (!status)
		print_places();
	return status;
}
