/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "why.h"

#include "ground/compat.h"
#include "ground/container.h"
#include "ground/number.h"
#include "ground/sysctl.h"
#include "other_networks.h"
#include "policy/parse.h"
#include "survey.h"
#include "who.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define NAME_SIZE 64
#define TEXT_SIZE 1024

/* What a copy would bind, and which user it is. */
struct wish {
	struct endpoint endpoint;
	bool is_v6only;
	uint32_t interface; /* index; 0: none */
	uid_t user;
	char user_name[NAME_SIZE];
};

/* ---- asking the kernel ---- */

#define NOT_ASKED (-1)

static int bind_as_copy(const struct wish *wish)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(&wish->endpoint, &address);
	int on = 1, v6only = wish->is_v6only;
	char device[IF_NAMESIZE];
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SHARE_OPTION, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (wish->endpoint.family == FAMILY_IP6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
	if (wish->interface && if_indextoname(wish->interface, device))
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device));
	int error = bind(fd, (struct sockaddr *)&address, length) < 0 ? errno : 0;
	close(fd);
	return error;
}

/* Root can bind as any user that was asked about. */
static int bind_as_other(const struct wish *wish)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(setresuid(wish->user, wish->user, wish->user) < 0 ? 255 : bind_as_copy(wish));
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
		WEXITSTATUS(status) == 255)
		return NOT_ASKED;
	return WEXITSTATUS(status);
}

/* 0, or why bind(2) fails for a TCP socket. A UDP socket would get datagrams after bind(2). */
static int ask_kernel(const struct wish *wish)
{
	if (wish->endpoint.protocol != PROTOCOL_TCP)
		return NOT_ASKED;
	if (wish->user == geteuid())
		return bind_as_copy(wish);
	return geteuid() == 0 ? bind_as_other(wish) : NOT_ASKED;
}

static bool is_privileged(const struct wish *wish)
{
	return wish->user != 0 && wish->endpoint.port < sysctl_ipv4("ip_unprivileged_port_start");
}

/* ---- who is in the way ---- */

static bool is_in_the_way(const struct wish *wish, const struct table_entry *entry)
{
	bool is_apart =
		(entry->is_v6only && wish->endpoint.family == FAMILY_IP4) ||
		(wish->is_v6only && entry->local.family == FAMILY_IP4) ||
		(entry->interface && wish->interface && entry->interface != wish->interface);

	return entry->local.protocol == wish->endpoint.protocol && !is_apart &&
	       diagnose_overlaps(&entry->local, &wish->endpoint);
}

static struct holder holder_of(const struct listener *listener)
{
	struct holder holder = {
		.endpoint = listener->entry.local,
		.user = listener->entry.user,
		.inode = listener->entry.inode,
		.is_listening = true,
		.sharing = listener->sharing,
	};

	if (listener->owners) {
		holder.process = listener->owners[0].process;
		owners_program(holder.process, holder.program);
	}
	return holder;
}

/* The most serious obstacle among the listeners; OBSTACLE_NONE and no HOLDER if there are none. */
static enum obstacle gravest(
	const struct wish *wish, const struct survey *survey, struct holder *gravest)
{
	enum obstacle found = OBSTACLE_NONE;

	for (size_t i = 0; i < survey->count; i++) {
		if (!is_in_the_way(wish, &survey->listeners[i].entry))
			continue;
		struct holder holder = holder_of(&survey->listeners[i]);
		enum obstacle obstacle = diagnose_obstacle(&holder, wish->user);
		if (obstacle > found || !gravest->inode)
			*gravest = holder;
		if (obstacle > found)
			found = obstacle;
	}
	return found;
}

/* What bind(2) itself does not tell: it has returned EADDRINUSE, or it was not called. */
static enum obstacle find_obstacle(const struct wish *wish, const struct survey *survey,
	int kernel_error, struct holder *holder)
{
	*holder = (struct holder){.inode = 0};
	enum obstacle obstacle = gravest(wish, survey, holder);
	bool is_told = obstacle > OBSTACLE_UNSEEN;

	if (wish->endpoint.protocol != PROTOCOL_TCP || is_told ||
		(kernel_error == NOT_ASKED && holder->inode))
		return obstacle;
	/* As for the log line: if two sockets share, the one that blocks them does not share. */
	if (diagnose_holder(&wish->endpoint, wish->user, holder) <= 0)
		return kernel_error == NOT_ASKED ? OBSTACLE_NONE : OBSTACLE_UNSEEN;
	holder->sharing = kernel_error == EADDRINUSE ? SHARING_OFF : SHARING_UNKNOWN;
	return kernel_error == EADDRINUSE ? diagnose_obstacle(holder, wish->user) : OBSTACLE_UNSEEN;
}

static unsigned count_members(const struct wish *wish, const struct survey *survey)
{
	const struct table_entry copy = {
		.local = wish->endpoint,
		.is_v6only = wish->is_v6only,
		.interface = wish->interface,
		.user = wish->user,
	};
	unsigned count = 0;

	for (size_t i = 0; i < survey->count; i++)
		count += tables_are_one_group(&survey->listeners[i].entry, &copy);
	return count;
}

/* ---- printing ---- */

static void print_endpoint(const struct endpoint *endpoint)
{
	who_print_endpoint(stdout, endpoint, endpoint->scope_id);
}

static void say_joins(const struct wish *wish, unsigned members)
{
	print_endpoint(&wish->endpoint);
	if (members)
		printf(": a copy of user %s can join, as number %u.\n", wish->user_name,
			members + 1);
	else
		printf(": a copy of user %s can bind it; no socket holds it here now.\n",
			wish->user_name);
}

static void say_privileged(const struct wish *wish)
{
	uint16_t port = wish->endpoint.port;
	char reason[TEXT_SIZE], advice[TEXT_SIZE];
	struct text text;

	text_start(&text, reason, sizeof reason);
	if (!diagnose_print_privileged(&text, port))
		text_format(&text, "%s", strerror(EACCES));
	print_endpoint(&wish->endpoint);
	printf(": a copy of user %s cannot bind it: %s.\n", wish->user_name, reason);
	text_start(&text, advice, sizeof advice);
	diagnose_print_permission(&text, port, "  Either ", ".\n  Or ");
	printf("%s\n", advice);
	if (!container_is_plain())
		printf("  Or let all users bind it: sysctl "
		       "net.ipv4.ip_unprivileged_port_start=%u\n",
			port);
}

static void say_error(const struct wish *wish, int error)
{
	print_endpoint(&wish->endpoint);
	printf(": a copy of user %s cannot bind it: %s.\n", wish->user_name, strerror(error));
	if (error == EADDRNOTAVAIL)
		printf("  No interface of this network namespace has that address. A rule with "
		       "freebind lets a program bind it nevertheless.\n");
}

static void say_remedy(const struct wish *wish, enum obstacle obstacle, const struct holder *holder)
{
	char user[NAME_SIZE];
	bool is_contained = container_is_plain();

	diagnose_user_name(user, sizeof user, holder->user);
	if (obstacle == OBSTACLE_USER &&
		diagnose_user_number(holder->user, holder->process) != USER_KNOWN)
		printf("  Give both containers the same user mapping, and run both programs as one "
		       "user: the kernel compares the user IDs outside of the containers.\n");
	else if (obstacle == OBSTACLE_USER && is_contained)
		printf("  Run both as one user: --user %u when the container is started, or "
		       "runAsUser in its pod's securityContext.\n",
			(unsigned)holder->user);
	else if (obstacle == OBSTACLE_USER)
		printf("  Run both as one user: sudo -u %s reuse-run PROGRAM, or User=%s in the "
		       "copy's unit.\n",
			user, user);
	else if (obstacle == OBSTACLE_UNSHARED && holder->is_listening)
		printf("  Restart it with reuse-run, or with LD_PRELOAD=libreuse.so in its %s, and "
		       "without a rule that says exclusive.\n",
			is_contained ? "container's environment" : "unit's Environment=");
	else if (obstacle == OBSTACLE_OVER)
		printf("  Wait a minute. A server that is started with reuse-run does not block "
		       "its port like this.\n");
	else if (obstacle == OBSTACLE_UNSHARED)
		printf("  It is closed when its process ends. A server that is started with "
		       "reuse-run does not block its port like this.\n");
	else
		printf("  Root can see it: %sreuse-run --why %u --user %s\n",
			is_contained ? "docker exec --user 0 CONTAINER " : "sudo ",
			wish->endpoint.port, wish->user_name);
}

/* A specific address is not free while the wildcard is held, and the other way round. */
static void say_wildcard(const struct wish *wish, const struct holder *holder)
{
	bool wants_all = address_is_any(&wish->endpoint.address);
	bool has_all = address_is_any(&holder->endpoint.address);

	if (wants_all == has_all || holder->inode == 0)
		return;
	printf(has_all ? "  It is bound to the wildcard address, so it holds this port on every "
			 "address.\n"
		       : "  The wildcard address needs this port on every address, and that socket "
			 "holds it on one of them.\n");
	printf("  Or bind %s: reuse-run -a ADDRESS PROGRAM, or the rule \"%s port=%u -> "
	       "to=ADDRESS\".\n",
		has_all ? "that program to an address of its own" : "the copy to another address",
		protocol_name(wish->endpoint.protocol), wish->endpoint.port);
}

static void say_obstacle(
	const struct wish *wish, enum obstacle obstacle, const struct holder *holder)
{
	char bytes[TEXT_SIZE];
	struct text text;

	print_endpoint(&wish->endpoint);
	if (obstacle == OBSTACLE_UNSEEN)
		printf(": it is not known whether a copy of user %s can join.\n", wish->user_name);
	else
		printf(": a copy of user %s cannot join.\n", wish->user_name);
	text_start(&text, bytes, sizeof bytes);
	if (holder->endpoint.port) {
		diagnose_print_holder(&text, holder);
		diagnose_print_obstacle(&text, obstacle, "the copy", wish->user);
		printf("  %s.\n", bytes);
	} else {
		printf("  It is in use, and no socket that holds it can be seen.\n");
	}
	say_remedy(wish, obstacle, holder);
	say_wildcard(wish, holder);
}

/* ---- one endpoint ---- */

static int judge(const struct wish *wish, const struct survey *survey)
{
	int error = ask_kernel(wish);
	struct holder holder;

	if (error == EACCES || (error == NOT_ASKED && is_privileged(wish))) {
		say_privileged(wish);
		return WHY_CANNOT;
	}
	if (error > 0 && error != EADDRINUSE) {
		say_error(wish, error);
		return WHY_CANNOT;
	}
	enum obstacle obstacle =
		error == 0 ? OBSTACLE_NONE : find_obstacle(wish, survey, error, &holder);
	if (obstacle == OBSTACLE_NONE) {
		say_joins(wish, count_members(wish, survey));
		return WHY_JOINS;
	}
	say_obstacle(wish, obstacle, &holder);
	return obstacle == OBSTACLE_UNSEEN ? WHY_UNSEEN : WHY_CANNOT;
}

/* "No" wins over "not known", and that over "yes". */
static int worse(int a, int b)
{
	return a == WHY_CANNOT || b == WHY_CANNOT ? WHY_CANNOT : a > b ? a : b;
}

/* A copy wants what others have: each endpoint that is held, and TCP in any case. */
static int judge_held(struct wish *wish, const struct survey *survey)
{
	int status = WHY_JOINS;
	bool has_tcp = false;

	for (size_t i = 0; i < survey->count; i++) {
		const struct table_entry *entry = &survey->listeners[i].entry;
		has_tcp |= entry->local.protocol == PROTOCOL_TCP;
		if (i > 0 && tables_are_at_one_place(entry, &survey->listeners[i - 1].entry))
			continue;
		wish->endpoint = entry->local;
		wish->is_v6only = entry->is_v6only;
		wish->interface = entry->interface;
		status = worse(status, judge(wish, survey));
	}
	if (has_tcp)
		return status;
	wish->endpoint = (struct endpoint){
		.address = address_any(FAMILY_IP4),
		.port = wish->endpoint.port,
		.family = FAMILY_IP4,
		.protocol = PROTOCOL_TCP,
	};
	wish->interface = 0;
	return worse(status, judge(wish, survey));
}

/* The address that was asked for: TCP, and UDP if somebody uses the port. */
static int judge_address(struct wish *wish, const struct survey *survey)
{
	int status = judge(wish, survey);
	bool has_udp = false;

	for (size_t i = 0; i < survey->count; i++)
		has_udp |= survey->listeners[i].entry.local.protocol == PROTOCOL_UDP;
	wish->endpoint.protocol = PROTOCOL_UDP;
	return has_udp ? worse(status, judge(wish, survey)) : status;
}

/* ---- other network namespaces ---- */

/* Listeners there do not block a copy here, but it cannot join them from here either. */
static void say_elsewhere(uint16_t port, bool is_held_here)
{
	struct other_networks elsewhere;

	other_networks_find(&elsewhere, port);
	for (unsigned i = 0; i < elsewhere.count; i++) {
		pid_t process = elsewhere.places[i].process;
		char program[PROCFS_PROGRAM_SIZE];
		owners_program(process, program);
		printf("%s port %u is in use in another network namespace, that of process %d "
		       "(%s); a copy can join it only there: nsenter -t %d -n reuse-run PROGRAM\n",
			protocol_name(elsewhere.places[i].protocol), port, (int)process, program,
			(int)process);
	}
	if (elsewhere.is_partial && !is_held_here)
		printf("Not all network namespaces can be seen from here%s.\n",
			geteuid() == 0 ? "" : "; root sees more");
}

/* ---- the question ---- */

static bool read_user(struct wish *wish, const char *name)
{
	bool is_named = name && *name;
	const struct passwd *entry = is_named ? getpwnam(name) : NULL;
	uint64_t number = geteuid();

	if (is_named && !entry && !number_parse(&number, 10, name, strlen(name), UINT32_MAX - 1))
		return false;
	wish->user = entry ? entry->pw_uid : (uid_t)number;
	diagnose_user_name(wish->user_name, sizeof wish->user_name, wish->user);
	return true;
}

/* "8080", "127.0.0.1:8080" or "[::1]:8080" */
static bool read_place(struct target *target, const char *place)
{
	char with_colon[80];
	bool is_port = place[strspn(place, "0123456789")] == '\0';

	if (strlen(place) + 1 >= sizeof with_colon)
		return false;
	snprintf(with_colon, sizeof with_colon, "%s%s", is_port ? ":" : "", place);
	return !parse_target(target, with_colon, strlen(with_colon)) && target->has_port;
}

static int judge_all(struct wish *wish, const struct target *target)
{
	struct survey survey;
	int error = survey_read(&survey, target->port, NULL), status = error;

	wish->endpoint.port = target->port;
	if (!error && target->has_address) {
		wish->endpoint.address = target->address;
		wish->endpoint.scope_id = wish->interface = target->scope_id;
		wish->endpoint.family = address_is_ip4(&target->address) ? FAMILY_IP4 : FAMILY_IP6;
		wish->endpoint.protocol = PROTOCOL_TCP;
		status = judge_address(wish, &survey);
	} else if (!error) {
		status = judge_held(wish, &survey);
	}
	if (!error)
		say_elsewhere(target->port, survey.count > 0);
	survey_free(&survey);
	return status;
}

int why(const char *place, const char *user)
{
	struct wish wish = {.user = 0};
	struct target target;

	if (!read_place(&target, place)) {
		fprintf(stderr, "reuse-run: --why %s: write a port, 127.0.0.1:PORT or [::1]:PORT\n",
			place);
		return EX_USAGE;
	}
	if (!read_user(&wish, user)) {
		fprintf(stderr, "reuse-run: --user %s: no such user\n", user);
		return EX_USAGE;
	}
	return judge_all(&wish, &target);
}
