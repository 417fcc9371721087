/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remembers for the guardian which groups the supervisor steers. If the supervisor is killed, its
 * program stays attached to the group, and members that do not belong to it might never get a new
 * connection again. So the guardian detaches the program.
 */
#ifndef SUPERVISE_SOCKETS_LEFT_STEERED_H
#define SUPERVISE_SOCKETS_LEFT_STEERED_H

#include "socket/tables.h"

/* Call this before the guardian is started: it sees what the supervisor notes afterwards. */
void left_steered_open(void);

/* Notes the TCP group at PLACE, or removes the note. Does nothing before left_steered_open(). */
void left_steered_note(const struct table_entry *place);
void left_steered_strike(const struct table_entry *place);

/* Detaches the programs of all noted groups, except those that another process steers. */
void left_steered_relieve(void);

#endif
