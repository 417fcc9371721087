/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "who.h"

#include "ground/errnos.h"
#include "ground/process.h"
#include "ground/sysctl.h"
#include "supervise/sockets/pinned_list.h"
#include "who_json.h"

#include <langinfo.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH	  80 /* of a terminal, in characters */
#define CELL_SIZE 48

/* So that a row fits, with a program name (15) twice, and a process id (7). */
#define PROCESS_WIDTH	  10
#define QUEUE_WIDTH	  12 /* after the bar */
#define CONNECTIONS_WIDTH 6

#define BAR_NARROW     1
#define BAR_WIDE       8
#define BYTES_PER_CELL 3 /* of a block character in UTF-8 */

/* ---- lines ---- */

/* Breaks a line that is too long after commas, and indents what follows. */
static void print_line(FILE *out, const char *line, int indent)
{
	int room = WIDTH;

	while (strlen(line) > (size_t)room) {
		int end = room;
		while (end > 1 && !(line[end - 1] == ' ' && line[end - 2] == ','))
			end--;
		if (end <= 1)
			break;
		fprintf(out, "%.*s\n%*s", end - 1, line, indent, "");
		line += end;
		room = WIDTH - indent;
	}
	fprintf(out, "%s\n", line);
}

/* ---- bars ---- */

/* Draws a bar of WIDTH cells in eighths of a cell; where there is nothing, it draws a line. */
static void print_bar(FILE *out, uint64_t value, uint64_t most, unsigned width)
{
	static const char *const blocks[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	uint64_t steps = 8 * (uint64_t)width;
	uint64_t filled = most == 0 ? 0 : value >= most ? steps : value * steps / most;
	unsigned whole = (unsigned)(filled / 8), part = (unsigned)(filled % 8);

	if (whole == 0 && part == 0)
		part = 1;
	for (unsigned i = 0; i < whole; i++)
		fputs(is_utf8 ? "█" : "#", out);
	if (part)
		fputs(is_utf8 ? blocks[part] : "|", out);
	fprintf(out, "%*s", (int)(width - whole - (part > 0)), "");
}

/* ---- cells ---- */

struct columns {
	bool is_watched;
	unsigned most_new; /* of all rows: this is a full bar */
	int64_t elapsed_ms;
	bool *hides_something; /* becomes true with the first "?" */
};

static double per_second(unsigned count, const struct columns *columns)
{
	return (double)count * 1000 / (double)columns->elapsed_ms;
}

static const char *unknown(const struct columns *columns)
{
	*columns->hides_something = true;
	return "?";
}

/* Whether it is a child of another process that has the socket. */
static bool is_forked(const struct listener *listener, size_t place)
{
	struct process process;

	if (!process_read(&process, listener->owners[place].process))
		return true;
	for (size_t i = 0; i < listener->n_processes; i++) {
		if (listener->owners[i].process == process.parent)
			return true;
	}
	return false;
}

static size_t count_forked(const struct listener *listener)
{
	size_t count = 0;

	for (size_t i = 1; i < listener->n_processes; i++)
		count += is_forked(listener, i);
	return count;
}

/* Prints the first of its processes, and how many forked ones there are. */
static void print_process(FILE *out, const struct listener *listener, const struct columns *columns)
{
	char number[CELL_SIZE] = "-", program[PROCFS_PROGRAM_SIZE] = "-";

	if (!listener->owners) {
		strcpy(number, unknown(columns));
		strcpy(program, number);
	} else if (listener->n_processes) {
		pid_t process = listener->owners[0].process;
		size_t others = count_forked(listener);
		int length = snprintf(number, sizeof number, "%d", (int)process);
		if (others)
			snprintf(number + length, sizeof number - (size_t)length, "+%zu", others);
		owners_program(process, program);
	}
	fprintf(out, "  %-*s  %-15s  ", PROCESS_WIDTH, number, program);
}

/* Processes that take from the same queue and were not forked from each other: see --queues. */
static void print_other_takers(FILE *out, const struct listener *listener)
{
	char program[PROCFS_PROGRAM_SIZE];

	for (size_t i = 1; i < listener->n_processes; i++) {
		pid_t process = listener->owners[i].process;
		if (is_forked(listener, i))
			continue;
		owners_program(process, program);
		fprintf(out, "  %-12d  %-15s  takes from the same queue\n", (int)process, program);
	}
}

static void print_queue(FILE *out, const struct table_entry *entry, const struct columns *columns)
{
	char cell[CELL_SIZE];

	if (entry->local.protocol == PROTOCOL_TCP) {
		print_bar(out, entry->queue, entry->queue_size,
			columns->is_watched ? BAR_WIDE : BAR_NARROW);
		snprintf(cell, sizeof cell, " %u/%u", entry->queue, entry->queue_size);
	} else {
		snprintf(cell, sizeof cell, "%*s %u bytes",
			columns->is_watched ? BAR_WIDE : BAR_NARROW, "", entry->queue);
	}
	fprintf(out, "%-*s  ", QUEUE_WIDTH, cell);
}

static void print_connections(
	FILE *out, const struct listener *listener, const struct columns *columns)
{
	char cell[CELL_SIZE] = "-";
	bool is_tcp = listener->entry.local.protocol == PROTOCOL_TCP;
	bool is_unserved = listener->owners && !listener->n_processes;

	if (listener->has_connections)
		snprintf(cell, sizeof cell, "%u", listener->connections);
	else if (is_tcp && !is_unserved)
		strcpy(cell, unknown(columns));
	fprintf(out, "%*s  ", CONNECTIONS_WIDTH, cell);
	if (!columns->is_watched)
		return;
	if (!listener->has_connections) {
		fprintf(out, "%-*s %5s  ", BAR_WIDE, "", cell);
		return;
	}
	print_bar(out, listener->new_connections, columns->most_new, BAR_WIDE);
	fprintf(out, " %5.0f  ", per_second(listener->new_connections, columns));
}

static void print_keeper(FILE *out, const struct survey *survey, const struct listener *listener,
	const struct columns *columns)
{
	char program[PROCFS_PROGRAM_SIZE];

	if (listener->n_owners == listener->n_processes) {
		fputs(survey->owners.hides_keeper ? unknown(columns) : "-", out);
		return;
	}
	pid_t keeper = listener->owners[listener->n_processes].process;
	owners_program(keeper, program);
	fprintf(out, "%s %d", program, (int)keeper);
}

static void print_row(FILE *out, const struct survey *survey, const struct listener *listener,
	const struct columns *columns)
{
	print_process(out, listener, columns);
	print_queue(out, &listener->entry, columns);
	print_connections(out, listener, columns);
	fprintf(out, "%-5s  ",
		listener->sharing == SHARING_ON	   ? "yes"
		: listener->sharing == SHARING_OFF ? "no"
						   : unknown(columns));
	print_keeper(out, survey, listener, columns);
	fputc('\n', out);
	print_other_takers(out, listener);
}

/* ---- groups ---- */

static void print_connections_of_group(
	FILE *out, const struct survey *survey, size_t at, const struct columns *columns)
{
	struct connection_counts counts = survey_group_connections(survey, at);

	fprintf(out, ", %u connections", counts.open);
	if (columns->is_watched)
		fprintf(out, ", %.0f new/s", per_second(counts.new, columns));
}

static void print_user(FILE *out, const struct listener *first)
{
	enum user_number number = listener_user_number(first);
	char bytes[ENDPOINT_TEXT_SIZE];

	diagnose_user_name(bytes, sizeof bytes, first->entry.user);
	if (number == USER_UNKNOWN)
		fputs(", a user without an ID here", out);
	else
		fprintf(out, ", user %s%s", bytes,
			number == USER_UNCLEAR ? " or one without an ID here" : "");
}

void who_print_endpoint(FILE *out, const struct endpoint *endpoint, uint32_t interface)
{
	char bytes[ENDPOINT_TEXT_SIZE], name[IF_NAMESIZE];
	struct endpoint plain = *endpoint;
	struct text text;

	plain.scope_id = 0;
	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, &plain);
	fputs(bytes, out);
	if (interface)
		fprintf(out, " on %s", if_indextoname(interface, name) ? name : "?");
}

static void print_group(FILE *out, const struct survey *survey, size_t at, size_t size,
	const struct columns *columns)
{
	const struct listener *first = &survey->listeners[at];
	const struct table_entry *entry = &first->entry;

	who_print_endpoint(out, &entry->local, entry->interface);
	if (entry->is_v6only && address_is_any(&entry->local.address))
		fputs(" (IPv6 only)", out);
	if (size > 1)
		fprintf(out, "   shared by %zu", size);
	else
		fputs(first->sharing == SHARING_ON	? "   alone, shared"
			: first->sharing == SHARING_OFF ? "   alone, not shared"
							: "   alone",
			out);
	print_user(out, first);
	if (entry->local.protocol == PROTOCOL_TCP)
		print_connections_of_group(out, survey, at, columns);
}

static void print_head(FILE *out, const struct survey *survey, size_t at, size_t size,
	const struct columns *columns)
{
	char *line = NULL;
	size_t length;
	FILE *head = open_memstream(&line, &length);

	if (!head)
		return;
	print_group(head, survey, at, size, columns);
	if (fclose(head) == 0)
		print_line(out, line, 4);
	free(line);
}

static void print_titles(FILE *out, const struct columns *columns)
{
	int bar = columns->is_watched ? BAR_WIDE : BAR_NARROW;

	fprintf(out, "  %-*s  %-15s  %-*s  %*s  ", PROCESS_WIDTH, "PID", "PROGRAM",
		bar + QUEUE_WIDTH, "QUEUE", CONNECTIONS_WIDTH, "CONNS");
	if (columns->is_watched)
		fprintf(out, "%-*s  ", BAR_WIDE + 6, "NEW/S");
	fputs("SHARE  KEPT BY\n", out);
}

/* The kernel shows no program, but a pinned one lists the groups for which it chooses. */
static void print_steering(FILE *out, const struct listener *first)
{
	struct pinned_list list;

	pinned_list_read(&list, first->entry.local.protocol);
	const struct pinned_member *member = pinned_list_find(&list, first->entry.inode);
	if (member)
		fprintf(out, "New connections are steered by steer=%s.\n", member->program);
	else
		fprintf(out, "The kernel does not tell how a group is steered.\n");
	pinned_list_free(&list);
}

/* Who else could join; for the kernel's own answer there is reuse-run --why. */
static void print_outlook(FILE *out, const struct listener *first, size_t size, uint16_t port)
{
	char user[CELL_SIZE] = "that user (the same user ID in the kernel)", line[4 * CELL_SIZE];

	if (listener_user_number(first) == USER_KNOWN)
		diagnose_user_name(user, sizeof user, first->entry.user);
	if (first->sharing == SHARING_ON)
		snprintf(line, sizeof line,
			"Another copy can join if it runs as %s, in this network namespace, and "
			"sets SO_REUSEPORT before bind (libreuse does).",
			user);
	else if (first->sharing == SHARING_OFF)
		snprintf(line, sizeof line,
			"No other copy can join: this one was opened without sharing. Start its "
			"program\nwith reuse-run too.");
	else
		snprintf(line, sizeof line,
			"To see whether another copy can join: reuse-run --why %u", port);
	print_line(out, line, 0);
	if (size > 1)
		print_steering(out, first);
}

static unsigned most_new(const struct survey *survey)
{
	unsigned most = 0;

	for (size_t i = 0; i < survey->count; i++) {
		if (survey->listeners[i].new_connections > most)
			most = survey->listeners[i].new_connections;
	}
	return most;
}

/* The size of the smallest groups that are larger than SIZE; 0 if there are none. */
static size_t next_size(const struct survey *survey, size_t size)
{
	size_t found = 0;

	for (size_t at = 0, here; at < survey->count; at += here) {
		here = survey_group_size(survey, at);
		if (here > size && (found == 0 || here < found))
			found = here;
	}
	return found;
}

static void print_table(FILE *out, const struct survey *survey, size_t at, size_t size,
	uint16_t port, const struct columns *columns)
{
	print_head(out, survey, at, size, columns);
	print_titles(out, columns);
	for (size_t i = at; i < at + size; i++)
		print_row(out, survey, &survey->listeners[i], columns);
	if (port)
		print_outlook(out, &survey->listeners[at], size, port);
}

/* Prints the groups of SIZE sockets (0: of any number). */
static void print_groups(FILE *out, const struct survey *survey, size_t size, uint16_t port,
	const struct columns *columns, const char **gap)
{
	for (size_t at = 0, here; at < survey->count; at += here) {
		here = survey_group_size(survey, at);
		if (size && here != size)
			continue;
		fputs(*gap, out);
		*gap = "\n";
		print_table(out, survey, at, here, port, columns);
	}
}

/* Groups of TCP come first. */
static void print_migration(FILE *out, const struct survey *survey)
{
	long migrates = sysctl_ipv4("tcp_migrate_req");

	if (migrates >= 0 && survey->count &&
		survey->listeners[0].entry.local.protocol == PROTOCOL_TCP)
		fprintf(out, "net.ipv4.tcp_migrate_req=%ld (see libreuse(7))\n", migrates);
}

void who_print(FILE *out, const struct survey *survey, uint16_t port, int64_t elapsed_ms)
{
	bool hides_something = false;
	const char *gap = "";
	const struct columns columns = {
		.is_watched = elapsed_ms > 0,
		.most_new = most_new(survey),
		.elapsed_ms = elapsed_ms,
		.hides_something = &hides_something,
	};

	/*
	 * On a terminal the end of a long text stays visible; a table that is drawn again keeps its
	 * order.
	 */
	if (columns.is_watched)
		print_groups(out, survey, 0, port, &columns, &gap);
	for (size_t size = 0; !columns.is_watched && (size = next_size(survey, size));)
		print_groups(out, survey, size, port, &columns, &gap);
	print_migration(out, survey);
	if (hides_something && geteuid() != 0)
		fputs("?: cannot be seen by this user; root sees it.\n", out);
	else if (hides_something)
		fputs("?: cannot be seen from here.\n", out);
}

int who(uint16_t port, bool is_json)
{
	struct survey survey;
	int error = survey_read(&survey, port, NULL);
	int status = error ? error : survey.count ? 0 : WHO_NOBODY;

	if (survey.udp_error)
		fprintf(stderr, "reuse-run: UDP sockets cannot be seen: %s\n",
			errno_name(-survey.udp_error));
	if (!error && is_json)
		who_json_print(stdout, &survey);
	else if (!error && survey.count)
		who_print(stdout, &survey, port, 0);
	else if (!error && port)
		fprintf(stderr, "reuse-run: nobody listens on port %u in this network namespace\n",
			port);
	survey_free(&survey);
	return status;
}
