/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds the settings of a supervisor, and reads the values of its options. */
#ifndef SUPERVISE_OPTIONS_H
#define SUPERVISE_OPTIONS_H

#include "choose/hook.h"
#include "supervise/probe/alive.h"
#include "supervise/probe/check.h"

#include <stdbool.h>
#include <stdint.h>

enum ready {
	READY_LISTEN, /* it listens on all that the copy before it listened on */
	READY_NOTIFY, /* it says READY=1 (sd_notify(3)) */
	READY_CHECK,  /* a check succeeds */
};

enum restart {
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
	RESTART_NO,
};

#define OPTIONS_COPIES_MOST 1024
#define OPTIONS_UNLINK_MOST 16

struct options {
	unsigned n_copies;
	unsigned n_queues; /* how many queues the copies take connections from; 0: one each */
	bool is_expanded;  /* replace %i, %g and %% in the arguments */
	bool is_pinned;	   /* each copy runs on one CPU */
	enum hook hook;
	enum ready ready;
	struct check ready_check, alive_check;
	struct alive_limits alive;
	enum restart restart;
	int stop_signal;
	unsigned ready_delay_ms, ready_timeout_ms, probation_ms;
	unsigned drain_timeout_ms, grace_ms, stop_delay_ms, keep_timeout_ms;
	unsigned stop_timeout_ms; /* for the whole stop of the supervisor */
	unsigned stop_grace_ms;	  /* grace_ms, limited to what fits into that */
	unsigned max_crashes;	  /* within a minute, before the supervisor stops; 0: no limit */
	uint64_t max_memory;	  /* resident bytes of a copy; 0: no limit */
	const char *env_file, *directory, *pid_file; /* or NULL */
	const char *unlink[OPTIONS_UNLINK_MOST];
	unsigned n_unlink;
	const char *preload; /* LD_PRELOAD of the copies */
	char **words;	     /* after the name of reuse-run, including those of the command */
	char **command;	     /* with its arguments, up to a NULL */
};

/*
 * The defaults. options_settle() sets those that depend on other options, and on whether this is
 * process 1 of a container.
 */
struct options options_default(void);
void options_settle(struct options *options, bool is_first_process);

/*
 * Reads a time: a number followed by "ms", "s", "min" or "h", or by nothing for seconds; a fraction
 * is allowed. At most a week. Returns false for anything else.
 */
bool options_parse_time(const char *text, unsigned *time_ms);

/* The same, for a time that is not 0. */
bool options_parse_interval(const char *text, unsigned *time_ms);

/*
 * Reads a number of bytes, not 0: a number followed by "K", "M", "G" or "T", each 1024 times the
 * one before, or by nothing; a fraction is allowed.
 */
bool options_parse_size(const char *text, uint64_t *bytes);

/* Reads a number from 0 to OPTIONS_COPIES_MOST. */
bool options_parse_limit(const char *text, unsigned *limit);

/* Reads "TERM", "SIGTERM" or "15". Returns 0 if it is not a signal. */
int options_parse_signal(const char *text);

/* Reads a number from 1 to OPTIONS_COPIES_MOST. */
bool options_parse_count(const char *text, unsigned *count);

/* Reads "on-failure", "always" or "no". */
bool options_parse_restart(const char *text, enum restart *restart);

/* Reads "listen", "notify", or what check_parse() reads; TEXT must live as long as OPTIONS. */
bool options_parse_ready(const char *text, struct options *options);

#endif
