/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a policy in force: pins the programs if they are not there yet, and replaces their policy.
 */
#ifndef KERNEL_LOAD_H
#define KERNEL_LOAD_H

/*
 * FILE: a file with rules; NULL: the policy that programs would have here. Says what it did, or
 * what is wrong. Returns an exit status: 0, or 78 where the policy is broken (then each call fails
 * from now on) or has what the hook cannot keep (then nothing has changed).
 */
int load(const char *file);

#endif
