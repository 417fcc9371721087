/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the socket options that a rule may set. */
#ifndef POLICY_SOCKOPT_H
#define POLICY_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sockopt_type {
	SOCKOPT_FLAG,		 /* an int, 0 or 1: NAME, NAME=on, NAME=off */
	SOCKOPT_NUMBER,		 /* an int: NAME=N */
	SOCKOPT_NUMBER64,	 /* 64 bits: NAME=N */
	SOCKOPT_FLAG_AND_NUMBER, /* NAME, NAME=on, NAME=off, or NAME=N: on, and the number too */
	SOCKOPT_STRING,		 /* NAME=TEXT, given without its NUL */
};

struct sockopt_place {
	short level, option; /* as in setsockopt(2); option 0: nothing to set */
};

/* The names are in the rows themselves, so that the table needs no relocation in the library. */
struct sockopt {
	char name[20];
	uint8_t type;		  /* enum sockopt_type */
	uint8_t protocols;	  /* bits of enum protocol it applies to */
	uint8_t families;	  /* bits of enum family it applies to */
	struct sockopt_place ip4; /* for an AF_INET socket */
	struct sockopt_place ip6; /* for an AF_INET6 socket */
	bool is_dual; /* an AF_INET6 socket has the AF_INET option too, for v4-mapped peers */
	struct sockopt_place flag; /* SOCKOPT_FLAG_AND_NUMBER: the option that on and off set */
	uint64_t minimum, maximum; /* of a number, or of a text's length in bytes */
};

extern const struct sockopt sockopt_table[];
extern const unsigned sockopt_count;

/* One option with the value that a rule gives it. */
struct setting {
	const struct sockopt *option;
	bool is_on;	 /* flags */
	bool has_number; /* SOCKOPT_FLAG_AND_NUMBER: a number was given */
	uint32_t length; /* of the string, in bytes */
	uint64_t number;
	const char *string;
};

/* The row of that NAME, or NULL. Async-signal-safe. */
const struct sockopt *sockopt_find(const char *name, size_t length);

#endif
