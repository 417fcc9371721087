/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On machines without a file of their own, the programs of no other architecture are known. */
#ifndef GROUND_CALL_OTHER_ARCHITECTURES_H
#define GROUND_CALL_OTHER_ARCHITECTURES_H

#define OTHER_ARCHITECTURES

#endif
