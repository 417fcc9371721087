/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the known word that a mistyped one was meant to be. */
#ifndef POLICY_NEAREST_H
#define POLICY_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *typed;
	size_t length;
	unsigned distance; /* of the best word so far */
	const char *word;  /* the best word so far, or NULL */
};

/* Starts a search; words that are too different from TYPED will not be chosen. */
struct nearest nearest_to(const char *typed, size_t length);

/* Remembers WORD if it is nearer than all before. Pure and async-signal-safe. */
void nearest_try(struct nearest *nearest, const char *word);

#endif
