/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status_print.h"

#include "ground/json.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* ---- the options ---- */

/* Quotes a word as for a shell. */
static void print_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_=+:,./@%";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\'", out);
		fputc(*word == '\n' ? ' ' : *word, out);
	}
	fputc('\'', out);
}

/* How many words come before the program. */
static size_t count_options(const struct options *options)
{
	size_t count = 0;

	while (options->words && options->words + count < options->command)
		count++;
	return count && strcmp(options->words[count - 1], "--") == 0 ? count - 1 : count;
}

static void print_json_words(FILE *out, char *const *words, size_t count)
{
	for (size_t i = 0; i < count && words[i]; i++) {
		fputs(i ? "," : "[", out);
		json_print_string(out, words[i]);
	}
	fputs(count && words[0] ? "]" : "[]", out);
}

/* ---- for people ---- */

/* "3h 12m": the two largest units. */
static void format_age(char *bytes, size_t size, int64_t age_ms)
{
	int64_t seconds = age_ms / 1000;

	if (seconds < 60)
		snprintf(bytes, size, "%" PRId64 "s", seconds);
	else if (seconds < 3600)
		snprintf(bytes, size, "%" PRId64 "m %" PRId64 "s", seconds / 60, seconds % 60);
	else if (seconds < 24 * 3600)
		snprintf(bytes, size, "%" PRId64 "h %" PRId64 "m", seconds / 3600,
			seconds / 60 % 60);
	else
		snprintf(bytes, size, "%" PRId64 "d %" PRId64 "h", seconds / (24 * 3600),
			seconds / 3600 % 24);
}

static void print_queue(FILE *out, const struct options *options, unsigned slot)
{
	if (options->n_queues)
		fprintf(out, "  %-5u", slot % options->n_queues);
}

static void print_row(FILE *out, const struct options *options, const struct status_row *row)
{
	char process[16] = "-", age[48] = "-", connections[16] = "-", memory[32] = "-";

	if (row->process) {
		snprintf(process, sizeof process, "%d", (int)row->process);
		format_age(age, sizeof age, row->age_ms);
		strcpy(connections, "?");
		strcpy(memory, "?");
	}
	if (row->process && row->usage.has_connections)
		snprintf(connections, sizeof connections, "%u", row->usage.connections);
	if (row->process && row->usage.has_memory)
		snprintf(memory, sizeof memory, "%.1f MiB",
			(double)row->usage.memory_bytes / (1024 * 1024));
	fprintf(out, "  %-4u", row->slot);
	print_queue(out, options, row->slot);
	fprintf(out, "  %-8s %-19s %10u  %-8s  %8u  %11s  %11s  %s\n", process, row->state,
		row->generation, age, row->restarts, connections, memory,
		row->last_end ? row->last_end : "-");
}

void status_print(FILE *out, const struct status *status, bool has_copies)
{
	fprintf(out, "supervisor %d, libreuse %s: %s, %u of %u copies are ready, generation %u\n",
		(int)getpid(), LIBREUSE_VERSION, status->state, status->n_ready, status->n_slots,
		status->generation);
	fputs("  reuse-run", out);
	for (char *const *word = status->options->words; word && *word; word++) {
		fputc(' ', out);
		print_word(out, *word);
	}
	fputc('\n', out);
	if (status->roll_failure)
		fprintf(out, "  the last roll failed, and %u of %u copies are new: %s\n",
			status->n_new, status->n_slots, status->roll_failure);
	if (!has_copies)
		return;
	fprintf(out, "  COPY%s  %-8s %-19s %10s  %-8s  %8s  %11s  %11s  %s\n",
		status->options->n_queues ? "  QUEUE" : "", "PROCESS", "STATE", "GENERATION", "AGE",
		"RESTARTS", "CONNECTIONS", "MEMORY", "LAST END");
	for (size_t i = 0; i < status->n_rows; i++)
		print_row(out, status->options, &status->rows[i]);
}

/* ---- for programs ---- */

static void print_json_number(FILE *out, const char *name, bool is_known, uint64_t number)
{
	fprintf(out, ",\"%s\":", name);
	if (is_known)
		fprintf(out, "%" PRIu64, number);
	else
		fputs("null", out);
}

static void print_json_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	if (text)
		json_print_string(out, text);
	else
		fputs("null", out);
}

static void print_json_row(FILE *out, const struct options *options, const struct status_row *row)
{
	bool has_process = row->process > 0, is_shared = options->n_queues > 0;

	fprintf(out, "{\"copy\":%u", row->slot);
	print_json_number(out, "process", has_process, (uint64_t)row->process);
	print_json_text(out, "state", row->state);
	print_json_number(out, "generation", true, row->generation);
	print_json_number(out, "age_ms", has_process, (uint64_t)row->age_ms);
	print_json_number(out, "queue", is_shared, is_shared ? row->slot % options->n_queues : 0);
	print_json_number(out, "restarts", true, row->restarts);
	print_json_text(out, "last_end", row->last_end);
	print_json_number(out, "connections", has_process && row->usage.has_connections,
		row->usage.connections);
	print_json_number(
		out, "memory", has_process && row->usage.has_memory, row->usage.memory_bytes);
	fputc('}', out);
}

void status_print_json(FILE *out, const struct status *status)
{
	const struct options *options = status->options;

	fprintf(out, "{\"process\":%d,\"version\":\"%s\"", (int)getpid(), LIBREUSE_VERSION);
	print_json_text(out, "state", status->state);
	fputs(",\"options\":", out);
	print_json_words(out, options->words, count_options(options));
	fputs(",\"command\":", out);
	print_json_words(out, options->command, SIZE_MAX);
	print_json_number(out, "generation", true, status->generation);
	print_json_number(out, "wanted", true, status->n_slots);
	print_json_number(out, "ready", true, status->n_ready);
	print_json_number(out, "new", true, status->n_new);
	print_json_text(out, "roll_failure", status->roll_failure);
	fputs(",\"copies\":[", out);
	for (size_t i = 0; i < status->n_rows; i++) {
		fputs(i ? ",\n" : "\n", out);
		print_json_row(out, options, &status->rows[i]);
	}
	fputs("]}\n", out);
}
