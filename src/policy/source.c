/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source.h"

#include "ground/compare.h"
#include "parse.h"
#include "policy_file.h"
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#ifndef DEFAULT_POLICY_FILE
#define DEFAULT_POLICY_FILE "/etc/libreuse.conf"
#endif

#define BUILTIN_RULES  "tcp udp port=1-65535 -> share"
#define BUILTIN_NAME   "built-in policy"
#define MESSAGE_SIZE   1024
#define QUICK_RULES    2 /* the most that bindp's variables can make */
#define QUICK_SETTINGS 3

/*
 * Keeps buffers of PATH_MAX out of the caller's frame, where they would cost every process stack.
 */
#define LARGE_FRAME __attribute__((noinline))

/* The state while the configuration is put together; most of it ends up in the arena. */
struct loader {
	const struct variables *variables;
	struct configuration *configuration;
	struct arena arena;
	struct rules rules;
	const char *file_path; /* NULL: do not read a file */
	struct policy_file file;
	struct text broken, notice;
};

/* ---- how much memory ---- */

/* The most that one byte of a rule can need; this is address space, not memory. */
#define BYTES_PER_BYTE	64
#define BYTES_PER_INDEX (1024 * 1024)
#define BYTES_PER_FILED 1024 /* a rule in the three indexes; with more, none is built */

static size_t arena_size(size_t bytes, size_t rules)
{
	size_t size = 16 * 1024 + bytes * BYTES_PER_BYTE + rules * sizeof(struct rule);

	return rules > 8 ? size + BYTES_PER_INDEX + rules * BYTES_PER_FILED : size;
}

/* ---- small settings ---- */

/* A flag that is not set, is empty or is invalid has its default. */
static bool read_flag(struct loader *loader, enum variable variable, bool otherwise)
{
	const char *value = loader->variables->value[variable];
	bool is_on;

	if (!value || !*value)
		return otherwise;
	if (variable_flag(value, &is_on))
		return is_on;
	text_format(&loader->notice, "%s=%s is neither on nor off; it is treated as %s\n",
		variable_name(variable), value, otherwise ? "on" : "off");
	return otherwise;
}

static const char *keep_string(struct loader *loader, const char *string)
{
	char *copy = arena_take(&loader->arena, string_length(string) + 1, 1);

	return copy ? memcpy(copy, string, string_length(string) + 1) : NULL;
}

/*
 * reuse-run sets REUSE_EXPLAIN to the name of the socket that gets a message for each explanation.
 */
static const char *read_explain_socket(struct loader *loader)
{
	const char *value = loader->variables->value[VARIABLE_REUSE_EXPLAIN];

	return value && *value == '@' ? keep_string(loader, value) : NULL;
}

/* A relative path is meant from where the program starts; the program may change its directory. */
static LARGE_FRAME const char *keep_absolute(struct loader *loader, const char *path)
{
	char directory[PATH_MAX];

	if (path[0] == '/' || system_getcwd(directory, sizeof directory) < 0)
		return keep_string(loader, path);
	size_t size = string_length(directory) + string_length(path) + 2;
	char *absolute = arena_take(&loader->arena, size, 1);
	if (!absolute)
		return NULL;
	text_print(absolute, size, "%s/%s", directory, path);
	return absolute;
}

static struct log read_log(struct loader *loader)
{
	const char *value = loader->variables->value[VARIABLE_REUSE_LOG];
	enum log_level level = LOG_LEVEL_WARN;
	const char *path = NULL;

	if (value && *value) {
		size_t length = string_until(value, ':');
		if (!log_level_parse(value, length, &level))
			text_format(&loader->notice,
				"REUSE_LOG=%s does not start with a level (error, warn, info, "
				"debug); it is treated as warn\n",
				value);
		if (value[length] == ':' && value[length + 1])
			path = keep_absolute(loader, value + length + 1);
	}
	return log_open(level, path, loader->variables->value[VARIABLE_JOURNAL_STREAM]);
}

/* ---- bindp's variables ---- */

static const char *quick_value(const struct loader *loader, enum variable variable)
{
	const char *value = loader->variables->value[variable];

	return value && *value ? value : NULL;
}

static void quick_refuse(struct loader *loader, enum variable variable, const char *wanted)
{
	text_format(&loader->broken,
		"%s=%s is %s; if it belongs to the program itself, set REUSE_BINDP=off, and "
		"libreuse ignores it\n",
		variable_name(variable), quick_value(loader, variable), wanted);
}

static void quick_flag(
	struct loader *loader, enum variable variable, const char *option, struct actions *actions)
{
	const char *value = quick_value(loader, variable);
	struct setting *settings = (struct setting *)(uintptr_t)actions->settings;
	bool is_on;

	if (!value)
		return;
	if (!variable_flag(value, &is_on))
		quick_refuse(loader, variable, "neither 0 nor 1");
	else if (is_on)
		settings[actions->n_settings++] = (struct setting){
			.option = sockopt_find(option, string_length(option)),
			.is_on = true,
		};
}

static struct target quick_target(struct loader *loader)
{
	const char *address = quick_value(loader, VARIABLE_BIND_ADDR);
	const char *port = quick_value(loader, VARIABLE_BIND_PORT);
	struct target target = {.has_address = false}, part = target;

	if (address) {
		target.has_address = true;
		int error = address_parse_scoped(
			&target.address, &target.scope_id, address, string_length(address));
		if (error)
			quick_refuse(loader, VARIABLE_BIND_ADDR,
				error == -ENODEV
					? "on a network interface that cannot be found here"
					: "not an IPv4 or IPv6 address");
	}
	if (port) {
		char bytes[16];
		struct text with_colon;
		text_start(&with_colon, bytes, sizeof bytes);
		text_format(&with_colon, ":%s", port);
		target.has_port = true;
		if (with_colon.truncated || parse_target(&part, bytes, with_colon.length))
			quick_refuse(loader, VARIABLE_BIND_PORT, "not a port from 1 to 65535");
		target.port = part.port;
	}
	return target;
}

/* The variable to name in messages about all of them: a target's, or the first. */
static const char *quick_source(const struct loader *loader)
{
	static const enum variable order[] = {VARIABLE_BIND_ADDR, VARIABLE_BIND_PORT,
		VARIABLE_REUSE_ADDR, VARIABLE_REUSE_PORT, VARIABLE_IP_TRANSPARENT};
	size_t i = 0;

	while (i + 1 < sizeof order / sizeof *order && !quick_value(loader, order[i]))
		i++;
	return variable_name(order[i]);
}

/* Makes the rules that do what bindp does: one for bind(), and with a target one for connect(). */
static int add_quick_rules(struct loader *loader)
{
	struct setting *settings = arena_take(&loader->arena, QUICK_SETTINGS, sizeof *settings);
	struct actions actions = {.settings = settings};

	if (!settings)
		return -ENOMEM;
	quick_flag(loader, VARIABLE_REUSE_ADDR, "reuseaddr", &actions);
	quick_flag(loader, VARIABLE_REUSE_PORT, "reuseport", &actions);
	quick_flag(loader, VARIABLE_IP_TRANSPARENT, "transparent", &actions);
	struct target target = quick_target(loader);
	struct rule rule = {.match.families = FAMILY_ANY, .source = quick_source(loader)};
	bool is_targeted = target.has_address || target.has_port;
	if (is_targeted || actions.n_settings > 0) {
		rule.actions = actions;
		rule.actions.to = target;
		rule.actions.once = target.has_port;
		loader->rules.list[loader->rules.count++] = rule;
	}
	if (is_targeted) {
		rule.match.is_connect = true;
		rule.actions = actions;
		rule.actions.from = target;
		rule.actions.is_wish = target.has_port;
		loader->rules.list[loader->rules.count++] = rule;
	}
	return 0;
}

static bool has_quick_variables(struct loader *loader)
{
	if (!read_flag(loader, VARIABLE_REUSE_BINDP, true))
		return false;
	for (enum variable at = VARIABLE_REUSE_ADDR; at <= VARIABLE_IP_TRANSPARENT; at++) {
		if (quick_value(loader, at))
			return true;
	}
	return false;
}

/* ---- rules ---- */

static int add_rules(struct loader *loader, const struct parse_source *source)
{
	struct parse_error error;
	int failure = parse_rules(&loader->rules, &loader->arena, source, &error);

	if (failure == -EINVAL)
		parse_error_print(&loader->broken, &error, "");
	return failure == -ENOMEM ? -ENOMEM : 0;
}

/* Leaves out the rules for other programs. */
static LARGE_FRAME void select_rules(struct loader *loader)
{
	struct program_names names;
	struct program program = {NULL, NULL};
	size_t kept = 0;

	for (size_t i = 0; i < loader->rules.count; i++) {
		const struct rule *rule = &loader->rules.list[i];
		if (rule->match.n_patterns && !program.executable && !program.invoked)
			program = program_self(&names);
		if (!rule_is_for(rule, &program))
			continue;
		if (kept < i)
			loader->rules.list[kept] = *rule;
		kept++;
	}
	loader->rules.count = kept;
}

/* With REUSE_KEEP, what is shared is kept. */
static void keep_shared(struct loader *loader)
{
	for (size_t i = 0; i < loader->rules.count; i++) {
		struct rule *rule = &loader->rules.list[i];
		if (!rule->match.is_connect && rule_shares(rule))
			rule->actions.keep = true;
	}
}

static int gather_rules(struct loader *loader, const struct parse_source *sources, size_t n_sources,
	enum source_scope scope)
{
	struct policy *policy = &loader->configuration->policy;
	bool is_keeping = read_flag(loader, VARIABLE_REUSE_KEEP, false);
	int error = 0;

	for (size_t i = 0; !error && i < n_sources; i++)
		error = add_rules(loader, &sources[i]);
	if (!error && loader->rules.count == 0 && loader->broken.length == 0) {
		static const struct parse_source builtin = {
			BUILTIN_NAME, BUILTIN_RULES, sizeof BUILTIN_RULES - 1, PARSE_VARIABLE};
		bool has_quick = has_quick_variables(loader);
		policy->is_builtin = !has_quick && !is_keeping;
		error = !has_quick ? add_rules(loader, &builtin) : add_quick_rules(loader);
		if (!has_quick && !error)
			loader->rules.list[0].line = 0;
	}
	if (!error && is_keeping)
		keep_shared(loader);
	if (!error && scope == SOURCE_THIS_PROGRAM)
		select_rules(loader);
	return error;
}

/* ---- putting it together ---- */

static LARGE_FRAME void open_file(struct loader *loader)
{
	const char *path = loader->variables->value[VARIABLE_REUSE_CONFIG];
	bool is_default = path == NULL;
	char complaint_bytes[MESSAGE_SIZE / 2];
	struct text complaint;

	if (path && !*path)
		return;
	text_start(&complaint, complaint_bytes, sizeof complaint_bytes);
	loader->file_path = is_default ? DEFAULT_POLICY_FILE : path;
	int error = policy_file_read(&loader->file, loader->file_path, is_default, &complaint);
	if (error && !(is_default && error == -ENOENT))
		text_format(&loader->broken, "policy file %s: %s\n", loader->file_path,
			error == -ENOENT ? "no such file" : complaint.bytes);
}

static size_t list_sources(const struct loader *loader, struct parse_source sources[2])
{
	const char *rules = loader->variables->value[VARIABLE_REUSE_RULES];
	size_t count = 0;

	if (rules)
		sources[count++] = (struct parse_source){variable_name(VARIABLE_REUSE_RULES), rules,
			string_length(rules), PARSE_VARIABLE};
	if (loader->file.bytes)
		sources[count++] = (struct parse_source){
			loader->file_path, loader->file.bytes, loader->file.length, PARSE_FILE};
	return count;
}

static int fill(struct loader *loader, enum source_scope scope)
{
	struct parse_source sources[2];
	size_t n_sources = list_sources(loader, sources);
	size_t bytes = 0, room = QUICK_RULES;

	for (size_t i = 0; i < n_sources; i++) {
		bytes += sources[i].length;
		room += parse_rules_most(&sources[i]);
	}
	int error = arena_open(&loader->arena, arena_size(bytes, room));
	if (error)
		return error;
	loader->configuration = arena_take(&loader->arena, 1, sizeof *loader->configuration);
	loader->rules = (struct rules){
		.list = arena_take(&loader->arena, room, sizeof(struct rule)),
		.room = room,
	};
	if (!loader->configuration || !loader->rules.list)
		return -ENOMEM;
	if (loader->file.bytes) {
		struct parse_source *file = &sources[n_sources - 1];
		file->name = keep_string(loader, loader->file_path);
		if (!file->name)
			return -ENOMEM;
	}
	return gather_rules(loader, sources, n_sources, scope);
}

static int finish(struct loader *loader)
{
	struct configuration *configuration = loader->configuration;
	struct policy *policy = &configuration->policy;

	policy->is_strict = read_flag(loader, VARIABLE_REUSE_STRICT, false);
	const char *explain_socket = read_explain_socket(loader);
	policy->is_explained = explain_socket || read_flag(loader, VARIABLE_REUSE_EXPLAIN, false);
	configuration->is_inherited = read_flag(loader, VARIABLE_REUSE_INHERIT, true);
	configuration->is_supervised = quick_value(loader, VARIABLE_REUSE_WORKER) != NULL;
	configuration->log = read_log(loader);
	configuration->log.explain_socket = explain_socket;
	if (loader->broken.length > 0)
		policy->broken = keep_string(loader, loader->broken.bytes);
	if (loader->notice.length > 0)
		policy->notice = keep_string(loader, loader->notice.bytes);
	if (loader->broken.length > 0 && !policy->broken)
		return -ENOMEM;
	policy_make(policy, &loader->arena, loader->rules.list, loader->rules.count);
	return 0;
}

/* Used when there is not even memory for a message about it. */
static struct configuration without_memory = {
	.policy.is_special = true,
	.policy.has_listen = true,
	.policy.has_connect = true,
	.policy.broken = "not enough memory for the policy; see setrlimit(2)\n",
	.is_inherited = true,
};

/* Threads that come here at the same time write the same values. */
static const struct configuration *fail_without_memory(void)
{
	without_memory.log = log_open(LOG_LEVEL_WARN, NULL, NULL);
	return &without_memory;
}

const struct configuration *source_load(const struct variables *variables, enum source_scope scope)
{
	char broken_bytes[MESSAGE_SIZE], notice_bytes[MESSAGE_SIZE / 2];
	struct loader loader = {.variables = variables};
	int saved_errno = errno;

	text_start(&loader.broken, broken_bytes, sizeof broken_bytes);
	text_start(&loader.notice, notice_bytes, sizeof notice_bytes);
	open_file(&loader);
	int error = fill(&loader, scope);
	if (!error)
		error = finish(&loader);
	policy_file_drop(&loader.file);
	errno = saved_errno;
	if (error) {
		arena_close(&loader.arena);
		return fail_without_memory();
	}
	struct configuration *configuration = loader.configuration;
	configuration->arena = loader.arena;
	arena_seal(&configuration->arena);
	return configuration;
}

void source_drop(const struct configuration *configuration)
{
	struct arena arena = configuration->arena;

	arena_close(&arena);
}
