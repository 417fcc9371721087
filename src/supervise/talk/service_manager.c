/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service_manager.h"

#include "ground/errnos.h"
#include "ground/text.h"
#include "say.h"
#include "socket/notify_socket.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_SIZE 512

static char path[108];
static uint64_t watchdog_us;
static unsigned room; /* how many sockets it keeps at most; 0: not known */

void service_manager_open(void)
{
	const char *where = getenv("NOTIFY_SOCKET"), *period = getenv("WATCHDOG_USEC");
	const char *whom = getenv("WATCHDOG_PID"), *store = getenv("FDSTORE");

	if (where && strlen(where) < sizeof path)
		strcpy(path, where);
	if (period && (!whom || atoi(whom) == getpid()))
		watchdog_us = strtoull(period, NULL, 10);
	if (store)
		room = (unsigned)strtoul(store, NULL, 10);
	unsetenv("FDSTORE"); /* the keeper of the copies is not the service manager */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

bool service_manager_is_there(void)
{
	return path[0] != '\0';
}

uint64_t service_manager_watchdog_us(void)
{
	return watchdog_us;
}

static void send_message(const char *message, int fd)
{
	int error = path[0] ? notify_socket_send(path, message, fd) : 0;

	if (error)
		say(LOG_LEVEL_WARN, "\"%s\" cannot be sent to the service manager: %s", message,
			errno_name(-error));
}

void service_manager_say(const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	text_vprint(message, sizeof message, format, args);
	va_end(args);
	send_message(message, -1);
}

/* Logged once: each socket that follows is also one too many. */
static void warn_of_room(unsigned count)
{
	static bool is_said;

	if (is_said || !room || count <= room)
		return;
	is_said = true;
	say(LOG_LEVEL_WARN,
		"%u sockets are kept, but the service manager takes only %u: the clients that wait "
		"in the others are lost when the service restarts; set FileDescriptorStoreMax= to "
		"two for each endpoint and queue (without --queues, each copy has one)",
		count, room);
}

void service_manager_store(const char *name, int fd, unsigned count)
{
	char message[MESSAGE_SIZE];

	warn_of_room(count);
	text_print(message, sizeof message, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	send_message(message, fd);
}

void service_manager_forget(const char *name)
{
	service_manager_say("FDSTOREREMOVE=1\nFDNAME=%s", name);
}
