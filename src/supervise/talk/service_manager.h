/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports the state of the copies to the service manager (sd_notify(3)), if there is one. */
#ifndef SUPERVISE_TALK_SERVICE_MANAGER_H
#define SUPERVISE_TALK_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

/* Remembers where the manager listens, and removes that from the environment. */
void service_manager_open(void);

/* Whether there is a service manager. */
bool service_manager_is_there(void);

/* Sends lines of NAME=VALUE, in the format of text_format(). */
void service_manager_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Hands a socket to the manager's store, or has it closed there. COUNT sockets will be in the store
 * then; if the manager takes fewer (FDSTORE in sd_listen_fds(3)), that is logged.
 */
void service_manager_store(const char *name, int fd, unsigned count);
void service_manager_forget(const char *name);

/* How often the manager wants a sign of life, in microseconds; 0: never. */
uint64_t service_manager_watchdog_us(void);

#endif
