/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts endpoints that the same rules are for, by family and protocol, into one class. */
#ifndef POLICY_CLASSES_H
#define POLICY_CLASSES_H

#include "index.h"

#define CLASSES_MOST 10 /* two families, and five answers to which protocol it is */

struct classes {
	uint32_t kinds_present; /* a bit for each pair of families and protocols that rules have */
	uint32_t kinds[CLASSES_MOST]; /* the pairs that each class stands for */
};

/* The families and protocols that a match names, as one number. Pure, as the other one. */
unsigned classes_kind_of(const struct match *match);

/* Fills in the classes of INDEX, and how many there are, for the kinds that are present. */
void classes_make(struct index *index, struct classes *classes);

#endif
