/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the supervisor's log: that of the policy, with the name of reuse-run. */
#ifndef SUPERVISE_TALK_SAY_H
#define SUPERVISE_TALK_SAY_H

#include "ground/log.h"

extern struct log say_log;

#define say(...) log_write(&say_log, __VA_ARGS__)

#endif
