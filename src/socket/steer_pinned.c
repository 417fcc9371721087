/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steer_pinned.h"

#include "ground/compat.h"
#include "ground/system.h"
#include "policy/rule.h"
#include "steer_pins.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>

const char *steer_pinned_path(const struct steer *steer, unsigned protocol)
{
	if (protocol == PROTOCOL_TCP && steer->mode == STEER_LEAST)
		return STEER_PINS "/" STEER_PIN_LEAST;
	if (protocol == PROTOCOL_UDP && (steer->mode == STEER_LEAST || steer->mode == STEER_FLOW))
		return STEER_PINS "/" STEER_PIN_FLOW;
	return NULL;
}

/* A descriptor of the program, or a negative errno. */
static int open_program(const char *path)
{
	union bpf_attr attributes = {.pathname = 0};

	attributes.pathname = (uintptr_t)path;
	attributes.file_flags = BPF_F_RDONLY;
	return system_bpf(BPF_OBJ_GET, &attributes, sizeof attributes);
}

int steer_pinned_attach(int fd, const struct steer *steer, unsigned protocol)
{
	int program = open_program(steer_pinned_path(steer, protocol));

	if (program < 0)
		return program;
	int error = system_setsockopt(
		fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof program);
	system_close(program);
	return error ? error : steer_pinned_let_in(protocol);
}

/* The contents of the list are for others; reading it lets members in. */
int steer_pinned_let_in(unsigned protocol)
{
	const char *path = protocol == PROTOCOL_UDP ? STEER_PINS "/" STEER_PIN_MEMBERS_UDP
						    : STEER_PINS "/" STEER_PIN_MEMBERS_TCP;
	char bytes[STEER_PINS_READ_SIZE];
	int fd = system_open(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t length = fd;

	while (fd >= 0 && (length = system_read(fd, bytes, sizeof bytes)) > 0) {
		if (bytes[length - 1] == '\0')
			length = 0;
		if (length == 0)
			break;
	}
	system_close(fd);
	return length < 0 ? (int)length : 0;
}

/* The kernel remembers the time when the option is off, and UDP does not linger. */
static void mark_udp(int fd, bool is_draining)
{
	struct linger old, on = {.l_onoff = 1, .l_linger = is_draining ? STEER_PINS_DRAINS : 0};
	socklen_t length = sizeof old;

	if (system_getsockopt(fd, SOL_SOCKET, SO_LINGER, &old, &length) < 0 ||
		(old.l_linger == STEER_PINS_DRAINS) == is_draining)
		return;
	system_setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof on);
	on.l_onoff = old.l_onoff;
	if (!on.l_onoff)
		system_setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof on);
}

void steer_pinned_drain(int fd, unsigned protocol, bool is_draining, int backlog)
{
	if (protocol == PROTOCOL_UDP)
		mark_udp(fd, is_draining);
	else
		system_listen(fd, is_draining ? 0 : backlog > 0 ? backlog : INT_MAX);
}
