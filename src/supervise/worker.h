/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of one copy: it starts, is ready, drains, stops, and is gone. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include "state.h"

/*
 * Starts a copy for SLOT. PREDECESSOR is the one that it will replace, or NULL. Returns 0 or a
 * negative errno.
 */
int worker_start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor);

/* Starts one that takes what DEAD, a copy, has left in its queue, and stops then. */
int worker_start_sweeper(struct supervisor *supervisor, const struct copy *dead);

/* The copy is in another state from now on. */
void worker_enter(struct copy *copy, enum copy_state state);

/* Whether another copy can take the clients of this one. */
bool worker_can_drain(const struct supervisor *supervisor, const struct copy *copy);

/*
 * Has the copy finish what it has and stop; at once, where nobody can take its clients. New ones
 * are steered around it by the next upkeep.
 */
void worker_retire(struct supervisor *supervisor, struct copy *copy);

/*
 * To be called after each update of the steering while the copy drains: what has come to it since
 * the kernel chose others, it has to finish. Stops it at once, where nobody can take its clients.
 */
void worker_follow_drain(struct supervisor *supervisor, struct copy *copy);

/* Sends the stop signal. */
void worker_stop(struct supervisor *supervisor, struct copy *copy);

/*
 * The same, where others may go on. If one of them serves a socket that this copy has, it gets
 * SIGKILL instead: as it stops, it might call shutdown(2), which empties the queue for all.
 */
void worker_stop_alone(struct supervisor *supervisor, struct copy *copy);

/* A copy that does not serve will not do: it finishes what has come to it by mistake, and stops. */
void worker_give_up(struct supervisor *supervisor, struct copy *copy);

/*
 * Nothing of the copy is left: closes its sockets, but those that the service manager shall give to
 * the next supervisor.
 */
void worker_let_go(struct supervisor *supervisor, struct copy *copy);

/* Takes what the copies have said. */
void worker_listen(struct supervisor *supervisor);

/* Has new clients go to the copies that can take them now. */
void worker_steer(struct supervisor *supervisor);

/* The same, after a new look at who is on their ports: others come and go without a word. */
void worker_look(struct supervisor *supervisor);

#endif
