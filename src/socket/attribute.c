/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attribute.h"

#include <linux/rtnetlink.h>

const void *attribute_find(const struct nlmsghdr *message, size_t body, unsigned type, size_t size)
{
	const struct rtattr *at = (const void *)((const char *)message + NLMSG_SPACE(body));
	unsigned left = message->nlmsg_len - (unsigned)NLMSG_LENGTH(body);

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == type && RTA_PAYLOAD(at) >= size)
			return RTA_DATA(at);
	}
	return NULL;
}
