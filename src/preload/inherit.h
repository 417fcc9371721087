/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the preload and the policy from the program's children. */
#ifndef PRELOAD_INHERIT_H
#define PRELOAD_INHERIT_H

/*
 * Takes this library out of LD_PRELOAD and every REUSE_ variable out of ENVIRONMENT, in place.
 * bindp's variables stay: other software reads them for itself. To be called while no other thread
 * can read the environment.
 */
void inherit_stop(char **environment);

#endif
