/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper.h"

#include "aside.h"
#include "shared.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS  5000
#define ENDING_MS 100 /* a process that was killed has usually ended by then */

/* ---- in the helper ---- */

struct task {
	const struct helper *helper;
	int channel;
};

void helper_close_up(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	aside_die_with_parent();
}

static void leave_behind(const struct task *task)
{
	const struct helper *helper = task->helper;
	int kept[DESCRIPTORS_MOST] = {STDERR_FILENO, task->channel};

	for (unsigned i = 0; i < helper->count; i++)
		kept[2 + i] = helper->descriptors[i];
	shared_drop();
	descriptors_close_but(kept, 2 + helper->count);
	helper_close_up();
}

static int run_task(void *context)
{
	const struct task *task = context;
	const struct helper *helper = task->helper;

	leave_behind(task);
	int32_t result = helper->work(helper->context);
	bool is_made = result == 0 && helper->made;
	/* The program may close its socket as soon as it continues. */
	for (unsigned i = 0; i < helper->count; i++)
		close(helper->descriptors[i]);
	const int *made = is_made ? helper->made : NULL;
	/* A lost result cannot be replaced. */
	if (descriptors_send(task->channel, &result, sizeof result, made, is_made) < 0)
		descriptors_send(task->channel, &result, sizeof result, made, is_made);
	return 0;
}

/* ---- in its parent ---- */

static int check(
	const struct helper *helper, ssize_t size, int32_t result, unsigned count, int least)
{
	bool is_answer = size == sizeof result && result >= least && result <= helper->most;
	unsigned expected = result == 0 && helper->made ? 1 : 0;

	if (size < 0)
		return (int)size;
	return is_answer && count == expected ? result : -EIO;
}

static int hear(const struct helper *helper, int channel, int least)
{
	int32_t result = 0;
	int made = -1;
	unsigned count;
	ssize_t size = descriptors_receive(
		channel, &result, sizeof result, &made, helper->made ? 1 : 0, &count, LIMIT_MS);
	int checked = check(helper, size, result, count, least);

	if (checked == 0 && count > 0)
		*helper->made = made;
	else if (count > 0)
		close(made);
	return checked;
}

int helper_run(const struct helper *helper, int least)
{
	int channels[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) < 0)
		return -errno;
	struct task task = {helper, channels[1]};
	pid_t process = aside_start(run_task, &task);
	close(channels[1]);
	int result = process < 0 ? process : hear(helper, channels[0], least);
	close(channels[0]);
	/* also one that has answered: another process may have seized it */
	if (process > 0)
		aside_kill(process, ENDING_MS);
	return result;
}
