/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A compiled policy decides in the kernel as policy_decide() does. */
#include "decide.skel.h"
#include "helpers.h"
#include "hook.skel.h"
#include "kernel/cgroup.h"
#include "kernel/compile.h"
#include "kernel/pin.h"
#include "kernel/policy_map.h"
#include "kernel/unsupported.h"
#include "policy/policy.h"
#include "question.h"

#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES_MOST 12

static bool is_long(void)
{
	const char *value = getenv("LIBREUSE_LONG");

	return value && strcmp(value, "1") == 0;
}

static void skip(const char *why)
{
	if (getenv("LIBREUSE_NO_SKIP"))
		cr_assert_fail("%s", why);
	fprintf(stderr, "[SKIP] %s\n", why); /* Criterion says it only with --verbose */
	cr_skip_test("%s", why);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip("it needs root to load programs for the kernel");
}

/* ---- random policies, of rules that the hook can keep ---- */

static size_t random_actions(struct dice *dice, bool is_connect, char *text, size_t size)
{
	static const char *const for_connect[] = {"deny=EPERM", "pass", "from=10.0.0.9", "mark=3"};
	static const char *const for_bind[] = {"deny", "share", "exclusive", "pass", "to=10.0.0.9",
		"to=[fd00::9]", "share nodelay"};
	const char *actions = is_connect ? for_connect[dice_below(dice, COUNT_OF(for_connect))]
					 : for_bind[dice_below(dice, COUNT_OF(for_bind))];

	return (size_t)snprintf(text, size, "%s", actions);
}

static bool is_kept(const char *text)
{
	struct parsed parsed = parse_variable(text);
	char bytes[RULE_TEXT_SIZE];
	struct text why;

	text_start(&why, bytes, sizeof bytes);
	if (!parsed.error)
		unsupported_print(&why, parsed.rules.list);
	bool is_good = !parsed.error && why.length == 0;
	arena_close(&parsed.arena);
	return is_good;
}

static struct parsed random_policy(struct dice *dice, struct policy *policy)
{
	unsigned count = dice_below(dice, RULES_MOST + 1);
	static char text[RULES_MOST * 256];
	size_t length = 0;

	while (count > 0) {
		char *rule = text + length;
		size_t size = sizeof text - length;
		size_t end = random_match(dice, rule, size);
		bool is_connect = strncmp(rule, "connect", 7) == 0;
		end += random_actions(dice, is_connect, rule + end, size - end);
		if (!is_kept(rule))
			continue;
		length += end + (size_t)snprintf(rule + end, size - end, "\n");
		count--;
	}
	struct parsed parsed = parse_bytes(text, length, PARSE_FILE);
	*policy = (struct policy){.rules = NULL};
	policy_make(policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	return parsed;
}

/* Of a kind of socket that the hook sees. */
static struct endpoint random_seen_endpoint(struct dice *dice)
{
	static const enum protocol protocols[] = {PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_OTHER};
	struct endpoint endpoint = random_endpoint(dice);

	endpoint.scope_id = 0;
	endpoint.protocol = (uint8_t)protocols[dice_below(dice, COUNT_OF(protocols))];
	if (address_is_ip4(&endpoint.address) && dice_below(dice, 2))
		endpoint.family = FAMILY_IP6;
	return endpoint;
}

static uint32_t expected_rule(
	const struct policy *policy, enum view view, const struct endpoint *endpoint)
{
	const struct rule *rule = policy_decide(policy, view, endpoint);

	return rule ? (uint32_t)(rule - policy->rules) : ROW_NONE;
}

static int use(const struct policy *policy, int policies)
{
	struct compiled compiled;

	cr_assert_eq(compile(&compiled, policy), 0);
	int map = policy_map_make(&compiled);
	cr_assert(map >= 0, "%s", strerror(-map));
	cr_assert_eq(policy_map_use(policies, map), 0);
	compiled_free(&compiled);
	return map;
}

static const char *in_words(const struct policy *policy, uint32_t rule)
{
	return rule < policy->count ? print_rule(&policy->rules[rule]) : "none";
}

/* ---- asking the code alone ---- */

static uint32_t ask(int program, enum view view, const struct endpoint *endpoint)
{
	struct question question = {
		.high = endpoint->address.high,
		.low = endpoint->address.low,
		.kind = compile_kind(endpoint),
		.port = endpoint->port,
		.view = view == VIEW_BIND ? ROW_BIND : ROW_CONNECT,
	};
	/* the answer comes back in the question */
	LIBBPF_OPTS(
		bpf_test_run_opts, options, .ctx_in = &question, .ctx_size_in = sizeof question);

	cr_assert_eq(bpf_prog_test_run_opts(program, &options), 0, "%s", strerror(errno));
	cr_assert_eq(options.retval, 0);
	return question.rule;
}

static void expect_answers(int program, const struct policy *policy, struct dice *dice)
{
	for (unsigned i = 0; i < 40; i++) {
		struct endpoint endpoint = random_seen_endpoint(dice);
		enum view view = i % 2 ? VIEW_CONNECT : VIEW_BIND;
		uint32_t rule = ask(program, view, &endpoint);
		uint32_t expected = expected_rule(policy, view, &endpoint);
		char bytes[ENDPOINT_TEXT_SIZE];
		struct text text;
		text_start(&text, bytes, sizeof bytes);
		endpoint_print(&text, &endpoint);
		cr_assert_eq(rule, expected, "%s: %s, not %s", bytes, in_words(policy, rule),
			in_words(policy, expected));
	}
}

Test(kernel_decide, random_policies_decide_as_the_library_does)
{
	struct dice dice = {2};

	need_root();
	struct decide_bpf *decide = decide_bpf__open_and_load();
	cr_assert_not_null(decide, "%s", strerror(errno));
	for (unsigned i = 0; i < (is_long() ? 2000 : 500); i++) {
		struct policy policy;
		struct parsed parsed = random_policy(&dice, &policy);
		close(use(&policy, bpf_map__fd(decide->maps.policies)));
		expect_answers(bpf_program__fd(decide->progs.ask), &policy, &dice);
		arena_close(&parsed.arena);
	}
	decide_bpf__destroy(decide);
}

/* Many rules, and prefixes each within the one before it. */
Test(kernel_decide, ten_thousand_rules_and_nested_prefixes_are_found)
{
	char *text = malloc(10200 * 64), *at = text;
	struct policy policy = {.rules = NULL};
	struct dice dice = {3};

	need_root();
	struct decide_bpf *decide = decide_bpf__open_and_load();
	cr_assert_not_null(decide, "%s", strerror(errno));
	for (int length = 128; length > 0; length--)
		at += sprintf(at, "port=%d addr=2001:db8::1/%d share\n", 60000 + length, length);
	for (int i = 0; i < 10000; i++)
		at += sprintf(
			at, "tcp port=%d addr=10.0.%d.%d share\n", 1000 + i, i / 250, i % 250);
	struct parsed parsed = parse_file(text);
	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	close(use(&policy, bpf_map__fd(decide->maps.policies)));
	for (int i = 0; i < 20000; i++) {
		struct endpoint endpoint = i % 2 ? endpoint_of(PROTOCOL_UDP, "2001:db8::1", 0)
						 : endpoint_of(PROTOCOL_TCP, "10.0.0.0", 0);
		unsigned number = dice_below(&dice, 10000);
		endpoint.port = (uint16_t)(i % 2 ? 60000 + number % 130 : 1000 + number);
		if (i % 2 == 0)
			endpoint.address.low += (number / 250) << 8 | number % 250;
		cr_assert_eq(ask(bpf_program__fd(decide->progs.ask), VIEW_BIND, &endpoint),
			expected_rule(&policy, VIEW_BIND, &endpoint));
	}
	decide_bpf__destroy(decide);
}

/* ---- real calls ---- */

static char cgroup[PATH_MAX + 64];

static void enter_cgroup(const char *path)
{
	char file[PATH_MAX + 96];
	snprintf(file, sizeof file, "%s/cgroup.procs", path);
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, "0", 1) == 1, "%s: %s", file, strerror(errno));
	close(fd);
}

static void leave_cgroup(void)
{
	char mount[PATH_MAX];

	if (!cgroup[0] || cgroup_mount(mount) < 0)
		return;
	enter_cgroup(mount);
	rmdir(cgroup);
}

/* A network of our own, so that no packet goes anywhere, and a cgroup with the programs. */
static struct hook_bpf *attach_hook(void)
{
	char mount[PATH_MAX];
	uint64_t id;

	need_root();
	if (cgroup_mount(mount) < 0)
		skip("there is no cgroup2");
	if (unshare(CLONE_NEWNET) < 0)
		skip("no network namespace can be made");
	snprintf(cgroup, sizeof cgroup, "%s/libreuse-test-%d", mount, (int)getpid());
	cr_assert_eq(mkdir(cgroup, 0755), 0, "%s: %s", cgroup, strerror(errno));
	struct hook_bpf *hook = hook_bpf__open_and_load();
	cr_assert_not_null(hook, "%s", strerror(errno));
	int fd = cgroup_open(cgroup, &id);
	for (size_t i = 0; i < PIN_PROGRAMS; i++) {
		const char *name = pin_programs[i].function;
		struct bpf_program *program = bpf_object__find_program_by_name(hook->obj, name);
		cr_assert_not_null(bpf_program__attach_cgroup(program, fd), "%s", name);
	}
	close(fd);
	enter_cgroup(cgroup);
	return hook;
}

/* The rule that has seen a call, by the counters; ROW_NONE for none. */
static uint32_t rule_that_has_seen(int map, uint32_t n_rules)
{
	union row head, counts;
	uint32_t zero = 0, found = ROW_NONE;

	cr_assert_eq(bpf_map_lookup_elem(map, &zero, &head), 0);
	for (uint32_t i = 0; i < n_rules; i++) {
		uint32_t at = head.head.rules + i * ROWS_PER_RULE + 1;
		cr_assert_eq(bpf_map_lookup_elem(map, &at, &counts), 0);
		if (counts.counts.seen == 0)
			continue;
		cr_assert(found == ROW_NONE && counts.counts.seen == 1);
		found = i;
		counts.counts.seen = 0;
		cr_assert_eq(bpf_map_update_elem(map, &at, &counts, BPF_EXIST), 0);
	}
	return found;
}

static void call(enum view view, const struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(endpoint, &address);
	int type = endpoint->protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int protocol = endpoint->protocol == PROTOCOL_OTHER ? IPPROTO_UDPLITE : 0;
	int fd = socket(endpoint->family == FAMILY_IP4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK,
		protocol);

	cr_assert(fd >= 0, "%s", strerror(errno));
	if (view == VIEW_BIND)
		bind(fd, (struct sockaddr *)&address, length);
	else
		connect(fd, (struct sockaddr *)&address, length);
	close(fd);
}

static void expect_calls(int map, const struct policy *policy, struct dice *dice)
{
	for (unsigned i = 0; i < 20; i++) {
		struct endpoint endpoint = random_seen_endpoint(dice);
		/* of UDP-Lite, the kernel shows bind() alone */
		bool is_connect = i % 2 && endpoint.protocol != PROTOCOL_OTHER;
		enum view view = is_connect ? VIEW_CONNECT : VIEW_BIND;
		call(view, &endpoint);
		uint32_t rule = rule_that_has_seen(map, (uint32_t)policy->count);
		uint32_t expected = expected_rule(policy, view, &endpoint);
		char bytes[ENDPOINT_TEXT_SIZE];
		struct text text;
		text_start(&text, bytes, sizeof bytes);
		endpoint_print(&text, &endpoint);
		cr_assert_eq(rule, expected, "%s %s: %s, not %s",
			view == VIEW_BIND ? "bind" : "connect", bytes, in_words(policy, rule),
			in_words(policy, expected));
	}
}

Test(kernel_decide, real_calls_are_decided_as_the_library_would, .fini = leave_cgroup)
{
	struct dice dice = {4};
	unsigned count = is_long() ? 2000 : 200;
	struct hook_bpf *hook = attach_hook();

	for (unsigned i = 0; i < count; i++) {
		struct policy policy;
		struct parsed parsed = random_policy(&dice, &policy);
		int map = use(&policy, bpf_map__fd(hook->maps.policies));
		expect_calls(map, &policy, &dice);
		close(map);
		arena_close(&parsed.arena);
	}
}

/* ---- options ---- */

/* Whether the kernel lets a program set the option, by whether a strict policy lets bind() work. */
static int bind_with(struct hook_bpf *hook, const char *rule, enum protocol protocol)
{
	struct parsed parsed = parse_variable(rule);
	struct policy policy = {.is_strict = true};
	struct sockaddr_in address = {.sin_family = AF_INET};

	cr_assert_eq(parsed.error, 0, "%s: %s", rule, parsed.complaint.message);
	policy_make(&policy, &parsed.arena, parsed.rules.list, parsed.rules.count);
	close(use(&policy, bpf_map__fd(hook->maps.policies)));
	int fd = socket(AF_INET, protocol == PROTOCOL_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
	int error = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
	close(fd);
	arena_close(&parsed.arena);
	return error;
}

static const char *value_of(const struct sockopt *option)
{
	return strcmp(option->name, "device") == 0	 ? "=lo"
	       : strcmp(option->name, "congestion") == 0 ? "=reno"
	       : strcmp(option->name, "mss") == 0	 ? "=1000"
	       : option->type == SOCKOPT_FLAG		 ? ""
							 : "=5";
}

Test(kernel_decide, each_option_is_set_or_refused_when_the_policy_is_loaded, .fini = leave_cgroup)
{
	struct hook_bpf *hook = attach_hook();

	for (unsigned i = 0; i < sockopt_count; i++) {
		const struct sockopt *option = &sockopt_table[i];
		if (!(option->families & FAMILY_IP4))
			continue;
		char rule[64];
		snprintf(rule, sizeof rule, "%s%s", option->name, value_of(option));
		enum protocol protocol =
			option->protocols & PROTOCOL_TCP ? PROTOCOL_TCP : PROTOCOL_UDP;
		int error = bind_with(hook, rule, protocol);
		cr_expect_eq(error == 0, is_kept(rule), "%s: %s, and %s", rule, strerror(-error),
			is_kept(rule) ? "kept" : "refused");
	}
}
