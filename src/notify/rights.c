/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rights.h"

#include "ground/system.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define ERRNO_MOST 4095
#define REFUSED	   (-2 * (ERRNO_MOST + 1)) /* results below: rights refused, with the errno */
#define LEAST	   (REFUSED - ERRNO_MOST)

/* ---- do they differ? ---- */

static bool is_same_groups(const struct deed *deed)
{
	const struct groups *ours = tracee_our_groups(), *theirs = deed->groups;

	return deed->caller->rights.group == tracee_our_rights()->group &&
	       ours->count == theirs->count &&
	       memcmp(ours->list, theirs->list, ours->count * sizeof *ours->list) == 0;
}

static bool is_same_user_namespace(const struct deed *deed)
{
	return deed->caller->rights.user_namespace == tracee_our_rights()->user_namespace;
}

static bool is_same_network(const struct deed *deed)
{
	return !deed->groups || tracee_is_in_our_network(deed->caller);
}

static bool may_the_same(const struct deed *deed)
{
	const struct rights *ours = tracee_our_rights(), *theirs = &deed->caller->rights;

	return theirs->user == ours->user && theirs->capabilities == ours->capabilities &&
	       is_same_user_namespace(deed) && is_same_network(deed) &&
	       (!deed->groups || is_same_groups(deed));
}

/* ---- in the helper ---- */

struct errand {
	const struct deed *deed;
	int user_namespace, network_namespace; /* to enter; -1: none */
};

struct capabilities {
	struct __user_cap_data_struct half[2];
};

static int set_effective(uint64_t wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct capabilities set;

	if (syscall(SYS_capget, &header, &set) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		set.half[i].effective = set.half[i].permitted & (uint32_t)(wanted >> (32 * i));
	int error = syscall(SYS_capset, &header, &set) < 0 ? -errno : 0;
	helper_close_up();
	return error;
}

static int assume_groups(const struct deed *deed)
{
	const struct groups *groups = deed->groups;

	if (!groups || is_same_groups(deed))
		return 0;
	if (setgroups(groups->count, groups->list) < 0 ||
		setresgid((gid_t)-1, deed->caller->rights.group, (gid_t)-1) < 0)
		return -errno;
	helper_close_up();
	return 0;
}

/*
 * The capabilities that a change of user removes are still permitted, because the real user stays,
 * and come back until the user namespace is entered. Because it stays, signals of the caller's user
 * do not reach the helper either.
 */
static int assume_user(const struct deed *deed)
{
	uid_t user = deed->caller->rights.user;

	if (user != tracee_our_rights()->user && setresuid((uid_t)-1, user, (uid_t)-1) < 0)
		return -errno;
	helper_close_up();
	return 0;
}

static int enter(int namespace, int kind)
{
	if (namespace < 0)
		return 0;
	int error = set_effective(UINT64_MAX);
	if (!error && setns(namespace, kind) < 0)
		error = -errno;
	helper_close_up();
	if (!error)
		close(namespace);
	return error;
}

static int assume_rights(const struct errand *errand)
{
	const struct deed *deed = errand->deed;

	return assume_groups(deed)
		?: assume_user(deed)
		?: enter(errand->user_namespace, CLONE_NEWUSER)
		?: enter(errand->network_namespace, CLONE_NEWNET)
		?: set_effective(deed->caller->rights.capabilities);
}

static int do_as_caller(void *context)
{
	const struct errand *errand = context;
	int error = assume_rights(errand);

	return error ? REFUSED + error : errand->deed->helper.work(errand->deed->helper.context);
}

/* ---- rights_do ---- */

static int send_helper(const struct errand *errand)
{
	struct helper helper = errand->deed->helper;

	helper.work = do_as_caller;
	helper.context = (void *)(uintptr_t)errand;
	helper.descriptors[helper.count++] = errand->user_namespace;
	helper.descriptors[helper.count++] = errand->network_namespace;
	return helper_run(&helper, LEAST);
}

int rights_do(const struct deed *deed, bool *is_refused)
{
	struct errand errand = {deed, -1, -1};
	bool is_ready = true;

	if (is_refused)
		*is_refused = false;
	if (may_the_same(deed))
		return deed->helper.work(deed->helper.context);
	if (!is_same_user_namespace(deed))
		is_ready = (errand.user_namespace = tracee_namespace(deed->caller, "ns/user")) >= 0;
	if (!is_same_network(deed))
		is_ready &=
			(errand.network_namespace = tracee_namespace(deed->caller, "ns/net")) >= 0;
	int result = is_ready ? send_helper(&errand) : REFUSED - EPERM;
	system_close(errand.user_namespace);
	system_close(errand.network_namespace);
	if (result >= -ERRNO_MOST)
		return result;
	if (is_refused)
		*is_refused = true;
	return result < REFUSED ? result - REFUSED : -EIO;
}
