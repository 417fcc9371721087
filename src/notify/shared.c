/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared.h"

#include "ground/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECES_MOST 16
#define LOCKS_MOST  8

static struct piece {
	void *memory;
	size_t size;
} pieces[PIECES_MOST];

static unsigned piece_count;

void *shared_take(size_t size)
{
	if (piece_count == PIECES_MOST) {
		errno = ENOMEM;
		return NULL;
	}
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	pieces[piece_count++] = (struct piece){memory, size};
	return memory;
}

void shared_drop(void)
{
	while (piece_count > 0) {
		piece_count--;
		munmap(pieces[piece_count].memory, pieces[piece_count].size);
	}
}

/* ---- locks ---- */

/*
 * Not those of pthreads: they know their owner by an id that a process forked without libc does not
 * renew.
 */
struct shared_lock {
	_Atomic uint32_t
		owner; /* the process; 0: none; with HAS_WAITERS, some wait in the kernel */
};

#define HAS_WAITERS (1U << 31)

static struct shared_lock *locks; /* LOCKS_MOST of them */
static unsigned lock_count;

struct shared_lock *shared_new_lock(void)
{
	if (!locks)
		locks = shared_take(LOCKS_MOST * sizeof *locks);
	if (!locks)
		return NULL;
	if (lock_count < LOCKS_MOST)
		return &locks[lock_count++];
	errno = ENOMEM;
	return NULL;
}

/* Waits until DEADLINE (NULL: for ever) while the lock has this value, futex(2). */
static void wait_while(struct shared_lock *lock, uint32_t value, const struct timespec *deadline)
{
	syscall(SYS_futex, &lock->owner, FUTEX_WAIT_BITSET, value, deadline, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

/* A waiter that gets the lock cannot know whether it was the last one. */
static bool lock_slowly(struct shared_lock *lock, uint32_t self, int64_t until_ms)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000 * 1000000)};
	uint32_t value;

	for (;;) {
		value = 0;
		if (atomic_compare_exchange_strong(&lock->owner, &value, self | HAS_WAITERS))
			return true;
		/*
		 * also by a waiter that gives up: it may have been woken up instead of another one
		 */
		if (!(value & HAS_WAITERS) &&
			!atomic_compare_exchange_strong(&lock->owner, &value, value | HAS_WAITERS))
			continue;
		if (until_ms != CLOCK_NEVER && clock_now_ms() >= until_ms)
			return false;
		wait_while(lock, value | HAS_WAITERS, until_ms == CLOCK_NEVER ? NULL : &deadline);
	}
}

bool shared_lock(struct shared_lock *lock, int timeout_ms)
{
	uint32_t nobody = 0, self = (uint32_t)getpid();

	if (atomic_compare_exchange_strong(&lock->owner, &nobody, self))
		return true;
	return lock_slowly(lock, self, timeout_ms < 0 ? CLOCK_NEVER : clock_now_ms() + timeout_ms);
}

static void wake_one(struct shared_lock *lock)
{
	syscall(SYS_futex, &lock->owner, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void shared_unlock(struct shared_lock *lock)
{
	if (atomic_exchange(&lock->owner, 0) & HAS_WAITERS)
		wake_one(lock);
}

void shared_break_locks(pid_t process)
{
	for (unsigned i = 0; i < lock_count; i++) {
		uint32_t owner = locks[i].owner;
		if ((owner & ~HAS_WAITERS) == (uint32_t)process)
			shared_unlock(&locks[i]);
		else
			wake_one(&locks[i]); /* woken up, it may have ended before it ran */
	}
}
