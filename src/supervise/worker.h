/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts, drains and stops one copy, and cleans up after it. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include "state.h"

/*
 * Starts a copy for SLOT. PREDECESSOR is the copy that it will replace, or NULL. Returns 0 or a
 * negative errno.
 */
int worker_start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor);

/*
 * Starts a copy that serves the clients in the queue of DEAD, and then stops. DEAD has no more to
 * do, unless this fails. Returns 0 or a negative errno.
 */
int worker_start_sweeper(struct supervisor *supervisor, struct copy *dead);

/* Sets the state of the copy. */
void worker_enter(struct copy *copy, enum copy_state state);

/* Whether another copy can take the clients of this one. */
bool worker_can_drain(const struct supervisor *supervisor, const struct copy *copy);

/*
 * Makes the copy finish its connections and stop; it stops at once if nobody can take its clients.
 * New clients are steered around it by the next upkeep.
 */
void worker_retire(struct supervisor *supervisor, struct copy *copy);

/*
 * Whether a copy that is to drain does not do so yet: all others have crashed and start again, and
 * until one of them is ready, it serves the new clients, too.
 */
bool worker_serves_on(const struct supervisor *supervisor, const struct copy *copy);

/*
 * Call this after each update of the steering while the copy drains: the copy has to finish what
 * has come to it since the kernel chose others. Stops it at once if nobody can take its clients.
 */
void worker_follow_drain(struct supervisor *supervisor, struct copy *copy);

/* Sends the stop signal. */
void worker_stop(struct supervisor *supervisor, struct copy *copy);

/*
 * The same, when others may continue. If one of them serves a socket that this copy has, the copy
 * gets SIGKILL instead: as it stops, it might call shutdown(2), which empties the queue for all.
 */
void worker_stop_alone(struct supervisor *supervisor, struct copy *copy);

/*
 * A copy that starts is no longer wanted. If others serve its queue, it may have taken clients
 * already: then it counts as ready, and drains with the others. Returns whether it does.
 */
bool worker_count_as_ready(struct supervisor *supervisor, struct copy *copy);

/* A copy that does not serve has failed: it finishes what has come to it by mistake, and stops. */
void worker_give_up(struct supervisor *supervisor, struct copy *copy);

/* COPY drains from the beginning: its time starts now, and what it waits for is found again. */
void worker_drain_anew(struct supervisor *supervisor, struct copy *copy);

/*
 * Nothing of the copy is left: closes its sockets, except those that the service manager will give
 * to the next supervisor. Returns false if the copy drains again instead.
 */
bool worker_let_go(struct supervisor *supervisor, struct copy *copy);

/* Reads and handles the messages of the copies. */
void worker_listen(struct supervisor *supervisor);

/* Takes all that COPY has said up to now. */
void worker_hear_all(struct supervisor *supervisor, struct copy *copy);

/* Steers new clients to the copies that can take them now. */
void worker_steer(struct supervisor *supervisor);

/* The same, after reading again who is on their ports: others join and leave without notice. */
void worker_look(struct supervisor *supervisor);

#endif
