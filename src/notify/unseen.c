/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unseen.h"

#include "shared.h"

#include <errno.h>
#include <string.h>

#define UNSEEN_MOST 16
#define PATIENCE_MS 1000

struct unseen {
	pid_t thread; /* 0: the place is free */
	struct file_identity socket;
	struct sockaddr_storage address; /* the address that the program asked for */
	socklen_t length;
};

static struct unseen_binds {
	unsigned next;
	struct unseen binds[UNSEEN_MOST];
} * memory;

static struct shared_lock *lock;

int unseen_start(void)
{
	if (memory)
		return 0;
	lock = shared_new_lock();
	struct unseen_binds *taken = lock ? shared_take(sizeof *taken) : NULL;
	memory = taken;
	return memory ? 0 : -errno;
}

void unseen_remember(const struct call *call)
{
	if (!shared_lock(lock, PATIENCE_MS))
		return;
	struct unseen *place = &memory->binds[memory->next++ % UNSEEN_MOST];
	place->thread = 0; /* until it is complete */
	place->socket = call->socket;
	place->address = call->address;
	place->length = call->length;
	place->thread = call->caller.thread;
	shared_unlock(lock);
}

static bool is_it(const struct unseen *unseen, const struct call *call)
{
	return unseen->thread == call->caller.thread && unseen->length == call->length &&
	       file_identity_equals(&unseen->socket, &call->socket) &&
	       memcmp(&unseen->address, &call->address, call->length) == 0;
}

bool unseen_recall(struct call *call)
{
	bool is_found = false;

	call->socket = file_identity_of(call->fd);
	if (!shared_lock(lock, PATIENCE_MS))
		return false;
	for (unsigned i = 0; !is_found && i < UNSEEN_MOST; i++) {
		is_found = is_it(&memory->binds[i], call);
		if (is_found)
			memory->binds[i].thread = 0;
	}
	shared_unlock(lock);
	return is_found;
}
