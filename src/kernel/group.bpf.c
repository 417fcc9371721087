/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The group programs choose which socket of a SO_REUSEPORT group gets a new connection or a new
 * flow. Any user may attach one to a group of their own sockets.
 *
 * The kernel lets such a program choose only among the sockets in a map, and ordinary users must
 * not write to this map. So there is a file for each protocol. When a process reads it, a program
 * adds the members of all groups that have a group program to the map, and the process gets a list
 * of them.
 */
#include "../socket/steer_pins.h"
#include "sock.bpf.h"

#include <linux/in.h>

#include <bpf/bpf_tracing.h>
#include <stdbool.h>

/* include/net/tcp_states.h of the kernel */
#define TCP_ESTABLISHED 1
#define TCP_SYN_RECV	3
#define TCP_LISTEN	10

#define SOCKETS_MOST 16384
#define FLOWS_MOST   65536 /* the flows that were seen last */

/* The kernel's numbers of the two programs that choose; the loader writes them here. */
__u32 least_id, flow_id;

/* The sockets that may be chosen, by their cookies. The kernel removes a socket that is closed. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, SOCKETS_MOST);
	__type(key, __u64);
	__type(value, __u64);
} sockets SEC(".maps");

/* How many open connections each of them has. Old entries are removed when there is no room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOCKETS_MOST);
	__type(key, __u64);
	__type(value, __s64);
} members SEC(".maps");

/* The cookie of a listener. The kernel copies it to each connection of this listener. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u64);
} owners SEC(".maps");

/* The cookie of the socket on which a flow has started, by the kernel's hash of the flow. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS_MOST);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");

/* ---- the state of a socket ---- */

static __always_inline __u64 cookie_of(struct sock *socket)
{
	return (__u64)BPF_CORE_READ(socket, __sk_common.skc_cookie.counter);
}

static __always_inline bool is_listener(struct sock *socket)
{
	return BPF_CORE_READ(socket, __sk_common.skc_state) == TCP_LISTEN;
}

/*
 * The mark of a draining socket is something that an ordinary user may set on a duplicate of it:
 * for TCP a backlog of 0, by listen(FD, 0); for UDP a linger time, which has no effect on UDP.
 */
static __always_inline bool is_draining(struct sock *socket)
{
	if (is_listener(socket))
		return BPF_CORE_READ(socket, sk_max_ack_backlog) == 0;
	return BPF_CORE_READ(socket, sk_lingertime) >= STEER_PINS_DRAIN_TICKS;
}

/*
 * Handshakes count too. Otherwise all connections that begin within one round trip would go to the
 * same member.
 */
static __always_inline __u64 load_of(struct sock *socket, __s64 open)
{
	struct inet_connection_sock *listener = (struct inet_connection_sock *)socket;
	int handshakes = BPF_CORE_READ(listener, icsk_accept_queue.qlen.counter);

	return (__u64)(open > 0 ? open : 0) + (__u64)(handshakes > 0 ? handshakes : 0);
}

/* ---- choosing ---- */

#define DRAINING (1ULL << 32) /* more than any load: chosen only if all drain */
#define NOBODY	 (~0ULL)

struct choice {
	struct sock_reuseport *group;
	__u32 start, count; /* each search starts elsewhere, so that equal ones take turns */
	bool is_by_load;
	__u64 load, cookie; /* of the best one that was found */
};

static long look_at(__u32 step, struct choice *choice)
{
	struct sock_reuseport *group = choice->group;
	__u32 at = choice->start + step;
	struct sock *socket = NULL;

	if (at >= choice->count)
		at -= choice->count;
	bpf_core_read(&socket, sizeof socket, &group->socks[at]);
	if (!socket)
		return 0;
	__u64 cookie = cookie_of(socket);
	__s64 *open = bpf_map_lookup_elem(&members, &cookie);
	if (!open) /* not known yet */
		return 0;
	__u64 load = choice->is_by_load ? load_of(socket, *open) : 0;
	if (is_draining(socket))
		load += DRAINING;
	if (load < choice->load) {
		choice->load = load;
		choice->cookie = cookie;
	}
	return load == 0; /* no other one can be better */
}

/*
 * The verifier does not allow reading the kernel's fields through ctx->sk. So the pointer is stored
 * on the stack and read back: then it is a number for the verifier, and bpf_probe_read_kernel()
 * accepts it. (bpf_rdonly_cast() would be simpler, but does not exist before 6.2.)
 */
static __always_inline struct sock *socket_of(struct sk_reuseport_md *ctx)
{
	__u64 slot = (__u64)ctx->sk, address = 0;

	bpf_probe_read_kernel(&address, sizeof address, &slot);
	return (struct sock *)address;
}

/* Chooses a member and returns its cookie, or 0 if the kernel's hash is to choose. */
static __always_inline __u64 choose(struct sk_reuseport_md *ctx, bool is_by_load)
{
	struct sock_reuseport *group = BPF_CORE_READ(socket_of(ctx), sk_reuseport_cb);
	__u32 count = BPF_CORE_READ(group, num_socks);

	if (count == 0)
		return 0;
	struct choice choice = {
		.group = group,
		.start = ctx->hash % count,
		.count = count,
		.is_by_load = is_by_load,
		.load = NOBODY,
	};
	bpf_loop(count, look_at, &choice, 0);
	if (choice.load == NOBODY || bpf_sk_select_reuseport(ctx, &sockets, &choice.cookie, 0))
		return 0;
	return choice.cookie;
}

/* If no member is chosen here, the kernel's hash chooses. */
SEC("sk_reuseport/migrate")
int reuse_least(struct sk_reuseport_md *ctx)
{
	choose(ctx, true);
	return SK_PASS;
}

/* Two flows with the same hash go to the same member, and stay there. */
SEC("sk_reuseport/migrate")
int reuse_flow(struct sk_reuseport_md *ctx)
{
	__u32 hash = ctx->hash;
	__u64 *known = bpf_map_lookup_elem(&flows, &hash);

	if (known) {
		__u64 cookie = *known;
		if (bpf_sk_select_reuseport(ctx, &sockets, &cookie, 0) == 0)
			return SK_PASS;
	}
	__u64 cookie = choose(ctx, false);
	if (cookie)
		bpf_map_update_elem(&flows, &hash, &cookie, BPF_ANY);
	return SK_PASS;
}

/* ---- counting ---- */

/*
 * Counts open connections. If a listener was closed and a connection in its queue has moved to
 * another listener, the connection counts for the other one.
 */
SEC("tp_btf/inet_sock_set_state")
int reuse_count(__u64 *arguments)
{
	struct sock *socket = (struct sock *)arguments[0];
	int old_state = (int)arguments[1], new_state = (int)arguments[2];
	bool is_open = old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED;

	if (!is_open && old_state != TCP_ESTABLISHED)
		return 0;
	__u64 *owner = bpf_sk_storage_get(&owners, socket, NULL, 0);
	__s64 *open = owner ? bpf_map_lookup_elem(&members, owner) : NULL;
	if (open)
		__sync_fetch_and_add(open, is_open ? 1 : -1);
	return 0;
}

/* ---- the list of members ---- */

static __always_inline __u64 inode_of(struct sock *socket)
{
	struct socket_alloc *both = (struct socket_alloc *)BPF_CORE_READ(socket, sk_socket);

	return both ? BPF_CORE_READ(both, vfs_inode.i_ino) : 0;
}

/* The number of the program of a socket's group; 0: there is none, or a classic one. */
static __always_inline __u32 program_of(struct sock *socket)
{
	return BPF_CORE_READ(socket, sk_reuseport_cb, prog, aux, id);
}

static __always_inline void print(struct seq_file *file, struct sock *socket, __s64 open)
{
	bool is_least = program_of(socket) == least_id;

	if (is_least)
		BPF_SEQ_PRINTF(file, "%llu least %llu%s\n", inode_of(socket), load_of(socket, open),
			is_draining(socket) ? " draining" : "");
	else
		BPF_SEQ_PRINTF(file, "%llu flow 0%s\n", inode_of(socket),
			is_draining(socket) ? " draining" : "");
}

#define IS_OURS(SOCKET)                                                                            \
	({                                                                                         \
		__u32 id_ = program_of(SOCKET);                                                    \
		id_ && (id_ == least_id || id_ == flow_id);                                        \
	})

SEC("iter/tcp")
int reuse_members_tcp(struct bpf_iter__tcp *ctx)
{
	static const char much[STEER_PINS_READ_SIZE];
	struct sock_common *common = ctx->sk_common;

	if (!common)
		return 0;
	/*
	 * Listeners come first. After them, this fills the buffer of the reader, so that the read
	 * ends here, and no other socket is visited.
	 */
	if (common->skc_state != TCP_LISTEN) {
		bpf_seq_write(ctx->meta->seq, much, sizeof much);
		return 0;
	}
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(common);
	struct sock *socket = (struct sock *)tcp;
	if (!tcp || !IS_OURS(socket))
		return 0;
	__u64 cookie = bpf_get_socket_cookie(tcp);
	__s64 none = 0;
	bpf_map_update_elem(&members, &cookie, &none, BPF_NOEXIST);
	__u64 *owner = bpf_sk_storage_get(&owners, tcp, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (owner)
		*owner = cookie;
	bpf_map_update_elem(&sockets, &cookie, tcp, BPF_ANY);
	__s64 *open = bpf_map_lookup_elem(&members, &cookie);
	print(ctx->meta->seq, socket, open ? *open : 0);
	return 0;
}

SEC("iter/udp")
int reuse_members_udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *udp = ctx->udp_sk;
	struct sock *socket = (struct sock *)udp;

	if (!udp || !IS_OURS(socket))
		return 0;
	__u64 cookie = bpf_get_socket_cookie(udp);
	__s64 none = 0;
	bpf_map_update_elem(&members, &cookie, &none, BPF_NOEXIST);
	bpf_map_update_elem(&sockets, &cookie, udp, BPF_ANY);
	print(ctx->meta->seq, socket, 0);
	return 0;
}

/*
 * Only programs with this licence may call bpf_probe_read_kernel(). The LGPL can be converted to
 * it.
 */
char _license[] SEC("license") = "GPL";
