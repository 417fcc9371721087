/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel hook: applies a policy at each bind(), connect() and sendmsg() in a cgroup. */
#include "call.bpf.h"

#define SETTINGS_MOST 64   /* a rule has fewer; checked when it is compiled */
#define OPTLEN_MOST   4096 /* the kernel does not show all of a longer value */

/* ---- options ---- */

static __always_inline int set_flag(struct bpf_sock_addr *ctx, int option, int value)
{
	return (int)bpf_setsockopt(ctx, SOL_SOCKET, option, &value, sizeof value);
}

static __always_inline int set_one(
	struct bpf_sock_addr *ctx, const struct row_setting *setting, __u32 kind)
{
	char value[ROW_VALUE_MOST];

	if (!(setting->kinds >> kind & 1) || setting->length == 0)
		return 0;
	/* The length is at most ROW_VALUE_MOST. The verifier of Linux 6.1 only sees this if it is
	 * computed in these steps. */
	__u32 length = setting->length - 1U;
	barrier_var(length);
	length = length % ROW_VALUE_MOST + 1;
	__builtin_memcpy(value, setting->value, sizeof value);
	return (int)bpf_setsockopt(ctx, setting->level, setting->option, value, (int)length);
}

/*
 * Sets the options in the rule. Returns an error only if the policy is strict and an option cannot
 * be set: the call then fails.
 */
static __always_inline int set_options(struct bpf_sock_addr *ctx, const struct call *call)
{
	__u32 at = call->actions->settings, count = call->actions->n_settings;

	for (__u32 i = 0; i < SETTINGS_MOST && i < count; i++) {
		union row *row = row_at(call->policy, at + i);
		int error = row ? set_one(ctx, &row->setting, call->endpoint.kind) : 0;
		if (error && call->head->is_strict)
			return error;
	}
	return 0;
}

/* Does nothing for port 0: the kernel then chooses a free port, so there is nothing to share. */
static __always_inline int share(struct bpf_sock_addr *ctx, const struct call *call)
{
	__u32 kind = call->endpoint.kind % ROW_IP6;

	if (!(call->actions->flags & ROW_SHARE) || call->endpoint.port == 0 || kind == ROW_OTHER)
		return 0;
	int error = set_flag(ctx, SO_REUSEPORT, 1);
	if (!error && kind == ROW_TCP)
		error = set_flag(ctx, SO_REUSEADDR, 1);
	if (!error)
		__sync_fetch_and_add(&call->counts->shared, 1);
	return call->head->is_strict ? error : 0;
}

/* ---- exclusive ---- */

static __always_inline struct socket_state *make_state(struct bpf_sock_addr *ctx)
{
	return bpf_sk_storage_get(&sockets, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline int exclude(struct bpf_sock_addr *ctx, const struct call *call)
{
	struct socket_state *state = make_state(ctx);

	if (!state)
		return -ENOMEM;
	/* this comes first, so that nobody can switch on again what is switched off below */
	state->is_exclusive = 1;
	int error = set_flag(ctx, SO_REUSEPORT, 0);
	if (!error && call->endpoint.kind % ROW_IP6 == ROW_UDP)
		error = set_flag(ctx, SO_REUSEADDR, 0);
	return error;
}

/* After a bind that failed, another rule may apply to the next bind of the socket. */
static __always_inline void forget_exclusive(struct bpf_sock_addr *ctx)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, ctx->sk, NULL, 0);

	if (state)
		state->is_exclusive = 0;
}

/* ---- bind ---- */

/*
 * Remembers the port that the program itself binds. The kernel also gives a UDP socket a port when
 * its first datagram is sent, before it runs the program for sendmsg(). So if the socket then has
 * another port than this one, the program has not bound it.
 */
static __always_inline void remember_port(struct bpf_sock_addr *ctx, const struct call *call)
{
	bool is_udp = call->endpoint.kind % ROW_IP6 == ROW_UDP;
	bool is_moved = call->actions && call->actions->flags & ROW_HAS_PORT;
	struct socket_state *state = is_udp && call->head->has_source ? make_state(ctx) : NULL;

	if (state)
		state->port = is_moved ? call->actions->port : (__u16)call->endpoint.port;
}

/* Does everything at bind() except to=, which replaces the address and the port. */
static __always_inline int prepare_bind(struct bpf_sock_addr *ctx, struct call *call)
{
	int error = find_rule(call, ROW_BIND);

	if (error || !call->head)
		return error;
	remember_port(ctx, call);
	if (call->head->has_exclusive && !(call->actions && call->actions->flags & ROW_EXCLUSIVE))
		forget_exclusive(ctx);
	if (!call->actions)
		return 0;
	error = share(ctx, call);
	if (!error)
		error = set_options(ctx, call);
	if (!error && call->actions->flags & ROW_EXCLUSIVE)
		error = exclude(ctx, call);
	return error;
}

static __always_inline void retarget_port(struct bpf_sock_addr *ctx, const struct call *call)
{
	if (call->actions->flags & ROW_HAS_PORT)
		ctx->user_port = bpf_htons(call->actions->port);
	if (call->actions->flags & (ROW_HAS_PORT | ROW_HAS_ADDRESS))
		__sync_fetch_and_add(&call->counts->moved, 1);
}

SEC("cgroup/bind4")
int reuse_bind4(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint4(ctx)};
	int error = prepare_bind(ctx, &call);

	if (error || !call.actions)
		return finish(&call, error);
	if (call.actions->flags & ROW_HAS_ADDRESS) {
		if (!is_ip4(call.actions->high, call.actions->low))
			return finish(&call, -EADDRNOTAVAIL);
		ctx->user_ip4 = bpf_htonl((__u32)call.actions->low);
	}
	retarget_port(ctx, &call);
	return GO_ON;
}

SEC("cgroup/bind6")
int reuse_bind6(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint6(ctx)};
	int error = prepare_bind(ctx, &call);

	if (error || !call.actions)
		return finish(&call, error);
	if (call.actions->flags & ROW_HAS_ADDRESS) {
		ctx->user_ip6[0] = bpf_htonl((__u32)(call.actions->high >> 32));
		ctx->user_ip6[1] = bpf_htonl((__u32)call.actions->high);
		ctx->user_ip6[2] = bpf_htonl((__u32)(call.actions->low >> 32));
		ctx->user_ip6[3] = bpf_htonl((__u32)call.actions->low);
	}
	retarget_port(ctx, &call);
	return GO_ON;
}

/* ---- connect and sendmsg ---- */

/*
 * The pointer is volatile so that the compiler reads each of these words at a fixed offset. The
 * verifier does not accept an offset that is computed.
 */
static __always_inline bool has_address(const volatile struct bpf_sock *socket)
{
	if (socket->family == AF_INET6)
		return (socket->src_ip6[0] | socket->src_ip6[1] | socket->src_ip6[2] |
			       socket->src_ip6[3]) != 0;
	return socket->src_ip4 != 0;
}

/* Whether the program has bound the socket, so that from= does not apply. */
static __always_inline bool is_bound(struct bpf_sock *socket, const struct call *call)
{
	if (has_address(socket))
		return true;
	if (call->endpoint.kind % ROW_IP6 == ROW_TCP || socket->src_port == 0)
		return socket->src_port != 0;
	struct socket_state *state = bpf_sk_storage_get(&sockets, socket, NULL, 0);
	return state && state->port == socket->src_port;
}

static __always_inline bool has_source(const struct call *call)
{
	return call->actions->flags & (ROW_HAS_ADDRESS | ROW_HAS_PORT);
}

/* Whether the peer and the address of from= are of different IP versions. */
static __always_inline bool has_foreign_source(const struct call *call)
{
	const struct row_actions *actions = call->actions;

	return actions->flags & ROW_HAS_ADDRESS &&
	       is_ip4(actions->high, actions->low) !=
		       is_ip4(call->endpoint.high, call->endpoint.low);
}

/* If from= has no address or no port, it is 0 in the row, which means any. */
static __always_inline int bind_source(struct bpf_sock_addr *ctx, const struct row_actions *actions)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = bpf_htons(actions->port)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = bpf_htons(actions->port)};

	if (ctx->family == AF_INET) {
		in.sin_addr.s_addr = bpf_htonl((__u32)actions->low);
		return (int)bpf_bind(ctx, (struct sockaddr *)&in, sizeof in);
	}
	in6.sin6_addr.in6_u.u6_addr32[0] = bpf_htonl((__u32)(actions->high >> 32));
	in6.sin6_addr.in6_u.u6_addr32[1] = bpf_htonl((__u32)actions->high);
	in6.sin6_addr.in6_u.u6_addr32[2] = bpf_htonl((__u32)(actions->low >> 32));
	in6.sin6_addr.in6_u.u6_addr32[3] = bpf_htonl((__u32)actions->low);
	return (int)bpf_bind(ctx, (struct sockaddr *)&in6, sizeof in6);
}

static __always_inline int on_connect(struct bpf_sock_addr *ctx, struct call *call)
{
	int error = find_rule(call, ROW_CONNECT);

	if (error || !call->actions)
		return finish(call, error);
	error = set_options(ctx, call);
	if (error || !has_source(call) || is_bound(ctx->sk, call))
		return finish(call, error);
	/* a socket that has sent a datagram has a port, and can no longer be bound */
	bool is_impossible = has_foreign_source(call) || ctx->sk->src_port;
	error = is_impossible ? -EADDRNOTAVAIL : bind_source(ctx, call->actions);
	if (!error)
		__sync_fetch_and_add(&call->counts->moved, 1);
	return finish(call, error);
}

SEC("cgroup/connect4")
int reuse_connect4(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint4(ctx)};

	return on_connect(ctx, &call);
}

SEC("cgroup/connect6")
int reuse_connect6(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint6(ctx)};

	return on_connect(ctx, &call);
}

static __always_inline int set_options_once(struct bpf_sock_addr *ctx, const struct call *call)
{
	struct socket_state *state = call->actions->n_settings ? make_state(ctx) : NULL;

	if (!state || state->is_prepared)
		return 0;
	state->is_prepared = 1;
	return set_options(ctx, call);
}

/*
 * Finds the rule for a datagram that names its peer. Returns 0 if the datagram gets the source
 * address of the rule, 1 if it is left alone, or a negative errno. A rule with a source port cannot
 * be applied: a BPF program can set the source address of a datagram, but not its port.
 */
static __always_inline int prepare_datagram(struct bpf_sock_addr *ctx, struct call *call)
{
	int error = find_rule(call, ROW_CONNECT);

	if (!error && call->actions)
		error = set_options_once(ctx, call);
	if (error || !call->actions || !has_source(call) || is_bound(ctx->sk, call))
		return error ? error : 1;
	if (call->actions->flags & ROW_HAS_PORT || has_foreign_source(call))
		return -EADDRNOTAVAIL;
	__sync_fetch_and_add(&call->counts->moved, 1);
	return 0;
}

SEC("cgroup/sendmsg4")
int reuse_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint4(ctx)};
	int error = prepare_datagram(ctx, &call);

	if (error)
		return finish(&call, error > 0 ? 0 : error);
	ctx->msg_src_ip4 = bpf_htonl((__u32)call.actions->low);
	return GO_ON;
}

SEC("cgroup/sendmsg6")
int reuse_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct call call = {.endpoint = endpoint6(ctx)};
	int error = prepare_datagram(ctx, &call);

	if (error)
		return finish(&call, error > 0 ? 0 : error);
	ctx->msg_src_ip6[0] = bpf_htonl((__u32)(call.actions->high >> 32));
	ctx->msg_src_ip6[1] = bpf_htonl((__u32)call.actions->high);
	ctx->msg_src_ip6[2] = bpf_htonl((__u32)(call.actions->low >> 32));
	ctx->msg_src_ip6[3] = bpf_htonl((__u32)call.actions->low);
	return GO_ON;
}

/* ---- exclusive sockets stay exclusive ---- */

static __always_inline bool is_opening(const struct bpf_sockopt *ctx, const struct bpf_sock *socket)
{
	return ctx->level == SOL_SOCKET &&
	       (ctx->optname == SO_REUSEPORT ||
		       (ctx->optname == SO_REUSEADDR && socket->protocol == IPPROTO_UDP));
}

/*
 * Whether the socket is exclusive, or may be. An MPTCP socket consists of two sockets: bind() runs
 * the program for the first subflow, and setsockopt() for the connection. The state of one does not
 * tell whether the other is exclusive. So if any rule is exclusive, every bound MPTCP socket counts
 * as exclusive.
 */
static __always_inline bool may_be_exclusive(struct bpf_sock *socket)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, socket, NULL, 0);
	__u32 zero = 0;

	if (state && state->is_exclusive)
		return true;
	if (socket->protocol != IPPROTO_MPTCP || socket->src_port == 0)
		return false;
	void *policy = bpf_map_lookup_elem(&policies, &zero);
	union row *head = policy ? row_at(policy, ROW_HEAD) : NULL;
	return !head || head->head.has_exclusive;
}

SEC("cgroup/setsockopt")
int reuse_setsockopt(struct bpf_sockopt *ctx)
{
	struct bpf_sock *socket = ctx->sk;

	/* without this, the kernel would refuse a value that it has not shown as a whole; 0 means
	 * that the value stays as it is */
	if (ctx->optlen > OPTLEN_MOST) {
		ctx->optlen = 0;
		return GO_ON;
	}
	if (!socket || is_paused() || !is_opening(ctx, socket) || !may_be_exclusive(socket))
		return GO_ON;
	int *value = ctx->optval;
	if ((void *)(value + 1) <= ctx->optval_end && *value)
		ctx->optlen = -1; /* the call has no effect, and returns success */
	return GO_ON;
}

/*
 * A setsockopt() that began before a bind() may end after it, and make an exclusive socket
 * shareable again. So the option is cleared again at listen(). Before that, no other socket can
 * have joined a TCP socket.
 */
SEC("sockops")
int reuse_sockops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *socket = ctx->sk;
	int off = 0;

	if (ctx->op != BPF_SOCK_OPS_TCP_LISTEN_CB || !socket || is_paused())
		return GO_ON;
	struct socket_state *state = bpf_sk_storage_get(&sockets, socket, NULL, 0);
	if (state && state->is_exclusive)
		bpf_setsockopt(ctx, SOL_SOCKET, SO_REUSEPORT, &off, sizeof off);
	return GO_ON;
}

/* None of the helpers that this program calls requires the GPL. */
char _license[] SEC("license") = "LGPL";
