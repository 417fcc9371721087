/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One rule: what it matches, what it does, where it was written. */
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
	uint16_t first, last; /* both belong to it */
};

struct pattern {
	const char *text; /* a shell glob; with a slash in it, for the whole path */
	uint32_t length;
};

struct match {
	uint8_t protocols;			  /* bits of enum protocol; 0: any */
	uint8_t families;			  /* bits of enum family */
	bool is_connect;			  /* for connect(), else for bind() */
	bool has_scope;				  /* an address is of one interface alone */
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
	uint32_t scope_id; /* of the address; 0: none was written */
};

struct actions {
	bool share;
	bool exclusive;
	bool deny;
	bool pass;
	bool early;
	bool once;    /* to= with a port: only the first port asked for goes there */
	bool is_wish; /* from= with a port: go on without the port where it is taken */
	bool has_backlog;
	bool keep;
	bool has_steer;
	struct steer steer;
	int deny_errno; /* positive */
	int backlog;
	const char *adopt;	/* a name in LISTEN_FDNAMES, or "fd:N"; or NULL */
	struct target to, from; /* unset: neither an address nor a port */
	uint32_t n_settings;
	const struct setting *settings;
};

struct rule {
	struct match match;
	struct actions actions;
	const char *source; /* "REUSE_RULES", a file's path, ... */
	uint32_t line;	    /* from 1; 0 where the source has none */
};

/* What a running program is called, for exe=. A name that is not known is NULL. */
struct program {
	const char *executable; /* the path of the file that the kernel runs */
	const char *invoked;	/* the path that execve(2) was given: a script's own */
};

#define RULE_TEXT_SIZE 512 /* holds most rules; a longer one is truncated by its text */

/* All functions here are pure and async-signal-safe. */

/* The parts of a match, inline because every bind() of every program goes through them. */
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
 * Whether the rule is for this endpoint. An unknown protocol matches every rule, so that the
 * kernel is asked for it only when the answer can matter. Neither connect nor exe= is looked at.
 */
static inline bool rule_matches(const struct rule *rule, const struct endpoint *endpoint)
{
	return match_holds_kind(&rule->match, endpoint) &&
	       match_holds_port(&rule->match, endpoint->port) &&
	       match_holds_address(&rule->match, endpoint);
}

/*
 * The same for an endpoint that is bound already: where the rule has to=, its target stands for
 * what the program had asked for.
 */
bool rule_matches_bound(const struct rule *rule, const struct endpoint *endpoint);

/*
 * Whether somebody wrote the rule for this port: it has it in port=, or moves sockets to it. A
 * range that holds every port from 1024 on names none.
 */
bool rule_names_port(const struct rule *rule, uint16_t port);

/* Whether exe= of the rule names the program; a rule without exe= is for all. */
bool rule_is_for(const struct rule *rule, const struct program *program);

/* Whether the rule protects something, so that it has to hold or to fail the call. */
bool rule_protects(const struct rule *rule);

/* Whether the rule is about an address of one network interface. */
static inline bool rule_has_scope(const struct rule *rule)
{
	return rule->match.has_scope || rule->actions.to.scope_id;
}

/* Whether the rule lets anything share a port. */
bool rule_shares(const struct rule *rule);

/*
 * The rule in the words of libreuse.conf(5); what is printed can be parsed again, unless
 * the name of a program has control characters, which are not shown.
 */
void rule_print(struct text *text, const struct rule *rule);

/* Its two halves: "tcp port=80" (empty where everything matches) and "share nodelay". */
void rule_print_match(struct text *text, const struct match *match);
void rule_print_actions(struct text *text, const struct actions *actions);

/* "REUSE_RULES:1", or the source alone where it has no lines. */
void rule_print_place(struct text *text, const struct rule *rule);

#endif
