/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory.h"

#include "ground/procfs.h"
#include "ground/system.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t read_file(pid_t thread, uint64_t address, void *bytes, size_t size)
{
	int fd = procfs_open(thread, "mem");

	if (fd < 0)
		return fd;
	ssize_t got = pread64(fd, bytes, size, (off64_t)address);
	ssize_t result = got >= 0 ? got : errno == EIO ? -EFAULT : -errno;
	system_close(fd);
	return result;
}

ssize_t memory_read(pid_t thread, uint64_t address, void *bytes, size_t size)
{
	struct iovec here = {bytes, size}, there = {(void *)(uintptr_t)address, size};
	ssize_t got = process_vm_readv(thread, &here, 1, &there, 1, 0);

	if (got >= 0)
		return got;
	return errno == EPERM || errno == ENOSYS ? read_file(thread, address, bytes, size) : -errno;
}
