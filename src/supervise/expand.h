/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces %i, %g and %% for one copy, in a text that is meant for all copies. */
#ifndef SUPERVISE_EXPAND_H
#define SUPERVISE_EXPAND_H

/*
 * TEXT with %i replaced by the number of the copy, %g by its generation, and %% by a percent sign;
 * any other percent sign stays. Returns a new string, or NULL if there is no memory.
 */
char *expand_text(const char *text, unsigned slot, unsigned generation);

/* The same for each word of COMMAND except the first, up to a NULL. */
char **expand_words(char *const *command, unsigned slot, unsigned generation);

#endif
