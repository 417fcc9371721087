/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket/steer.h"

#include "../policy/helpers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- the programs, in the words of tcpdump -d ---- */

static void disassemble(const struct sock_filter *code, char *line, size_t size)
{
	const char *where = code->k == (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)	? "cpu"
			    : code->k == (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM) ? "random"
										: "ip";
	unsigned place = strcmp(where, "ip") == 0 ? code->k - (uint32_t)SKF_NET_OFF : 0;

	switch (code->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		snprintf(line, size, "ld %s[%u]", where, place);
		return;
	case BPF_LD | BPF_B | BPF_ABS:
		snprintf(line, size, "ldb %s[%u]", where, place);
		return;
	case BPF_LDX | BPF_IMM:
		snprintf(line, size, "ldx #%u", code->k);
		return;
	case BPF_ALU | BPF_AND | BPF_K:
		snprintf(line, size, "and #%08x", code->k);
		return;
	case BPF_ALU | BPF_ADD | BPF_X:
		snprintf(line, size, "add x");
		return;
	case BPF_ALU | BPF_ADD | BPF_K:
		snprintf(line, size, "add #%u", code->k);
		return;
	case BPF_ALU | BPF_MUL | BPF_K:
		snprintf(line, size, "mul #%08x", code->k);
		return;
	case BPF_ALU | BPF_MOD | BPF_K:
		snprintf(line, size, "mod #%u", code->k);
		return;
	case BPF_ALU | BPF_RSH | BPF_K:
		snprintf(line, size, "rsh #%u", code->k);
		return;
	case BPF_ALU | BPF_XOR | BPF_X:
		snprintf(line, size, "xor x");
		return;
	case BPF_MISC | BPF_TAX:
		snprintf(line, size, "tax");
		return;
	case BPF_MISC | BPF_TXA:
		snprintf(line, size, "txa");
		return;
	case BPF_JMP | BPF_JA:
		snprintf(line, size, "jmp +%u", code->k);
		return;
	case BPF_JMP | BPF_JEQ | BPF_K:
		snprintf(line, size, "jeq #%u +%u +%u", code->k, code->jt, code->jf);
		return;
	case BPF_JMP | BPF_JGE | BPF_K:
		snprintf(line, size, "jge #%u +%u +%u", code->k, code->jt, code->jf);
		return;
	case BPF_RET | BPF_A:
		snprintf(line, size, "ret a");
		return;
	default:
		snprintf(line, size, "0x%x", code->code);
	}
}

static struct steer steer_of(const char *text)
{
	struct steer steer;

	cr_assert_eq(steer_mode_parse(&steer, text, strlen(text)), 0, "%s", text);
	return steer;
}

static struct steer_program program;

static void expect_program(const char *mode, unsigned members, const unsigned *closed,
	unsigned n_closed, const char *expected)
{
	struct steer steer = steer_of(mode);
	char listing[2048] = "";

	steer_build(&program, &steer, NULL, members, closed, n_closed);
	for (unsigned i = 0; i < program.length; i++) {
		char line[64];
		disassemble(&program.code[i], line, sizeof line);
		strcat(strcat(listing, line), "\n");
	}
	cr_expect_str_eq(listing, expected, "%s among %u is\n%s", mode, members, listing);
}

Test(steer, random_is_a_random_number_modulo_the_members)
{
	expect_program("random", 4, NULL, 0, "ld random[0]\nmod #4\nret a\n");
}

Test(steer, cpu_is_the_number_of_the_cpu_modulo_the_members)
{
	expect_program("cpu", 3, NULL, 0, "ld cpu[0]\nmod #3\nret a\n");
}

/* Each closed member before the answer makes its number one more. */
Test(steer, closed_members_are_skipped)
{
	expect_program("random", 5, (const unsigned[]){0, 3}, 2,
		"ld random[0]\nmod #3\njge #0 +0 +1\nadd #1\njge #3 +0 +1\nadd #1\nret a\n");
}

#define HASH_OF(PLACE, MASK) "ld ip[" PLACE "]\nand #" MASK "\nadd x\nmul #9e3779b1\ntax\n"
#define ALL		     "ffffffff"
#define END		     "txa\nrsh #16\nxor x\n"

Test(steer, source_looks_at_the_version_and_hashes_the_source_address)
{
	expect_program("source", 2, NULL, 0,
		"ldb ip[0]\nrsh #4\njeq #4 +0 +10\n"
		"ldx #0\n" HASH_OF("12", ALL) END "jmp +24\n"
						  "ldx #0\n" HASH_OF("8", ALL) HASH_OF("12", ALL)
							  HASH_OF("16", ALL) HASH_OF("20", ALL) END
		"mod #2\nret a\n");
}

Test(steer, a_prefix_masks_the_bits_after_it)
{
	expect_program("source/24", 2, NULL, 0,
		"ldb ip[0]\nrsh #4\njeq #4 +0 +10\n"
		"ldx #0\n" HASH_OF("12", "ffffff00") END
		"jmp +24\n"
		"ldx #0\n" HASH_OF("8", ALL) HASH_OF("12", ALL) HASH_OF("16", ALL)
			HASH_OF("20", ALL) END "mod #2\nret a\n");
	expect_program("source/44", 2, NULL, 0,
		"ldb ip[0]\nrsh #4\njeq #4 +0 +10\n"
		"ldx #0\n" HASH_OF("12", ALL) END
		"jmp +14\n"
		"ldx #0\n" HASH_OF("8", ALL) HASH_OF("12", "fff00000") END "mod #2\nret a\n");
	expect_program("source/64", 2, NULL, 0,
		"ldb ip[0]\nrsh #4\njeq #4 +0 +10\n"
		"ldx #0\n" HASH_OF("12", ALL) END "jmp +14\n"
						  "ldx #0\n" HASH_OF("8", ALL) HASH_OF("12", ALL)
							  END "mod #2\nret a\n");
}

/* ---- their results ---- */

struct machine {
	uint32_t a, x, memory;
	uint32_t random, cpu;
	const uint8_t *packet; /* from its IP header on */
	size_t size;	       /* of the packet; 0: as large as it needs to be */
};

static size_t load_size(const struct sock_filter *code)
{
	return BPF_SIZE(code->code) == BPF_B ? 1 : BPF_SIZE(code->code) == BPF_H ? 2 : 4;
}

static size_t load_place(const struct machine *machine, const struct sock_filter *code)
{
	uint32_t from = BPF_MODE(code->code) == BPF_IND ? machine->x : 0;

	return code->k - (uint32_t)SKF_NET_OFF + from;
}

/* The kernel ends a program with 0 if it loads from beyond the packet. */
static bool is_behind(const struct machine *machine, const struct sock_filter *code)
{
	return BPF_CLASS(code->code) == BPF_LD && code->k < (uint32_t)SKF_AD_OFF &&
	       machine->size > 0 && load_place(machine, code) + load_size(code) > machine->size;
}

static uint32_t load(const struct machine *machine, const struct sock_filter *code)
{
	uint32_t value = 0;

	if (code->k == (uint32_t)(SKF_AD_OFF + SKF_AD_CPU))
		return machine->cpu;
	if (code->k == (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM))
		return machine->random;
	for (size_t i = 0; i < load_size(code); i++)
		value = value << 8 | machine->packet[load_place(machine, code) + i];
	return value;
}

static void calculate(struct machine *machine, const struct sock_filter *code)
{
	uint32_t with = BPF_SRC(code->code) == BPF_X ? machine->x : code->k;

	switch (BPF_OP(code->code)) {
	case BPF_ADD:
		machine->a += with;
		return;
	case BPF_MUL:
		machine->a *= with;
		return;
	case BPF_AND:
		machine->a &= with;
		return;
	case BPF_XOR:
		machine->a ^= with;
		return;
	case BPF_RSH:
		machine->a >>= with;
		return;
	case BPF_LSH:
		machine->a <<= with;
		return;
	case BPF_SUB:
		machine->a -= with;
		return;
	case BPF_DIV:
		machine->a /= with;
		return;
	default:
		machine->a %= with;
	}
}

#define LOAD_FAILED UINT32_MAX

/* Runs the program as the kernel would, for the few instructions that are built. */
static unsigned answer(struct machine machine)
{
	for (unsigned at = 0; at < program.length; at++) {
		const struct sock_filter *code = &program.code[at];
		bool is_true =
			BPF_OP(code->code) == BPF_JEQ ? machine.a == code->k : machine.a >= code->k;
		if (BPF_CLASS(code->code) == BPF_RET)
			return BPF_RVAL(code->code) == BPF_A ? machine.a : code->k;
		if (is_behind(&machine, code))
			return LOAD_FAILED;
		if (BPF_CLASS(code->code) == BPF_LD)
			machine.a = load(&machine, code);
		else if (BPF_CLASS(code->code) == BPF_LDX)
			machine.x = BPF_MODE(code->code) == BPF_MEM ? machine.memory : code->k;
		else if (BPF_CLASS(code->code) == BPF_ST)
			machine.memory = machine.a;
		else if (BPF_CLASS(code->code) == BPF_ALU)
			calculate(&machine, code);
		else if (code->code == (BPF_MISC | BPF_TAX))
			machine.x = machine.a;
		else if (code->code == (BPF_MISC | BPF_TXA))
			machine.a = machine.x;
		else
			at += BPF_OP(code->code) == BPF_JA ? code->k
			      : is_true			   ? code->jt
							   : code->jf;
	}
	cr_assert_fail("the program has no end");
	return 0;
}

/* Some of the members, in rising order, and never all. */
static unsigned choose_closed(struct dice *dice, unsigned members, unsigned *closed)
{
	unsigned count = 0;

	for (unsigned i = 0; i < members && count + 1 < members; i++) {
		if (dice_below(dice, 3) == 0)
			closed[count++] = i;
	}
	return count;
}

static bool is_among(unsigned number, const unsigned *numbers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (numbers[i] == number)
			return true;
	}
	return false;
}

Test(steer, every_open_member_is_named_and_no_other)
{
	struct steer steer = steer_of("random");
	struct dice dice = {.state = 7};

	for (unsigned members = 1; members <= 64; members++) {
		unsigned closed[64], hits[64] = {0};
		unsigned n_closed = choose_closed(&dice, members, closed);
		steer_build(&program, &steer, NULL, members, closed, n_closed);
		for (unsigned i = 0; i < members - n_closed; i++) {
			unsigned named = answer((struct machine){.random = i});
			cr_assert_lt(named, members);
			hits[named]++;
		}
		for (unsigned i = 0; i < members; i++)
			cr_expect_eq(hits[i], !is_among(i, closed, n_closed),
				"member %u of %u, %u closed", i, members, n_closed);
	}
}

Test(steer, the_largest_number_of_members_can_be_closed)
{
	static unsigned closed[STEER_CLOSED_MOST];
	struct steer steer = steer_of("source");
	uint8_t packet[40] = {0x60};

	for (unsigned i = 0; i < STEER_CLOSED_MOST; i++)
		closed[i] = i;
	steer_build(&program, &steer, NULL, STEER_CLOSED_MOST + 1, closed, STEER_CLOSED_MOST);
	cr_expect_leq(program.length, COUNT_OF(program.code));
	cr_expect_eq(answer((struct machine){.packet = packet}), STEER_CLOSED_MOST);
}

static unsigned answer_to_ip4(uint8_t b, uint8_t c, uint8_t d, uint8_t noise)
{
	uint8_t packet[20] = {[0] = 0x45,
		[1] = noise,
		[5] = noise,
		[10] = noise,
		[12] = 127,
		[13] = b,
		[14] = c,
		[15] = d,
		[16] = noise};

	return answer((struct machine){.packet = packet, .random = noise, .cpu = noise});
}

Test(steer, source_depends_only_on_the_leading_bits_of_the_source_address)
{
	struct steer steer = steer_of("source/24");

	steer_build(&program, &steer, NULL, 64, NULL, 0);
	for (unsigned i = 0; i < 256; i++)
		cr_expect_eq(answer_to_ip4(1, 2, (uint8_t)i, (uint8_t)(i * 7)),
			answer_to_ip4(1, 2, 0, 0));
}

/* Neighbours differ in few bits, and shall be spread nevertheless. */
static void expect_even(unsigned members, unsigned step)
{
	struct steer steer = steer_of("source");
	unsigned hits[64] = {0}, count = 256 * members;

	steer_build(&program, &steer, NULL, members, NULL, 0);
	for (unsigned i = 0; i < count; i++) {
		unsigned address = i * step;
		hits[answer_to_ip4(
			(uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address, 0)]++;
	}
	for (unsigned i = 0; i < members; i++)
		cr_expect(hits[i] > 128 && hits[i] < 384,
			"%u of %u addresses in steps of %u go to member %u of %u", hits[i], count,
			step, i, members);
}

Test(steer, source_spreads_neighbouring_addresses)
{
	for (unsigned members = 2; members <= 64; members++) {
		expect_even(members, 1);
		expect_even(members, 4);
		expect_even(members, 256);
	}
}

/* ---- knocks ---- */

struct packet {
	uint8_t bytes[160];
	size_t size;
};

#define MD5	     1, 1, 19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define MSS(SIZE)    2, 4, (uint8_t)((SIZE) >> 8), (uint8_t)(SIZE)
#define KNOCK(N)     MD5, MSS(STEER_KNOCK_MSS + (N))
#define ORDINARY_SYN MSS(1460), 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7
#define FAST_OPEN    34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1

/* IP_OPTIONS are bytes after an IPv4 header, or of a header between IPv6 and TCP. */
static struct packet make_packet(
	int version, size_t ip_options, const uint8_t *options, size_t n_options, size_t n_data)
{
	struct packet packet = {.size = version == 4 ? 20 : 40};

	packet.bytes[0] = version == 4 ? (uint8_t)(0x45 + ip_options / 4) : 0x60;
	memset(packet.bytes + packet.size, 1, ip_options);
	packet.size += ip_options;
	uint8_t *tcp = packet.bytes + packet.size;
	memset(tcp, 0xff, 12); /* ports and numbers: what comes from outside */
	tcp[12] = (uint8_t)((20 + n_options) / 4 << 4);
	tcp[13] = 2;
	memcpy(tcp + 20, options, n_options);
	packet.size += 20 + n_options + n_data;
	return packet;
}

#define packet_of(VERSION, IP_OPTIONS, N_DATA, ...)                                                \
	make_packet(VERSION, IP_OPTIONS, (const uint8_t[]){__VA_ARGS__},                           \
		sizeof(const uint8_t[]){__VA_ARGS__}, N_DATA)

static unsigned answer_to_packet(const struct packet *packet, uint32_t random)
{
	return answer(
		(struct machine){.packet = packet->bytes, .size = packet->size, .random = random});
}

static const unsigned some_closed[] = {1, 3};

static void build_knockable(const char *mode)
{
	struct steer steer = steer_of(mode);

	steer_build_knockable(&program, &steer, NULL, 5, some_closed, 2);
}

Test(steer, a_knock_goes_to_its_number_even_if_that_is_closed)
{
	static const char *const modes[] = {"random", "source", "cpu"};

	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		build_knockable(modes[i]);
		for (unsigned number = 0; number < 2048; number++) {
			struct packet ip4 = packet_of(4, 0, 0, KNOCK(number));
			struct packet ip6 = packet_of(6, 0, 0, KNOCK(number), 1, 1, 4, 2);
			cr_assert_eq(answer_to_packet(&ip4, 0), number);
			cr_assert_eq(answer_to_packet(&ip6, 0), number);
		}
	}
}

/* It is an ordinary client's, or one that the kernel drops for its signature. */
static void expect_chosen(const struct packet *packet)
{
	static const unsigned open[] = {0, 2, 4};

	for (uint32_t i = 0; i < 3; i++) {
		cr_expect_eq(answer_to_packet(packet, i), open[i]);
		cr_expect_neq(answer_to_packet(packet, i), LOAD_FAILED);
	}
}

Test(steer, no_other_packet_is_a_knock_or_is_read_beyond_its_end)
{
	const struct packet packets[] = {
		make_packet(4, 0, NULL, 0, 0), /* as the ACK of a handshake without options */
		make_packet(6, 0, NULL, 0, 0),
		packet_of(4, 0, 0, ORDINARY_SYN),
		packet_of(6, 0, 0, ORDINARY_SYN),
		packet_of(4, 4, 0, ORDINARY_SYN),
		packet_of(4, 40, 0, ORDINARY_SYN),
		packet_of(6, 8, 0, ORDINARY_SYN),
		packet_of(4, 0, 40, ORDINARY_SYN, FAST_OPEN), /* with data */
		packet_of(6, 0, 40, ORDINARY_SYN, FAST_OPEN),
		packet_of(4, 0, 0, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8), /* an ACK */
		packet_of(4, 0, 0, MD5),				 /* an ACK with one */
		packet_of(4, 0, 0, MD5, 1, 1, 1, 1),
		packet_of(4, 0, 0, MSS(300), MD5),
	};

	build_knockable("random");
	for (size_t i = 0; i < COUNT_OF(packets); i++)
		expect_chosen(&packets[i]);
}

/* This does not depend on its header and its options. */
Test(steer, a_packet_of_a_knocks_length_never_fails_to_load)
{
	struct dice dice = {.state = 11};

	build_knockable("random");
	for (int i = 0; i < 20000; i++) {
		uint8_t options[40];
		size_t n_options = 4 * dice_below(&dice, 11);
		for (size_t k = 0; k < n_options; k++)
			options[k] = dice_below(&dice, 2) ? ((const uint8_t[]){KNOCK(7)})[k % 24]
							  : (uint8_t)dice_below(&dice, 256);
		struct packet packet =
			make_packet(dice_below(&dice, 2) ? 4 : 6, 0, options, n_options, 0);
		cr_assert_neq(answer_to_packet(&packet, 1), LOAD_FAILED);
	}
}

Test(steer, a_segment_size_below_those_of_knocks_is_not_a_members_number)
{
	struct packet packet = packet_of(4, 0, 0, MD5, MSS(88));

	build_knockable("random");
	cr_expect_gt(answer_to_packet(&packet, 0), 65535);
}

Test(steer, a_program_for_datagrams_does_not_look_for_knocks)
{
	struct steer steer = steer_of("random");

	steer_build(&program, &steer, NULL, 5, some_closed, 2);
	for (unsigned i = 0; i < program.length; i++)
		cr_expect_neq(BPF_MODE(program.code[i].code) == BPF_IND &&
				      BPF_CLASS(program.code[i].code) == BPF_LD,
			true);
}

Test(steer, the_same_number_can_be_closed_with_an_answer_to_knocks)
{
	static unsigned closed[STEER_CLOSED_MOST];
	struct steer steer = steer_of("source");

	for (unsigned i = 0; i < STEER_CLOSED_MOST; i++)
		closed[i] = i;
	steer_build_knockable(
		&program, &steer, NULL, STEER_CLOSED_MOST + 1, closed, STEER_CLOSED_MOST);
	cr_expect_leq(program.length, COUNT_OF(program.code));
}

/* ---- guests ---- */

static struct packet guest_packet(bool is_ip6, uint8_t first, uint8_t last, uint16_t port)
{
	struct packet packet =
		is_ip6 ? packet_of(6, 0, 0, ORDINARY_SYN) : packet_of(4, 0, 0, ORDINARY_SYN);
	uint8_t *source = packet.bytes + (is_ip6 ? 8 : 12),
		*tcp = packet.bytes + (is_ip6 ? 40 : 20);
	size_t length = is_ip6 ? 16 : 4;

	memset(source, 0, length);
	source[0] = first;
	source[length - 1] = last;
	tcp[0] = (uint8_t)(port >> 8);
	tcp[1] = (uint8_t)port;
	return packet;
}

static void expect_guest(const struct packet *packet, unsigned number)
{
	for (uint32_t random = 0; random < 3; random++)
		cr_expect_eq(answer_to_packet(packet, random), number);
}

Test(steer, a_guest_goes_to_its_number_and_all_others_go_where_they_went_before)
{
	struct steer steer = steer_of("random");

	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		const struct steer_guest guest = {40001, is_ip6, 3};
		uint8_t first = is_ip6 ? 0 : 127;
		const struct packet packet = guest_packet(is_ip6, first, 1, 40001);
		const struct packet others[] = {
			guest_packet(is_ip6, first, 1, 40002),
			guest_packet(is_ip6, first, 2, 40001),
			guest_packet(is_ip6, (uint8_t)(first + 1), 1, 40001),
			guest_packet(!is_ip6, is_ip6 ? 127 : 0, 1, 40001),
		};
		steer_build_for_guest(&program, &steer, NULL, 5, some_closed, 2, &guest);
		expect_guest(&packet, 3);
		for (size_t i = 0; i < COUNT_OF(others); i++)
			expect_chosen(&others[i]);
		struct packet knock = packet_of(4, 0, 0, KNOCK(2));
		cr_expect_eq(answer_to_packet(&knock, 0), 2);
	}
}

/* A number that no member has is how a program leaves the choice to the kernel. */
Test(steer, without_steering_the_hash_chooses_for_all_but_the_guest)
{
	const struct steer_guest guest = {40001, false, 3};
	const struct packet packet = guest_packet(false, 127, 1, 40001),
			    other = guest_packet(false, 127, 1, 40002);

	steer_build_for_guest(&program, NULL, NULL, 5, NULL, 0, &guest);
	expect_guest(&packet, 3);
	cr_expect_gt(answer_to_packet(&other, 0), STEER_CLOSED_MOST);
	cr_expect_neq(answer_to_packet(&other, 0), LOAD_FAILED);
}

Test(steer, the_same_number_can_be_closed_while_there_is_a_guest)
{
	static unsigned closed[STEER_CLOSED_MOST];
	struct steer steer = steer_of("source");
	const struct steer_guest guest = {40001, true, 3};

	for (unsigned i = 0; i < STEER_CLOSED_MOST; i++)
		closed[i] = i;
	steer_build_for_guest(
		&program, &steer, NULL, STEER_CLOSED_MOST + 1, closed, STEER_CLOSED_MOST, &guest);
	cr_expect_leq(program.length, COUNT_OF(program.code));
}

/* ---- places ---- */

#define CLIENTS 200

/* Which member each of many clients gets. */
static void ask_all(const struct steer *steer, const int *numbers, unsigned n_slots,
	unsigned members, const unsigned *closed, unsigned n_closed, unsigned *answers)
{
	const struct steer_places places = {numbers, n_slots, 1};
	uint8_t packet[28] = {0x45, [12] = 10};

	steer_build(&program, steer, &places, members, closed, n_closed);
	for (unsigned i = 0; i < CLIENTS; i++) {
		packet[15] = (uint8_t)i;
		packet[21] = (uint8_t)(i * 7);
		answers[i] = answer((struct machine){.packet = packet, .size = sizeof packet});
	}
}

/* Four slots; the new member of slot 1, number 4, has taken the place of number 1, which is closed.
 */
Test(steer, only_the_clients_of_a_place_whose_member_changes_change_theirs)
{
	static const unsigned old[] = {1};
	unsigned before[CLIENTS], during[CLIENTS], moved = 0;

	for (unsigned mode = STEER_SOURCE; mode <= STEER_SOURCE_PORT; mode++) {
		const struct steer steer = {(uint8_t)mode, 32, 128};
		ask_all(&steer, (const int[]){0, 1, 2, 3}, 4, 4, NULL, 0, before);
		ask_all(&steer, (const int[]){0, 4, 2, 3}, 4, 5, old, 1, during);
		for (unsigned i = 0; i < CLIENTS; i++) {
			cr_expect_eq(during[i], before[i] == 1 ? 4 : before[i]);
			moved += before[i] == 1;
		}
	}
	cr_expect(moved > 50 && moved < 200, "%u of 400", moved);
}

/* While the successor of slot 1 is ready, and the old one is there still. */
Test(steer, a_client_stays_in_its_slot_when_that_has_more_members)
{
	const struct steer steer = {STEER_SOURCE, 32, 128};
	const struct steer_places places = {(const int[]){0, -1, 1, 4, 2, -1, 3, -1}, 4, 2};
	unsigned before[CLIENTS], got[5] = {0};
	uint8_t packet[28] = {0x45, [12] = 10};

	ask_all(&steer, (const int[]){0, 1, 2, 3}, 4, 4, NULL, 0, before);
	steer_build(&program, &steer, &places, 5, NULL, 0);
	for (unsigned i = 0; i < CLIENTS; i++) {
		packet[15] = (uint8_t)i;
		packet[21] = (uint8_t)(i * 7);
		unsigned now = answer((struct machine){.packet = packet, .size = sizeof packet});
		cr_assert_lt(now, 5);
		got[now]++;
		cr_expect_eq(now == 4 ? 1 : now, before[i]);
	}
	cr_expect(got[1] > 5 && got[4] > 5, "%u and %u", got[1], got[4]);
}

Test(steer, the_clients_of_a_place_without_a_member_are_spread_among_the_others)
{
	static const unsigned closed[] = {1};
	const struct steer steer = {STEER_SOURCE, 32, 128};
	unsigned before[CLIENTS], during[CLIENTS], got[4] = {0};

	ask_all(&steer, (const int[]){0, 1, 2, 3}, 4, 4, NULL, 0, before);
	ask_all(&steer, (const int[]){0, -1, 2, 3}, 4, 4, closed, 1, during);
	for (unsigned i = 0; i < CLIENTS; i++) {
		cr_assert_lt(during[i], 4);
		if (before[i] == 1)
			got[during[i]]++;
		else
			cr_expect_eq(during[i], before[i]);
	}
	cr_expect(got[0] > 3 && got[1] == 0 && got[2] > 3 && got[3] > 3, "%u %u %u %u", got[0],
		got[1], got[2], got[3]);
}

Test(steer, the_port_of_a_client_counts_only_in_the_mode_for_flows)
{
	static const enum steer_mode modes[] = {STEER_SOURCE, STEER_SOURCE_PORT};
	const int numbers[] = {0, 1, 2, 3};
	const struct steer_places places = {numbers, 4, 1};
	uint8_t ip4[28] = {0x45, [12] = 127}, ip6[48] = {0x60};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		const enum steer_mode mode = modes[i];
		const struct steer steer = {(uint8_t)mode, 32, 128};
		unsigned seen4 = 0, seen6 = 0;
		steer_build(&program, &steer, &places, 4, NULL, 0);
		for (unsigned port = 0; port < 64; port++) {
			ip4[21] = ip6[41] = (uint8_t)port;
			seen4 |= 1U << answer((struct machine){.packet = ip4, .size = sizeof ip4});
			seen6 |= 1U << answer((struct machine){.packet = ip6, .size = sizeof ip6});
		}
		bool is_one = (seen4 & (seen4 - 1)) == 0 && (seen6 & (seen6 - 1)) == 0;
		cr_expect_eq(is_one, mode == STEER_SOURCE, "%x %x", seen4, seen6);
		cr_expect(mode == STEER_SOURCE || (seen4 == 0xf && seen6 == 0xf));
	}
}

Test(steer, the_longest_program_with_places_fits_the_kernel)
{
	static unsigned closed[STEER_CLOSED_MOST];
	static int numbers[STEER_PLACES_MOST];
	const struct steer steer = {STEER_SOURCE_PORT, 32, 128};

	for (unsigned i = 0; i < STEER_CLOSED_MOST; i++)
		closed[i] = i;
	for (unsigned width = 1; width <= STEER_PLACES_MOST; width *= 2) {
		const struct steer_places places = {numbers, STEER_PLACES_MOST / width, width};
		steer_build_knockable(&program, &steer, &places, STEER_CLOSED_MOST + 1, closed,
			STEER_CLOSED_MOST);
		cr_expect_leq(program.length, sizeof program.code / sizeof *program.code);
		cr_expect_leq(program.length, BPF_MAXINSNS);
	}
}
