/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzzes the messages of copies to their supervisor, in the protocol of sd_notify(3). An input is a
 * row of messages, separated by NUL; the first byte of each says who sends it, and with which
 * descriptor. The descriptors are not those of the fuzzer: a table takes the place of the
 * supervisor's.
 */
#include "fuzz.h"
#include "socket/inherited.h"
#include "socket/share.h"
#include "supervise/sockets/keeper.h"
#include "supervise/talk/channel.h"
#include "supervise/talk/say.h"
#include "supervise/talk/service_manager.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COPIES	    2
#define FDS_MOST    2048
#define FIRST_FD    1000000 /* none of ours */
#define INODES_MOST 8

struct log say_log; /* its level lets errors through, and there are none */

/* ---- a supervisor's descriptors ---- */

enum kind { NOT_A_SOCKET, LISTENING, BOUND, DATAGRAM };

static struct descriptor {
	unsigned inode; /* 0: not open */
	enum kind kind;
} descriptors[FDS_MOST];
static unsigned n_open;

static struct descriptor *open_one(int fd)
{
	CLAIM(fd >= FIRST_FD && fd < FIRST_FD + FDS_MOST && descriptors[fd - FIRST_FD].inode);
	return &descriptors[fd - FIRST_FD];
}

static int open_with(unsigned inode, enum kind kind)
{
	int at = 0;

	while (descriptors[at].inode)
		at++;
	descriptors[at] = (struct descriptor){inode, kind};
	n_open++;
	return FIRST_FD + at;
}

int __real_close(int fd);

int __wrap_close(int fd)
{
	if (fd < FIRST_FD)
		return __real_close(fd); /* libFuzzer's */
	open_one(fd)->inode = 0;
	n_open--;
	return 0;
}

int __wrap_fstat64(int fd, struct stat *status)
{
	const struct descriptor *at = open_one(fd);

	*status = (struct stat){.st_mode = S_IFSOCK, .st_ino = at->inode};
	return 0;
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	if (level == SOL_SOCKET && option == SO_BINDTODEVICE) {
		*length = 0; /* none */
		return 0;
	}
	if (level == IPPROTO_TCP && option == TCP_INFO) {
		errno = ENOPROTOOPT;
		return -1;
	}
	CLAIM(*length == sizeof(int));
	CLAIM((level == SOL_SOCKET && option == SO_ACCEPTCONN) ||
		(level == IPPROTO_IPV6 && option == IPV6_V6ONLY));
	*(int *)value = option == SO_ACCEPTCONN && open_one(fd)->kind == LISTENING;
	return 0;
}

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t length);

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	if (fd < FIRST_FD)
		return __real_setsockopt(fd, level, option, value, length);
	open_one(fd);
	return 0;
}

int __wrap_share_ask_bound(int fd, struct endpoint *endpoint)
{
	const struct descriptor *at = open_one(fd);

	*endpoint = (struct endpoint){.port = (uint16_t)(80 + at->inode)};
	return at->kind == NOT_A_SOCKET ? -ENOTSOCK : 0;
}

int __wrap_share_ask_protocol(int fd, struct endpoint *endpoint)
{
	endpoint->protocol = open_one(fd)->kind == DATAGRAM ? PROTOCOL_UDP : PROTOCOL_TCP;
	return 0;
}

/* ---- the service manager ---- */

/* Whether it takes NAME, as systemd's fdname_is_valid() nearly, and the library knows it for its
 * own. */
static bool is_name(const char *name)
{
	for (const char *at = name; *at; at++) {
		unsigned char byte = (unsigned char)*at;
		if (byte <= ' ' || byte >= 0x7f || byte == ':')
			return false;
	}
	return strncmp(name, INHERITED_PREFIX, sizeof INHERITED_PREFIX - 1) == 0;
}

void __wrap_service_manager_store(const char *name, int fd)
{
	CLAIM(is_name(name));
	open_one(fd);
}

void __wrap_service_manager_forget(const char *name)
{
	CLAIM(is_name(name));
}

/* ---- fields ---- */

/* The line NAME= that is the first whose value has room, found another way. */
static bool read_simply(const char *text, const char *name, char *value, size_t size)
{
	char lines[CHANNEL_MESSAGE_SIZE + 1], start[32];
	const char *at = lines;

	snprintf(lines, sizeof lines, "\n%s", text);
	snprintf(start, sizeof start, "\n%s=", name);
	while ((at = strstr(at, start))) {
		at += strlen(start);
		const char *end = strchr(at, '\n');
		size_t length = end ? (size_t)(end - at) : strlen(at);
		if (length < size) {
			snprintf(value, size, "%.*s", (int)length, at);
			return true;
		}
	}
	return false;
}

static void check_fields(const struct channel_message *message)
{
	static const struct {
		const char *name;
		size_t size;
	} fields[] = {{"READY", 8}, {"WATCHDOG", 8}, {"STATUS", 128}, {"FDNAME", KEEPER_NAME_SIZE},
		{"FDSTORE", 4}, {"FDSTOREREMOVE", 4}, {"X", 1}};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		char *value = malloc(fields[i].size), expected[KEEPER_NAME_SIZE];
		CLAIM(value);
		bool is_there = channel_field(message, fields[i].name, value, fields[i].size);
		CLAIM(is_there ==
			read_simply(message->text, fields[i].name, expected, fields[i].size));
		CLAIM(!is_there || strcmp(value, expected) == 0);
		free(value);
	}
}

/* ---- messages ---- */

static unsigned count_of(const struct keeper *keeper, const struct copy *copy)
{
	unsigned count = 0;

	for (const struct kept *kept = keeper->list; kept; kept = kept->next)
		count += !copy || takers_own(kept->takers, copy);
	return count;
}

static void check_keeper(const struct keeper *keeper)
{
	for (const struct kept *kept = keeper->list; kept; kept = kept->next) {
		const struct descriptor *at = open_one(kept->fd);
		CLAIM(at->inode == kept->entry.inode &&
			(at->kind == LISTENING || at->kind == DATAGRAM));
		CLAIM(keeper_find(keeper, kept->entry.inode) == kept);
		CLAIM(kept->takers->copy->slot == kept->slot);
		CLAIM(is_name(kept->name));
	}
	CLAIM(count_of(keeper, NULL) == n_open);
}

static bool has_place(const struct keeper *keeper, const struct copy *copy, int fd)
{
	struct kept like = {.slot = copy->slot};

	return share_ask_bound(fd, &like.entry.local) == 0 &&
	       share_ask_protocol(fd, &like.entry.local) == 0 &&
	       keeper_has_place(keeper, copy, &like);
}

static bool is_to_be_kept(
	const struct keeper *keeper, const struct copy *copy, const struct channel_message *message)
{
	char name[KEEPER_NAME_SIZE], flag[4];

	if (message->n_fds == 0 || !read_simply(message->text, "FDNAME", name, sizeof name) ||
		!read_simply(message->text, "FDSTORE", flag, sizeof flag))
		return false;
	const struct descriptor *at = open_one(message->fds[0]);
	bool is_late = copy->is_settled &&
		       read_simply(message->text, "REUSE_ASKED", flag, sizeof flag) &&
		       !has_place(keeper, copy, message->fds[0]);
	return is_name(name) && (at->kind == LISTENING || at->kind == DATAGRAM) &&
	       !keeper_find(keeper, at->inode) && !is_late;
}

/* ABOUT: the sender (1), whether it has a descriptor (2), which one (4-64), a second one (128). */
static void hear(struct keeper *keeper, struct copy copies[static COPIES], uint8_t about,
	const uint8_t *text, size_t length)
{
	static struct channel_message message;
	struct copy *copy = &copies[about & 1], *other = &copies[~about & 1];
	unsigned count = count_of(keeper, copy), others = count_of(keeper, other);

	message.n_fds = 0;
	if (about & 2)
		message.fds[message.n_fds++] =
			open_with(1 + (about >> 2) % INODES_MOST, (enum kind)(about >> 5 & 3));
	if (about & 128)
		message.fds[message.n_fds++] = open_with(INODES_MOST, LISTENING);
	memcpy(message.text, text, length);
	message.text[length] = '\0';
	check_fields(&message);
	bool is_kept = is_to_be_kept(keeper, copy, &message);
	keeper_hear(keeper, copy, &message);
	channel_drop_fds(&message);
	CLAIM(is_kept ? count_of(keeper, copy) == count + 1 : count_of(keeper, copy) <= count);
	CLAIM(count_of(keeper, other) == others);
	check_keeper(keeper);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct keeper keeper;
	struct copy copies[COPIES] = {{.slot = 0}, {.slot = 1, .is_settled = true}};

	if (size >= CHANNEL_MESSAGE_SIZE)
		return 0;
	keeper_open(&keeper, COPIES, false);
	for (size_t at = 0; at < size;) {
		uint8_t about = bytes[at++];
		const uint8_t *end = memchr(bytes + at, '\0', size - at);
		size_t length = end ? (size_t)(end - (bytes + at)) : size - at;
		hear(&keeper, copies, about, bytes + at, length);
		at += length + (end != NULL);
	}
	keeper_close(&keeper);
	CLAIM(n_open == 0);
	return 0;
}
