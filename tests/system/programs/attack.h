/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the attacks of attack.c and attack_rest.c have in common. */
#ifndef ATTACK_H
#define ATTACK_H

#include "program.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

extern int port;

const char *outcome(int result);
_Noreturn void give_up(const char *why); /* that cannot be tried here */
void bind_beside(void);			 /* another program's bind, and what came of it */

/* A file of /proc/PROCESS, or -1; whether its status says so. */
int open_of(pid_t process, const char *name, int flags);
bool status_has(pid_t process, const char *words);

bool is_time_over(void); /* some time after the first call */

/* A page at PLACE, or with NULL anywhere, which does not answer; who touches it waits. */
void make_page_at(void *place);
void wait_for_fault(void);

void stuck(void);

void unknown(void);
void calm(void);
void killed(void);
void alone_with_it(void);
void exchange(void);

#endif
