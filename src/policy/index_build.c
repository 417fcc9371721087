/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "index_build.h"

#include "classes.h"
#include "interval.h"
#include "sort.h"

#include <stdbool.h>

#define NONE	     UINT32_MAX
#define ADDRESS_BITS 128
#define IP4_BITS     32
#define PORT_BITS    16
#define PORTS	     (1U << PORT_BITS)

/* ---- the entries ---- */

/* One prefix and one range of ports of a rule. */
struct index_entry {
	const struct prefix *prefix; /* NULL: any address */
	struct ports ports;
	uint32_t rule;
};

/* The state while an index is built. */
struct builder {
	struct index *index;
	enum view view;
	struct arena *arena, scratch;
	struct classes classes;
	uint32_t n_entries, n_nodes, n_targets;
	struct index_entry *entries; /* NULL: only count them */
	struct prefix *targets;	     /* of rules with to=, for the view where targets count */
	uint64_t *order; /* the low half is an entry; the high half a key, and later its node */
	uint64_t *other; /* for sorting */
	uint32_t *skip;	 /* the next interval that may not have a rule yet */
};

static void file_entry(struct builder *builder, uint32_t rule, const struct prefix *prefix,
	const struct ports *ports)
{
	static const struct ports all = {0, UINT16_MAX};

	/* An IPv6 prefix contains no IPv4 address, and these are all IPv4. */
	if (prefix && !prefix->is_ip4 && prefix->length >= ADDRESS_MAPPED_BITS &&
		address_is_ip4(&prefix->address))
		return;
	if (builder->entries)
		builder->entries[builder->n_entries] =
			(struct index_entry){prefix, ports ? *ports : all, rule};
	builder->n_entries++;
}

static void file_ports(struct builder *builder, uint32_t rule, const struct prefix *prefix)
{
	const struct match *match = &builder->index->rules[rule].match;
	const struct target *to = &builder->index->rules[rule].actions.to;
	const struct ports target = {to->port, to->port};

	if (builder->view == VIEW_BOUND && to->has_port) {
		file_entry(builder, rule, prefix, &target);
		return;
	}
	for (uint32_t i = 0; i < match->n_ports; i++)
		file_entry(builder, rule, prefix, &match->ports[i]);
	if (match->n_ports == 0)
		file_entry(builder, rule, prefix, NULL);
}

static void file_rule(struct builder *builder, uint32_t rule)
{
	const struct match *match = &builder->index->rules[rule].match;
	const struct target *to = &builder->index->rules[rule].actions.to;
	struct prefix counted, *target = &counted;

	if (match->is_connect != (builder->view == VIEW_CONNECT))
		return;
	builder->classes.kinds_present |= 1U << classes_kind_of(match);
	if (builder->view == VIEW_BOUND && to->scope_id)
		return;
	if (builder->view == VIEW_BOUND && to->has_address) {
		if (builder->entries)
			target = &builder->targets[builder->n_targets++];
		*target = (struct prefix){.address = to->address,
			.length = ADDRESS_BITS,
			.is_ip4 = address_is_ip4(&to->address)};
		file_ports(builder, rule, target);
		return;
	}
	for (uint32_t i = 0; i < match->n_prefixes; i++) {
		if (match->prefixes[i].scope_id == 0)
			file_ports(builder, rule, &match->prefixes[i]);
	}
	if (match->n_prefixes == 0)
		file_ports(builder, rule, NULL);
}

/*
 * Two entries without a rule come first: any address, and any IPv4 address; all others lie in them.
 */
static void file_rules(struct builder *builder, size_t count)
{
	static const struct prefix ip4 = {
		.address.low = ADDRESS_MAPPED, .length = ADDRESS_MAPPED_BITS, .is_ip4 = true};

	builder->n_entries = 0;
	file_entry(builder, NONE, NULL, NULL);
	file_entry(builder, NONE, &ip4, NULL);
	for (uint32_t i = 0; i < count; i++)
		file_rule(builder, i);
}

/* ---- the order of prefixes: any, then by first address, the shorter one first ---- */

#define KEY_BITS  32
#define KEY_PARTS 5 /* the length, and the address from its lowest bits to its highest */

static uint32_t part_of(const struct prefix *prefix, unsigned part)
{
	if (!prefix)
		return 0;
	switch (part) {
	case 0:
		return prefix->length + 1U;
	case 1:
		return (uint32_t)prefix->address.low;
	case 2:
		return (uint32_t)(prefix->address.low >> 32);
	case 3:
		return (uint32_t)prefix->address.high;
	default:
		return (uint32_t)(prefix->address.high >> 32);
	}
}

static const struct index_entry *entry_at(const struct builder *builder, uint32_t place)
{
	return &builder->entries[(uint32_t)builder->order[place]];
}

static uint32_t node_number(const struct builder *builder, uint32_t place)
{
	return (uint32_t)(builder->order[place] >> KEY_BITS);
}

static bool is_first_of_node(const struct builder *builder, uint32_t place)
{
	return place == 0 || node_number(builder, place) != node_number(builder, place - 1);
}

static void set_key(struct builder *builder, uint32_t place, uint32_t key)
{
	builder->order[place] = (uint64_t)key << KEY_BITS | (uint32_t)builder->order[place];
}

static void sort_entries(struct builder *builder)
{
	for (uint32_t i = 0; i < builder->n_entries; i++)
		builder->order[i] = i;
	for (unsigned part = 0; part < KEY_PARTS; part++) {
		for (uint32_t i = 0; i < builder->n_entries; i++)
			set_key(builder, i, part_of(entry_at(builder, i)->prefix, part));
		sort_from_bit(builder->order, builder->other, builder->n_entries, KEY_BITS);
	}
}

static bool is_same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a == b || (a && b && a->length == b->length && a->address.high == b->address.high &&
				 a->address.low == b->address.low);
}

static void number_nodes(struct builder *builder)
{
	for (uint32_t i = 0; i < builder->n_entries; i++) {
		if (i == 0 || !is_same_prefix(entry_at(builder, i - 1)->prefix,
				      entry_at(builder, i)->prefix))
			builder->n_nodes++;
		set_key(builder, i, builder->n_nodes - 1);
	}
}

/* ---- addresses ---- */

/* Prefixes that contain the current address of the builder, each within the one before it. */
struct open {
	unsigned depth;
	uint32_t node[ADDRESS_BITS + 2];
	struct address last[ADDRESS_BITS + 2];
};

/* If several stretches start at one address, the last one counts. */
static void add_start(struct index *index, struct address address, uint32_t node)
{
	const struct address *previous = index->starts + index->n_starts - 1;
	bool is_new = index->n_starts == 0 || previous->high != address.high ||
		      previous->low != address.low;

	index->n_starts += is_new;
	index->starts[index->n_starts - 1] = address;
	index->nodes_at[index->n_starts - 1] = node;
}

/* Closes the innermost prefix: after it, the one around it continues. */
static void close_innermost(struct index *index, struct open *open)
{
	struct address last = open->last[--open->depth];

	if (last.high == UINT64_MAX && last.low == UINT64_MAX)
		return;
	last.high += ++last.low == 0;
	add_start(index, last, open->node[open->depth - 1]);
}

static void open_node(
	struct index *index, struct open *open, const struct prefix *prefix, uint32_t number)
{
	static const struct prefix all;
	struct node *node = &index->nodes[number];
	/* An IPv6 prefix contains no IPv4 address, even if those lie within it. */
	bool is_outermost = !prefix || (prefix->is_ip4 && prefix->length == ADDRESS_MAPPED_BITS);

	if (!prefix)
		prefix = &all;
	while (open->depth > 1 && !address_is_up_to(&prefix->address, &open->last[open->depth - 1]))
		close_innermost(index, open);
	node->parent = is_outermost ? 0 : open->node[open->depth - 1];
	node->least = number == 0 ? NONE : index->nodes[node->parent].least;
	open->node[open->depth] = number;
	open->last[open->depth++] = prefix_last(prefix);
	add_start(index, prefix->address, number);
}

static void make_nodes(struct builder *builder, struct open *open)
{
	struct index *index = builder->index;

	for (uint32_t i = 0; i < builder->n_entries; i++) {
		const struct index_entry *entry = entry_at(builder, i);
		uint32_t number = node_number(builder, i);
		if (is_first_of_node(builder, i))
			open_node(index, open, entry->prefix, number);
		if (entry->rule < index->nodes[number].least)
			index->nodes[number].least = entry->rule;
	}
	while (open->depth > 1)
		close_innermost(index, open);
}

/* ---- ports ---- */

#define BOUNDS_MOST 3 /* of an entry: 0, its first port, and the one after its last */

/* Fills in where intervals start, each with its node. Returns how many there are. */
static uint32_t list_bounds(struct builder *builder, uint64_t *bounds)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < builder->n_entries; i++) {
		const struct ports *ports = &entry_at(builder, i)->ports;
		uint64_t node = (uint64_t)node_number(builder, i) * PORTS;
		if (is_first_of_node(builder, i))
			bounds[count++] = node;
		if (ports->first > 0)
			bounds[count++] = node + ports->first;
		if (ports->last < UINT16_MAX)
			bounds[count++] = node + ports->last + 1;
	}
	return count;
}

static uint32_t drop_twins(uint64_t *bounds, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (kept == 0 || bounds[i] != bounds[kept - 1])
			bounds[kept++] = bounds[i];
	}
	return kept;
}

static bool make_intervals(struct builder *builder, const uint64_t *bounds, uint32_t count)
{
	struct index *index = builder->index;

	for (uint32_t i = 0; i < count; i++) {
		struct node *node = &index->nodes[bounds[i] / PORTS];
		if (node->n_intervals++ == 0)
			node->intervals = i;
		index->ports[i] = (uint32_t)(bounds[i] % PORTS);
	}
	for (uint32_t i = 0; i < builder->n_nodes; i++) {
		struct node *node = &index->nodes[i];
		if (!interval_make(&node->ports, builder->arena, index->ports + node->intervals,
			    node->n_intervals, PORT_BITS))
			return false;
	}
	return true;
}

/* The first interval from AT that has no rule yet; shortens the path for later searches. */
static uint32_t next_free(uint32_t *skip, uint32_t at, uint32_t end)
{
	while (at < end && skip[at] != at) {
		uint32_t next = skip[at];
		if (next < end)
			skip[at] = skip[next];
		at = next;
	}
	return at;
}

/* Gives the rule the intervals from AT to END for one class, unless an earlier rule has them. */
static void give(struct builder *builder, uint32_t class, uint32_t rule, uint32_t at, uint32_t end,
	uint32_t *skip)
{
	const struct index *index = builder->index;

	for (at = next_free(skip, at, end); at < end; at = next_free(skip, at + 1, end)) {
		index->first_rules[at * index->n_classes + class] = rule + 1;
		skip[at] = at + 1;
	}
}

static void give_to_rules(struct builder *builder, uint32_t n_intervals)
{
	const struct index *index = builder->index;

	for (uint32_t i = 0; i < builder->n_entries; i++) {
		const struct index_entry *entry = entry_at(builder, i);
		const struct node *node = &index->nodes[node_number(builder, i)];
		if (entry->rule == NONE)
			continue;
		unsigned kind = classes_kind_of(&index->rules[entry->rule].match);
		uint32_t first = interval_find(&node->ports, entry->ports.first);
		uint32_t last = interval_find(&node->ports, entry->ports.last);
		for (uint32_t class = 0; class < index->n_classes; class ++) {
			if (builder->classes.kinds[class] >> kind & 1)
				give(builder, class, entry->rule, node->intervals + first,
					node->intervals + last + 1,
					builder->skip + class * n_intervals);
		}
	}
}

/* ---- building ---- */

/* Scratch memory for each entry: the entry, its places in two sorted lists, its intervals. */
#define SCRATCH_BYTES                                                                              \
	(sizeof(struct index_entry) + sizeof(struct prefix) +                                      \
		(1 + 2 * BOUNDS_MOST) * sizeof(uint64_t) +                                         \
		BOUNDS_MOST * CLASSES_MOST * sizeof(uint32_t))

static bool open_scratch(struct builder *builder)
{
	size_t count = builder->n_entries;
	struct arena *scratch = &builder->scratch;

	if (arena_open(scratch, count * SCRATCH_BYTES + sizeof(struct open) + 1024) < 0)
		return false;
	builder->entries = arena_take(scratch, count, sizeof *builder->entries);
	builder->targets = arena_take(scratch, count, sizeof *builder->targets);
	builder->order = arena_take(scratch, count, sizeof *builder->order);
	builder->other = arena_take(scratch, count * BOUNDS_MOST, sizeof *builder->other);
	return builder->entries && builder->targets && builder->order && builder->other;
}

/* The IPv4 addresses among the starts are adjacent: the first start is that of all of them. */
static bool make_ip4_line(struct builder *builder)
{
	struct index *index = builder->index;
	uint32_t *starts, count = 0;

	while (!address_is_ip4(&index->starts[index->ip4_at]))
		index->ip4_at++;
	const struct address *first = &index->starts[index->ip4_at];
	while (index->ip4_at + count < index->n_starts && address_is_ip4(&first[count]))
		count++;
	starts = arena_take(builder->arena, count, sizeof *starts);
	for (uint32_t i = 0; starts && i < count; i++)
		starts[i] = (uint32_t)first[i].low;
	return starts && interval_make(&index->ip4, builder->arena, starts, count, IP4_BITS);
}

static bool build_addresses(struct builder *builder)
{
	struct index *index = builder->index;
	struct open *open = arena_take(&builder->scratch, 1, sizeof *open);
	uint32_t starts_most = 2 * builder->n_nodes;

	index->nodes = arena_take(builder->arena, builder->n_nodes, sizeof *index->nodes);
	index->starts = arena_take(builder->arena, starts_most, sizeof *index->starts);
	index->nodes_at = arena_take(builder->arena, starts_most, sizeof *index->nodes_at);
	if (!open || !index->nodes || !index->starts || !index->nodes_at)
		return false;
	make_nodes(builder, open);
	return make_ip4_line(builder);
}

static bool build_ports(struct builder *builder)
{
	struct index *index = builder->index;
	size_t most = (size_t)builder->n_entries * BOUNDS_MOST;
	uint64_t *bounds = arena_take(&builder->scratch, most, sizeof *bounds);

	if (!bounds)
		return false;
	uint32_t count = list_bounds(builder, bounds);
	sort_from_bit(bounds, builder->other, count, 0);
	count = drop_twins(bounds, count);
	size_t n_rules = (size_t)count * index->n_classes;
	index->ports = arena_take(builder->arena, count, sizeof *index->ports);
	index->first_rules = arena_take(builder->arena, n_rules, sizeof *index->first_rules);
	builder->skip = arena_take(&builder->scratch, n_rules, sizeof *builder->skip);
	if (!index->ports || !index->first_rules || !builder->skip)
		return false;
	if (!make_intervals(builder, bounds, count))
		return false;
	for (uint32_t class = 0; class < index->n_classes; class ++) {
		for (uint32_t i = 0; i < count; i++)
			builder->skip[class * count + i] = i;
	}
	give_to_rules(builder, count);
	return true;
}

const struct index *index_build(
	struct arena *arena, enum view view, const struct rule *rules, size_t count)
{
	struct index *index = arena_take(arena, 1, sizeof *index);
	struct builder builder = {.index = index, .view = view, .arena = arena};

	if (!index)
		return NULL;
	*index = (struct index){.rules = rules};
	file_rules(&builder, count);
	classes_make(index, &builder.classes);
	bool is_built = open_scratch(&builder);
	if (is_built) {
		file_rules(&builder, count);
		sort_entries(&builder);
		number_nodes(&builder);
		is_built = build_addresses(&builder) && build_ports(&builder);
	}
	arena_close(&builder.scratch);
	return is_built ? index : NULL;
}
