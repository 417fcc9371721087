/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steer.h"

#include "ground/compat.h"
#include "ground/system.h"

/* Where the parts of an address are, from the start of the IP header. */
#define IP4_SOURCE	  12
#define IP6_SOURCE	  8
#define IP6_WORDS	  4
#define IP6_HEADER_LENGTH 40
#define GOLDEN_RATIO	  0x9e3779b1 /* 2^32 times it: spreads values that differ in few bits */
#define FROM_IP(place)	  ((uint32_t)SKF_NET_OFF + (place))
#define ANCILLARY(what)	  ((uint32_t)(SKF_AD_OFF + SKF_AD_##what))

static void add(struct steer_program *program, uint16_t code, uint32_t k)
{
	program->code[program->length++] = (struct sock_filter){.code = code, .k = k};
}

static void add_jump(
	struct steer_program *program, uint16_t code, uint32_t k, unsigned if_true, unsigned if_not)
{
	program->code[program->length++] = (struct sock_filter){
		.code = code, .k = k, .jt = (uint8_t)if_true, .jf = (uint8_t)if_not};
}

/* The mask of the bits of a 32-bit word that are among the first LEFT bits. */
static uint32_t mask_of(unsigned left)
{
	return left >= 32 ? 0xffffffff : left == 0 ? 0 : ~(0xffffffffU >> left);
}

/*
 * A = a hash of the leading bits of the address whose words start at PLACE, and if HAS_PORT, of the
 * first word of the scratch memory; changes X.
 */
static void add_hash(struct steer_program *program, unsigned place, unsigned words, unsigned prefix,
	bool has_port)
{
	add(program, BPF_LDX | (has_port ? BPF_MEM : BPF_IMM), 0);
	for (unsigned i = 0; i < words && prefix > 32 * i; i++) {
		add(program, BPF_LD | BPF_W | BPF_ABS, FROM_IP(place + 4 * i));
		add(program, BPF_ALU | BPF_AND | BPF_K, mask_of(prefix - 32 * i));
		add(program, BPF_ALU | BPF_ADD | BPF_X, 0);
		add(program, BPF_ALU | BPF_MUL | BPF_K, GOLDEN_RATIO);
		add(program, BPF_MISC | BPF_TAX, 0);
	}
	add(program, BPF_MISC | BPF_TXA, 0);
	add(program, BPF_ALU | BPF_RSH | BPF_K, 16);
	add(program, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* The UDP header, like that of TCP, begins with the source port. X is its place. */
static void add_port(struct steer_program *program)
{
	add(program, BPF_LD | BPF_H | BPF_IND, FROM_IP(0));
	add(program, BPF_ST, 0);
}

static void add_ip4_port(struct steer_program *program)
{
	add(program, BPF_LD | BPF_B | BPF_ABS, FROM_IP(0));
	add(program, BPF_ALU | BPF_AND | BPF_K, 0xf);
	add(program, BPF_ALU | BPF_LSH | BPF_K, 2);
	add(program, BPF_MISC | BPF_TAX, 0);
	add_port(program);
}

/* If there are extension headers, their first bytes: the same for all packets of a flow. */
static void add_ip6_port(struct steer_program *program)
{
	add(program, BPF_LDX | BPF_IMM, IP6_HEADER_LENGTH);
	add_port(program);
}

/* An IPv6 socket gets IPv4 packets too, so the version is read from the packet. */
static void add_source(struct steer_program *program, const struct steer *steer)
{
	bool has_port = steer->mode == STEER_SOURCE_PORT;

	add(program, BPF_LD | BPF_B | BPF_ABS, FROM_IP(0));
	add(program, BPF_ALU | BPF_RSH | BPF_K, 4);
	unsigned branch = program->length;
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 0);
	if (has_port)
		add_ip4_port(program);
	add_hash(program, IP4_SOURCE, 1, steer->ip4_prefix, has_port);
	unsigned over = program->length;
	add(program, BPF_JMP | BPF_JA, 0);
	program->code[branch].jf = (uint8_t)(program->length - branch - 1);
	if (has_port)
		add_ip6_port(program);
	add_hash(program, IP6_SOURCE, IP6_WORDS, steer->ip6_prefix, has_port);
	program->code[over].k = (uint32_t)(program->length - over - 1);
}

/* ---- knocks ---- */

/* Where the parts of a TCP header are, from its start; the kernel writes MD5 and MSS first. */
#define TCP_LENGTH	  12 /* the upper half of the byte; in words of 32 bits */
#define TCP_OPTIONS	  20
#define TCP_BEHIND_MD5	  40
#define HEADER_WITH_BOTH  (11 << 4)
#define MD5_OPTION	  0x01011312 /* no-op, no-op, kind 19, length 18 */
#define MSS_OPTION	  0x0204     /* kind 2, length 4 */
#define MSS_VALUE	  (TCP_BEHIND_MD5 + 2)
#define IP4_HEADER_LENGTH 20 /* of a knock, which has no IP options */

static void add_load(struct steer_program *program, uint16_t size, unsigned place)
{
	add(program, (uint16_t)(BPF_LD | size | BPF_IND), FROM_IP(place));
}

/* If it is not a knock, the program continues after this part. Changes X. */
static void add_knock(struct steer_program *program)
{
	add(program, BPF_LDX | BPF_IMM, IP4_HEADER_LENGTH);
	add(program, BPF_LD | BPF_B | BPF_ABS, FROM_IP(0));
	add(program, BPF_ALU | BPF_RSH | BPF_K, 4);
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, 4, 1, 0);
	add(program, BPF_LDX | BPF_IMM, IP6_HEADER_LENGTH);
	/* A load beyond the header would end the program with the number 0. */
	add_load(program, BPF_B, TCP_LENGTH);
	add_jump(program, BPF_JMP | BPF_JGE | BPF_K, HEADER_WITH_BOTH, 0, 7);
	add_load(program, BPF_W, TCP_OPTIONS);
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, MD5_OPTION, 0, 5);
	add_load(program, BPF_H, TCP_BEHIND_MD5);
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, MSS_OPTION, 0, 3);
	add_load(program, BPF_H, MSS_VALUE);
	add(program, BPF_ALU | BPF_SUB | BPF_K, STEER_KNOCK_MSS);
	add(program, BPF_RET | BPF_A, 0);
}

/* ---- a guest ---- */

#define NO_NUMBER INT32_MAX /* no member has this number: the kernel's hash chooses */

/* A = a word of the packet; if it is not WANTED, the program continues after this part. */
static void add_test(struct steer_program *program, uint16_t size, unsigned place, uint32_t wanted)
{
	add(program, (uint16_t)(BPF_LD | size | BPF_ABS), FROM_IP(place));
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, 0);
}

static void add_guest(struct steer_program *program, const struct steer_guest *guest)
{
	const uint32_t ip4[] = {0x7f000001}, ip6[] = {0, 0, 0, 1};
	unsigned first = program->length, place = guest->is_ip6 ? IP6_SOURCE : IP4_SOURCE;

	add(program, BPF_LD | BPF_B | BPF_ABS, FROM_IP(0));
	add(program, BPF_ALU | BPF_RSH | BPF_K, 4);
	add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, guest->is_ip6 ? 6 : 4, 0, 0);
	for (unsigned i = 0; i < (guest->is_ip6 ? IP6_WORDS : 1); i++)
		add_test(program, BPF_W, place + 4 * i, guest->is_ip6 ? ip6[i] : ip4[i]);
	add_test(
		program, BPF_H, guest->is_ip6 ? IP6_HEADER_LENGTH : IP4_HEADER_LENGTH, guest->port);
	add(program, BPF_RET | BPF_K, guest->number);
	for (unsigned i = first; i < program->length; i++) {
		if (BPF_CLASS(program->code[i].code) == BPF_JMP)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
	}
}

/* ---- the choice ---- */

/* Ends with one of COUNT members; X is the number that chose their slot among SLOTS. */
static void add_members(
	struct steer_program *program, const int *numbers, unsigned count, unsigned slots)
{
	if (count > 1) {
		add(program, BPF_MISC | BPF_TXA, 0);
		add(program, BPF_ALU | BPF_DIV | BPF_K, slots);
		add(program, BPF_ALU | BPF_MOD | BPF_K, count);
	}
	for (unsigned i = 0; i + 1 < count; i++) {
		add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, i, 0, 1);
		add(program, BPF_RET | BPF_K, (uint32_t)numbers[i]);
	}
	add(program, BPF_RET | BPF_K, (uint32_t)numbers[count - 1]);
}

/* If the slot of A has no member, continues with A spread anew. */
static void add_places(struct steer_program *program, const struct steer_places *places)
{
	add(program, BPF_MISC | BPF_TAX, 0);
	add(program, BPF_ALU | BPF_MOD | BPF_K, places->slots);
	for (unsigned slot = 0; slot < places->slots; slot++) {
		const int *numbers = places->numbers + slot * places->width;
		unsigned count = 0;
		while (count < places->width && numbers[count] >= 0)
			count++;
		if (count == 0)
			continue;
		add_jump(program, BPF_JMP | BPF_JEQ | BPF_K, slot, 1, 0);
		unsigned over = program->length;
		add(program, BPF_JMP | BPF_JA, 0);
		add_members(program, numbers, count, places->slots);
		program->code[over].k = program->length - over - 1U;
	}
	add(program, BPF_MISC | BPF_TXA, 0);
	add(program, BPF_ALU | BPF_MUL | BPF_K, GOLDEN_RATIO);
	add(program, BPF_ALU | BPF_RSH | BPF_K, 16);
}

static void add_choice(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed)
{
	bool is_by_source = steer->mode == STEER_SOURCE || steer->mode == STEER_SOURCE_PORT;

	if (is_by_source)
		add_source(program, steer);
	else
		add(program, BPF_LD | BPF_W | BPF_ABS,
			steer->mode == STEER_CPU ? ANCILLARY(CPU) : ANCILLARY(RANDOM));
	if (places && places->slots && (is_by_source || steer->mode == STEER_CPU))
		add_places(program, places);
	add(program, BPF_ALU | BPF_MOD | BPF_K, members - n_closed);
	/* A counts open members; each closed one before it adds one to the number. */
	for (unsigned i = 0; i < n_closed; i++) {
		add_jump(program, BPF_JMP | BPF_JGE | BPF_K, closed[i], 0, 1);
		add(program, BPF_ALU | BPF_ADD | BPF_K, 1);
	}
	add(program, BPF_RET | BPF_A, 0);
}

void steer_build(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed)
{
	program->length = 0;
	add_choice(program, steer, places, members, closed, n_closed);
}

void steer_build_knockable(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed)
{
	program->length = 0;
	add_knock(program);
	add_choice(program, steer, places, members, closed, n_closed);
}

void steer_build_for_guest(struct steer_program *program, const struct steer *steer,
	const struct steer_places *places, unsigned members, const unsigned *closed,
	unsigned n_closed, const struct steer_guest *guest)
{
	program->length = 0;
	add_guest(program, guest);
	add_knock(program);
	if (steer)
		add_choice(program, steer, places, members, closed, n_closed);
	else
		add(program, BPF_RET | BPF_K, NO_NUMBER);
}

int steer_attach(int fd, const struct steer_program *program)
{
	struct sock_fprog whole = {0};

	whole.len = program->length;
	whole.filter = (struct sock_filter *)(uintptr_t)program->code;
	return system_setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &whole, sizeof whole);
}

int steer_detach(int fd)
{
	int nothing = 0;

	return system_setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &nothing, sizeof nothing);
}
