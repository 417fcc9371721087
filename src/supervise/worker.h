/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of one copy: it starts, is ready, drains, stops, and is gone. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include "supervisor.h"

/* The living copy of a slot that is ready, or NULL. */
struct copy *worker_serving(const struct supervisor *supervisor, unsigned slot);

/* Whether some copy is in STATE. */
bool worker_any(const struct supervisor *supervisor, enum copy_state state);

/*
 * Starts a copy for SLOT. PREDECESSOR is the one that it will replace, or NULL. Returns 0 or a
 * negative errno.
 */
int worker_start(struct supervisor *supervisor, unsigned slot, struct copy *predecessor);

/* Has the copy finish what it has and stop; at once, where nobody can take its clients. */
void worker_retire(struct supervisor *supervisor, struct copy *copy);

/* Whether another copy can take the clients of this one. */
bool worker_can_drain(const struct supervisor *supervisor, const struct copy *copy);

/* Sends the stop signal. */
void worker_stop(struct supervisor *supervisor, struct copy *copy);

/* A process has ended with STATUS, as of waitpid(2). */
void worker_ended(struct supervisor *supervisor, pid_t process, int status);

/* Takes what the copies have said. */
void worker_listen(struct supervisor *supervisor);

/* Does for each copy what is due now, and starts those that are missing. */
void worker_advance(struct supervisor *supervisor);

/* When worker_advance() has to be called next, in terms of clock_now_ms(). */
int64_t worker_due_ms(const struct supervisor *supervisor);

#endif
