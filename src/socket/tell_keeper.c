/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell_keeper.h"

#include "ground/errnos.h"
#include "ground/system.h"
#include "inherited.h"
#include "notify_socket.h"
#include "share.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PATH_SIZE 108
#define TEXT_SIZE 192
#define AGAIN_MS  250 /* how often a bind that is tried again and again is reported */

static char keeper_path[PATH_SIZE];
static tell_keeper_sender *sender = notify_socket_send;

/* The last message to the keeper about a bind, by any process of the family. */
static struct memory {
	_Atomic bool is_well; /* the last bind succeeded */
	_Atomic int64_t failed_ms;
} * memory;

void tell_keeper_start(char **environment)
{
	struct text path;

	text_start(&path, keeper_path, sizeof keeper_path);
	text_format(&path, "%s", inherited_variable(environment, "NOTIFY_SOCKET="));
	if (path.truncated)
		keeper_path[0] = '\0';
	void *new = mmap(
		NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = new == MAP_FAILED ? NULL : new;
}

void tell_keeper_by(tell_keeper_sender *send)
{
	sender = send;
}

bool tell_keeper_is_there(void)
{
	return keeper_path[0] != '\0';
}

/* ---- sockets ---- */

static int tell(const char *what, uint64_t inode, const struct endpoint *endpoint, int fd)
{
	char bytes[TEXT_SIZE];
	struct text message;

	text_start(&message, bytes, sizeof bytes);
	text_format(&message, "%s\nFDNAME=", what);
	inherited_print_name(&message, inode, endpoint);
	return sender(keeper_path, bytes, fd);
}

int tell_keeper_store(int fd, uint64_t inode, const struct endpoint *endpoint, enum meant meant)
{
	return tell(meant == MEANT_IF_OPEN ? "FDSTORE=1\nFDPOLL=0\nREUSE_ASKED=1"
					   : "FDSTORE=1\nFDPOLL=0",
		inode, endpoint, fd);
}

int tell_keeper_remove(uint64_t inode, const struct endpoint *endpoint)
{
	return tell("FDSTOREREMOVE=1", inode, endpoint, -1);
}

/* ---- binds ---- */

/* The call itself was wrong, so the error says nothing about the endpoint. */
static bool is_of_no_account(int error)
{
	return error == -EBADF || error == -ENOTSOCK || error == -EFAULT || error == -EINVAL;
}

bool tell_keeper_is_news(const struct configuration *configuration, int error)
{
	if (!configuration->is_supervised || !keeper_path[0] || !memory || is_of_no_account(error))
		return false;
	if (!error)
		return !atomic_exchange(&memory->is_well, true);
	int64_t now = system_now_ms();
	if (!atomic_exchange(&memory->is_well, false) && memory->failed_ms &&
		now - memory->failed_ms < AGAIN_MS)
		return false;
	memory->failed_ms = now;
	return true;
}

void tell_keeper_of_bind(int fd, const struct endpoint *endpoint, int error)
{
	char bytes[TEXT_SIZE];
	struct text message;
	struct endpoint asked = *endpoint;

	if (error) {
		share_ask_protocol(fd, &asked);
		text_start(&message, bytes, sizeof bytes);
		text_format(&message, "REUSE_BIND_FAILED=");
		endpoint_print(&message, &asked);
		if (error != TELL_KEEPER_UNKNOWN)
			text_format(&message, "\nREUSE_ERRNO=%s", errno_name(-error));
	}
	sender(keeper_path, error ? bytes : "REUSE_BIND_DONE=1", -1);
}
