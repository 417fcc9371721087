/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads whole numbers from text: digits alone, without blanks or a sign. */
#ifndef GROUND_NUMBER_H
#define GROUND_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All functions here are pure and async-signal-safe. */

/* The digit that C is in BASE (2 to 16), or -1. */
int number_digit(char c, unsigned base);

/* The number that all LENGTH bytes at TEXT are in BASE; false for none, or for one over MOST. */
bool number_parse(uint64_t *number, unsigned base, const char *text, size_t length, uint64_t most);

/* The decimal number that all LENGTH bytes at TEXT are; -1 for none, or for one over MOST. */
int number_of(const char *text, size_t length, int most);

#endif
