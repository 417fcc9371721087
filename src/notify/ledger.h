/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers, for many programs at once, the first port that each has asked for under "once". */
#ifndef NOTIFY_LEDGER_H
#define NOTIFY_LEDGER_H

#include "policy/policy.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The memory is about a program as it was executed, with all processes that it forks. An executed
 * program starts with what was remembered about the program before it in the same process, or about
 * its nearest ancestor about which anything is remembered. The preload hook does the same
 * (socket/first_port.h). A process is identified by its id and its start time. When no process of a
 * program lives any more, the program is forgotten, but only when its place is needed.
 */

/*
 * Call this before workers are forked: they share the memory, and one that is killed in here does
 * not hold up the others. Only the first call has an effect. Returns 0 or -ENOMEM.
 */
int ledger_start(void);

/*
 * The memory of the program of PROCESS, which waits in a call of its THREAD, and whose own rules
 * are POLICY. It is valid until the next call in this worker, also if the program is killed. If
 * nothing can be remembered, it holds FIRST_PORT_NOWHERE.
 */
_Atomic uint32_t *ledger_first_port(pid_t process, pid_t thread, const struct policy *policy);

#endif
