/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unix_owner.h"

#include "attribute.h"
#include "ground/compare.h"
#include "ground/system.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
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

union answer {
	struct nlmsghdr header; /* for its alignment */
	char bytes[ANSWER_SIZE];
};

/* -ENOENT: there is no such socket, or the kernel cannot be asked about any. */
static int ask(int netlink, uint32_t inode, uint32_t show, union answer *answer)
{
	int error = send_request(netlink, inode, show);
	ssize_t got = error ? error : system_read(netlink, answer, sizeof *answer);

	if (got < 0)
		return (int)got;
	if (!NLMSG_OK(&answer->header, (unsigned)got))
		return -ENODATA;
	if (answer->header.nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(&answer->header))->error;
	return answer->header.nlmsg_type == SOCK_DIAG_BY_FAMILY ? 0 : -ENODATA;
}

static const void *find(const union answer *answer, unsigned attribute, size_t size)
{
	return attribute_find(&answer->header, sizeof(struct unix_diag_msg), attribute, size);
}

static int find_number(const union answer *answer, unsigned attribute, uint32_t *number)
{
	const void *value = find(answer, attribute, sizeof *number);

	if (!value)
		return -ENODATA;
	memcpy(number, value, sizeof *number);
	return 0;
}

static int open_netlink(void)
{
	return system_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

static int owner(int netlink, uint32_t inode, uid_t *user)
{
	union answer answer;
	int error = ask(netlink, inode, SHOW_USER, &answer);

	return error ? error : find_number(&answer, ATTRIBUTE_USER, user);
}

int unix_owner_of_peer(int fd, uid_t *user)
{
	union answer answer;
	uint32_t peer;
	int netlink = open_netlink();

	if (netlink < 0)
		return netlink;
	uint32_t inode = (uint32_t)file_identity_of(fd).inode;
	int error = ask(netlink, inode, UDIAG_SHOW_PEER, &answer);
	if (!error)
		error = find_number(&answer, UNIX_DIAG_PEER, &peer);
	if (!error)
		error = owner(netlink, peer, user);
	system_close(netlink);
	return error;
}

/* ---- of a name ---- */

static bool has_name(const union answer *answer, const char *name, size_t length)
{
	const struct nlattr *value = find(answer, UNIX_DIAG_NAME, 1 + length);
	const char *bytes = (const char *)value;

	return value && value[-1].nla_len == sizeof *value + 1 + length && bytes[0] == '\0' &&
	       string_same(bytes + 1, name, length);
}

/* A kernel without UNIX_DIAG answers about every socket that there is none. */
static bool can_be_asked(int netlink)
{
	union answer answer;
	int socket = system_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = socket >= 0 &&
		   ask(netlink, (uint32_t)file_identity_of(socket).inode, 0, &answer) == 0;

	system_close(socket);
	return can;
}

int unix_owner_of_name(uint32_t inode, const char *name, size_t length, uid_t *user)
{
	union answer answer;
	int netlink = open_netlink();

	if (netlink < 0)
		return netlink;
	int error = ask(netlink, inode, SHOW_USER | UDIAG_SHOW_NAME, &answer);
	if (!error && !has_name(&answer, name, length))
		error = -ENOENT;
	else if (error == -ENOENT && !can_be_asked(netlink))
		error = -EOPNOTSUPP;
	if (!error)
		error = find_number(&answer, ATTRIBUTE_USER, user);
	system_close(netlink);
	return error;
}
