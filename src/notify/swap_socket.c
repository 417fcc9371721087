/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "swap_socket.h"

#include "ground/compare.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "ground/text.h"
#include "helper.h"

#include <fcntl.h>
#include <stdlib.h>

/* Whether /proc/PID/fdinfo/FD, proc(5), has O_CLOEXEC among the flags. */
static bool is_cloexec(pid_t process, int number)
{
	char file[32], line[128];
	bool is_set = false;

	text_print(file, sizeof file, "fdinfo/%d", number);
	struct procfs_reader reader = {.fd = procfs_open(process, file)};
	while (procfs_next_line(&reader, line, sizeof line)) {
		if (string_starts(line, "flags:"))
			is_set = (strtoul(line + 6, NULL, 8) & O_CLOEXEC) != 0;
	}
	system_close(reader.fd);
	return is_set;
}

bool swap_socket_is_possible(int number, const struct tracee *caller)
{
	struct registrations registrations = {.count = 0};

	if (tracee_refusal())
		replace_find_registrations(&registrations, caller->thread, number);
	return registrations.count == 0;
}

void swap_socket_find(struct swap_socket *swap, const struct tracee *caller)
{
	swap->is_cloexec = is_cloexec(caller->thread, swap->number);
	replace_find_registrations(&swap->registrations, caller->thread, swap->number);
}

#define ERRNO_MOST 4095

struct registering {
	const struct swap_socket *swap;
	const struct registration *registration;
	int epoll; /* ours */
};

/* epoll knows a registration by the socket and by the number of its descriptor. */
static int add_under_number(void *context)
{
	const struct registering *registering = context;
	int number = registering->swap->number, epoll = registering->epoll;
	struct epoll_event event = registering->registration->event;

	if (epoll == number)
		epoll = system_fcntl(epoll, F_DUPFD_CLOEXEC, number + 1);
	if (registering->swap->fd != number)
		system_dup3(registering->swap->fd, number, O_CLOEXEC);
	return system_epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event);
}

void swap_socket_register(const struct swap_socket *swap, const struct tracee *caller)
{
	for (unsigned i = 0; i < swap->registrations.count; i++) {
		const struct registration *registration = &swap->registrations.list[i];
		struct registering registering = {
			swap, registration, tracee_descriptor(caller, registration->epoll)};
		if (registering.epoll < 0)
			continue;
		const struct helper helper = {
			.work = add_under_number,
			.context = &registering,
			.descriptors = {swap->fd, registering.epoll},
			.count = 2,
		};
		helper_run(&helper, -ERRNO_MOST);
		system_close(registering.epoll);
	}
}
