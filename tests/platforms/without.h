/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system that shares by another option, and lacks what newer ones have. */
#include <sys/socket.h>

#define SO_REUSEPORT_LB 15 /* the number of this kernel, so that the result can run */
#undef SO_REUSEPORT
#undef SO_ATTACH_REUSEPORT_CBPF
#undef SO_BUF_LOCK
