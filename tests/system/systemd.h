/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A separate systemd with the test's units, in new namespaces. It shares the network, and /tmp,
 * with the test; libreuse.so is found there by its bare name, and the user "server" exists. As in
 * harness.h, a failure ends the test.
 */
#ifndef TESTS_SYSTEM_SYSTEMD_H
#define TESTS_SYSTEM_SYSTEMD_H

#include "harness.h"

/* Adds a unit, "web.socket", or the one drop-in of it, "web.socket.d/test.conf"; before
 * systemd_boot(). */
void systemd_add(const char *name, const char *content);

/* Adds the service NAME, with these lines in its section [Service]. */
void systemd_add_service(const char *name, const char *lines);

/* The lines of a service whose main process is COMMAND, and whose sockets are kept by RULES. */
const char *systemd_kept(const char *rules, const char *command);

/* As 247. */
int systemd_version(void);

/* Starts it. Skips the test if that is not permitted. */
void systemd_boot(void);

/* Runs "systemctl VERB UNIT", and expects it to work. */
void systemd_do(const char *verb, const char *unit);

/* A property of a unit, as systemctl(1) shows it. */
const char *systemd_show(const char *unit, const char *property);

/* How many sockets the file descriptor store of a service holds. */
int systemd_stored(const char *unit);

/* All of a file, by its path in there. */
const char *systemd_read(const char *path);

/* Sends a signal to the process with that id, as it is in there. */
void systemd_kill(int process, int signal);

/* What the services have written up to now, to standard output and standard error. */
const char *systemd_log(void);

/* Waits until they have written TEXT at least COUNT times. */
void systemd_wait_log(const char *text, int count);

/* The text of a unit, with the path of the present reuse-run instead of the installed one. */
const char *with_run(const char *text);

#endif
