/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines the numbers that some systems or their headers lack; no other file checks that. */
#ifndef GROUND_COMPAT_H
#define GROUND_COMPAT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/*
 * The option that lets sockets share an endpoint and makes the kernel balance between them. FreeBSD
 * has another name for it: its SO_REUSEPORT does not balance.
 */
#if defined SO_REUSEPORT_LB
#define SHARE_OPTION SO_REUSEPORT_LB
#elif defined SO_REUSEPORT
#define SHARE_OPTION SO_REUSEPORT
#else
#define SHARE_OPTION 15 /* Linux 3.9; an older kernel answers ENOPROTOOPT */
#endif

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51 /* Linux 4.5 */
#endif

#ifndef SO_ATTACH_REUSEPORT_EBPF
#define SO_ATTACH_REUSEPORT_EBPF 52 /* Linux 4.5 */
#endif

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68 /* Linux 5.3 */
#endif

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.1 */
#endif

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72 /* Linux 5.17 */
#endif

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* Linux 5.6, glibc 2.32 */
#endif

/* System calls since Linux 5.1 have the same number on every machine. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* Linux 5.3, glibc 2.31 */
#endif

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9, glibc 2.33 */
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* Linux 5.6, glibc 2.32 */
#endif

#endif
