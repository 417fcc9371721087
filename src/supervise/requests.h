/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does what clients ask for: a roll, another number of copies, or how things are. */
#ifndef SUPERVISE_REQUESTS_H
#define SUPERVISE_REQUESTS_H

#include "state.h"

void requests_serve(struct supervisor *supervisor);

#endif
