/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "index.h"

#include <stdbool.h>

#define PORT_BITS    16
#define BLOCKS_MOST  30 /* a range of 16-bit numbers falls into no more aligned blocks */
#define ADDRESS_BITS 128

/* The bits that a rule fixes: the key of one entry. */
struct key {
	struct address address; /* the other bits are zero */
	uint16_t port;
	uint8_t address_bits, port_bits;
};

struct entry {
	uint32_t rule;
	uint32_t next; /* the entry after this one in its chain, from 1; 0: none */
};

/* The rules that fix as many bits of the address and as many of the port. */
struct shape {
	struct address mask;
	uint16_t port_mask;
	uint32_t first; /* the first rule that has this shape */
	uint32_t n_entries;
	uint32_t slot_mask; /* one less than the number of slots, a power of two */
	uint32_t *slots;    /* the first entry of each chain, from 1; 0: none */
};

struct index {
	enum view view;
	uint32_t n_shapes;
	const struct rule *rules;
	struct shape *shapes;  /* by their first rule */
	struct entry *entries; /* a chain goes from the first rule to the last */
	uint32_t n_entries;
};

/* ---- keys ---- */

/* Cuts the next aligned block off a range; returns how many of its leading bits are fixed. */
static uint8_t next_block(uint32_t first, uint32_t last, uint32_t *size)
{
	uint8_t bits = PORT_BITS;

	*size = 1;
	while (bits > 0 && first % (*size * 2) == 0 && first + *size * 2 - 1 <= last) {
		*size *= 2;
		bits--;
	}
	return bits;
}

struct key_list {
	struct key keys[BLOCKS_MOST];
	unsigned count;
};

static void add_blocks(struct key_list *list, uint32_t first, uint32_t last)
{
	uint32_t size;

	for (; first <= last && list->count < BLOCKS_MOST; first += size) {
		struct key *key = &list->keys[list->count++];
		key->port_bits = next_block(first, last, &size);
		key->port = (uint16_t)first;
	}
}

/* Calls FILE for each key of a rule: the product of its addresses and its blocks of ports. */
typedef void file_key(struct index *index, uint32_t rule, const struct key *key);

static void file_ports(struct index *index, uint32_t rule, const struct prefix *prefix,
	const struct ports *ports, file_key *file)
{
	struct key_list list = {.count = 0};

	add_blocks(&list, ports ? ports->first : 0, ports ? ports->last : UINT16_MAX);
	for (unsigned i = 0; i < list.count; i++) {
		struct key *key = &list.keys[i];
		key->address = prefix ? prefix->address : (struct address){0};
		key->address_bits = prefix ? prefix->length : 0;
		file(index, rule, key);
	}
}

static void file_address(
	struct index *index, uint32_t rule, const struct prefix *prefix, file_key *file)
{
	const struct match *match = &index->rules[rule].match;
	const struct target *to = &index->rules[rule].actions.to;
	struct ports target = {to->port, to->port};

	if (index->view == VIEW_BOUND && to->has_port) {
		file_ports(index, rule, prefix, &target, file);
		return;
	}
	for (uint32_t i = 0; i < match->n_ports; i++)
		file_ports(index, rule, prefix, &match->ports[i], file);
	if (match->n_ports == 0)
		file_ports(index, rule, prefix, NULL, file);
}

static void file_rule(struct index *index, uint32_t rule, file_key *file)
{
	const struct match *match = &index->rules[rule].match;
	const struct target *to = &index->rules[rule].actions.to;
	struct prefix target = {to->address, ADDRESS_BITS, address_is_ip4(&to->address)};

	if (match->is_connect != (index->view == VIEW_CONNECT))
		return;
	if (index->view == VIEW_BOUND && to->has_address) {
		file_address(index, rule, &target, file);
		return;
	}
	for (uint32_t i = 0; i < match->n_prefixes; i++)
		file_address(index, rule, &match->prefixes[i], file);
	if (match->n_prefixes == 0)
		file_address(index, rule, NULL, file);
}

/* ---- shapes ---- */

static uint16_t port_mask(unsigned bits)
{
	return (uint16_t)(0xffffU << (PORT_BITS - bits));
}

static struct shape *shape_of(struct index *index, const struct key *key)
{
	struct address mask = prefix_mask(key->address_bits);
	uint16_t ports = port_mask(key->port_bits);

	for (uint32_t i = 0; i < index->n_shapes; i++) {
		struct shape *shape = &index->shapes[i];
		if (shape->mask.high == mask.high && shape->mask.low == mask.low &&
			shape->port_mask == ports)
			return shape;
	}
	struct shape *shape = &index->shapes[index->n_shapes++];
	*shape = (struct shape){.mask = mask, .port_mask = ports};
	return shape;
}

static uint32_t hash(uint64_t high, uint64_t low, uint16_t port)
{
	uint64_t mixed = (high ^ (low << 17 | low >> 47) ^ port) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(mixed >> 32);
}

static void count_key(struct index *index, uint32_t rule, const struct key *key)
{
	struct shape *shape = shape_of(index, key);

	if (shape->n_entries++ == 0)
		shape->first = rule;
	index->n_entries++;
}

/* Files at the head of a chain; rules come from the last to the first. */
static void file_entry(struct index *index, uint32_t rule, const struct key *key)
{
	struct shape *shape = shape_of(index, key);
	uint32_t *slot = &shape->slots[hash(key->address.high, key->address.low, key->port) &
				       shape->slot_mask];

	index->entries[index->n_entries] = (struct entry){.rule = rule, .next = *slot};
	*slot = ++index->n_entries;
}

static bool take_tables(struct arena *arena, struct index *index)
{
	index->entries = arena_take(arena, index->n_entries, sizeof *index->entries);
	if (!index->entries)
		return false;
	for (uint32_t i = 0; i < index->n_shapes; i++) {
		struct shape *shape = &index->shapes[i];
		uint32_t slots = 1;
		while (slots < shape->n_entries)
			slots *= 2;
		shape->slot_mask = slots - 1;
		shape->slots = arena_take(arena, slots, sizeof *shape->slots);
		if (!shape->slots)
			return false;
	}
	return true;
}

#define SHAPES_MOST ((ADDRESS_BITS + 1) * (PORT_BITS + 1))

const struct index *index_build(
	struct arena *arena, enum view view, const struct rule *rules, size_t count)
{
	struct index *index = arena_take(arena, 1, sizeof *index);
	struct shape *shapes = arena_take(arena, SHAPES_MOST, sizeof *shapes);

	if (!index || !shapes)
		return NULL;
	*index = (struct index){.view = view, .rules = rules, .shapes = shapes};
	for (uint32_t i = 0; i < count; i++)
		file_rule(index, i, count_key);
	if (!take_tables(arena, index))
		return NULL;
	index->n_entries = 0;
	for (uint32_t i = (uint32_t)count; i-- > 0;)
		file_rule(index, i, file_entry);
	return index;
}

const struct rule *index_find(const struct index *index, const struct endpoint *endpoint)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < index->n_shapes && index->shapes[i].first < best; i++) {
		const struct shape *shape = &index->shapes[i];
		uint32_t slot = hash(endpoint->address.high & shape->mask.high,
					endpoint->address.low & shape->mask.low,
					endpoint->port & shape->port_mask) &
				shape->slot_mask;
		for (uint32_t at = shape->slots[slot]; at; at = index->entries[at - 1].next) {
			uint32_t rule = index->entries[at - 1].rule;
			if (rule >= best)
				break;
			if (view_matches(index->view, &index->rules[rule], endpoint))
				best = rule;
		}
	}
	return best == UINT32_MAX ? NULL : &index->rules[best];
}
