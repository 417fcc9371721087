/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends messages to the service manager, in the protocol of sd_notify(3). */
#ifndef SOCKET_NOTIFY_SOCKET_H
#define SOCKET_NOTIFY_SOCKET_H

/*
 * Sends MESSAGE ("FDSTORE=1\nFDNAME=web"), with the descriptor FD unless it is -1, to the socket at
 * PATH: a path, or an abstract name that starts with "@". Waits for at most a second, with FD for
 * five. Returns 0 or a negative errno; it is not known whether the manager did what it was told.
 * -EPERM: the abstract name belongs to another user who is not root, and so gets no descriptor.
 * Async-signal-safe; leaves errno alone.
 */
int notify_socket_send(const char *path, const char *message, int fd);

#endif
