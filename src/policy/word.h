/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the words of a rule, but for those of sockopt.h. */
#ifndef POLICY_WORD_H
#define POLICY_WORD_H

#include <stdint.h>

enum word {
	WORD_TCP,
	WORD_UDP,
	WORD_SCTP,
	WORD_IP4,
	WORD_IP6,
	WORD_CONNECT,
	WORD_PORT,
	WORD_ADDR,
	WORD_EXE,
	FIRST_ACTION,
	WORD_SHARE = FIRST_ACTION,
	WORD_EXCLUSIVE,
	WORD_TO,
	WORD_ONCE,
	WORD_FROM,
	WORD_DENY,
	WORD_PASS,
	WORD_BACKLOG,
	WORD_EARLY,
	WORD_KEEP,
	WORD_ADOPT,
	WORD_STEER,
	WORD_COUNT,
};

/* What comes after a word: nothing, or "=" and a value, which may be left out. */
enum word_value {
	WORD_VALUE_NONE,
	WORD_VALUE_OPTIONAL,
	WORD_VALUE_NEEDED,
};

struct word_form {
	char name[10];	  /* as it is written */
	uint8_t value;	  /* enum word_value */
	char example[24]; /* for messages, with its value */
	uint16_t flag; /* where in a struct rule the bool is that it sets, and no more; 0: none */
};

extern const struct word_form word_forms[WORD_COUNT];

#endif
