/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the state of a supervisor: its copies, its slots, and what it is about to do. */
#ifndef SUPERVISE_STATE_H
#define SUPERVISE_STATE_H

#include "crashes.h"
#include "launch.h"
#include "supervise/sockets/keeper.h"
#include "supervise/sockets/snapshot.h"
#include "supervise/sockets/steering.h"
#include "supervise/talk/control.h"

#define SLOT_BACKOFF_FIRST_MS 100

struct hung_group;

struct slot {
	int64_t start_ms;    /* when a copy may be started; CLOCK_NEVER: not again */
	unsigned backoff_ms; /* the next delay after a copy has died */
	bool is_to_roll;     /* its copy is to be replaced */
	bool is_split;	     /* its queue has several sockets of one endpoint, and needs one */
	int64_t split_ms;    /* when a copy is to be tried again for them; 0: none has failed */
	unsigned n_restarts; /* of copies that ended without being told to */
	char last_end[192];  /* how the last of these has ended; empty: none has */
};

/* A client's request for a number of copies. */
struct scaling {
	unsigned n_copies; /* 0: no request */
	bool has_begun;
	unsigned n_failed_before; /* n_failed_starts, when it began */
};

struct supervisor {
	const struct options *options;
	const struct policy *policy;
	struct launch launch;
	struct keeper keeper;
	struct steering *steering;
	struct snapshot snapshot; /* of this pass of the loop */
	struct control control;
	struct copy *copies;
	struct slot slots[OPTIONS_COPIES_MOST];
	unsigned n_slots;    /* slots that should have a copy */
	unsigned generation; /* of copies that are started now: 1, plus one for each roll */
	struct hung_group *hung_groups; /* see hung.h */
	int64_t hung_due_ms, memory_due_ms;
	int64_t pass_ms; /* when the schedule was followed last */
	struct crashes crashes;
	int probe_events;	/* an epoll(7), see probe.h */
	bool is_joining_closed; /* a socket that joins a group while a copy starts gets nothing */

	bool is_rolling, is_to_roll_again;
	bool has_passed;	/* a new copy of this roll has passed its probation */
	char roll_failure[512]; /* why the roll is to end; empty: it goes on */

	struct scaling scaling;
	unsigned n_failed_starts; /* copies that ended before they were ready */

	bool is_announced;   /* the manager was told that all are ready */
	char reported[1024]; /* the last STATUS= */

	bool had_terminal; /* when the supervisor was started */
	bool is_to_stop;   /* for another reason than a signal */
	bool is_stopping;
	char stop_reason[128]; /* why it stops, as in "the supervisor stops: SIGTERM from ..." */
	int64_t stop_ms;       /* when it was told to stop */
	int failure;	       /* exit status of the last copy that failed; 0: none has */
};

#endif
