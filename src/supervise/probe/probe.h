/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles one connection to a copy, which shows whether the copy is healthy. It counts only when
 * the copy has accepted it: the kernel alone completes a handshake with a program that hangs, and
 * another copy may have got it.
 */
#ifndef SUPERVISE_PROBE_PROBE_H
#define SUPERVISE_PROBE_PROBE_H

#include "check.h"
#include "supervise/sockets/probe_ends.h"
#include "supervise/sockets/reach.h"

#define PROBE_ANSWER_MOST 1024 /* bytes, within which the status must come */

enum probe_stage {
	PROBE_CONNECTS,
	PROBE_WAITS, /* in the accept queue */
	PROBE_IS_ANSWERED,
	PROBE_IS_OVER,
};

struct probe {
	struct probe *next;
	struct probe_end end;
	enum probe_stage stage;
	int fd;
	struct endpoint to;
	bool is_sure; /* as in reach.h */
	bool has_passed;
	int status; /* of the HTTP response; 0: none yet */
	char answer[PROBE_ANSWER_MOST];
	size_t n_answer;
};

enum probe_result {
	PROBE_GOES_ON,
	PROBE_PASSED,
	PROBE_FAILED,
	PROBE_LOST, /* another process has taken it, or nobody ever will: no result */
};

enum probe_owner {
	PROBE_OF_OTHERS,
	PROBE_OF_COPY,
	PROBE_OWNER_UNKNOWN,
};

/* Tells whose process has the socket with that inode. */
typedef enum probe_owner probe_ask_owner(uint32_t inode, void *context);

/*
 * The probe takes over the connection that was opened to LISTENER (an inode). EVENTS is an epoll(7)
 * that becomes readable when there is something to look at, except for the moment when the copy
 * accepts it, which nothing reports. Returns NULL if there is no memory; then it is closed.
 */
struct probe *probe_new(const struct reached *reached, uint32_t listener, int events);

/* Continues with it as far as possible now. Never waits. */
enum probe_result probe_look(
	struct probe *probe, const struct check *check, probe_ask_owner *ask, void *context);

/*
 * It is over: the copy gets an end of file, and what it sends is read and dropped. The connection
 * stays open, so that it is known.
 */
void probe_leave(struct probe *probe);

/*
 * Reads and drops what has come to a probe that is over. Returns whether the other side has closed
 * it.
 */
bool probe_is_closed(struct probe *probe);

void probe_free(struct probe *probe);

#endif
