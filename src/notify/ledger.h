/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers, for many programs at once, the first port that each has asked for under "once". */
#ifndef NOTIFY_LEDGER_H
#define NOTIFY_LEDGER_H

#include "policy/policy.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What is remembered is about a program as it was executed, with all processes that it forks. One
 * that is executed starts with what was known to the program before it in the same process, or to
 * the nearest of its parents about which anything is remembered. That is also how the preload hook
 * has it (socket/first_port.h). A process is known by its number and the time of its start; what
 * nobody lives any more to ask for is forgotten, but only when its place is needed.
 */

/*
 * To be called before workers are forked: the memory is common to all of them, and one that is
 * killed in here holds up none of the others. Only the first call does anything. Returns 0 or
 * -ENOMEM.
 */
int ledger_start(void);

/*
 * The memory of the program of PROCESS, which waits in a call of its THREAD, and whose own rules
 * are POLICY. It is good until the next call in this worker, also if the program is killed. Where
 * nothing can be remembered, it holds FIRST_PORT_NOWHERE.
 */
_Atomic uint32_t *ledger_first_port(pid_t process, pid_t thread, const struct policy *policy);

#endif
