/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the number of copies. */
#ifndef SUPERVISE_SCALE_H
#define SUPERVISE_SCALE_H

#include "state.h"

/* One copy more; or one less, down to one: that with the highest number drains and stops. */
void scale_one_more(struct supervisor *supervisor);
void scale_one_less(struct supervisor *supervisor);

#endif
