/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to a copy, that shows whether it is well. It counts only when the copy has taken
 * it: the kernel alone completes a handshake with a program that hangs, and another copy may have
 * got it.
 */
#ifndef SUPERVISE_PROBE_PROBE_H
#define SUPERVISE_PROBE_PROBE_H

#include "check.h"
#include "supervise/sockets/probe_ends.h"
#include "supervise/sockets/reach.h"

#define PROBE_ANSWER_MOST 1024 /* bytes, in which the status is to come */

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
	bool is_sure; /* as reach.h has it */
	bool has_passed;
	int status; /* of the HTTP answer; 0: none yet */
	char answer[PROBE_ANSWER_MOST];
	size_t n_answer;
};

enum probe_result {
	PROBE_GOES_ON,
	PROBE_PASSED,
	PROBE_FAILED,
	PROBE_LOST, /* somebody else has taken it, or nobody ever will: it says nothing */
};

enum probe_owner {
	PROBE_OF_OTHERS,
	PROBE_OF_COPY,
	PROBE_OWNER_UNKNOWN,
};

/* Whose process has the socket with that inode. */
typedef enum probe_owner probe_ask_owner(uint32_t inode, void *context);

/*
 * The connection that was opened to LISTENER (an inode) is the probe's from now on. EVENTS is an
 * epoll(7) that becomes readable when there is something to look at, but for the moment when the
 * copy takes it, which nobody tells. Returns NULL where there is no memory: then it is closed.
 */
struct probe *probe_new(const struct reached *reached, uint32_t listener, int events);

/* Goes on with it as far as that is possible now. Never waits. */
enum probe_result probe_look(
	struct probe *probe, const struct check *check, probe_ask_owner *ask, void *context);

/*
 * It is over: the copy is told that nothing will follow, and what comes from it is read and
 * dropped. It stays open, so that it is known.
 */
void probe_leave(struct probe *probe);

/* Reads and drops what has come to one that is over. Returns whether the other side has closed. */
bool probe_is_closed(struct probe *probe);

void probe_free(struct probe *probe);

#endif
