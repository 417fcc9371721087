/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket options that not every system has, or has in its headers; the only file that asks. */
#ifndef GROUND_COMPAT_H
#define GROUND_COMPAT_H

#include <sys/socket.h>

/*
 * The option that lets sockets share an endpoint, and has the kernel balance between them. FreeBSD
 * has a name of its own for it: there, SO_REUSEPORT does not balance.
 */
#if defined SO_REUSEPORT_LB
#define SHARE_OPTION SO_REUSEPORT_LB
#elif defined SO_REUSEPORT
#define SHARE_OPTION SO_REUSEPORT
#else
#define SHARE_OPTION 15 /* Linux 3.9; the kernel says ENOPROTOOPT if it is older */
#endif

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51 /* Linux 4.5 */
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

#endif
