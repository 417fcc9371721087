/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves the requests of clients: a roll, another number of copies, or the status. */
#ifndef SUPERVISE_REQUESTS_H
#define SUPERVISE_REQUESTS_H

#include "state.h"

void requests_serve(struct supervisor *supervisor);

#endif
