/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "endpoint.h"

#include "ground/compare.h"
#include "ground/compat.h"
#include "ground/number.h"
#include "scope.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* The kernel accepts an IPv6 socket address also without its scope (RFC 2133). */
#define SIN6_SHORTEST offsetof(struct sockaddr_in6, sin6_scope_id)

#define PREFIX_DIGITS 3 /* the longest length of a prefix */

/* The first and the last page never belong to a program: the kernel would answer EFAULT. */
#define PAGE_SMALLEST 4096

bool address_is_ip4(const struct address *address)
{
	return address->high == 0 && address->low >> 32 == ADDRESS_MAPPED >> 32;
}

bool address_is_any(const struct address *address)
{
	return address->high == 0 && (address->low == 0 || address->low == ADDRESS_MAPPED);
}

struct address address_any(enum family family)
{
	return (struct address){.low = family == FAMILY_IP4 ? ADDRESS_MAPPED : 0};
}

struct address prefix_mask(unsigned length)
{
	return (struct address){
		.high = length == 0    ? 0
			: length >= 64 ? ~0ULL
				       : ~0ULL << (64 - length),
		.low = length <= 64 ? 0 : ~0ULL << (128 - length),
	};
}

struct address prefix_last(const struct prefix *prefix)
{
	struct address mask = prefix_mask(prefix->length);

	return (struct address){prefix->address.high | ~mask.high, prefix->address.low | ~mask.low};
}

bool prefix_holds(const struct prefix *prefix, const struct address *address)
{
	struct address mask = prefix_mask(prefix->length);

	return ((address->high ^ prefix->address.high) & mask.high) == 0 &&
	       ((address->low ^ prefix->address.low) & mask.low) == 0 &&
	       address_is_ip4(address) == prefix->is_ip4;
}

static struct address from_ip4(struct in_addr ip4)
{
	return (struct address){.low = ADDRESS_MAPPED | ntohl(ip4.s_addr)};
}

static struct address from_ip6(const void *ip6)
{
	struct address address;

	memcpy(&address, ip6, sizeof address);
	return (struct address){be64toh(address.high), be64toh(address.low)};
}

static struct in6_addr to_ip6(const struct address *address)
{
	struct address network = {htobe64(address->high), htobe64(address->low)};
	struct in6_addr ip6;

	memcpy(&ip6, &network, sizeof ip6);
	return ip6;
}

int address_parse(struct address *address, const char *text, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr ip4;
	struct in6_addr ip6;

	if (length >= sizeof copy)
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (string_length(copy) != length)
		return -EINVAL;
	if (inet_pton(AF_INET, copy, &ip4) == 1)
		*address = from_ip4(ip4);
	else if (inet_pton(AF_INET6, copy, &ip6) == 1)
		*address = from_ip6(&ip6);
	else
		return -EINVAL;
	return 0;
}

int address_parse_scoped(
	struct address *address, uint32_t *scope_id, const char *text, size_t length)
{
	const char *percent = string_find(text, '%', length);
	size_t address_length = percent ? (size_t)(percent - text) : length;
	int error = address_parse(address, text, address_length);

	*scope_id = 0;
	if (error || !percent)
		return error;
	if (!scope_is_needed(address))
		return -EADDRNOTAVAIL;
	return scope_find(scope_id, percent + 1, length - address_length - 1);
}

int prefix_parse(struct prefix *prefix, const char *text, size_t length)
{
	const char *slash = string_find(text, '/', length);
	size_t address_length = slash ? (size_t)(slash - text) : length;

	int error = address_parse_scoped(&prefix->address, &prefix->scope_id, text, address_length);
	if (error)
		return error;
	/*
	 * An address that is written as IPv6 has an IPv6 prefix length, also ::ffff:10.0.0.0/104.
	 */
	bool is_dotted = !string_find(text, ':', address_length);
	int most = is_dotted ? 32 : 128, bits = most;
	size_t digits = slash ? length - address_length - 1 : 0;
	if (slash)
		bits = digits <= PREFIX_DIGITS ? number_of(slash + 1, digits, most) : -1;
	if (bits < 0)
		return -ERANGE;
	prefix->length = (uint8_t)(is_dotted ? ADDRESS_MAPPED_BITS + bits : bits);
	prefix->is_ip4 = prefix->length >= ADDRESS_MAPPED_BITS && address_is_ip4(&prefix->address);
	struct address mask = prefix_mask(prefix->length);
	prefix->address.high &= mask.high;
	prefix->address.low &= mask.low;
	/* such a wide prefix is not on one link */
	return prefix->scope_id && !scope_is_needed(&prefix->address) ? -EADDRNOTAVAIL : 0;
}

/* A program's socket address may be unaligned: the kernel copies it byte by byte. */
struct __attribute__((packed, may_alias)) any_place {
	union {
		sa_family_t family;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

static bool from_sockaddr_in(struct endpoint *endpoint, const struct any_place *address)
{
	*endpoint = (struct endpoint){
		.family = FAMILY_IP4,
		.address = from_ip4(address->in.sin_addr),
		.port = ntohs(address->in.sin_port),
	};
	return true;
}

static bool from_sockaddr_in6(
	struct endpoint *endpoint, const struct any_place *address, socklen_t length)
{
	const char *ip6 = (const char *)address + offsetof(struct sockaddr_in6, sin6_addr);

	*endpoint = (struct endpoint){
		.family = FAMILY_IP6,
		.address = from_ip6(ip6),
		.port = ntohs(address->in6.sin6_port),
	};
	/* the kernel ignores the scope of any other address */
	if (scope_is_needed(&endpoint->address) && length >= sizeof address->in6)
		endpoint->scope_id = address->in6.sin6_scope_id;
	return true;
}

bool endpoint_from_sockaddr(
	struct endpoint *endpoint, const struct sockaddr *given, socklen_t length, bool is_peer)
{
	const struct any_place *address = (const void *)given;
	uintptr_t place = (uintptr_t)address;

	if (place - PAGE_SMALLEST >= UINTPTR_MAX - 2 * PAGE_SMALLEST || length > INT32_MAX)
		return false;
	if (length < sizeof address->in)
		return false;
	switch (address->family) {
	case AF_INET:
		return from_sockaddr_in(endpoint, address);
	case AF_UNSPEC:
		return !is_peer && address->in.sin_addr.s_addr == 0 &&
		       from_sockaddr_in(endpoint, address);
	case AF_INET6:
		return length >= SIN6_SHORTEST && from_sockaddr_in6(endpoint, address, length);
	default:
		return false;
	}
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *address)
{
	if (endpoint->family == FAMILY_IP4) {
		struct sockaddr_in in = {
			.sin_family = AF_INET,
			.sin_port = htons(endpoint->port),
			.sin_addr.s_addr = htonl((uint32_t)endpoint->address.low),
		};
		memcpy(address, &in, sizeof in);
		return sizeof in;
	}
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(endpoint->port),
		.sin6_addr = to_ip6(&endpoint->address),
		.sin6_scope_id = endpoint->scope_id == SCOPE_UNKNOWN ? 0 : endpoint->scope_id,
	};
	memcpy(address, &in6, sizeof in6);
	return sizeof in6;
}

enum protocol endpoint_protocol(int ipproto)
{
	switch (ipproto) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return PROTOCOL_TCP;
	case IPPROTO_UDP:
		return PROTOCOL_UDP;
	case IPPROTO_SCTP:
		return PROTOCOL_SCTP;
	default:
		return PROTOCOL_OTHER;
	}
}

const char *protocol_name(enum protocol protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_SCTP:
		return "sctp";
	default:
		return "ip";
	}
}

static void ip4_print(struct text *text, uint32_t ip4)
{
	text_format(text, "%u.%u.%u.%u", ip4 >> 24, ip4 >> 16 & 255, ip4 >> 8 & 255, ip4 & 255);
}

/*
 * Where the longest run of two or more zero groups starts (RFC 5952, 4.2); *RUN becomes its length.
 */
static int longest_zeros(const uint16_t group[8], int *run)
{
	int best = -1;

	*run = 1;
	for (int i = 0; i < 8; i++) {
		int end = i;
		while (end < 8 && group[end] == 0)
			end++;
		if (end - i > *run) {
			best = i;
			*run = end - i;
		}
	}
	return best;
}

static void ip6_print(struct text *text, const struct address *address)
{
	uint16_t group[8];
	int run;

	for (int i = 0; i < 4; i++) {
		group[i] = (uint16_t)(address->high >> (48 - 16 * i));
		group[4 + i] = (uint16_t)(address->low >> (48 - 16 * i));
	}
	int zeros = longest_zeros(group, &run);
	for (int i = 0; i < 8; i++) {
		if (i == zeros) {
			text_add(text, "::", 2);
			i += run - 1;
			continue;
		}
		text_format(text, "%s%x", i > 0 && i != zeros + run ? ":" : "", group[i]);
	}
}

void address_print(struct text *text, const struct address *address)
{
	if (address_is_ip4(address))
		ip4_print(text, (uint32_t)address->low);
	else
		ip6_print(text, address);
}

void prefix_print(struct text *text, const struct prefix *prefix)
{
	unsigned whole = prefix->is_ip4 ? 32 : 128;
	unsigned length = prefix->length - (prefix->is_ip4 ? ADDRESS_MAPPED_BITS : 0U);

	address_print(text, &prefix->address);
	scope_print(text, prefix->scope_id);
	if (length < whole)
		text_format(text, "/%u", length);
}

void endpoint_print(struct text *text, const struct endpoint *endpoint)
{
	text_format(text, "%s ", protocol_name(endpoint->protocol));
	endpoint_print_place(text, endpoint);
}

void endpoint_print_place(struct text *text, const struct endpoint *endpoint)
{
	bool is_ip6 = !address_is_ip4(&endpoint->address);

	text_format(text, "%s", is_ip6 ? "[" : "");
	address_print(text, &endpoint->address);
	scope_print(text, endpoint->scope_id == SCOPE_UNKNOWN ? 0 : endpoint->scope_id);
	text_format(text, "%s:%u", is_ip6 ? "]" : "", endpoint->port);
}
