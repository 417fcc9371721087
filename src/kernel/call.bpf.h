/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that the hook is asked about, the rule for it, and the maps that both are found in. */
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

/* One for each cgroup that the programs are attached to, by its number. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct row_place_state);
} places SEC(".maps");

struct socket_state {
	__u8 is_exclusive;
	__u8 is_prepared; /* its options were set with its first datagram */
	__u16 port; /* of a UDP socket: what the program has bound it to, if that has worked */
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
	struct row_head *head;	     /* NULL: nothing is to be done */
	struct row_actions *actions; /* NULL: no rule is for this call */
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

/* Fills CALL in for its endpoint. Returns 0, or the error that the call fails with. */
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

/* What a program returns: ERROR is 0 or negative. */
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
