/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table that a policy is compiled to: what the programs in the kernel and their loader share.
 */
#ifndef KERNEL_ROW_H
#define KERNEL_ROW_H

#include <linux/types.h>

/*
 * One map holds a whole policy, so that one update replaces all of it. Its rows, in their order:
 * the head; a view for bind() and one for connect(); then the rows that these refer to by their
 * number.
 *
 * To find the first rule that matches, the last start that is not behind the address is searched:
 * it names the longest prefix that holds the address. The prefix, and each longer one around it,
 * has a line of ports, cut into stretches, and each stretch has the first rule for it, by the kind
 * of socket. src/policy/index.h has the same in other words.
 */

/* Kinds of sockets: those of two families, each with three answers to which protocol it is. */
enum row_kind {
	ROW_TCP,
	ROW_UDP,
	ROW_OTHER,
	ROW_IP6, /* added to one of these */
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
	char version[12]; /* of libreuse; programs of another version do not know these rows */
	__u32 n_rules;
	__u32 rules; /* the first of ROWS_PER_RULE rows for each */
	__u32 texts; /* the first row of strings: where each rule was written, and the rule */
	__u16 error; /* with which each call fails, because the policy is broken; or 0 */
	__u8 is_strict, has_exclusive;
	__u8 has_source; /* some rule has from= */
};

struct row_view {
	__u32 starts, n_starts;
	__u32 prefixes; /* the first; it is the one that holds every address */
};

/* Addresses are two halves in host byte order; those of IPv4 are v4-mapped. */
struct row_start {
	__u64 high, low;
	__u32 prefix;
};

struct row_prefix {
	__u32 parent; /* the next longer one that holds all of it; of the first: itself */
	__u32 least;  /* no rule of this one, and of those that hold it, comes before it */
	__u32 stretches, n_stretches;
};

struct row_stretch {
	__u32 first_port;
	__u32 rules[ROW_KINDS + 1]; /* from 1; 0: none. The last is padding */
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
	__u32 settings; /* the first of the rows */
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

/* What happened by a rule since it was loaded. */
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

/* What is known of a place that the programs are attached to: the value of the map "places". */
struct row_place_state {
	__u32 is_paused; /* the programs there do nothing */
};

#endif
