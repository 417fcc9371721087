/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads lists of preloaded libraries, as in LD_PRELOAD (ld.so(8)). */
#ifndef CHOOSE_PRELOADED_H
#define CHOOSE_PRELOADED_H

#include <limits.h>
#include <stdbool.h>

/* Whether LIST has the library at PATH; whether it has some libreuse.so, wherever. */
bool preloaded_has(const char *list, const char *path);
bool preloaded_has_us(const char *list);

/*
 * The first library of LIST that comes before libreuse.so and has a
 * socket(), bind(), listen() or connect() of its own; PATH_OUT has room for PATH_MAX bytes. Returns
 * false where there is none. Bare names, which are looked up elsewhere, are passed over.
 */
bool preloaded_before_us(const char *list, char *path_out);

/*
 * The LIST without libreuse.so, wherever and however often it is in there; to be freed. Empty where
 * nothing is left; NULL where there is no memory.
 */
char *preloaded_without_us(const char *list);

#endif
