/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a policy into effect. Loads and pins the BPF programs if they are not pinned yet. */
#ifndef KERNEL_LOAD_H
#define KERNEL_LOAD_H

/*
 * Takes the policy from FILE, or if FILE is NULL, the policy that programs would have here. Prints
 * what it did, or what is wrong. Returns an exit status. This is 78 in two cases: the policy is
 * broken, and each call fails from now on; or the policy has a rule that the hook cannot apply, and
 * nothing has changed.
 */
int load(const char *file);

#endif
