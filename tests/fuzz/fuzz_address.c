/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses in words, as libc reads and writes them too; and socket addresses of any bytes and
 * any length.
 */
#include "fuzz.h"
#include "policy/endpoint.h"
#include "policy/parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define TEXT_MOST 128

/* What libc makes of it, as 16 bytes; false if it refuses it. */
static bool read_with_libc(const char *text, unsigned char address[static 16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, 0xff};

	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	memcpy(address, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, address + 12) == 1;
}

static bool is_same(const struct address *address, const unsigned char bytes[static 16])
{
	uint64_t halves[2] = {0, 0};

	for (unsigned i = 0; i < 16; i++)
		halves[i / 8] = halves[i / 8] << 8 | bytes[i];
	return halves[0] == address->high && halves[1] == address->low;
}

static void check_address(const char *text, size_t length)
{
	char *terminated = calloc(1, length + 1), print_bytes[ENDPOINT_TEXT_SIZE];
	unsigned char expected[16];
	struct address address, again;
	struct text print;

	CLAIM(terminated);
	memcpy(terminated, text, length);
	bool is_read = address_parse(&address, text, length) == 0;
	bool is_expected = !memchr(text, '\0', length) && read_with_libc(terminated, expected);
	free(terminated);
	CLAIM(is_read == is_expected);
	if (!is_read)
		return;
	CLAIM(is_same(&address, expected));
	text_start(&print, print_bytes, sizeof print_bytes);
	address_print(&print, &address);
	CLAIM(!print.truncated && address_parse(&again, print_bytes, print.length) == 0);
	CLAIM(again.high == address.high && again.low == address.low);
}

static void check_prefix(const char *text, size_t length)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct prefix prefix, again;
	struct text print;

	if (prefix_parse(&prefix, text, length) < 0)
		return;
	CLAIM(prefix.length <= 128 && prefix_holds(&prefix, &prefix.address));
	text_start(&print, bytes, sizeof bytes);
	prefix_print(&print, &prefix);
	CLAIM(!print.truncated && prefix_parse(&again, bytes, print.length) == 0);
	CLAIM(again.length == prefix.length && again.is_ip4 == prefix.is_ip4 &&
		again.address.high == prefix.address.high &&
		again.address.low == prefix.address.low && again.scope_id == prefix.scope_id);
}

static void check_sockaddr(const void *bytes, size_t size)
{
	struct sockaddr_storage made;
	struct endpoint endpoint, again;
	char print_bytes[ENDPOINT_TEXT_SIZE];
	struct text print;

	if (!endpoint_from_sockaddr(&endpoint, bytes, (socklen_t)size, false))
		return;
	endpoint.protocol = PROTOCOL_TCP;
	text_start(&print, print_bytes, sizeof print_bytes);
	endpoint_print(&print, &endpoint);
	CLAIM(!print.truncated);
	socklen_t length = endpoint_to_sockaddr(&endpoint, &made);
	CLAIM(endpoint_from_sockaddr(&again, (struct sockaddr *)&made, length, false));
	CLAIM(again.port == endpoint.port && again.family == endpoint.family &&
		again.address.high == endpoint.address.high &&
		again.address.low == endpoint.address.low);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct target target;

	if (size > TEXT_MOST)
		return 0;
	char *text = fuzz_copy(bytes, size);
	check_address(text, size);
	check_prefix(text, size);
	parse_target(&target, text, size);
	check_sockaddr(text, size);
	free(text);
	return 0;
}
