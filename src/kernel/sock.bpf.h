/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Declares the fields of the kernel's own structures that the group programs read. CO-RE finds the
 * offset of each field when the programs are loaded, so other fields are left out.
 */
#ifndef KERNEL_SOCK_BPF_H
#define KERNEL_SOCK_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct sock;

/* net/core/sock_reuseport.c */
struct sock_reuseport {
	__u16 num_socks;
	struct bpf_prog *prog;
	struct sock *socks[0];
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	unsigned char skc_state;
	atomic64_t skc_cookie;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	__u32 sk_max_ack_backlog;
	__u16 sk_protocol;
	unsigned long sk_lingertime; /* in ticks */
	struct socket *sk_socket;
	struct sock_reuseport *sk_reuseport_cb;
};

struct request_sock_queue {
	atomic_t qlen; /* handshakes */
};

struct inet_connection_sock {
	struct request_sock_queue icsk_accept_queue;
};

struct inode {
	unsigned long i_ino;
};

struct socket {
	short type;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
};

struct udp_sock {
	int pending;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

#pragma clang attribute pop

#endif
