/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "adopt.h"

#include "ground/compare.h"
#include "ground/errnos.h"
#include "ground/procfs.h"
#include "ground/system.h"
#include "inherited.h"
#include "keep.h"
#include "replace.h"
#include "say_of_endpoint.h"
#include "share.h"

#include <fcntl.h>

int adopt_inherited(const struct actions *actions)
{
	if (string_starts(actions->adopt, "fd:"))
		return keep_is_start_trusted() ? procfs_number(actions->adopt + 3) : -1;
	return inherited_find(actions->adopt, string_length(actions->adopt));
}

/*
 * Lets others join a socket that another process has made. The kernel shares a port among sockets
 * of one owner, the user who made them; it respects SO_REUSEPORT on a socket that already listens.
 */
static int share_inherited(const struct configuration *configuration, int fd,
	const struct rule *rule, const struct endpoint *endpoint)
{
	struct statx status;
	uid_t user = system_geteuid();
	int failed = share_set_options(configuration, fd, rule, endpoint);

	if (failed || system_stat(fd, &status) < 0 || status.stx_uid == user)
		return failed;
	int error = system_fchown(fd, user);
	if (error)
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"the adopted socket belongs to another user, so no process of this user "
			"can share its port: %s",
			errno_name(-error));
	return 0;
}

int adopt_socket(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint)
{
	struct endpoint found;
	int inherited = adopt_inherited(&rule->actions);

	/* If nothing was inherited, FD itself may have that number, and is not bound. */
	if (inherited < 0 || share_ask_bound(inherited, &found) < 0 || found.port == 0 ||
		share_ask_protocol(inherited, &found) < 0 || found.protocol != endpoint->protocol) {
		say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint,
			"there is nothing to adopt: no inherited socket has that name and "
			"protocol");
		return 0;
	}
	int error = rule_shares(rule) ? share_inherited(configuration, inherited, rule, &found) : 0;
	if (!error)
		error = replace_socket(fd, inherited, endpoint, false);
	if (error)
		return error;
	system_fcntl(inherited, F_SETFD, FD_CLOEXEC);
	say_of_endpoint(configuration, LOG_LEVEL_INFO, &found, "adopted");
	return 1;
}
