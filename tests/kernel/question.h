/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the test asks a program in the kernel: which rule is for an endpoint? */
#ifndef TESTS_KERNEL_QUESTION_H
#define TESTS_KERNEL_QUESTION_H

#include <linux/types.h>

struct question {
	__u64 high, low;  /* of the address, in host byte order */
	__u32 kind, port; /* as struct endpoint of decide.bpf.h has them */
	__u32 view;	  /* ROW_BIND or ROW_CONNECT */
	__u32 rule;	  /* the answer */
};

#endif
