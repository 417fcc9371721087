/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells the service manager above how the copies are (sd_notify(3)), where there is one. */
#ifndef SUPERVISE_TALK_SERVICE_MANAGER_H
#define SUPERVISE_TALK_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

/* Remembers where the manager listens, and takes that out of the environment. */
void service_manager_open(void);

/* Whether there is one. */
bool service_manager_is_there(void);

/* Sends lines of NAME=VALUE, as text_format() makes them. */
void service_manager_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Hands a socket on to the manager's store, or has it closed there. COUNT sockets are to be in the
 * store then; that the manager takes fewer, FDSTORE in sd_listen_fds(3), is logged.
 */
void service_manager_store(const char *name, int fd, unsigned count);
void service_manager_forget(const char *name);

/* How often the manager wants to hear that we live, in microseconds; 0: never. */
uint64_t service_manager_watchdog_us(void);

#endif
