/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "word.h"

#include <stdint.h>

static const struct {
	char name[10];
	uint8_t value; /* enum word_value */
	char example[24];
} words[WORD_COUNT] = {
	[WORD_TCP] = {"tcp", WORD_VALUE_NONE, ""},
	[WORD_UDP] = {"udp", WORD_VALUE_NONE, ""},
	[WORD_SCTP] = {"sctp", WORD_VALUE_NONE, ""},
	[WORD_IP4] = {"ip4", WORD_VALUE_NONE, ""},
	[WORD_IP6] = {"ip6", WORD_VALUE_NONE, ""},
	[WORD_CONNECT] = {"connect", WORD_VALUE_NONE, ""},
	[WORD_PORT] = {"port", WORD_VALUE_NEEDED, "port=80,8000-8999"},
	[WORD_ADDR] = {"addr", WORD_VALUE_NEEDED, "addr=10.0.0.0/8,::1"},
	[WORD_EXE] = {"exe", WORD_VALUE_NEEDED, "exe=nginx"},
	[WORD_SHARE] = {"share", WORD_VALUE_NONE, ""},
	[WORD_EXCLUSIVE] = {"exclusive", WORD_VALUE_NONE, ""},
	[WORD_TO] = {"to", WORD_VALUE_NEEDED, "to=127.0.0.1:8080"},
	[WORD_ONCE] = {"once", WORD_VALUE_NONE, ""},
	[WORD_FROM] = {"from", WORD_VALUE_NEEDED, "from=192.0.2.1"},
	[WORD_DENY] = {"deny", WORD_VALUE_OPTIONAL, "deny=EADDRINUSE"},
	[WORD_PASS] = {"pass", WORD_VALUE_NONE, ""},
	[WORD_BACKLOG] = {"backlog", WORD_VALUE_NEEDED, "backlog=4096"},
	[WORD_EARLY] = {"early", WORD_VALUE_NONE, ""},
	[WORD_KEEP] = {"keep", WORD_VALUE_NONE, ""},
	[WORD_ADOPT] = {"adopt", WORD_VALUE_NEEDED, "adopt=web"},
	[WORD_STEER] = {"steer", WORD_VALUE_NEEDED, "steer=source"},
};

const char *word_name(enum word word)
{
	return words[word].name;
}

enum word_value word_value(enum word word)
{
	return words[word].value;
}

const char *word_example(enum word word)
{
	return words[word].example;
}
