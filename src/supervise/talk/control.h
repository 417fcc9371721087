/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes requests of reuse-run --roll, --status and --scale to a supervisor. The answer has lines of
 * what happens or what there is, and an exit status. The supervisor never waits for a client.
 */
#ifndef SUPERVISE_TALK_CONTROL_H
#define SUPERVISE_TALK_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_CLIENTS_MOST 64
#define CONTROL_WORDS_MOST   32	    /* bytes of a request, with its end */
#define CONTROL_END	     "end " /* starts the last line; the exit status follows */

enum control_verb {
	CONTROL_NONE, /* not known yet */
	CONTROL_ROLL,
	CONTROL_STATUS,
	CONTROL_SCALE,
};

enum control_form {
	CONTROL_TEXT,
	CONTROL_JSON,
	CONTROL_BRIEF, /* of the text, only the part about the supervisor */
};

struct control_request {
	enum control_verb verb;
	unsigned number; /* of copies, or an enum control_form */
	int client;
};

struct control_client {
	int fd; /* -1: free */
	struct control_request request;
	char words[CONTROL_WORDS_MOST];
	size_t n_words;
	char *answer; /* what is still to be sent, from n_sent on; NULL: nothing */
	size_t n_answer, n_sent;
};

struct control {
	int events; /* an epoll(7), readable when control_next() has something to do; -1: none */
	int listener, roll_listener;
	int spare; /* closed to turn a client away at the limit of descriptors */
	struct control_client clients[CONTROL_CLIENTS_MOST];
};

/* Listens under names with our process id. Returns 0 or a negative errno. */
int control_open(struct control *control);
void control_close(struct control *control);

/*
 * Does the next thing that is to be done, and returns false if there is none. REQUEST becomes a
 * request that has come, from root or our own user; otherwise its verb is CONTROL_NONE.
 */
bool control_next(struct control *control, struct control_request *request);

/*
 * Sends all clients that wait for the end of VERB a line, made by text_format(); or the end, with
 * the exit status: to all of them, or to those who have asked for another NUMBER. A client that
 * does not read loses lines.
 */
void control_say(struct control *control, enum control_verb verb, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void control_end(struct control *control, enum control_verb verb, int status);
void control_end_others(
	struct control *control, enum control_verb verb, unsigned number, int status);

/*
 * Sends one client SIZE bytes of whole lines as it reads them, and the exit status. BYTES is from
 * malloc(3), and is freed.
 */
void control_answer(struct control *control, int client, char *bytes, size_t size);

#endif
