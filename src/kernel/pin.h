/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines where the programs and maps of the kernel hook are pinned, and their names there. */
#ifndef KERNEL_PIN_H
#define KERNEL_PIN_H

#include "socket/steer_pins.h"

#include <linux/bpf.h>
#include <stddef.h>

#define PIN_FOLDER   STEER_PINS
#define PIN_VARIABLE "REUSE_BPF_PIN" /* an environment variable with another folder */

#define PIN_POLICIES "policies"
#define PIN_PLACES   "places"
#define PIN_BIND4    "bind4"
#define PIN_COUNT    "count" /* the link of the program that counts open connections */
#define PIN_LINKS    "links" /* a folder; in it, a folder with links for each attached cgroup */

struct pin_program {
	char name[12]; /* of the pinned file; BPFProgram= of systemd.resource-control(5) uses it */
	char function[20]; /* its name in hook.bpf.c */
	enum bpf_attach_type type;
};

/*
 * All programs of the hook, in the order in which they are attached. The first one may be attached
 * before the place is paused, because it has no effect before a socket listens.
 */
#define PIN_PROGRAMS 8
extern const struct pin_program pin_programs[PIN_PROGRAMS];

/* The folder in which everything is pinned: from PIN_VARIABLE, or PIN_FOLDER. */
const char *pin_folder(void);

#endif
