/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes what a socket binds or connects to: protocol, family, address and port. */
#ifndef POLICY_ENDPOINT_H
#define POLICY_ENDPOINT_H

#include "ground/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* One bit each, so that a match can name several. */
enum protocol {
	PROTOCOL_UNKNOWN = 0, /* the kernel has not been asked yet */
	PROTOCOL_TCP = 1,     /* MPTCP too */
	PROTOCOL_UDP = 2,
	PROTOCOL_SCTP = 4,
	PROTOCOL_OTHER = 8, /* raw, ping, UDP-Lite, ... */
};

enum family {
	FAMILY_IP4 = 1,
	FAMILY_IP6 = 2,
	FAMILY_ANY = FAMILY_IP4 | FAMILY_IP6,
};

/* 128 bits in host byte order; an IPv4 address is held v4-mapped (RFC 4291, 2.5.5.2). */
struct address {
	uint64_t high, low;
};

#define ADDRESS_MAPPED	    0xffff00000000ULL /* the low half of ::ffff:0.0.0.0 */
#define ADDRESS_MAPPED_BITS 96 /* length of the prefix that all IPv4 addresses have */

struct prefix {
	struct address address; /* its host bits are zero */
	uint8_t length;		/* 0 to 128; for IPv4 it is the written length plus 96 */
	bool is_ip4;
	uint32_t scope_id; /* the interface that was written after a "%"; 0: any */
};

struct endpoint {
	struct address address;
	uint32_t scope_id; /* the interface, for an address that has a scope; 0: not known */
	uint16_t port;	   /* host byte order */
	uint8_t family;	   /* enum family: of the socket, not of the address */
	uint8_t protocol;  /* enum protocol */
};

#define ENDPOINT_PRIVILEGED 1024 /* ports below this one are for well-known services */

#define ENDPOINT_TEXT_SIZE 72 /* holds the text of any endpoint, with the NUL */

/* All functions here are pure and async-signal-safe, except for the parsing of interface names. */

/* The scope of an endpoint whose interface the kernel does not tell: it may be any. */
#define SCOPE_UNKNOWN UINT32_MAX

/*
 * Whether ADDRESS has a scope, so that the kernel needs to know the interface: a link-local one, or
 * a multicast one of a link or an interface (RFC 4007; __ipv6_addr_needs_scope_id() in the kernel).
 */
static inline bool scope_is_needed(const struct address *address)
{
	unsigned kind = (unsigned)(address->high >> 48);

	return (kind & 0xffc0) == 0xfe80 || (kind & 0xff0f) == 0xff01 || (kind & 0xff0f) == 0xff02;
}

/* Whether a rule for the interface WANTED (0: any) applies on this interface. */
static inline bool scope_holds(uint32_t wanted, uint32_t interface)
{
	return wanted == 0 || wanted == interface || interface == SCOPE_UNKNOWN;
}

/* Whether ADDRESS is v4-mapped, which counts as IPv4. */
bool address_is_ip4(const struct address *address);

/* Whether ADDRESS is the wildcard address of either family: ::, 0.0.0.0 or ::ffff:0.0.0.0. */
bool address_is_any(const struct address *address);

/* Whether A is less than or equal to B. */
static inline bool address_is_up_to(const struct address *a, const struct address *b)
{
	return a->high < b->high || (a->high == b->high && a->low <= b->low);
}

/* The wildcard address of a family. */
struct address address_any(enum family family);

bool prefix_holds(const struct prefix *prefix, const struct address *address);

/* The two halves of the network mask of a prefix of LENGTH (0 to 128) bits. */
struct address prefix_mask(unsigned length);

/* The last address that has the prefix. */
struct address prefix_last(const struct prefix *prefix);

/*
 * Reads an IPv4 or IPv6 address of LENGTH bytes in the form of inet_pton(3), without brackets and
 * without a scope. Returns 0 or -EINVAL.
 */
int address_parse(struct address *address, const char *text, size_t length);

/*
 * The same, but the name or the number of a network interface may follow after a "%", as in
 * fe80::1%eth0. SCOPE_ID becomes its index, or 0. Returns -ENODEV if the interface cannot be found,
 * -EADDRNOTAVAIL if the address cannot have one. Asks the kernel for a name, see scope_find().
 */
int address_parse_scoped(
	struct address *address, uint32_t *scope_id, const char *text, size_t length);

/*
 * Reads ADDRESS or ADDRESS/LENGTH; an interface comes before the slash. Returns what
 * address_parse_scoped() returns, or -ERANGE if only the length is bad.
 */
int prefix_parse(struct prefix *prefix, const char *text, size_t length);

/*
 * Reads an AF_INET or AF_INET6 socket address of LENGTH bytes, as bind(2) gets it (network byte
 * order). AF_UNSPEC with 0.0.0.0 counts as AF_INET, as it does for the kernel's bind(), but not for
 * a peer, where it dissolves an association. Returns false for everything else: another family, an
 * address that is too short for the kernel, a pointer that cannot be valid.
 */
bool endpoint_from_sockaddr(
	struct endpoint *endpoint, const struct sockaddr *address, socklen_t length, bool is_peer);

/* The reverse, for a socket of the endpoint's family. Returns the length in bytes. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *address);

/* Our name for the protocol that SO_PROTOCOL (socket(7)) returns. */
enum protocol endpoint_protocol(int ipproto);

/* "tcp", "udp", "sctp"; "ip" for any other. */
const char *protocol_name(enum protocol protocol);

void address_print(struct text *text, const struct address *address);
void prefix_print(struct text *text, const struct prefix *prefix);

/* "tcp 0.0.0.0:80", "udp [::1]:53", "tcp [fe80::1%2]:80". */
void endpoint_print(struct text *text, const struct endpoint *endpoint);

/* The same without the protocol: "127.0.0.1:80", "[::1]:80". */
void endpoint_print_place(struct text *text, const struct endpoint *endpoint);

#endif
