/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the programs and maps of the kernel hook are pinned, and what they are called there. */
#ifndef KERNEL_PIN_H
#define KERNEL_PIN_H

#include <linux/bpf.h>
#include <stddef.h>

#define PIN_FOLDER   "/sys/fs/bpf/libreuse"
#define PIN_VARIABLE "REUSE_BPF_PIN" /* of the environment: another folder */

#define PIN_POLICIES "policies"
#define PIN_PLACES   "places"
#define PIN_BIND4    "bind4"
#define PIN_LINKS    "links" /* a folder, with one for each cgroup that reuse-bpf attached to */

struct pin_program {
	char name[12]; /* of the file, and as systemd.resource-control(5) has it in BPFProgram= */
	char function[20]; /* in hook.bpf.c */
	enum bpf_attach_type type;
};

/*
 * All programs, in the order in which they are attached. The first one changes nothing before a
 * socket listens.
 */
#define PIN_PROGRAMS 8
extern const struct pin_program pin_programs[PIN_PROGRAMS];

/* The folder of all of them: from the environment, or PIN_FOLDER. */
const char *pin_folder(void);

#endif
