/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads whole numbers from text: digits only, without blanks or a sign. */
#ifndef GROUND_NUMBER_H
#define GROUND_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All functions here are pure and async-signal-safe. */

/* The value of the digit C in BASE (2 to 16), or -1. */
int number_digit(char c, unsigned base);

/*
 * Reads all LENGTH bytes at TEXT as a number in BASE. Returns false if they are not one, or if it
 * is over MOST.
 */
bool number_parse(uint64_t *number, unsigned base, const char *text, size_t length, uint64_t most);

/*
 * Reads all LENGTH bytes at TEXT as a decimal number; returns -1 if they are not one, or if it is
 * over MOST.
 */
int number_of(const char *text, size_t length, int most);

#endif
