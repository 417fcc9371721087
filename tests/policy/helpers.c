/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helpers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_SIZE  (64UL << 20) /* address space; pages are taken as they are written to */
#define SOURCE_NAME "TEXT"

/* ---- parsing ---- */

struct parsed parse_bytes(const char *text, size_t length, enum parse_style style)
{
	struct parse_source source = {SOURCE_NAME, text, length, style};
	size_t room = parse_rules_most(&source);
	struct parsed parsed = {.error = 0};

	cr_assert_eq(arena_open(&parsed.arena, ARENA_SIZE), 0);
	parsed.rules.room = room;
	parsed.rules.list = arena_take(&parsed.arena, room, sizeof *parsed.rules.list);
	cr_assert_not_null(parsed.rules.list);
	parsed.error = parse_rules(&parsed.rules, &parsed.arena, &source, &parsed.complaint);
	return parsed;
}

struct parsed parse_variable(const char *text)
{
	return parse_bytes(text, strlen(text), PARSE_VARIABLE);
}

struct parsed parse_file(const char *text)
{
	return parse_bytes(text, strlen(text), PARSE_FILE);
}

const struct rule *parse_one(const char *text)
{
	struct parsed parsed = parse_variable(text);

	cr_assert_eq(parsed.error, 0, "\"%s\" is refused: %u:%u: %s", text, parsed.complaint.line,
		parsed.complaint.column, parsed.complaint.message);
	cr_assert_eq(parsed.rules.count, 1, "\"%s\" is not a single rule: %zu", text,
		parsed.rules.count);
	return parsed.rules.list;
}

void expect_refused_as(enum parse_style style, const char *text, size_t length, unsigned line,
	unsigned column, const char *message)
{
	struct parsed parsed = parse_bytes(text, length, style);
	const struct parse_error *complaint = &parsed.complaint;

	cr_assert_eq(parsed.error, -EINVAL, "\"%s\" is not refused: %d", text, parsed.error);
	cr_expect_str_eq(complaint->message, message, "\"%s\": \"%s\"", text, complaint->message);
	cr_expect_str_eq(complaint->source, SOURCE_NAME);
	cr_expect_eq(complaint->line, line, "\"%s\": in line %u", text, complaint->line);
	cr_expect_eq(complaint->column, column, "\"%s\": in column %u", text, complaint->column);
	arena_close(&parsed.arena);
}

void expect_refused(const char *text, unsigned line, unsigned column, const char *message)
{
	expect_refused_as(PARSE_VARIABLE, text, strlen(text), line, column, message);
	expect_refused_as(PARSE_FILE, text, strlen(text), line, column, message);
}

const char *complaint_of(const char *text, enum parse_style style, const char *prefix)
{
	static char buffer[4096];
	struct parsed parsed = parse_bytes(text, strlen(text), style);
	struct text out;

	cr_assert_eq(parsed.error, -EINVAL, "\"%s\" is not refused", text);
	text_start(&out, buffer, sizeof buffer);
	parse_error_print(&out, &parsed.complaint, prefix);
	cr_assert_not(out.truncated);
	return buffer;
}

/* ---- comparing ---- */

static struct text *next_text(void)
{
	static char buffers[4][8192];
	static struct text texts[4];
	static unsigned turn;
	unsigned at = turn++ % COUNT_OF(texts);

	text_start(&texts[at], buffers[at], sizeof buffers[at]);
	return &texts[at];
}

const char *print_rule(const struct rule *rule)
{
	struct text *text = next_text();

	rule_print(text, rule);
	cr_assert_not(text->truncated);
	return text->bytes;
}

const char *print_match(const struct rule *rule)
{
	struct text *text = next_text();

	rule_print_match(text, &rule->match);
	return text->bytes;
}

const char *print_actions(const struct rule *rule)
{
	struct text *text = next_text();

	rule_print_actions(text, &rule->actions);
	return text->bytes;
}

static bool addresses_equal(const struct address *a, const struct address *b)
{
	return a->high == b->high && a->low == b->low;
}

static bool matches_equal(const struct match *a, const struct match *b)
{
	bool are_equal = a->protocols == b->protocols && a->families == b->families &&
			 a->is_connect == b->is_connect && a->n_ports == b->n_ports &&
			 a->n_prefixes == b->n_prefixes && a->n_patterns == b->n_patterns;

	for (uint32_t i = 0; are_equal && i < a->n_ports; i++)
		are_equal = a->ports[i].first == b->ports[i].first &&
			    a->ports[i].last == b->ports[i].last;
	for (uint32_t i = 0; are_equal && i < a->n_prefixes; i++)
		are_equal = addresses_equal(&a->prefixes[i].address, &b->prefixes[i].address) &&
			    a->prefixes[i].length == b->prefixes[i].length &&
			    a->prefixes[i].is_ip4 == b->prefixes[i].is_ip4 &&
			    a->prefixes[i].scope_id == b->prefixes[i].scope_id;
	for (uint32_t i = 0; are_equal && i < a->n_patterns; i++)
		are_equal = a->patterns[i].length == b->patterns[i].length &&
			    memcmp(a->patterns[i].text, b->patterns[i].text,
				    a->patterns[i].length) == 0;
	return are_equal;
}

static bool targets_equal(const struct target *a, const struct target *b)
{
	return a->has_address == b->has_address && a->has_port == b->has_port &&
	       a->port == b->port && a->scope_id == b->scope_id &&
	       addresses_equal(&a->address, &b->address);
}

static bool settings_equal(const struct setting *a, const struct setting *b)
{
	return a->option == b->option && a->is_on == b->is_on && a->has_number == b->has_number &&
	       a->number == b->number && a->length == b->length &&
	       (a->length == 0 || memcmp(a->string, b->string, a->length) == 0);
}

static bool actions_equal(const struct actions *a, const struct actions *b)
{
	bool are_equal = a->share == b->share && a->exclusive == b->exclusive &&
			 a->deny == b->deny && a->pass == b->pass && a->early == b->early &&
			 a->once == b->once && a->keep == b->keep &&
			 a->has_backlog == b->has_backlog && a->deny_errno == b->deny_errno &&
			 a->backlog == b->backlog && a->has_steer == b->has_steer &&
			 a->steer.mode == b->steer.mode &&
			 a->steer.ip4_prefix == b->steer.ip4_prefix &&
			 a->steer.ip6_prefix == b->steer.ip6_prefix &&
			 targets_equal(&a->to, &b->to) && targets_equal(&a->from, &b->from) &&
			 !a->adopt == !b->adopt && a->n_settings == b->n_settings;

	if (are_equal && a->adopt)
		are_equal = strcmp(a->adopt, b->adopt) == 0;
	for (uint32_t i = 0; are_equal && i < a->n_settings; i++)
		are_equal = settings_equal(&a->settings[i], &b->settings[i]);
	return are_equal;
}

bool rules_equal(const struct rule *a, const struct rule *b)
{
	return matches_equal(&a->match, &b->match) && actions_equal(&a->actions, &b->actions);
}

/* ---- endpoints ---- */

struct endpoint endpoint_of(enum protocol protocol, const char *address, uint16_t port)
{
	struct endpoint endpoint = {.protocol = (uint8_t)protocol, .port = port};

	cr_assert_eq(address_parse_scoped(
			     &endpoint.address, &endpoint.scope_id, address, strlen(address)),
		0, "\"%s\" is not an address", address);
	endpoint.family = strchr(address, ':') ? FAMILY_IP6 : FAMILY_IP4;
	return endpoint;
}

/* ---- files ---- */

static char directory[PATH_MAX];

void enter_directory(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof directory, "%s/libreuse-test-XXXXXX",
		parent && *parent ? parent : "/tmp");
	cr_assert_not_null(mkdtemp(directory), "%s: %s", directory, strerror(errno));
	cr_assert_eq(chdir(directory), 0);
	umask(022);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void leave_directory(void)
{
	cr_assert_eq(chdir("/"), 0);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void leave_and_skip(const char *reason)
{
	leave_directory();
	fprintf(stderr, "[SKIP] %s\n", reason); /* Criterion says it only with --verbose */
	cr_skip_test("%s", reason);
}

void write_file(const char *path, const char *text, unsigned mode)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file, "%s: %s", path, strerror(errno));
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, mode), 0);
}

/* ---- random numbers ---- */

uint64_t dice_throw(struct dice *dice)
{
	uint64_t mixed = dice->state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
	return mixed ^ mixed >> 31;
}

unsigned dice_below(struct dice *dice, unsigned sides)
{
	return (unsigned)(dice_throw(dice) % sides);
}

/* ---- random rules ---- */

static const char *const addresses[] = {"0.0.0.0", "::", "::ffff:0.0.0.0", "127.0.0.1", "::1",
	"10.0.0.1", "10.0.0.2", "10.1.0.1", "10.128.0.1", "192.0.2.1", "::ffff:10.0.0.1", "fd00::1",
	"fd00::2", "fd00:0:0:1::1", "fe80::1", "fe80::1%1", "fe80::1%2", "2001:db8::1",
	"2001:db8:8000::1", "255.255.255.255"};
static const uint16_t ports[] = {0, 1, 2, 3, 7, 8, 79, 80, 81, 127, 128, 443, 1023, 1024, 4095,
	4096, 8000, 8080, 8999, 32767, 32768, 49151, 65534, 65535};

const char *random_address(struct dice *dice)
{
	return addresses[dice_below(dice, COUNT_OF(addresses))];
}

size_t random_match(struct dice *dice, char *text, size_t size)
{
	static const char *const protocols[] = {
		"", "", "tcp ", "udp ", "tcp udp ", "sctp ", "ip6 ", "tcp ip6 "};
	static const char *const lengths4[] = {"", "/0", "/1", "/8", "/15", "/31", "/32"};
	static const char *const lengths6[] = {"", "/0", "/1", "/8", "/63", "/64", "/65", "/95",
		"/96", "/97", "/104", "/127", "/128"};
	unsigned n_ports = dice_below(dice, 4), n_prefixes = dice_below(dice, 3);
	size_t length = 0;

#define ADD(...) length += (size_t)snprintf(text + length, size - length, __VA_ARGS__)
	ADD("%s%s", dice_below(dice, 3) == 0 ? "connect " : "",
		protocols[dice_below(dice, COUNT_OF(protocols))]);
	for (unsigned i = 0; i < n_ports; i++) {
		unsigned first = ports[dice_below(dice, COUNT_OF(ports))];
		unsigned last = ports[dice_below(dice, COUNT_OF(ports))];
		if (last < first || dice_below(dice, 2))
			last = first;
		ADD("%s%u-%u", i ? "," : "port=", first, last);
	}
	ADD("%s", n_ports ? " " : "");
	for (unsigned i = 0; i < n_prefixes; i++) {
		const char *address = random_address(dice);
		bool is_ip6 = strchr(address, ':') != NULL;
		bool is_scoped = strchr(address, '%') != NULL; /* not so wide */
		ADD("%s%s%s", i ? "," : "addr=", address,
			is_scoped ? lengths6[4 + dice_below(dice, COUNT_OF(lengths6) - 4)]
			: is_ip6  ? lengths6[dice_below(dice, COUNT_OF(lengths6))]
				  : lengths4[dice_below(dice, COUNT_OF(lengths4))]);
	}
	ADD("%s", n_prefixes ? " " : "");
	return length;
}

struct endpoint random_endpoint(struct dice *dice)
{
	static const enum protocol protocols[] = {
		PROTOCOL_UNKNOWN, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_OTHER};
	struct endpoint endpoint = endpoint_of(protocols[dice_below(dice, COUNT_OF(protocols))],
		random_address(dice), ports[dice_below(dice, COUNT_OF(ports))]);

	switch (dice_below(dice, 4)) {
	case 0:
		endpoint.port = (uint16_t)dice_below(dice, 65536);
		break;
	case 1:
		endpoint.port = (uint16_t)(1 + dice_below(dice, 9)); /* where targets are */
		break;
	default:
		break;
	}
	if (dice_below(dice, 4) == 0)
		endpoint.address.low ^= 1ULL << dice_below(dice, 32);
	return endpoint;
}
