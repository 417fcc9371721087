/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Defines the rows to which a policy is compiled. The loader writes them, and the BPF programs read
 * them.
 */
#ifndef KERNEL_ROW_H
#define KERNEL_ROW_H

#include <linux/types.h>

/*
 * One map holds a whole policy, so that one update replaces all of it. First comes the row with the
 * head, then a view for bind() and a view for connect(). All other rows follow; the first three
 * refer to them by their number.
 *
 * This is how a program finds the first rule that matches. It searches for the last start that is
 * not greater than the address. This start names the longest prefix that contains the address. For
 * each prefix, the ports from 0 to 65535 are divided into stretches, and each stretch has, for each
 * kind of socket, the first rule that applies there. The program looks at this prefix and at all
 * prefixes around it. src/policy/index.h describes the same for the library.
 */

/* The kinds of sockets: two families, with three protocols each. */
enum row_kind {
	ROW_TCP,
	ROW_UDP,
	ROW_OTHER,
	ROW_IP6, /* is added to one of those above if the family is IPv6 */
	ROW_KINDS = 2 * ROW_IP6,
};

enum row_place {
	ROW_HEAD,
	ROW_BIND,
	ROW_CONNECT,
	ROW_FIRST_FREE,
};

#define ROW_NONE 0xffffffffU /* no rule */

struct row_head {
	char version[12]; /* of libreuse; programs of other versions do not know these rows */
	__u32 n_rules;
	__u32 rules; /* the first row of the rules; each rule has ROWS_PER_RULE rows */
	__u32 texts; /* the first row of strings: for each rule, its place and its text */
	__u16 error; /* if the policy is broken: the error with which each call fails; else 0 */
	__u8 is_strict, has_exclusive;
	__u8 has_source; /* some rule has from= */
};

struct row_view {
	__u32 starts, n_starts;
	__u32 prefixes; /* the first one, which contains every address */
};

/* Addresses are two halves in host byte order; those of IPv4 are v4-mapped. */
struct row_start {
	__u64 high, low;
	__u32 prefix;
};

struct row_prefix {
	__u32 parent; /* the next prefix around this one; for the first prefix: itself */
	__u32 least;  /* the lowest number of all rules of this prefix and of all around it */
	__u32 stretches, n_stretches;
};

struct row_stretch {
	__u32 first_port;
	__u32 rules[ROW_KINDS + 1]; /* numbers of rules, from 1; 0: no rule. The last is padding */
};

enum row_flag {
	ROW_DENY = 1,
	ROW_SHARE = 2,
	ROW_EXCLUSIVE = 4,
	ROW_HAS_ADDRESS = 8, /* of to= or from= */
	ROW_HAS_PORT = 16,
};

/* What a rule does. */
struct row_actions {
	__u16 flags;
	__u16 error; /* of deny, positive */
	__u16 port;
	__u16 n_settings;
	__u32 settings; /* the first row of the settings */
	__u32 unused;
	__u64 high, low; /* the address of to= or from= */
};

#define ROW_VALUE_MOST 16 /* bytes of an option's value */

struct row_setting {
	__s16 level, option;
	__u8 length; /* of the value in bytes */
	__u8 kinds;  /* a bit for each kind of socket that has the option */
	char value[ROW_VALUE_MOST];
};

/* What a rule has done since it was loaded. */
struct row_counts {
	__u64 seen, shared, moved, refused;
};

union row {
	struct row_head head;
	struct row_view view;
	struct row_start start;
	struct row_prefix prefix;
	struct row_stretch stretch;
	struct row_actions actions;
	struct row_setting setting;
	struct row_counts counts;
	char text[32];
};

#define ROWS_PER_RULE 2 /* its actions, and its counts */

/* The state of a cgroup to which the programs are attached: the value of the map "places". */
struct row_place_state {
	__u32 is_paused; /* the programs there have no effect */
};

#endif
