/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes a call about which the hook decides, finds the rule for it, and defines the maps. */
#ifndef KERNEL_CALL_BPF_H
#define KERNEL_CALL_BPF_H

#include "decide.bpf.h"
#include "policies.bpf.h"

#include <asm/errno.h>
#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>
#include <stdbool.h>
#include <stddef.h>

#define AF_INET	 2
#define AF_INET6 10

#define MAPPED 0xffff00000000ULL /* the low half of ::ffff:0.0.0.0 */

#define GO_ON 1

/* ---- maps ---- */

/* The state of each cgroup to which the programs are attached, by the number of the cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct row_place_state);
} places SEC(".maps");

struct socket_state {
	__u8 is_exclusive;
	__u8 is_prepared; /* its first datagram has been sent, and its options have been set */
	__u16 port;	  /* of a UDP socket: the port that the program itself has bound */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/* ---- deciding ---- */

struct call {
	struct endpoint endpoint;
	void *policy;
	struct row_head *head;	     /* NULL: there is nothing to do */
	struct row_actions *actions; /* NULL: no rule matches */
	struct row_counts *counts;
};

static __always_inline __u32 kind_of(const struct bpf_sock_addr *ctx)
{
	__u32 kind = ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_MPTCP ? ROW_TCP
		     : ctx->protocol == IPPROTO_UDP				    ? ROW_UDP
										    : ROW_OTHER;

	return ctx->family == AF_INET6 ? kind + ROW_IP6 : kind;
}

static __always_inline struct endpoint endpoint4(const struct bpf_sock_addr *ctx)
{
	return (struct endpoint){
		.low = MAPPED | bpf_ntohl(ctx->user_ip4),
		.kind = kind_of(ctx),
		.port = bpf_ntohs((__u16)ctx->user_port),
	};
}

static __always_inline struct endpoint endpoint6(const struct bpf_sock_addr *ctx)
{
	return (struct endpoint){
		.high = (__u64)bpf_ntohl(ctx->user_ip6[0]) << 32 | bpf_ntohl(ctx->user_ip6[1]),
		.low = (__u64)bpf_ntohl(ctx->user_ip6[2]) << 32 | bpf_ntohl(ctx->user_ip6[3]),
		.kind = kind_of(ctx),
		.port = bpf_ntohs((__u16)ctx->user_port),
	};
}

static __always_inline bool is_ip4(__u64 high, __u64 low)
{
	return high == 0 && low >> 32 == MAPPED >> 32;
}

static __always_inline bool is_paused(void)
{
	struct row_place_state *state = bpf_get_local_storage(&places, 0);

	return state->is_paused;
}

/* Fills in CALL for its endpoint. Returns 0, or the negative errno with which the call fails. */
static __always_inline int find_rule(struct call *call, __u32 view)
{
	__u32 zero = 0;

	if (is_paused())
		return 0;
	call->policy = bpf_map_lookup_elem(&policies, &zero);
	union row *head = call->policy ? row_at(call->policy, ROW_HEAD) : NULL;
	if (!head)
		return -EINVAL;
	call->head = &head->head;
	if (head->head.error)
		return -head->head.error;
	__u32 number = decide(call->policy, view, &call->endpoint);
	if (number == ROW_NONE)
		return 0;
	__u32 at = head->head.rules + number * ROWS_PER_RULE;
	union row *actions = row_at(call->policy, at), *counts = row_at(call->policy, at + 1);
	if (!actions || !counts)
		return -EINVAL;
	call->actions = &actions->actions;
	call->counts = &counts->counts;
	__sync_fetch_and_add(&call->counts->seen, 1);
	return actions->actions.flags & ROW_DENY ? -actions->actions.error : 0;
}

/* Returns what the BPF program returns. ERROR is 0, or the negative errno for the caller. */
static __always_inline int finish(const struct call *call, int error)
{
	if (!error)
		return GO_ON;
	if (call->counts)
		__sync_fetch_and_add(&call->counts->refused, 1);
	bpf_set_retval(error);
	return 0;
}

#endif
