/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope.h"

#include "ground/number.h"
#include "ground/system.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

static int ask_kernel(uint32_t *interface, const char *name, size_t length)
{
	struct ifreq request = {.ifr_ifindex = 0};

	if (length == 0 || length >= sizeof request.ifr_name)
		return -ENODEV;
	memcpy(request.ifr_name, name, length);
	/* a sandbox that allows a service IPv6 allows it sockets of this family at least */
	int fd = system_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	int error = system_ioctl(fd, SIOCGIFINDEX, &request);
	system_close(fd);
	*interface = (uint32_t)request.ifr_ifindex;
	return error;
}

/* A decimal number, 1 or more. */
static int read_number(uint32_t *interface, const char *text, size_t length)
{
	int number = number_of(text, length, INT32_MAX);

	*interface = number > 0 ? (uint32_t)number : 0;
	return number > 0 ? 0 : -ENODEV;
}

int scope_find(uint32_t *interface, const char *text, size_t length)
{
	return ask_kernel(interface, text, length) == 0 ? 0 : read_number(interface, text, length);
}

void scope_print(struct text *text, uint32_t interface)
{
	if (interface)
		text_format(text, "%%%u", interface);
}
