/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A preloaded object with nothing in it: the yardstick for one that has something. */
extern const char empty;
const char empty = 0;
