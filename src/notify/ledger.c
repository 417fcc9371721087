/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger.h"

#include "ground/process.h"
#include "ground/procfs.h"
#include "image.h"
#include "shared.h"
#include "socket/first_port.h"

#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

#define ENTRIES_MOST   16384 /* programs that live at the same time */
#define ENTRIES_FIRST  256   /* so many places are used before dead ones are searched for */
#define WORKERS_MOST   256   /* that answer at the same time */
#define ANCESTORS_MOST 64

/*
 * A worker can be killed at any point: an entry counts only when is_used is set, which is done
 * last; whatever is incomplete before that is written again by the next worker.
 */
struct ledger_entry {
	_Atomic bool is_used;
	struct image image;	/* all zero: it could not be read */
	pid_t process;		/* a process of it; 0: that has executed another program */
	uint64_t time;		/* when that started */
	uint32_t before;	/* what was remembered when the program was executed */
	_Atomic uint32_t known; /* since then, or also that if it matters to the program */
};

struct hold {
	pid_t worker;
	uint32_t place; /* of the entry that the worker uses */
};

static struct ledger {
	uint32_t limit; /* places that are used; the rest is untouched */
	struct hold holds[WORKERS_MOST];
	struct ledger_entry entries[ENTRIES_MOST];
} * ledger;

static struct shared_lock *turn; /* held to read or write it */

int ledger_start(void)
{
	if (ledger)
		return 0;
	struct ledger *memory = shared_take(sizeof *memory);
	turn = shared_new_lock();
	if (!memory || !turn)
		return -ENOMEM;
	memory->limit = ENTRIES_FIRST;
	ledger = memory;
	return 0;
}

/* ---- finding an entry ---- */

static struct ledger_entry *find_image(const struct image *image)
{
	if (!image->random[0] && !image->random[1])
		return NULL;
	for (uint32_t i = 0; i < ledger->limit; i++) {
		struct ledger_entry *entry = &ledger->entries[i];
		if (entry->is_used && image_equals(&entry->image, image))
			return entry;
	}
	return NULL;
}

static struct ledger_entry *find_process(pid_t process, uint64_t time)
{
	for (uint32_t i = 0; i < ledger->limit; i++) {
		struct ledger_entry *entry = &ledger->entries[i];
		if (entry->is_used && entry->process == process && entry->time == time)
			return entry;
	}
	return NULL;
}

/* The ancestors of a process, the nearest first. */
struct lineage {
	unsigned count;
	struct ancestor {
		struct process process;
		struct image image;
	} list[ANCESTORS_MOST];
};

static void read_lineage(struct lineage *lineage, pid_t parent)
{
	lineage->count = 0;
	while (lineage->count < ANCESTORS_MOST && parent > 1) {
		struct ancestor *ancestor = &lineage->list[lineage->count];
		if (!process_read_living(&ancestor->process, parent))
			return;
		image_read(&ancestor->image, parent);
		parent = ancestor->process.parent;
		lineage->count++;
	}
}

/* The nearest program that this one descends from and about which something is remembered. */
static struct ledger_entry *find_ancestor(const struct lineage *lineage)
{
	struct ledger_entry *entry = NULL;

	for (unsigned i = 0; !entry && i < lineage->count; i++) {
		const struct ancestor *ancestor = &lineage->list[i];
		entry = find_image(&ancestor->image);
		if (!entry)
			entry = find_process(ancestor->process.id, ancestor->process.started);
	}
	return entry;
}

/* ---- forgetting ---- */

static bool is_alive[ENTRIES_MOST]; /* in a search: entries that must not be forgotten */

/*
 * Compares where the random bytes are, which the kernel knows; reading them from every process
 * could hold up everybody. Two programs may have theirs at the same place: then one entry stays
 * longer.
 */
static bool mark_image(int directory, const char *name, void *context)
{
	pid_t process = procfs_number(name);
	uint64_t address = process > 0 ? image_auxiliary(process, AT_RANDOM) : 0;

	(void)directory;
	(void)context;
	for (uint32_t i = 0; address && i < ledger->limit; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		is_alive[i] |= entry->is_used && entry->image.address == address;
	}
	return false;
}

static bool is_worker(pid_t process)
{
	return process > 0 && (process == getpid() || kill(process, 0) == 0 || errno == EPERM);
}

static void mark_held(void)
{
	for (unsigned i = 0; i < WORKERS_MOST; i++) {
		if (is_worker(ledger->holds[i].worker))
			is_alive[ledger->holds[i].place] = true;
	}
}

/*
 * Forgets programs of which no process lives. A forked child that has never called is not in the
 * entry, but is in /proc. Returns how many entries are left.
 */
static uint32_t forget_dead(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ledger->limit; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		is_alive[i] = entry->is_used && process_lives(entry->process, entry->time);
	}
	mark_held();
	procfs_walk_path("/proc", mark_image, NULL);
	for (uint32_t i = 0; i < ledger->limit; i++) {
		if (!is_alive[i])
			ledger->entries[i].is_used = false;
		count += is_alive[i];
	}
	return count;
}

static struct ledger_entry *find_free(void)
{
	for (uint32_t i = 0; i < ledger->limit; i++) {
		if (!ledger->entries[i].is_used)
			return &ledger->entries[i];
	}
	return NULL;
}

/* While most of the known programs live, more and more places are used. */
static struct ledger_entry *make_room(void)
{
	struct ledger_entry *entry = find_free();

	if (entry)
		return entry;
	if (forget_dead() > ledger->limit / 2 && ledger->limit < ENTRIES_MOST)
		ledger->limit *= 2;
	return find_free();
}

/* ---- changing an entry ---- */

static struct hold *find_hold(void)
{
	for (unsigned i = 0; i < WORKERS_MOST; i++) {
		if (ledger->holds[i].worker == getpid())
			return &ledger->holds[i];
	}
	for (unsigned i = 0; i < WORKERS_MOST; i++) {
		if (!is_worker(ledger->holds[i].worker))
			return &ledger->holds[i];
	}
	return NULL;
}

/* An entry that a worker uses is not given to another program. */
static bool hold(const struct ledger_entry *entry)
{
	struct hold *ours = find_hold();

	if (!ours)
		return false;
	ours->place = (uint32_t)(entry - ledger->entries);
	ours->worker = getpid();
	return true;
}

static struct ledger_entry *add(const struct process *process, const struct image *image,
	const struct lineage *lineage, const struct policy *policy)
{
	struct ledger_entry *before = find_process(process->id, process->started);
	const struct ledger_entry *known = before ? before : find_ancestor(lineage);
	uint32_t handed_on = !known ? 0 : known->known ? known->known : known->before;
	struct ledger_entry *entry =
		make_room(); /* BEFORE may be forgotten if its process was killed */

	if (!entry)
		return NULL;
	entry->image = *image;
	entry->process = process->id;
	entry->time = process->started;
	entry->before = handed_on;
	entry->known = first_port_concerns(policy, handed_on) ? handed_on : 0;
	entry->is_used = true;
	if (before && before != entry)
		before->process = 0;
	return entry;
}

/* The process of a program has ended, and another one that was forked from it calls. */
static void renew(struct ledger_entry *entry, const struct process *process)
{
	if (entry->process == process->id || process_lives(entry->process, entry->time))
		return;
	entry->process = 0;
	entry->time = process->started;
	entry->process = process->id;
}

/* With LINEAGE NULL, only a program that is already known. */
static struct ledger_entry *look_up(const struct process *process, const struct image *image,
	const struct lineage *lineage, const struct policy *policy)
{
	bool is_known = image->random[0] || image->random[1];

	if (!shared_lock(turn, -1))
		return NULL;
	struct ledger_entry *entry =
		is_known ? find_image(image) : find_process(process->id, process->started);
	if (entry)
		renew(entry, process);
	else if (lineage)
		entry = add(process, image, lineage, policy);
	if (entry && !hold(entry))
		entry = NULL;
	shared_unlock(turn);
	return entry;
}

/* The memory of programs, which may not answer, is not read while others wait for their turn. */
_Atomic uint32_t *ledger_first_port(pid_t process, pid_t thread, const struct policy *policy)
{
	static _Atomic uint32_t nowhere = FIRST_PORT_NOWHERE;
	static struct lineage lineage; /* too large for a stack */
	struct process caller;
	struct image image;

	if (!process_read_living(&caller, process))
		return &nowhere;
	image_read(&image, thread);
	struct ledger_entry *entry = look_up(&caller, &image, NULL, policy);
	if (!entry) {
		read_lineage(&lineage, caller.parent);
		entry = look_up(&caller, &image, &lineage, policy);
	}
	return entry ? &entry->known : &nowhere;
}
