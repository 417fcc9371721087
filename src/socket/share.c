/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "share.h"

#include "ground/compat.h"
#include "ground/errnos.h"
#include "ground/system.h"
#include "say_of_endpoint.h"

#include <errno.h>
#include <netinet/in.h>

/* ---- asking the kernel ---- */

int share_ask_number(int fd, struct endpoint *endpoint)
{
	int number;
	int error = system_get_number(fd, SOL_SOCKET, SO_PROTOCOL, &number);

	endpoint->protocol = (uint8_t)(error ? PROTOCOL_OTHER : endpoint_protocol(number));
	return error;
}

bool share_is_raw(int fd)
{
	int type = 0;

	return system_get_number(fd, SOL_SOCKET, SO_TYPE, &type) == 0 && type == SOCK_RAW;
}

int share_ask_protocol(int fd, struct endpoint *endpoint)
{
	int error = share_ask_number(fd, endpoint);

	if (!error && endpoint->protocol != PROTOCOL_OTHER && share_is_raw(fd))
		endpoint->protocol = PROTOCOL_OTHER;
	return error;
}

int share_ask_bound(int fd, struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int error = system_getsockname(fd, (struct sockaddr *)&address, &length);

	if (!error && !endpoint_from_sockaddr(endpoint, (struct sockaddr *)&address, length, true))
		error = -EAFNOSUPPORT;
	return error;
}

uint32_t share_ask_interface(int fd)
{
	int interface = 0;
	int error = system_get_number(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface);

	return error ? SCOPE_UNKNOWN : (uint32_t)interface;
}

/* ---- options ---- */

static int set(int fd, struct sockopt_place place, const void *value, socklen_t length)
{
	return system_setsockopt(fd, place.level, place.option, value, length);
}

static int set_flag(int fd, int level, int option, int value)
{
	struct sockopt_place place = {(short)level, (short)option};

	return set(fd, place, &value, sizeof value);
}

/* An option that cannot be set is logged; if the policy is strict, it fails the call. */
static __attribute__((noinline, cold)) int report(const struct configuration *configuration,
	const struct endpoint *endpoint, const char *option, int error)
{
	say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint, "%s cannot be set: %s%s", option,
		errno_name(-error),
		configuration->policy.is_strict ? "; the call fails, because REUSE_STRICT is set"
						: "");
	return configuration->policy.is_strict ? error : 0;
}

static int set_number(int fd, const struct setting *setting, struct sockopt_place place)
{
	int number = (int)(uint32_t)setting->number;

	if (setting->option->type == SOCKOPT_NUMBER64)
		return set(fd, place, &setting->number, sizeof setting->number);
	return set(fd, place, &number, sizeof number);
}

static int set_at(int fd, const struct setting *setting, struct sockopt_place place)
{
	const struct sockopt *option = setting->option;
	int value = setting->is_on;
	int error = 0;

	switch (option->type) {
	case SOCKOPT_FLAG:
		return set(fd, place, &value, sizeof value);
	case SOCKOPT_STRING:
		return set(fd, place, setting->string, setting->length);
	case SOCKOPT_FLAG_AND_NUMBER:
		error = set(fd, option->flag, &value, sizeof value);
		return error || !setting->has_number ? error : set_number(fd, setting, place);
	default:
		return set_number(fd, setting, place);
	}
}

static int apply_setting(int fd, const struct setting *setting, const struct endpoint *endpoint)
{
	const struct sockopt *option = setting->option;

	if (!(option->protocols & endpoint->protocol) || !(option->families & endpoint->family))
		return 0;
	if (endpoint->family == FAMILY_IP4)
		return set_at(fd, setting, option->ip4);
	int error = set_at(fd, setting, option->ip6);
	return error || !option->is_dual ? error : set_at(fd, setting, option->ip4);
}

#define SHAREABLE (PROTOCOL_TCP | PROTOCOL_UDP | PROTOCOL_SCTP)

static int set_shared(
	const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	int error = 0;

	if (endpoint->protocol & SHAREABLE)
		error = set_flag(fd, SOL_SOCKET, SHARE_OPTION, 1);
	if (error)
		error = report(configuration, endpoint, "SO_REUSEPORT", error);
	if (error || endpoint->protocol != PROTOCOL_TCP)
		return error;
	error = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return error ? report(configuration, endpoint, "SO_REUSEADDR", error) : 0;
}

static __attribute__((noinline)) int apply_settings(const struct configuration *configuration,
	int fd, const struct actions *actions, const struct endpoint *endpoint)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < actions->n_settings; i++) {
		const struct setting *setting = &actions->settings[i];
		error = apply_setting(fd, setting, endpoint);
		if (error)
			error = report(configuration, endpoint, setting->option->name, error);
	}
	return error;
}

int share_set_options(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *endpoint)
{
	const struct actions *actions = &rule->actions;
	/*
	 * Port 0 is not taken yet, so there is nothing to share; and two UDP sockets that would
	 * share might get the same port. At socket() the port is not known yet, so sharing is set.
	 */
	bool has_port = endpoint->port != 0 || actions->early;
	int error = actions->share && has_port ? set_shared(configuration, fd, endpoint) : 0;

	if (error || actions->n_settings == 0)
		return error;
	return apply_settings(configuration, fd, actions, endpoint);
}

/*
 * SO_REUSEADDR lets UDP sockets of all users join: programs set it by habit, or to share a
 * multicast group.
 */
static int exclude_udp(
	const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	int was_on = 0;

	if (log_reaches(&configuration->log, LOG_LEVEL_INFO))
		system_get_number(fd, SOL_SOCKET, SO_REUSEADDR, &was_on);
	int error = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	if (error || !was_on)
		return error;
	say_of_endpoint(configuration, LOG_LEVEL_INFO, endpoint,
		"exclusive cleared SO_REUSEADDR, which the program had set; no other socket can "
		"bind the port, not even for the same multicast group");
	return 0;
}

int share_exclude(
	const struct configuration *configuration, int fd, const struct endpoint *endpoint)
{
	int error = set_flag(fd, SOL_SOCKET, SHARE_OPTION, 0);

	if (!error && endpoint->protocol == PROTOCOL_UDP)
		error = exclude_udp(configuration, fd, endpoint);
	if (error)
		log_write(&configuration->log, LOG_LEVEL_ERROR,
			"exclusive: sharing cannot be switched off: %s; the call fails",
			errno_name(-error));
	return error;
}

/* ---- targets ---- */

bool share_can_retarget(const struct rule *rule, const struct endpoint *endpoint)
{
	const struct target *to = &rule->actions.to;

	return !to->has_address || endpoint->family == FAMILY_IP6 || address_is_ip4(&to->address);
}

/* Logs that the address of to= cannot be used, and WHY. */
static void refuse_target(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint, const char *why)
{
	say_of_endpoint(configuration, LOG_LEVEL_WARN, endpoint, "the address from %s is %s",
		rule->source, why);
}

static int refuse_family(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint)
{
	refuse_target(configuration, rule, endpoint,
		endpoint->family == FAMILY_IP4
			? "of the other IP version, so the call fails; add ip6 to the rule, so "
			  "that it does not match this socket"
			: "of the other IP version, so the call fails; add ip4 to the rule, so "
			  "that it does not match this socket");
	return -EADDRNOTAVAIL;
}

/*
 * The interface of a target: the one in the rule, or the one that the program has GIVEN with its
 * own address, or the one that the socket is bound to. 0 if there is none, and the kernel would
 * refuse the address.
 */
static uint32_t scope_for(const struct target *target, uint32_t given, int fd)
{
	if (!scope_is_needed(&target->address))
		return 0;
	if (target->scope_id)
		return target->scope_id;
	return given && given != SCOPE_UNKNOWN ? given : share_ask_interface(fd);
}

static int refuse_scope(const struct configuration *configuration, const struct rule *rule,
	const struct endpoint *endpoint)
{
	refuse_target(configuration, rule, endpoint,
		"link-local and has no network interface, so the call fails; write it as "
		"[fe80::1%eth0]");
	return -EINVAL;
}

int share_retarget(const struct configuration *configuration, int fd, const struct rule *rule,
	struct endpoint *endpoint)
{
	const struct target *to = &rule->actions.to;

	if (!share_can_retarget(rule, endpoint))
		return refuse_family(configuration, rule, endpoint);
	if (to->has_address) {
		bool is_ip4 = address_is_ip4(&to->address);
		int error = endpoint->family == FAMILY_IP6 && is_ip4
				    ? set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
				    : 0;
		if (error)
			return error;
		uint32_t scope_id = scope_for(to, endpoint->scope_id, fd);
		if (scope_id == 0 && scope_is_needed(&to->address))
			return refuse_scope(configuration, rule, endpoint);
		endpoint->address = to->address;
		endpoint->scope_id = scope_id;
	}
	if (to->has_port)
		endpoint->port = to->port;
	return 0;
}

/* ---- source addresses ---- */

static bool is_bound(int fd)
{
	struct endpoint bound;

	return share_ask_bound(fd, &bound) == 0 &&
	       (bound.port != 0 || !address_is_any(&bound.address));
}

static int bind_to(
	int fd, const struct endpoint *local, int (*bind)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(local, &address);
	int saved_errno = errno;

	/*
	 * The kernel chooses the port at connect(), so that the port can be used for other peers as
	 * well.
	 */
	if (local->port == 0)
		set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	int error = bind(fd, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
	errno = saved_errno;
	return error;
}

static void log_source(const struct configuration *configuration, const struct endpoint *local,
	const char *outcome, int error)
{
	char bytes[ENDPOINT_TEXT_SIZE];
	struct text text;

	text_start(&text, bytes, sizeof bytes);
	endpoint_print(&text, local);
	log_write(&configuration->log, LOG_LEVEL_WARN, "source %s is not available: %s; %s", bytes,
		errno_name(-error), outcome);
}

int share_bind_source(const struct configuration *configuration, int fd, const struct rule *rule,
	const struct endpoint *peer, int (*bind)(int, const struct sockaddr *, socklen_t))
{
	const struct target *from = &rule->actions.from;
	bool is_ip4 = address_is_ip4(&peer->address);
	struct endpoint local = {
		.family = peer->family,
		.protocol = peer->protocol,
		.address = address_any(peer->family),
		.port = from->has_port ? from->port : 0,
	};

	if (is_bound(fd))
		return 0;
	if (from->has_address && address_is_ip4(&from->address) != is_ip4)
		return refuse_family(configuration, rule, peer);
	if (from->has_address) {
		local.address = from->address;
		local.scope_id = scope_for(from, peer->scope_id, fd);
		if (local.scope_id == 0 && scope_is_needed(&from->address))
			return refuse_scope(configuration, rule, peer);
	}
	int error = bind_to(fd, &local, bind);
	if (error == -EADDRINUSE && rule->actions.is_wish) {
		log_source(configuration, &local, "another port is used", error);
		local.port = 0;
		error = from->has_address ? bind_to(fd, &local, bind) : 0;
	}
	if (error)
		log_source(configuration, &local, "the call fails", error);
	return error;
}
