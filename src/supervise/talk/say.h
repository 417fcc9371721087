/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor's log: that of the policy in force, with lines of its own name. */
#ifndef SUPERVISE_TALK_SAY_H
#define SUPERVISE_TALK_SAY_H

#include "ground/log.h"

extern struct log say_log;

#define say(...) log_write(&say_log, __VA_ARGS__)

#endif
