/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "made_rules.h"

#include <stdio.h>
#include <string.h>

#define PORTS "tcp udp port="

static bool are_made(const struct command *command)
{
	return command->address || command->port || command->n_moves || command->steer;
}

bool made_rules_exist(const struct command *command)
{
	return command->n_rules || are_made(command);
}

/* Writes "share", and what else the built-in policy does. */
static void start_rule(FILE *out, const struct command *command, const char *ports)
{
	fprintf(out, PORTS "%s -> share", ports);
	if (command->steer)
		fprintf(out, " steer=%s", command->steer);
}

/* Writes " to=ADDRESS"; a port may follow. IPv6 addresses get brackets. */
static void print_target(FILE *out, const char *address)
{
	bool needs_brackets = address && strchr(address, ':') && *address != '[';

	fprintf(out, needs_brackets ? " to=[%s]" : " to=%s", address ? address : "");
}

static void print_moves(FILE *out, const struct command *command)
{
	for (unsigned i = 0; i < command->n_moves; i++) {
		const char *move = command->moves[i];
		char old[sizeof "65535" + 1];
		snprintf(old, sizeof old, "%.*s", (int)strcspn(move, ":"), move);
		start_rule(out, command, old);
		print_target(out, command->address);
		fprintf(out, "%s\n", strchr(move, ':'));
	}
}

static void print_rest(FILE *out, const struct command *command)
{
	start_rule(out, command, "1-65535");
	if (command->port) {
		print_target(out, command->address);
		fprintf(out, ":%u once", command->port);
	} else if (command->address) {
		print_target(out, command->address);
	}
	fputc('\n', out);
	if (!command->address)
		return;
	fputs("tcp udp sctp ->", out);
	print_target(out, command->address);
	fputc('\n', out);
}

char *made_rules_text(const struct command *command)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (unsigned i = 0; i < command->n_rules; i++)
		fprintf(out, "%s\n", command->rules[i]);
	if (are_made(command)) {
		print_moves(out, command);
		print_rest(out, command);
	}
	if (fclose(out) != 0)
		return NULL;
	if (size > 0)
		text[size - 1] = '\0'; /* the last line break, so that no empty line follows */
	return text;
}
