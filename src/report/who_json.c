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
	struct text text;

	if (number == USER_UNKNOWN) {
		fputs("\"user\":{\"id\":null,\"name\":null,\"has_number\":false}", out);
		return;
	}
	text_start(&text, bytes, sizeof bytes);
	diagnose_print_user(&text, user);
	fprintf(out, "\"user\":{\"id\":%u,\"name\":", (unsigned)user);
	json_print_string(out, bytes);
	fprintf(out, ",\"has_number\":%s}", number == USER_KNOWN ? "true" : "null");
}

static void print_owners(FILE *out, const struct owner *owners, size_t count)
{
	fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		char program[PROCFS_PROGRAM_SIZE];
		owners_program(owners[i].process, program);
		fprintf(out, "%s{\"pid\":%d,\"program\":", i ? "," : "", (int)owners[i].process);
		json_print_string(out, program);
		fputc('}', out);
	}
	fputc(']', out);
}

static void print_socket(FILE *out, const struct survey *survey, const struct listener *listener)
{
	const struct table_entry *entry = &listener->entry;
	size_t n_keepers = listener->n_owners - listener->n_processes;

	fprintf(out, "{\"inode\":%u,\"queue\":%u,\"queue_size\":", entry->inode, entry->queue);
	if (entry->local.protocol == PROTOCOL_TCP)
		fprintf(out, "%u", entry->queue_size);
	else
		fputs("null", out);
	fputs(",\"connections\":", out);
	if (listener->has_connections)
		fprintf(out, "%u", listener->connections);
	else
		fputs("null", out);
	fprintf(out, ",\"share\":%s,\"processes\":",
		listener->sharing == SHARING_ON	   ? "true"
		: listener->sharing == SHARING_OFF ? "false"
						   : "null");
	if (listener->owners)
		print_owners(out, listener->owners, listener->n_processes);
	else
		fputs("null", out);
	fputs(",\"kept_by\":", out);
	if (n_keepers || !survey->owners.hides_keeper)
		print_owners(out, listener->owners + listener->n_processes, n_keepers);
	else
		fputs("null", out);
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
	if (entry->interface && if_indextoname(entry->interface, device))
		json_print_string(out, device);
	else
		fputs("null", out);
	fputc(',', out);
	print_user(out, &survey->listeners[at]);
	fputs(",\"connections\":", out);
	if (is_tcp)
		fprintf(out, "%u", survey_group_connections(survey, at).open);
	else
		fputs("null", out);
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
