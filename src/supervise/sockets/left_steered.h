/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remembers which groups are steered, for the guardian: when the supervisor is killed, its program
 * stays with the group, and would keep new connections from members of others for ever.
 */
#ifndef SUPERVISE_SOCKETS_LEFT_STEERED_H
#define SUPERVISE_SOCKETS_LEFT_STEERED_H

#include "socket/tables.h"

/* To be called before the guardian is started, which shares what is noted. */
void left_steered_open(void);

/* Notes the TCP group at PLACE, or strikes it out; nothing where it was not opened. */
void left_steered_note(const struct table_entry *place);
void left_steered_strike(const struct table_entry *place);

/* Leaves all that are noted to the kernel, but for those that another one steers. */
void left_steered_relieve(void);

#endif
