/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kept_table.h"

#include "same_socket.h"

#include <sys/mman.h>

#define NOT_COMPLETE 0
#define FREE                                                                                       \
	UINT64_MAX /* free to be used again; a duplicate of another inode does not match it        \
		    */

struct shared {
	_Atomic unsigned count;
	struct kept_socket kept[KEPT_TABLE_MOST];
};

static struct shared *shared; /* NULL: nothing is kept */

static struct {
	_Atomic int fd;	   /* our duplicate; 0: none */
	_Atomic int claim; /* the process (one of its threads) that looks at it now */
} mine[KEPT_TABLE_MOST];

bool kept_table_open(void)
{
	void *memory = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	shared = memory == MAP_FAILED ? NULL : memory;
	return shared != NULL;
}

bool kept_table_is_open(void)
{
	return shared != NULL;
}

unsigned kept_table_count(void)
{
	unsigned most = shared ? shared->count : 0;

	return most < KEPT_TABLE_MOST ? most : KEPT_TABLE_MOST;
}

struct kept_socket *kept_table_at(unsigned place)
{
	return &shared->kept[place];
}

int kept_table_fd(unsigned place)
{
	return mine[place].fd > 0 ? mine[place].fd : -1;
}

/* The number of a free entry, now taken, or KEPT_TABLE_MOST. */
static unsigned free_place(void)
{
	unsigned count = kept_table_count();

	for (unsigned i = 0; i < count; i++) {
		uint64_t inode = FREE;
		if (atomic_compare_exchange_strong(&shared->kept[i].inode, &inode, NOT_COMPLETE))
			return i;
	}
	return count < KEPT_TABLE_MOST ? atomic_fetch_add(&shared->count, 1) : KEPT_TABLE_MOST;
}

int kept_table_add(int fd, const struct file_identity *file, const struct endpoint *endpoint)
{
	unsigned place = free_place();

	if (place >= KEPT_TABLE_MOST)
		return -1;
	mine[place].fd = fd;
	shared->kept[place].endpoint = *endpoint;
	shared->kept[place].file = *file;
	shared->kept[place].holder = 0;
	shared->kept[place].inode = file->inode;
	return (int)place;
}

void kept_table_forget(unsigned place)
{
	mine[place].fd = 0;
	shared->kept[place].is_stored = false;
	shared->kept[place].inode = FREE;
}

bool kept_table_has(unsigned place)
{
	struct file_identity file = file_identity_of(mine[place].fd);

	return mine[place].fd > 0 && file.inode == shared->kept[place].inode &&
	       file_identity_equals(&file, &shared->kept[place].file);
}

int kept_table_find(const struct file_identity *file)
{
	for (unsigned i = 0; i < kept_table_count(); i++) {
		if (shared->kept[i].inode == file->inode &&
			file_identity_equals(&shared->kept[i].file, file) && kept_table_has(i))
			return (int)i;
	}
	return -1;
}

bool kept_table_knows(const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < kept_table_count(); i++) {
		uint64_t inode = shared->kept[i].inode;
		if (inode != FREE && inode != NOT_COMPLETE &&
			same_endpoint(&shared->kept[i].endpoint, endpoint))
			return true;
	}
	return false;
}

bool kept_table_claim(unsigned place)
{
	int self = system_getpid(), other = mine[place].claim;

	return other != self && atomic_compare_exchange_strong(&mine[place].claim, &other, self);
}

void kept_table_release(unsigned place)
{
	mine[place].claim = 0;
}

void kept_table_leave(void)
{
	for (unsigned i = 0; i < kept_table_count(); i++) {
		if (kept_table_has(i))
			system_close(mine[i].fd);
		mine[i].fd = 0;
	}
}
