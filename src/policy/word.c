/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "word.h"

#include "rule.h"

#include <stddef.h>

#define FLAG(MEMBER) offsetof(struct rule, MEMBER)

const struct word_form word_forms[WORD_COUNT] = {
	[WORD_TCP] = {"tcp", WORD_VALUE_NONE, "", 0},
	[WORD_UDP] = {"udp", WORD_VALUE_NONE, "", 0},
	[WORD_SCTP] = {"sctp", WORD_VALUE_NONE, "", 0},
	[WORD_IP4] = {"ip4", WORD_VALUE_NONE, "", 0},
	[WORD_IP6] = {"ip6", WORD_VALUE_NONE, "", 0},
	[WORD_CONNECT] = {"connect", WORD_VALUE_NONE, "", FLAG(match.is_connect)},
	[WORD_PORT] = {"port", WORD_VALUE_NEEDED, "port=80,8000-8999", 0},
	[WORD_ADDR] = {"addr", WORD_VALUE_NEEDED, "addr=10.0.0.0/8,::1", 0},
	[WORD_EXE] = {"exe", WORD_VALUE_NEEDED, "exe=nginx", 0},
	[WORD_SHARE] = {"share", WORD_VALUE_NONE, "", FLAG(actions.share)},
	[WORD_EXCLUSIVE] = {"exclusive", WORD_VALUE_NONE, "", FLAG(actions.exclusive)},
	[WORD_TO] = {"to", WORD_VALUE_NEEDED, "to=127.0.0.1:8080", 0},
	[WORD_ONCE] = {"once", WORD_VALUE_NONE, "", FLAG(actions.once)},
	[WORD_FROM] = {"from", WORD_VALUE_NEEDED, "from=192.0.2.1", 0},
	[WORD_DENY] = {"deny", WORD_VALUE_OPTIONAL, "deny=EADDRINUSE", 0},
	[WORD_PASS] = {"pass", WORD_VALUE_NONE, "", FLAG(actions.pass)},
	[WORD_BACKLOG] = {"backlog", WORD_VALUE_NEEDED, "backlog=4096", 0},
	[WORD_EARLY] = {"early", WORD_VALUE_NONE, "", FLAG(actions.early)},
	[WORD_KEEP] = {"keep", WORD_VALUE_NONE, "", FLAG(actions.keep)},
	[WORD_ADOPT] = {"adopt", WORD_VALUE_NEEDED, "adopt=web", 0},
	[WORD_STEER] = {"steer", WORD_VALUE_NEEDED, "steer=source", 0},
};
