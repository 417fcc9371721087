/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups endpoints into classes, by family and protocol: the same rules apply to all of a class. */
#ifndef POLICY_CLASSES_H
#define POLICY_CLASSES_H

#include "index.h"

#define CLASSES_MOST 10 /* two families, and five values of the protocol */

struct classes {
	uint32_t kinds_present;	      /* a bit for each pair of families and protocols in a rule */
	uint32_t kinds[CLASSES_MOST]; /* the pairs that apply to each class */
};

/* The families and protocols that a match names, as one number. Pure, as the other function. */
unsigned classes_kind_of(const struct match *match);

/* Fills in the classes of INDEX and their number, for the kinds that are present. */
void classes_make(struct index *index, struct classes *classes);

#endif
