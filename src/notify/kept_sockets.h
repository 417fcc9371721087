/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps sockets with systemd for the programs under the notify hook. */
#ifndef NOTIFY_KEPT_SOCKETS_H
#define NOTIFY_KEPT_SOCKETS_H

#include "notify.h"

/*
 * Removes the kept sockets that this process was started with from its environment and descriptors,
 * before the program is started. The descriptors of a .socket unit stay, also for adopt=.
 */
void kept_sockets_start(const struct configuration *configuration);

/* Keeps the inherited sockets that adopt= names open after the program was started. */
void kept_sockets_hold(const struct configuration *configuration);

/* Whether some rule gives the program sockets from elsewhere. */
bool kept_sockets_is_wanted(const struct configuration *configuration);

extern const struct notify_keeper kept_sockets_keeper;

#endif
