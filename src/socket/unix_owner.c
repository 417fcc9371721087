/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unix_owner.h"

#include "attribute.h"
#include "ground/system.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>

/* Linux 5.3; older headers lack both. */
#define SHOW_USER      0x40
#define ATTRIBUTE_USER 7

#define ANSWER_SIZE 512 /* bytes; the name of a socket, and two numbers */

struct owner_request {
	struct nlmsghdr header;
	struct unix_diag_req body;
};

static int send_request(int netlink, uint32_t inode, uint32_t show)
{
	struct owner_request request = {
		.header.nlmsg_len = sizeof request,
		.header.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.header.nlmsg_flags = NLM_F_REQUEST,
		.body.sdiag_family = AF_UNIX,
		.body.udiag_states = UINT32_MAX,
		.body.udiag_ino = inode,
		.body.udiag_show = show,
		.body.udiag_cookie = {UINT32_MAX, UINT32_MAX}, /* any */
	};
	ssize_t sent = system_write(netlink, &request, sizeof request);

	return sent < 0 ? (int)sent : 0;
}

static int ask(int netlink, uint32_t inode, uint32_t show, unsigned attribute, uint32_t *number)
{
	union {
		struct nlmsghdr header; /* for its alignment */
		char bytes[ANSWER_SIZE];
	} answer;
	int error = send_request(netlink, inode, show);
	ssize_t got = error ? error : system_read(netlink, &answer, sizeof answer);

	if (got < 0)
		return (int)got;
	if (!NLMSG_OK(&answer.header, (unsigned)got) ||
		answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -ENODATA;
	const void *value = attribute_find(
		&answer.header, sizeof(struct unix_diag_msg), attribute, sizeof *number);
	if (!value)
		return -ENODATA;
	memcpy(number, value, sizeof *number);
	return 0;
}

static int open_netlink(void)
{
	return system_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

int unix_owner(uint32_t inode, uid_t *user)
{
	int netlink = open_netlink();

	if (netlink < 0)
		return netlink;
	int error = ask(netlink, inode, SHOW_USER, ATTRIBUTE_USER, user);
	system_close(netlink);
	return error;
}

int unix_owner_of_peer(int fd, uid_t *user)
{
	uint32_t peer;
	int netlink = open_netlink();

	if (netlink < 0)
		return netlink;
	uint32_t inode = (uint32_t)file_identity_of(fd).inode;
	int error = ask(netlink, inode, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, &peer);
	system_close(netlink);
	return error ? error : unix_owner(peer, user);
}
