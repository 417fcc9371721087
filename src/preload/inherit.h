/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hides the preload and the policy from the program's children. */
#ifndef PRELOAD_INHERIT_H
#define PRELOAD_INHERIT_H

/*
 * Removes this library from LD_PRELOAD and every REUSE_ variable from ENVIRONMENT, in place.
 * bindp's variables stay: other software reads them too. Call this while no other thread can read
 * the environment.
 */
void inherit_stop(char **environment);

#endif
