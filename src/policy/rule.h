/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines a rule: what it matches, what it does, and where it was written. */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "endpoint.h"
#include "ground/text.h"
#include "scope.h"
#include "sockopt.h"
#include "steer_mode.h"

#include <stdbool.h>
#include <stdint.h>

struct ports {
	uint16_t first, last; /* both included */
};

struct pattern {
	const char *text; /* a shell glob; if it has a slash, it is for the whole path */
	uint32_t length;
};

struct match {
	uint8_t protocols;			  /* bits of enum protocol; 0: any */
	uint8_t families;			  /* bits of enum family */
	bool is_connect;			  /* for connect(), otherwise for bind() */
	bool has_scope;				  /* an address is of one interface only */
	uint32_t n_ports, n_prefixes, n_patterns; /* 0: any */
	const struct ports *ports;
	const struct prefix *prefixes;
	const struct pattern *patterns;
};

/* An address, a port, or both. */
struct target {
	struct address address;
	uint16_t port; /* host byte order */
	bool has_address, has_port;
	uint32_t scope_id; /* of the address; 0: not written */
};

struct actions {
	bool share;
	bool exclusive;
	bool deny;
	bool pass;
	bool early;
	bool once;    /* to= with a port: only the first port that is asked for goes there */
	bool is_wish; /* from= with a port: if the port is taken, continue without it */
	bool has_backlog;
	bool keep;
	bool has_steer;
	struct steer steer;
	int deny_errno; /* positive */
	int backlog;
	const char *adopt;	/* a name in LISTEN_FDNAMES, or "fd:N"; or NULL */
	struct target to, from; /* not set: neither an address nor a port */
	uint32_t n_settings;
	const struct setting *settings;
};

struct rule {
	struct match match;
	struct actions actions;
	const char *source; /* "REUSE_RULES", a file's path, ... */
	uint32_t line;	    /* from 1; 0 if the source has no lines */
};

/* The names of a running program, for exe=. A name that is not known is NULL. */
struct program {
	const char *executable; /* the path of the file that the kernel runs */
	const char *invoked;	/* the path given to execve(2): for a script, that of the script */
};

#define RULE_TEXT_SIZE 512 /* holds most rules; the text of a longer one is truncated */

/* All functions here are pure and async-signal-safe. */

/* The parts of a match. They are inline because every bind() of every program goes through them. */
static inline bool match_holds_port(const struct match *match, uint16_t port)
{
	for (uint32_t i = 0; i < match->n_ports; i++) {
		if (port >= match->ports[i].first && port <= match->ports[i].last)
			return true;
	}
	return match->n_ports == 0;
}

static inline bool match_holds_address(const struct match *match, const struct endpoint *endpoint)
{
	for (uint32_t i = 0; i < match->n_prefixes; i++) {
		const struct prefix *prefix = &match->prefixes[i];
		if (prefix_holds(prefix, &endpoint->address) &&
			scope_holds(prefix->scope_id, endpoint->scope_id))
			return true;
	}
	return match->n_prefixes == 0;
}

static inline bool match_holds_kind(const struct match *match, const struct endpoint *endpoint)
{
	bool any_protocol = match->protocols == 0 || endpoint->protocol == PROTOCOL_UNKNOWN;

	return (match->families & endpoint->family) &&
	       (any_protocol || (match->protocols & endpoint->protocol));
}

/*
 * Whether the rule applies to this endpoint. An unknown protocol matches every rule, so that the
 * kernel is asked for it only when the answer can matter. Does not check connect and exe=.
 */
static inline bool rule_matches(const struct rule *rule, const struct endpoint *endpoint)
{
	return match_holds_kind(&rule->match, endpoint) &&
	       match_holds_port(&rule->match, endpoint->port) &&
	       match_holds_address(&rule->match, endpoint);
}

/*
 * The same for an endpoint that is already bound: if the rule has to=, its target replaces the
 * address that the program had asked for.
 */
bool rule_matches_bound(const struct rule *rule, const struct endpoint *endpoint);

/*
 * Whether the rule was written for this port: port= has it, or to= moves sockets to it. A range
 * that includes every port from 1024 up does not count.
 */
bool rule_names_port(const struct rule *rule, uint16_t port);

/* Whether exe= of the rule names the program; a rule without exe= applies to all. */
bool rule_is_for(const struct rule *rule, const struct program *program);

/* Whether the rule protects something, so that it must be applied or the call must fail. */
bool rule_protects(const struct rule *rule);

/* Whether the rule has an address of one network interface. */
static inline bool rule_has_scope(const struct rule *rule)
{
	return rule->match.has_scope || rule->actions.to.scope_id;
}

/* Whether the rule lets a port be shared. */
bool rule_shares(const struct rule *rule);

/*
 * Writes the rule in the words of libreuse.conf(5). The text can be parsed again, unless a program
 * name has control characters, which are not shown.
 */
void rule_print(struct text *text, const struct rule *rule);

/* The two halves: "tcp port=80" (empty if everything matches) and "share nodelay". */
void rule_print_match(struct text *text, const struct match *match);
void rule_print_actions(struct text *text, const struct actions *actions);

/* "REUSE_RULES:1", or only the source if it has no lines. */
void rule_print_place(struct text *text, const struct rule *rule);

#endif
