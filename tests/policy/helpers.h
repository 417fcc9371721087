/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the policy share: rules from text, text from rules, files, random numbers. */
#ifndef TESTS_POLICY_HELPERS_H
#define TESTS_POLICY_HELPERS_H

#include "policy/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_OF(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

/* ---- parsing ---- */

struct parsed {
	int error; /* what parse_rules() returned */
	struct rules rules;
	struct parse_error complaint;
	struct arena arena;
};

/* Parses TEXT under the source name "TEXT"; it must live as long as the complaint is looked at. */
struct parsed parse_bytes(const char *text, size_t length, enum parse_style style);
struct parsed parse_variable(const char *text);
struct parsed parse_file(const char *text);

/* The one rule that TEXT, of a variable, must be; fails the test if it is not. */
const struct rule *parse_one(const char *text);

/* Fails the test unless TEXT, in a variable and in a file, is refused at that place. */
void expect_refused(const char *text, unsigned line, unsigned column, const char *message);

/* The same for one style, or for bytes with a NUL among them. */
void expect_refused_as(enum parse_style style, const char *text, size_t length, unsigned line,
	unsigned column, const char *message);

/* What parse_error_print() makes of a refused TEXT, with PREFIX. In static memory. */
const char *complaint_of(const char *text, enum parse_style style, const char *prefix);

/* ---- comparing ---- */

/* In one of a few static buffers that take turns. */
const char *print_rule(const struct rule *rule);
const char *print_match(const struct rule *rule);
const char *print_actions(const struct rule *rule);

/* Whether two rules match and do the same; where they were written does not count. */
bool rules_equal(const struct rule *a, const struct rule *b);

/* ---- endpoints ---- */

/* FAMILY is that of the address. Fails the test if it is none. */
struct endpoint endpoint_of(enum protocol protocol, const char *address, uint16_t port);

/* ---- files ---- */

/* Fixtures: a directory of the test's own is the current one; afterwards it is removed. */
void enter_directory(void);
void leave_directory(void);

/* Skips the rest of a test that has such a directory: Criterion leaves the fixture out then. */
void leave_and_skip(const char *reason);

void write_file(const char *path, const char *text, unsigned mode);

/* ---- random numbers, the same in every run ---- */

struct dice {
	uint64_t state;
};

uint64_t dice_throw(struct dice *dice);
unsigned dice_below(struct dice *dice, unsigned sides);

/* ---- random rules: of few addresses and ports, so that many of them meet ---- */

const char *random_address(struct dice *dice);

/* Writes a match with a blank after it, or nothing, for any protocol; returns its length. */
size_t random_match(struct dice *dice, char *text, size_t size);

/* Of any protocol. */
struct endpoint random_endpoint(struct dice *dice);

#endif
