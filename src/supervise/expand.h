/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replaces %i, %g and %% in what is said of all copies, for one of them. */
#ifndef SUPERVISE_EXPAND_H
#define SUPERVISE_EXPAND_H

/*
 * TEXT with %i replaced by the number of the copy, %g by its generation, and %% by a percent sign;
 * any other percent sign stays. A new string, or NULL where there is no memory.
 */
char *expand_text(const char *text, unsigned slot, unsigned generation);

/* The same for each word of COMMAND but the first one, up to a NULL. */
char **expand_words(char *const *command, unsigned slot, unsigned generation);

#endif
