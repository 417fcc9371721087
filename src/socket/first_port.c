/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "first_port.h"

#include "ground/compare.h"
#include "ground/procfs.h"
#include "inherited.h"
#include "share.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define ASSIGNED   "REUSE_FIRST_PORT="
#define VALUE_SIZE sizeof "65535:65535" /* the port and its target */

/*
 * Shared with all forked children: whichever asks first, no two of them move two ports to one
 * target. The environment refers to it, so that any execve(2) passes on what is known at that time.
 */
static struct memory {
	_Atomic uint32_t known;
	char assignment[sizeof ASSIGNED + VALUE_SIZE];
} * shared;

static _Atomic uint32_t our_own; /* used until the shared one is available, or if it is not */

static uint16_t port_of(uint32_t known)
{
	return (uint16_t)known;
}

static uint16_t target_of(uint32_t known)
{
	return (uint16_t)(known >> 16);
}

/* ---- the environment ---- */

/* Another thread may be in execve(2): the value is empty until the last byte is written. */
static void publish(struct memory *memory, uint32_t known)
{
	volatile char *value = memory->assignment + sizeof ASSIGNED - 1;
	char bytes[VALUE_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	text_format(&text, "%u:%u", port_of(known), target_of(known));
	value[0] = '\0';
	for (size_t i = 1; i <= text.length; i++)
		value[i] = bytes[i];
	value[0] = bytes[0];
}

/* 0 if it is not in the format of publish(). */
static uint32_t parse(const char *value)
{
	size_t length = value ? string_until(value, ':') : 0;

	if (!length || !value[length])
		return 0;
	uint64_t port = procfs_number_at(value, 10);
	uint64_t target = procfs_number_at(value + length + 1, 10);
	return port <= UINT16_MAX && target <= UINT16_MAX ? (uint32_t)(target << 16 | port) : 0;
}

static void put_variable(char ***environment, struct memory *memory)
{
	static struct arena arena; /* lives as long as the process: the environment refers to it */
	size_t count = 2;

	for (char **at = *environment; *at; at++)
		count++;
	if (arena_open(&arena, count * sizeof **environment) == 0)
		inherited_put(environment, &arena, ASSIGNED, memory->assignment);
}

void first_port_start(const struct configuration *configuration, char ***environment)
{
	if (!configuration->policy.has_once || !*environment || shared)
		return;
	struct memory *memory = mmap(
		NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return;
	uint32_t inherited =
		getauxval(AT_SECURE) ? 0 : parse(inherited_variable(*environment, ASSIGNED));
	for (size_t i = 0; i < sizeof ASSIGNED; i++)
		memory->assignment[i] = ASSIGNED[i];
	memory->known = our_own;
	if (!our_own && first_port_concerns(&configuration->policy, inherited))
		memory->known = inherited;
	/* What does not matter to this program may still matter to one that it executes. */
	if (our_own || inherited)
		publish(memory, our_own ? our_own : inherited);
	shared = memory;
	if (configuration->is_inherited)
		put_variable(environment, memory);
}

/* ---- claims ---- */

bool first_port_concerns(const struct policy *policy, uint32_t known)
{
	for (size_t i = 0; known && i < policy->count; i++) {
		const struct actions *actions = &policy->rules[i].actions;
		if (actions->once && actions->to.port == target_of(known))
			return true;
	}
	return false;
}

static int refuse(const struct configuration *configuration, uint32_t known, uint16_t second)
{
	unsigned target = target_of(known);

	if (known == FIRST_PORT_NOWHERE)
		log_write_seldom(&configuration->log, LOG_LEVEL_ERROR,
			"too many programs run to remember which port this one moved first, so its "
			"bind to port %u fails with EADDRINUSE",
			second);
	else
		log_write_seldom(&configuration->log, LOG_LEVEL_WARN,
			"port %u was moved to %u already, so a bind to port %u fails with "
			"EADDRINUSE; to choose the port that moves, use reuse-run -p %u:%u, or the "
			"rule port=%u -> share to=:%u",
			port_of(known), target, second, second, target, second, target);
	return -EADDRINUSE;
}

__attribute__((cold)) int first_port_claim(const struct configuration *configuration,
	const struct rule *rule, const struct endpoint *endpoint)
{
	struct memory *common = configuration->first_port ? NULL : shared;
	_Atomic uint32_t *memory = configuration->first_port ? configuration->first_port
				   : common		     ? &common->known
							     : &our_own;
	uint32_t wanted = (uint32_t)rule->actions.to.port << 16 | endpoint->port, known = 0;

	if (!share_can_retarget(rule, endpoint))
		return 0; /* it does not move, and the call fails for that reason */
	if (atomic_compare_exchange_strong(memory, &known, wanted)) {
		if (common)
			publish(common, wanted);
		return 0;
	}
	if (known == FIRST_PORT_NOWHERE || port_of(known) != endpoint->port)
		return refuse(configuration, known, endpoint->port);
	return 0;
}
