/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads lists of preloaded libraries, as in LD_PRELOAD (ld.so(8)). */
#ifndef CHOOSE_PRELOADED_H
#define CHOOSE_PRELOADED_H

#include <limits.h>
#include <stdbool.h>

/* Whether LIST has the library at PATH; whether it has a libreuse.so at any path. */
bool preloaded_has(const char *list, const char *path);
bool preloaded_has_us(const char *list);

/*
 * The first library of LIST that comes before libreuse.so and has its own socket(), bind(),
 * listen() or connect(); PATH_OUT has room for PATH_MAX bytes. Returns false if there is none. Bare
 * names, which are searched for elsewhere, are skipped.
 */
bool preloaded_before_us(const char *list, char *path_out);

/*
 * The LIST without any libreuse.so; to be freed. Empty if nothing is left; NULL if there is no
 * memory.
 */
char *preloaded_without_us(const char *list);

#endif
