/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds what a supervisor knows about one running copy of the program. */
#ifndef SUPERVISE_SOCKETS_COPY_H
#define SUPERVISE_SOCKETS_COPY_H

#include "drain.h"
#include "supervise/talk/channel.h"

#include <stdint.h>

enum copy_state {
	COPY_STARTING, /* not ready yet */
	COPY_WAITING,  /* ready, but others that are to serve the same queue are not */
	COPY_READY,
	COPY_DRAINING, /* gets no new clients, and finishes its connections */
	COPY_STOPPING, /* has been told to stop */
};

struct asking;
struct watched;

/* A socket that was opened after the copy was ready, and that no rule names: it is not kept. */
struct late_socket {
	uint32_t inode;
	struct endpoint local;
};

#define COPY_LATE_MOST 8 /* how many are remembered until it is known whether they stay open */

#define SWEEP_MS 1000 /* until a copy for the clients of a dead one is tried again */

struct copy {
	struct copy *next;
	unsigned slot, generation;
	pid_t pid; /* of its first process, and of its process group */
	enum copy_state state;
	bool is_over; /* its first process has ended; others of its group may live */
	bool is_new; /* starts beside the copies that it will replace, until it has replaced them */
	bool is_successor;    /* and takes their sockets */
	bool is_on_probation; /* it serves, and the copies that it will replace are still there */
	bool is_held;	      /* drains, but is not told to stop: its successor is on probation */
	bool is_sweeper;   /* started for the clients in the queue of a dead copy; then it stops */
	unsigned n_sweeps; /* it is so many copies after the dead one, if that also died */
	const struct copy *swept; /* while it is launched: that dead copy */
	bool is_shared;		  /* its queue is used by several copies */
	bool has_listened;	  /* on all endpoints that it has to */
	bool is_settled;	  /* it was ready once: ports that it asks for later are not kept */
	bool is_to_settle;	  /* see settle() */
	bool is_late_said;	  /* its unkept sockets have been logged */
	bool has_failed;	  /* ended too early, or was not ready in time */
	bool has_killed;	  /* has been sent SIGKILL */
	bool has_read_all;	  /* no datagram waited for it alone when it was told to stop */
	bool is_in_background;	  /* it has ended, and left its service to another process */
	bool is_deaf;		  /* its listeners take no new connections */
	bool is_long_said;	  /* it was logged that the current wait takes long */
	int status;		  /* from waitpid(2), once it is over */

	bool has_said_ready, has_said_alive; /* READY=1, WATCHDOG=1 */
	bool has_erred;			     /* handed over something that cannot be kept */
	char status_text[128];		     /* STATUS= */
	char failed_bind[128]; /* its last bind has failed: "ENDPOINT failed with ..." */
	struct late_socket late[COPY_LATE_MOST];
	unsigned n_late;
	pid_t probe;		 /* the command of --ready or --alive; 0: none runs */
	int probe_status;	 /* from waitpid(2), once it is over */
	bool is_hung;		 /* see hung.h: others get its clients */
	bool is_failing;	 /* --alive fails: others get its clients */
	bool takes_nothing;	 /* so the clients in its queue must be saved */
	struct watched *watched; /* of --alive; or NULL */
	struct asking *asking;	 /* of --ready=http:, and the like; or NULL */
	bool has_probed;	 /* it has succeeded: the copy is ready */
	int64_t probe_ms;	 /* when it may be started again */
	int64_t started_ms;
	int64_t listening_ms; /* when it was seen to listen somewhere; 0: not yet */
	int64_t ready_ms;     /* when it is ready, if it lives that long; 0: not known yet */
	int64_t settled_ms;   /* when it was settled */
	int64_t changed_ms;   /* when the state changed last */
	int64_t awaited_ms;   /* start of the current wait: the same, or the end of is_held */
	int64_t looked_ms;    /* when it was last checked whether it has anything left to do */
	bool serves_on;	      /* see worker_serves_on() */
	bool is_to_sweep;     /* it is dead, and clients in its queue wait for another copy */
	int64_t swept_ms;     /* when another copy may be started for them */
	unsigned looks_idle;  /* how many times in a row it had nothing left to do */
	struct channel channel;
	struct drain drain;
};

#endif
