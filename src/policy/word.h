/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a rule, but for those of sockopt.h. */
#ifndef POLICY_WORD_H
#define POLICY_WORD_H

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

/* The word as it is written, whether it takes a value, and for messages, an example of it with one.
 * Pure. */
const char *word_name(enum word word);
enum word_value word_value(enum word word);
const char *word_example(enum word word);

#endif
