/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps sockets with systemd for the programs that the notify hook serves. */
#ifndef NOTIFY_KEPT_SOCKETS_H
#define NOTIFY_KEPT_SOCKETS_H

#include "notify.h"

/*
 * Takes the kept sockets that this process was started with out of its environment and descriptors,
 * before the program is started. The file descriptors of a .socket unit stay, for adopt= as well.
 */
void kept_sockets_start(const struct configuration *configuration);

/* Holds on, after the program was started, to the inherited sockets that adopt= names. */
void kept_sockets_hold(const struct configuration *configuration);

/* Whether some rule puts sockets from elsewhere into the program. */
bool kept_sockets_is_wanted(const struct configuration *configuration);

extern const struct notify_keeper kept_sockets_keeper;

#endif
