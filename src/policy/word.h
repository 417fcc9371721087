/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the words of a rule, except for the socket options (sockopt.h). */
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

/* What follows a word: nothing, or "=" and a value, which may be optional. */
enum word_value {
	WORD_VALUE_NONE,
	WORD_VALUE_OPTIONAL,
	WORD_VALUE_NEEDED,
};

struct word_form {
	char name[10];	  /* as it is written */
	uint8_t value;	  /* enum word_value */
	char example[24]; /* for messages, with its value */
	uint16_t flag; /* where the bool is in struct rule, if the word only sets that; otherwise 0
			*/
};

extern const struct word_form word_forms[WORD_COUNT];

#endif
