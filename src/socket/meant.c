/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meant.h"

#include "ground/system.h"
#include "share.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define CHOSEN_MOST 256 /* sockets that were bound to port 0, and do not listen yet */

/* Inodes; 0: none. */
static struct memory {
	_Atomic unsigned n_chosen, n_sent; /* since the start */
	_Atomic uint64_t chosen[CHOSEN_MOST];
	_Atomic uint64_t sent[MEANT_UDP_MOST];
} * memory;

void meant_open(void)
{
	void *new = mmap(
		NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memory = new == MAP_FAILED ? NULL : new;
}

static _Atomic uint64_t *find(_Atomic uint64_t *list, unsigned count, int fd)
{
	uint64_t inode = file_identity_of(fd).inode;

	for (unsigned i = 0; i < count; i++) {
		if (list[i] == inode && inode)
			return &list[i];
	}
	return NULL;
}

static _Atomic uint64_t *find_chosen(int fd)
{
	unsigned count = memory ? memory->n_chosen : 0;

	return count ? find(memory->chosen, count < CHOSEN_MOST ? count : CHOSEN_MOST, fd) : NULL;
}

/* UDP sockets are sent when they are bound, so nothing has to be remembered. */
static bool is_udp(int fd, const struct endpoint *endpoint)
{
	struct endpoint asked = *endpoint;

	return share_ask_number(fd, &asked) < 0 || asked.protocol == PROTOCOL_UDP;
}

void meant_note_bind(int fd, const struct endpoint *endpoint)
{
	_Atomic uint64_t *chosen;

	if (!memory)
		return;
	if (endpoint->port) {
		chosen = find_chosen(fd);
		if (chosen)
			*chosen = 0;
	} else if (!is_udp(fd, endpoint)) {
		chosen = &memory->chosen[atomic_fetch_add(&memory->n_chosen, 1) % CHOSEN_MOST];
		*chosen = file_identity_of(fd).inode;
	}
}

enum meant meant_of(const struct rule *rule, int fd, const struct endpoint *endpoint)
{
	bool is_udp_socket = endpoint->protocol == PROTOCOL_UDP;

	if (endpoint->port == 0 || (!is_udp_socket && find_chosen(fd)))
		return MEANT_NOT;
	return endpoint->port < ENDPOINT_PRIVILEGED || rule_names_port(rule, endpoint->port)
		       ? MEANT_ALWAYS
		       : MEANT_IF_OPEN;
}

bool meant_may_send(int fd)
{
	/*
	 * It does not count beyond the limit: a number that only grows would wrap around some day.
	 */
	if (!memory || memory->n_sent >= MEANT_UDP_MOST)
		return false;
	unsigned place = atomic_fetch_add(&memory->n_sent, 1);
	if (place >= MEANT_UDP_MOST)
		return false;
	memory->sent[place] = file_identity_of(fd).inode;
	return true;
}

bool meant_was_sent(int fd)
{
	return memory && memory->n_sent > 0 && find(memory->sent, MEANT_UDP_MOST, fd);
}
