/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gets a descriptor of a group of TCP listeners when none of its members can be duplicated. */
#ifndef SUPERVISE_SOCKETS_BESIDE_H
#define SUPERVISE_SOCKETS_BESIDE_H

#include "socket/tables.h"

/*
 * Opens a listener beside those at PLACE, as their user; it takes nothing from the beginning
 * (deaf.h). Returns a descriptor or a negative errno.
 */
int beside_open(const struct table_entry *place);

#endif
