/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the code that decides in the kernel, for BPF_PROG_TEST_RUN. */
#include "decide.bpf.h"

#include "question.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(union row));
		});
} policies SEC(".maps");

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
