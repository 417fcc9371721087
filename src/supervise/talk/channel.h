/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Receives the messages of one copy to its supervisor, in the protocol of sd_notify(3). */
#ifndef SUPERVISE_TALK_CHANNEL_H
#define SUPERVISE_TALK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHANNEL_MESSAGE_SIZE 4096
#define CHANNEL_FDS_MOST     253 /* the most that the kernel allows in one message (SCM_MAX_FD) */

struct channel {
	int fd;	       /* readable when a message has come */
	char name[32]; /* for NOTIFY_SOCKET: chosen by the kernel */
};

struct channel_message {
	char text[CHANNEL_MESSAGE_SIZE]; /* lines of NAME=VALUE */
	pid_t sender;
	uid_t user;
	int fds[CHANNEL_FDS_MOST]; /* close-on-exec; the caller closes them */
	unsigned n_fds;
	bool are_lost; /* more descriptors came with it than we have room for */
};

/* Returns 0 or a negative errno. */
int channel_open(struct channel *channel);

/* Drops messages that were not read. */
void channel_close(struct channel *channel);

/* Reads the next message. Returns false if there is none. */
bool channel_receive(const struct channel *channel, struct channel_message *message);

/*
 * Copies the value of the line NAME=... to VALUE; returns false if there is no such line, or no
 * room.
 */
bool channel_field(
	const struct channel_message *message, const char *name, char *value, size_t size);

/* Closes the descriptors in MESSAGE that are not -1; never waits. */
void channel_drop_fds(struct channel_message *message);

#endif
