/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow.h"

#include "glob.h"
#include "ground/compare.h"

#include <limits.h>
#include <string.h>

/* ---- boxes ---- */

/* A bit for each protocol; those of IPv6 sockets come after those of IPv4 sockets. */
#define KINDS_OF_FAMILY 15U
#define IP6_SHIFT	4

/* Endpoints: every combination of the values below. A box without kinds is empty. */
struct box {
	uint8_t kinds;
	struct ports ports;
	struct address first, last; /* both included */
	uint32_t scope_id;	    /* 0: any interface */
};

/* What a rule without addr= matches: every IPv4 address, and every other address. */
static const struct prefix any_address[] = {
	{.address.low = ADDRESS_MAPPED, .length = ADDRESS_MAPPED_BITS, .is_ip4 = true},
	{.length = 0},
};
static const struct ports any_port = {0, UINT16_MAX};

/* What a rule matches in a view: the product of the lists below. */
struct outline {
	uint8_t families, protocols;
	uint32_t n_ports, n_prefixes;
	const struct ports *ports;
	const struct prefix *prefixes;
	struct ports target_port;
	struct prefix target_address;
};

static void outline_make(struct outline *outline, const struct rule *rule, enum view view)
{
	const struct match *match = &rule->match;
	const struct target *to = &rule->actions.to;

	*outline = (struct outline){
		.families = match->families,
		.protocols = match->protocols ? match->protocols : KINDS_OF_FAMILY,
		.n_ports = match->n_ports ? match->n_ports : 1,
		.ports = match->n_ports ? match->ports : &any_port,
		.n_prefixes = match->n_prefixes ? match->n_prefixes : 2,
		.prefixes = match->n_prefixes ? match->prefixes : any_address,
		.target_port = {to->port, to->port},
		.target_address = {.address = to->address,
			.length = 128,
			.is_ip4 = address_is_ip4(&to->address),
			.scope_id = to->scope_id},
	};
	if (view == VIEW_BOUND && to->has_port) {
		outline->n_ports = 1;
		outline->ports = &outline->target_port;
	}
	if (view == VIEW_BOUND && to->has_address) {
		outline->n_prefixes = 1;
		outline->prefixes = &outline->target_address;
	}
}

static struct address address_after(struct address address)
{
	address.high += ++address.low == 0;
	return address;
}

static struct address address_before(struct address address)
{
	address.high -= address.low-- == 0;
	return address;
}

#define PARTS_OF_PREFIX 2

/*
 * Narrows BOX, which has all kinds, to the addresses of the prefix. An IPv6 prefix contains no IPv4
 * address: one that surrounds all of them has a gap, and so two parts.
 */
static void narrow_to_prefix(struct box *box, const struct prefix *prefix, unsigned part)
{
	struct address gap = any_address[0].address, gap_end = prefix_last(&any_address[0]);

	box->first = prefix->address;
	box->last = prefix_last(prefix);
	box->scope_id = prefix->scope_id;
	/* An IPv4 socket has no IPv6 address. */
	if (!prefix->is_ip4)
		box->kinds &= KINDS_OF_FAMILY << IP6_SHIFT;
	bool has_gap = !prefix->is_ip4 && address_is_up_to(&box->first, &gap) &&
		       address_is_up_to(&gap_end, &box->last);
	if (has_gap && part == 0)
		box->last = address_before(gap);
	else if (has_gap)
		box->first = address_after(gap_end);
	else if (part > 0)
		box->kinds = 0;
}

static uint32_t outline_size(const struct outline *outline)
{
	return outline->n_prefixes * outline->n_ports * PARTS_OF_PREFIX;
}

/* One of the boxes, which may be empty. */
static struct box outline_box(const struct outline *outline, uint32_t number)
{
	uint32_t prefix = number / PARTS_OF_PREFIX / outline->n_ports;
	unsigned ip4 = outline->families & FAMILY_IP4 ? outline->protocols : 0U;
	unsigned ip6 = outline->families & FAMILY_IP6 ? outline->protocols : 0U;
	struct box box = {
		.kinds = (uint8_t)(ip4 | ip6 << IP6_SHIFT),
		.ports = outline->ports[number / PARTS_OF_PREFIX % outline->n_ports],
	};

	narrow_to_prefix(&box, &outline->prefixes[prefix], number % PARTS_OF_PREFIX);
	return box;
}

/* ---- what is not covered ---- */

#define PIECES_MOST 256

/* Parts of a box that no rule has covered yet; none of them is empty. */
struct rest {
	unsigned count;
	bool is_overfull;
	struct box pieces[PIECES_MOST];
};

static void add_piece(struct rest *rest, const struct box *piece)
{
	if (rest->count < PIECES_MOST)
		rest->pieces[rest->count++] = *piece;
	else
		rest->is_overfull = true;
}

static bool boxes_meet(const struct box *piece, const struct box *taken)
{
	bool is_same_link = taken->scope_id == 0 || taken->scope_id == piece->scope_id;

	return (piece->kinds & taken->kinds) && is_same_link &&
	       piece->ports.first <= taken->ports.last && taken->ports.first <= piece->ports.last &&
	       address_is_up_to(&piece->first, &taken->last) &&
	       address_is_up_to(&taken->first, &piece->last);
}

/*
 * Adds what is left of the piece after TAKEN, one dimension after the other; the two must overlap.
 */
static void add_remains(struct rest *rest, struct box piece, const struct box *taken)
{
	struct box other = piece;

	other.kinds &= (uint8_t)~taken->kinds;
	if (other.kinds)
		add_piece(rest, &other);
	piece.kinds &= taken->kinds;
	other = piece;
	if (piece.ports.first < taken->ports.first) {
		other.ports.last = (uint16_t)(taken->ports.first - 1);
		add_piece(rest, &other);
		piece.ports.first = taken->ports.first;
	}
	other = piece;
	if (piece.ports.last > taken->ports.last) {
		other.ports.first = (uint16_t)(taken->ports.last + 1);
		add_piece(rest, &other);
		piece.ports.last = taken->ports.last;
	}
	other = piece;
	if (!address_is_up_to(&taken->first, &piece.first)) {
		other.last = address_before(taken->first);
		add_piece(rest, &other);
	}
	other = piece;
	if (!address_is_up_to(&piece.last, &taken->last)) {
		other.first = address_after(taken->last);
		add_piece(rest, &other);
	}
}

/* Removes TAKEN from all parts; returns whether it overlapped any. */
static bool take_box(struct rest *rest, const struct box *taken)
{
	bool has_met = false;

	for (unsigned i = rest->count; i-- > 0;) {
		struct box piece = rest->pieces[i];
		if (!boxes_meet(&piece, taken))
			continue;
		has_met = true;
		rest->pieces[i] = rest->pieces[--rest->count];
		add_remains(rest, piece, taken);
	}
	return has_met;
}

/* Most rules do not overlap a box, and this check needs no boxes of their own. */
static bool may_meet(const struct rule *rule, enum view view, const struct box *box)
{
	const struct match *match = &rule->match;
	const struct target *to = &rule->actions.to;
	bool has_target = view == VIEW_BOUND && (to->has_port || to->has_address);
	bool meets = has_target || match->n_ports == 0;

	for (uint32_t i = 0; !meets && i < match->n_ports; i++)
		meets = box->ports.first <= match->ports[i].last &&
			match->ports[i].first <= box->ports.last;
	if (!meets || has_target || match->n_prefixes == 0)
		return meets;
	for (uint32_t i = 0; i < match->n_prefixes; i++) {
		struct address last = prefix_last(&match->prefixes[i]);
		if (address_is_up_to(&match->prefixes[i].address, &box->last) &&
			address_is_up_to(&box->first, &last))
			return true;
	}
	return false;
}

static bool take_rule(struct rest *rest, const struct rule *rule, enum view view)
{
	struct outline outline;
	bool has_met = false;

	outline_make(&outline, rule, view);
	for (uint32_t i = 0; rest->count > 0 && !rest->is_overfull && i < outline_size(&outline);
		i++) {
		struct box box = outline_box(&outline, i);
		has_met |= take_box(rest, &box);
	}
	return has_met;
}

/* ---- programs ---- */

static bool has_byte(const struct pattern *pattern, const char *bytes)
{
	for (; *bytes; bytes++) {
		if (string_find(pattern->text, *bytes, pattern->length))
			return true;
	}
	return false;
}

/* Whether PATTERN names every program that OTHER names. */
static bool pattern_covers(const struct pattern *pattern, const struct pattern *other)
{
	char name[PATH_MAX];
	bool is_path = has_byte(pattern, "/");
	bool is_same = pattern->length == other->length &&
		       memcmp(pattern->text, other->text, other->length) == 0;
	bool is_any = pattern->length == 1 && pattern->text[0] == '*';

	if (is_same || is_any)
		return true;
	if (has_byte(other, "*?[\\") || other->length >= sizeof name)
		return false;
	memcpy(name, other->text, other->length);
	name[other->length] = '\0';
	if (is_path && !has_byte(other, "/"))
		return false;
	const char *slash = is_path ? NULL : strrchr(name, '/');
	return glob_matches(pattern->text, pattern->length, slash ? slash + 1 : name);
}

/* Whether the match applies to every program that PATTERN (NULL: any) names. */
static bool covers_programs(const struct match *match, const struct pattern *pattern)
{
	for (uint32_t i = 0; pattern && i < match->n_patterns; i++) {
		if (pattern_covers(&match->patterns[i], pattern))
			return true;
	}
	return match->n_patterns == 0;
}

/* ---- rules ---- */

/*
 * The question: do earlier rules match, in a view and for a program, all that the rule AT matches?
 */
struct search {
	const struct policy *policy;
	size_t at;
	enum view view;
	bool is_early; /* at socket(): rules with an address or a port do not count */
	const struct pattern *pattern; /* of the program; NULL: any */
};

static bool counts(const struct search *search, const struct rule *earlier)
{
	const struct match *match = &earlier->match;
	bool has_address = match->n_ports || match->n_prefixes;

	return match->is_connect == (search->view == VIEW_CONNECT) &&
	       !(search->is_early && has_address) && covers_programs(match, search->pattern);
}

static void name_rule(struct shadow *shadow, const struct rule *rule)
{
	unsigned place = 0;

	while (place < shadow->n_rules && shadow->rules[place] < rule)
		place++;
	if (place < shadow->n_rules && shadow->rules[place] == rule)
		return;
	shadow->has_more_rules |= shadow->n_rules == SHADOW_RULES_MOST;
	if (place == SHADOW_RULES_MOST)
		return;
	if (shadow->n_rules < SHADOW_RULES_MOST)
		shadow->n_rules++;
	for (unsigned i = shadow->n_rules - 1; i > place; i--)
		shadow->rules[i] = shadow->rules[i - 1];
	shadow->rules[place] = rule;
}

enum answer {
	NO,
	YES,
	TOO_MANY_PIECES,
};

/* Whether the rules from FIRST up to LAST (not included) match all that the rule AT matches. */
static enum answer is_covered(
	const struct search *search, size_t first, size_t last, struct shadow *shadow)
{
	const struct rule *rules = search->policy->rules;
	struct outline outline;
	struct rest rest;

	outline_make(&outline, &rules[search->at], search->view);
	for (uint32_t i = 0; i < outline_size(&outline); i++) {
		struct box box = outline_box(&outline, i);
		rest.is_overfull = false;
		rest.count = box.kinds != 0;
		rest.pieces[0] = box;
		for (size_t j = first; j < last && rest.count > 0 && !rest.is_overfull; j++) {
			if (may_meet(&rules[j], search->view, &box) && counts(search, &rules[j]) &&
				take_rule(&rest, &rules[j], search->view))
				name_rule(shadow, &rules[j]);
		}
		if (rest.is_overfull)
			return TOO_MANY_PIECES;
		if (rest.count > 0)
			return NO;
	}
	return YES;
}

/* One rule that is enough explains more than several, and leaves no parts. */
static bool is_covered_by_one(const struct search *search, struct shadow *shadow)
{
	for (size_t i = 0; i < search->at; i++) {
		struct shadow one = {.n_rules = 0};
		if (is_covered(search, i, i + 1, &one) != YES)
			continue;
		for (unsigned j = 0; j < one.n_rules; j++)
			name_rule(shadow, one.rules[j]);
		return true;
	}
	return false;
}

static bool is_covered_for_program(const struct search *search, struct shadow *shadow)
{
	struct shadow by_one = *shadow;
	enum answer answer = is_covered(search, 0, search->at, shadow);

	if (answer == NO)
		return false;
	if (!is_covered_by_one(search, &by_one))
		return answer == YES;
	*shadow = by_one;
	return true;
}

static bool is_covered_in(
	struct search search, enum view view, bool is_early, struct shadow *shadow)
{
	const struct match *match = &search.policy->rules[search.at].match;
	uint32_t programs = match->n_patterns ? match->n_patterns : 1;

	search.view = view;
	search.is_early = is_early;
	for (uint32_t i = 0; i < programs; i++) {
		search.pattern = match->n_patterns ? &match->patterns[i] : NULL;
		if (!is_covered_for_program(&search, shadow))
			return false;
	}
	return true;
}

/* Whether the rule is considered when a socket is made: by policy_decide_early(). */
static bool has_early_part(const struct policy *policy, const struct match *match)
{
	return policy->has_early && !match->is_connect && !match->n_ports && !match->n_prefixes;
}

struct shadow shadow_find(const struct policy *policy, size_t at)
{
	const struct match *match = &policy->rules[at].match;
	const struct search search = {.policy = policy, .at = at};
	enum view view = match->is_connect ? VIEW_CONNECT : VIEW_BIND;
	struct shadow shadow = {.extent = SHADOW_NONE}, unnamed = {.extent = SHADOW_NONE};

	if (!is_covered_in(search, view, false, &shadow))
		return (struct shadow){.extent = SHADOW_NONE};
	if (has_early_part(policy, match) && !is_covered_in(search, view, true, &unnamed))
		return (struct shadow){.extent = SHADOW_NONE};
	bool is_all = match->is_connect || is_covered_in(search, VIEW_BOUND, false, &unnamed);
	shadow.extent = is_all ? SHADOW_ALL : SHADOW_BIND;
	return shadow;
}
