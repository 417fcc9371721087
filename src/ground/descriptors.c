/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "descriptors.h"

#include "clock.h"
#include "compat.h"
#include "procfs.h"
#include "system.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* ---- closing ---- */

struct spared {
	int list[DESCRIPTORS_MOST]; /* in rising order */
	unsigned count;
};

static void insert(struct spared *kept, int fd)
{
	unsigned at = kept->count++;

	for (; at > 0 && kept->list[at - 1] > fd; at--)
		kept->list[at] = kept->list[at - 1];
	kept->list[at] = fd;
}

static int close_range_of(unsigned first, unsigned last)
{
	if (first > last)
		return 0;
	return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

static bool close_other(int directory, const char *name, void *context)
{
	const struct spared *kept = context;
	int fd = procfs_number(name);
	bool is_kept = fd < 0 || fd == directory;

	for (unsigned i = 0; i < kept->count; i++)
		is_kept |= kept->list[i] == fd;
	if (!is_kept)
		close(fd);
	return false;
}

void descriptors_close_but(const int *list, unsigned count)
{
	struct spared kept = {.count = 0};
	unsigned first = 0;
	int error = 0;

	for (unsigned i = 0; i < count && i < DESCRIPTORS_MOST; i++) {
		if (list[i] >= 0)
			insert(&kept, list[i]);
	}
	for (unsigned i = 0; !error && i < kept.count; i++) {
		unsigned fd = (unsigned)kept.list[i];
		error = fd > 0 ? close_range_of(first, fd - 1) : 0;
		first = fd + 1;
	}
	if (!error)
		error = close_range_of(first, UINT_MAX);
	if (error) /* before Linux 5.9 */
		procfs_walk_path("/proc/self/fd", close_other, &kept);
}

/* ---- passing ---- */

/* Sizes are a size_t or a socklen_t, as the libc has it. */
union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(DESCRIPTORS_MOST * sizeof(int))];
};

int descriptors_send(
	int channel, const void *bytes, size_t size, const int *descriptors, unsigned count)
{
	union control control = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = (socklen_t)CMSG_LEN(count * sizeof *descriptors);
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof *descriptors);
		message.msg_control = &control;
		message.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof *descriptors);
	}
	ssize_t sent = sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? -errno : (size_t)sent == size ? 0 : -EMSGSIZE;
}

static int wait_readable(int channel, int timeout_ms)
{
	struct pollfd polled = {.fd = channel, .events = POLLIN};
	int64_t until_ms = timeout_ms < 0 ? CLOCK_NEVER : clock_now_ms() + timeout_ms;

	for (;;) {
		int ready = poll(&polled, 1, timeout_ms);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
		int64_t left_ms = until_ms - (timeout_ms < 0 ? 0 : clock_now_ms());
		if (left_ms <= 0)
			return -ETIMEDOUT;
		timeout_ms = timeout_ms < 0 ? -1 : (int)left_ms;
	}
}

ssize_t descriptors_receive(int channel, void *bytes, size_t size, int *descriptors, unsigned most,
	unsigned *count, int timeout_ms)
{
	union control control = {.bytes = {0}};
	struct iovec part = {bytes, size};
	/* CMSG_LEN, not CMSG_SPACE: the kernel would fill the padding with one more descriptor */
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = most > 0 ? &control : NULL,
		.msg_controllen = most > 0 ? (socklen_t)CMSG_LEN(most * sizeof *descriptors) : 0,
	};
	int error = wait_readable(channel, timeout_ms);

	*count = 0;
	if (error)
		return error;
	ssize_t got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		*count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof *descriptors);
		memcpy(descriptors, CMSG_DATA(header), *count * sizeof *descriptors);
	}
	if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	for (unsigned i = 0; i < *count; i++)
		close(descriptors[i]);
	*count = 0;
	return -EMSGSIZE;
}
