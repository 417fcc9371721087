/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How reuse-run --roll speaks to a supervisor: a request, lines of what happens, a status. */
#ifndef SUPERVISE_TALK_CONTROL_H
#define SUPERVISE_TALK_CONTROL_H

#include <stdbool.h>

#define CONTROL_CLIENTS_MOST 16

struct control {
	int listener;			   /* -1: nobody can ask */
	int spare;			   /* given up to turn somebody away at the limit */
	int clients[CONTROL_CLIENTS_MOST]; /* who waits for the end of a roll; -1: free */
};

/* Listens under a name that carries our process id. Returns 0 or a negative errno. */
int control_open(struct control *control);
void control_close(struct control *control);

/*
 * Takes who has come to ask. Returns whether a roll was asked for, by root or by the user that we
 * run as; others are turned away.
 */
bool control_accept(struct control *control);

/* Tells all who wait a line, made by text_format(); and that it is over, with its exit status. */
void control_say(struct control *control, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void control_end(struct control *control, int status);

/*
 * The other side: asks the supervisor whose process id, or whose pid file, TARGET is for a roll,
 * and prints what it says. Returns an exit status: its own, or EX_UNAVAILABLE where there is none.
 */
int control_roll(const char *target);

#endif
