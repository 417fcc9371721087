/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the code that decides in the kernel, for BPF_PROG_TEST_RUN. */
#include "policies.bpf.h"
#include "question.h"

SEC("syscall")
int ask(struct question *question)
{
	__u32 zero = 0;
	void *policy = bpf_map_lookup_elem(&policies, &zero);
	struct endpoint endpoint = {
		.high = question->high,
		.low = question->low,
		.kind = question->kind,
		.port = question->port,
	};

	if (!policy)
		return 1;
	question->rule = decide(policy, question->view, &endpoint);
	return 0;
}

char _license[] SEC("license") = "LGPL";
