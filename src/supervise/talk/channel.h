/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket on which one copy speaks to its supervisor, in the protocol of sd_notify(3). */
#ifndef SUPERVISE_TALK_CHANNEL_H
#define SUPERVISE_TALK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHANNEL_MESSAGE_SIZE 4096
#define CHANNEL_FDS_MOST     253 /* that the kernel lets one message have (SCM_MAX_FD) */

struct channel {
	int fd;	       /* readable when a message has come */
	char name[32]; /* for NOTIFY_SOCKET: the kernel chose it */
};

struct channel_message {
	char text[CHANNEL_MESSAGE_SIZE]; /* lines of NAME=VALUE */
	pid_t sender;
	uid_t user;
	int fds[CHANNEL_FDS_MOST]; /* close-on-exec; the caller's to close */
	unsigned n_fds;
	bool are_lost; /* descriptors came with it, for which we have no room */
};

/* Returns 0 or a negative errno. */
int channel_open(struct channel *channel);

/* Drops what has come and was not taken. */
void channel_close(struct channel *channel);

/* Takes the next message. Returns false when there is none. */
bool channel_receive(const struct channel *channel, struct channel_message *message);

/* The value in the line NAME=..., into VALUE; false where there is no such line, or no room. */
bool channel_field(
	const struct channel_message *message, const char *name, char *value, size_t size);

/* Closes the descriptors that are left in MESSAGE, those that are not -1; waits for nobody. */
void channel_drop_fds(struct channel_message *message);

#endif
