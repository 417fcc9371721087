/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a supervisor knows of one running copy of the program. */
#ifndef SUPERVISE_SOCKETS_COPY_H
#define SUPERVISE_SOCKETS_COPY_H

#include "drain.h"
#include "supervise/talk/channel.h"

#include <stdint.h>

enum copy_state {
	COPY_STARTING, /* not ready yet */
	COPY_WAITING,  /* ready, but others that are to serve the same queue are not */
	COPY_READY,
	COPY_DRAINING, /* gets nothing new, and finishes what it has */
	COPY_STOPPING, /* has been told to stop */
};

struct asking;
struct watched;

/* A socket that it has opened after it was ready, and that no rule names: it is not kept. */
struct late_socket {
	uint32_t inode;
	struct endpoint local;
};

#define COPY_LATE_MOST 8 /* that are remembered until somebody looks whether they stay open */

struct copy {
	struct copy *next;
	unsigned slot, generation;
	pid_t pid; /* of its first process, and of its process group */
	enum copy_state state;
	bool is_over;	      /* its first process has ended; others of its group may live */
	bool is_new;	      /* starts beside the copies that it is to replace; until it has */
	bool is_successor;    /* and has their sockets */
	bool is_on_probation; /* it serves, and those that it is to replace are still there */
	bool is_held;	      /* drains, but is not told to stop: its successor is on probation */
	bool is_sweeper;   /* started for what waits in the queue of a dead one, and then stops */
	bool is_shared;	   /* its queue is for several copies */
	bool has_listened; /* on all that it has to */
	bool is_settled;   /* it was ready once: what it asks for from now on is not meant */
	bool is_to_settle; /* see settle() */
	bool is_late_said; /* it was looked at for what is not kept */
	bool has_failed;   /* will not do: ended too early, or was not ready in time */
	bool has_killed;   /* has been sent SIGKILL */
	bool is_in_background; /* it has ended, and left what it did to another process */
	bool is_deaf;	       /* its listeners take nothing any more */
	bool is_long_said;     /* that what it is waited for lasts long */
	int status;	       /* as of waitpid(2), once it is over */

	bool has_said_ready, has_said_alive; /* READY=1, WATCHDOG=1 */
	bool has_erred;			     /* handed over what cannot be kept */
	char status_text[128];		     /* STATUS= */
	char failed_bind[128]; /* its last bind has failed: "ENDPOINT failed with ..." */
	struct late_socket late[COPY_LATE_MOST];
	unsigned n_late;
	pid_t probe;		 /* the command of --ready or --alive; 0: none runs */
	int probe_status;	 /* as of waitpid(2), once it is over */
	bool is_hung;		 /* as hung.h says: others get its clients */
	bool is_failing;	 /* as --alive says: others get its clients */
	bool takes_nothing;	 /* so what waits in its queue is to be saved */
	struct watched *watched; /* of --alive; or NULL */
	struct asking *asking;	 /* of --ready=http:, and the like; or NULL */
	bool has_probed;	 /* it has said that the copy is ready */
	int64_t probe_ms;	 /* when it may be started again */
	int64_t started_ms;
	int64_t listening_ms; /* when it was seen to listen somewhere; 0: not yet */
	int64_t ready_ms;     /* when it is ready, if it lives so long; 0: not known yet */
	int64_t settled_ms;   /* when it was settled */
	int64_t changed_ms;   /* when the state changed last */
	int64_t awaited_ms;   /* since when it is waited for: the same, or the end of is_held */
	int64_t looked_ms;    /* when it was seen last whether it has anything left to do */
	unsigned looks_idle;  /* how many times in a row it had nothing */
	struct channel channel;
	struct drain drain;
};

#endif
