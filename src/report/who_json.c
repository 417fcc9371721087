/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "who_json.h"

#include "ground/json.h"
#include "ground/sysctl.h"

#include <net/if.h>

static void print_address(FILE *out, const struct address *address)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	address_print(&text, address);
	json_print_string(out, bytes);
}

static void print_user(FILE *out, const struct listener *first)
{
	enum user_number number = listener_user_number(first);
	uid_t user = first->entry.user;
	char bytes[64];

	if (number == USER_UNKNOWN) {
		fputs("\"user\":{\"id\":null,\"name\":null,\"has_number\":false}", out);
		return;
	}
	diagnose_user_name(bytes, sizeof bytes, user);
	fprintf(out, "\"user\":{\"id\":%u,\"name\":", (unsigned)user);
	json_print_string(out, bytes);
	fprintf(out, ",\"has_number\":%s}", number == USER_KNOWN ? "true" : "null");
}

static void print_number(FILE *out, const char *name, bool is_known, unsigned number)
{
	if (is_known)
		fprintf(out, ",\"%s\":%u", name, number);
	else
		fprintf(out, ",\"%s\":null", name);
}

static void print_owners(
	FILE *out, const char *name, bool are_known, const struct owner *owners, size_t count)
{
	fprintf(out, ",\"%s\":%s", name, are_known ? "[" : "null");
	for (size_t i = 0; are_known && i < count; i++) {
		char program[PROCFS_PROGRAM_SIZE];
		owners_program(owners[i].process, program);
		fprintf(out, "%s{\"pid\":%d,\"program\":", i ? "," : "", (int)owners[i].process);
		json_print_string(out, program);
		fputc('}', out);
	}
	fputs(are_known ? "]" : "", out);
}

static void print_socket(FILE *out, const struct survey *survey, const struct listener *listener)
{
	const struct table_entry *entry = &listener->entry;
	size_t n_keepers = listener->n_owners - listener->n_processes;

	fprintf(out, "{\"inode\":%u,\"queue\":%u", entry->inode, entry->queue);
	print_number(out, "queue_size", entry->local.protocol == PROTOCOL_TCP, entry->queue_size);
	print_number(out, "connections", listener->has_connections, listener->connections);
	fprintf(out, ",\"share\":%s",
		listener->sharing == SHARING_ON	   ? "true"
		: listener->sharing == SHARING_OFF ? "false"
						   : "null");
	print_owners(out, "processes", listener->owners, listener->owners, listener->n_processes);
	print_owners(out, "kept_by", n_keepers || !survey->owners.hides_keeper,
		listener->owners + listener->n_processes, n_keepers);
	fputc('}', out);
}

static void print_group(FILE *out, const struct survey *survey, size_t at, size_t size)
{
	const struct table_entry *entry = &survey->listeners[at].entry;
	bool is_tcp = entry->local.protocol == PROTOCOL_TCP;
	char device[IF_NAMESIZE];

	fprintf(out, "{\"protocol\":\"%s\",\"family\":\"%s\",\"address\":",
		protocol_name(entry->local.protocol),
		entry->local.family == FAMILY_IP4 ? "ip4" : "ip6");
	print_address(out, &entry->local.address);
	fprintf(out, ",\"port\":%u,\"v6only\":%s,\"device\":", entry->local.port,
		entry->is_v6only ? "true" : "false");
	json_print_string(out, entry->interface ? if_indextoname(entry->interface, device) : NULL);
	fputc(',', out);
	print_user(out, &survey->listeners[at]);
	print_number(out, "connections", is_tcp, survey_group_connections(survey, at).open);
	fputs(",\"sockets\":[", out);
	for (size_t i = at; i < at + size; i++) {
		fputs(i > at ? "," : "", out);
		print_socket(out, survey, &survey->listeners[i]);
	}
	fputs("]}", out);
}

void who_json_print(FILE *out, const struct survey *survey)
{
	long migrates = sysctl_ipv4("tcp_migrate_req");

	fprintf(out, "{\"tcp_migrate_req\":%s,\"groups\":[",
		migrates < 0 ? "null"
		: migrates   ? "true"
			     : "false");
	for (size_t at = 0, size; at < survey->count; at += size) {
		size = survey_group_size(survey, at);
		fputs(at ? "," : "", out);
		print_group(out, survey, at, size);
	}
	fputs("]}\n", out);
}
