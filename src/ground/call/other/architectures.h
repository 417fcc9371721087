/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists no other architecture, on machines that have no file of their own. */
#ifndef GROUND_CALL_OTHER_ARCHITECTURES_H
#define GROUND_CALL_OTHER_ARCHITECTURES_H

#define OTHER_ARCHITECTURES

#endif
