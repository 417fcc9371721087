/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which number each member of a TCP group has, as it is measured, is what the kernel makes of it.
 */
#include "harness.h"
#include "supervise/sockets/group.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define MEMBERS_MOST 64
#define GROUPS_MOST  3
#define SLOTS	     (GROUPS_MOST * MEMBERS_MOST)

/* ---- places ---- */

struct place {
	const char *address;
	bool is_v6only;
};

static const struct place places[] = {
	{"127.0.0.1", false},
	{"0.0.0.0", false},
	{"::1", false},
	{"::", false},
	{"::", true},
	{"::ffff:127.0.0.1", false},
	{"127.83.71.1", false},
};

enum { LOCALHOST_4, ANY_4, LOCALHOST_6, ANY_BOTH, ANY_6, MAPPED_4, OTHER_4, PLACES };

/* Where an ordinary client would go to reach it. */
static const char *client_address(int place)
{
	static const char *const addresses[PLACES] = {
		"127.0.0.1", "127.9.9.9", "::1", "::1", "::1", "127.0.0.1", "127.83.71.1"};

	return addresses[place];
}

/* ---- what members do, in the test's process or in another one ---- */

enum act {
	JOIN,	/* place, port, backlog: listen there */
	LEAVE,	/* close */
	PAUSE,	/* listen no more, and keep the socket */
	RESUME, /* backlog: listen again; while listening, another backlog */
	TRAVEL, /* drop what has travelled: IP_MINTTL and IPV6_MINHOPCOUNT are 255 */
	STAY,	/* take it again */
	FORGET, /* close all */
};

struct order {
	enum act act;
	int slot, place, port, backlog;
	bool is_mptcp;
};

static int fds[SLOTS]; /* of the process that performs; 0: none */

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static uint32_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint32_t)status.st_ino : 0;
}

static int join(const struct order *order)
{
	const struct place *place = &places[order->place];
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, place->address, order->port);
	int fd = socket(
		address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, order->is_mptcp ? IPPROTO_MPTCP : 0);

	if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
		(address.ss_family == AF_INET6 &&
			set(fd, IPPROTO_IPV6, IPV6_V6ONLY, place->is_v6only) < 0) ||
		bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, order->backlog) < 0)
		return -1;
	return fd;
}

static void set_least_hops(int fd, int hops)
{
	set(fd, IPPROTO_IP, IP_MINTTL, hops);
	set(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, hops);
}

/* Returns the inode of the member, or 0 where it could not be done. */
static uint32_t perform(const struct order *order)
{
	int *fd = &fds[order->slot];

	switch (order->act) {
	case JOIN:
		*fd = join(order);
		break;
	case LEAVE:
		close(*fd);
		*fd = 0;
		return 1;
	case PAUSE:
		shutdown(*fd, SHUT_RD);
		break;
	case RESUME:
		listen(*fd, order->backlog);
		break;
	case TRAVEL:
		set_least_hops(*fd, 255);
		break;
	case STAY:
		set_least_hops(*fd, 0);
		break;
	case FORGET:
		for (int i = 0; i < SLOTS; i++) {
			if (fds[i] > 0)
				close(fds[i]);
			fds[i] = 0;
		}
		return 1;
	}
	return inode_of(*fd);
}

static int stranger; /* the socket by which the other process is told */

static void start_stranger(void)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid_t process = fork();
	cr_assert_geq(process, 0);
	if (process == 0) {
		struct order order;
		close(pair[0]);
		while (read(pair[1], &order, sizeof order) == sizeof order) {
			uint32_t inode = perform(&order);
			if (write(pair[1], &inode, sizeof inode) != sizeof inode)
				break;
		}
		_exit(0);
	}
	close(pair[1]);
	stranger = pair[0];
}

static uint32_t tell_stranger(const struct order *order)
{
	uint32_t inode = 0;

	cr_assert_eq(write(stranger, order, sizeof *order), sizeof *order);
	cr_assert_eq(read(stranger, &inode, sizeof inode), sizeof inode);
	return inode;
}

/* ---- a scene: some groups on one port, whose members join and leave at random ---- */

struct member {
	int group; /* which of the scene's; -1: no such member */
	bool is_strange, is_paused;
	uint32_t inode;
};

struct scene {
	int port, n_groups, place[GROUPS_MOST];
	int count[GROUPS_MOST]; /* of members that listen */
	struct member members[SLOTS];
	int clients[256], n_clients;
};

static struct scene scene;
static struct group groups[GROUPS_MOST];

static int below(int limit)
{
	return (int)(random() % limit);
}

static uint32_t tell(int slot, struct order order)
{
	order.slot = slot;
	return scene.members[slot].is_strange ? tell_stranger(&order) : perform(&order);
}

static int any_backlog(void)
{
	static const int backlogs[] = {0, 1, 5, 128, 4096};

	return backlogs[below(5)];
}

static void add_member(int group, bool is_strange, bool is_mptcp)
{
	int slot = 0;

	while (scene.members[slot].group >= 0)
		slot++;
	scene.members[slot] = (struct member){.group = group, .is_strange = is_strange};
	scene.members[slot].inode = tell(slot, (struct order){.act = JOIN,
						       .place = scene.place[group],
						       .port = scene.port,
						       .backlog = any_backlog(),
						       .is_mptcp = is_mptcp});
	cr_assert(scene.members[slot].inode, "%s: %s", places[scene.place[group]].address,
		strerror(errno));
	scene.count[group]++;
}

static int any_member(int group)
{
	int slot;

	do
		slot = below(SLOTS);
	while (scene.members[slot].group != group);
	return slot;
}

static void remove_member(int slot)
{
	struct member *member = &scene.members[slot];

	tell(slot, (struct order){.act = LEAVE});
	scene.count[member->group] -= !member->is_paused;
	member->group = -1;
}

static void pause_member(int slot)
{
	if (scene.members[slot].is_paused)
		return;
	tell(slot, (struct order){.act = PAUSE});
	scene.members[slot].is_paused = true;
	scene.count[scene.members[slot].group]--;
}

static void resume_member(int slot)
{
	if (!scene.members[slot].is_paused)
		return;
	tell(slot, (struct order){.act = RESUME, .backlog = any_backlog()});
	scene.members[slot].is_paused = false;
	scene.count[scene.members[slot].group]++;
}

static bool is_there(int slot)
{
	return scene.members[slot].group >= 0;
}

/* The first member is the test's own TCP socket, and stays: it is the one that is steered by. */
static void change(int group, int most)
{
	int slot, present = 0, kind = below(10);

	for (int i = 0; i < SLOTS; i++)
		present += scene.members[i].group == group;
	if (present < 2 || (kind < 6 && present < most)) {
		add_member(group, below(2), below(8) == 0);
		return;
	}
	slot = any_member(group);
	if (slot == group)
		return;
	if (kind < 8)
		remove_member(slot);
	else if (scene.members[slot].is_paused)
		resume_member(slot);
	else
		pause_member(slot);
}

/* Clients that nobody accepts: they fill the queues of some members. */
static void fill(int count)
{
	for (int i = 0; i < count && scene.n_clients < 256; i++) {
		struct sockaddr_storage address;
		const char *name = client_address(scene.place[below(scene.n_groups)]);
		socklen_t length = make_address(&address, name, scene.port);
		int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return;
		connect(fd, (struct sockaddr *)&address, length);
		scene.clients[scene.n_clients++] = fd;
	}
}

static void end_clients(void)
{
	while (scene.n_clients > 0)
		close(scene.clients[--scene.n_clients]);
}

static void new_port(void)
{
	static int last = 10000;

	scene.port = last++;
}

static void set_up(const int *which, int n_groups)
{
	memset(&scene, 0, sizeof scene);
	for (int i = 0; i < SLOTS; i++)
		scene.members[i].group = -1;
	new_port();
	scene.n_groups = n_groups;
	for (int i = 0; i < n_groups; i++)
		scene.place[i] = which[i];
	for (int i = 0; i < n_groups; i++)
		add_member(i, false, false);
}

static void clear(void)
{
	end_clients();
	tell_stranger(&(struct order){.act = FORGET});
	perform(&(struct order){.act = FORGET});
}

/* ---- what is asked ---- */

static void find_place(const struct table_entry *entry, void *context)
{
	struct group *group = context;

	if (entry->inode == scene.members[group - groups].inode)
		group->place = *entry;
}

static const struct steer by_chance = {.mode = STEER_RANDOM};

/* As a supervisor would look at it that knows nothing of the past, in any order. */
static void look_at(struct group *group, struct snapshot *snapshot)
{
	struct slice seen;
	uint32_t inodes[SLOTS];

	cr_assert_eq(snapshot_at(snapshot, &group->place, &seen), 0);
	cr_assert_leq(seen.count, SLOTS);
	for (size_t i = 0; i < seen.count; i++) {
		size_t other = (size_t)below((int)i + 1);
		inodes[i] = inodes[other];
		inodes[other] = seen.entries[i].inode;
	}
	member_order_update(&group->order, inodes, (unsigned)seen.count);
	group->obstacle = NULL;
	group->is_wanted = seen.count > 0;
}

static void close_some(struct group *group)
{
	group->n_closed = 0;
	for (unsigned i = 0; i < group->order.count; i++) {
		group->is_closed[i] = group->n_closed + 1 < group->order.count && below(3) == 0;
		group->n_closed += group->is_closed[i];
	}
	if (group->n_closed == 0 && group->order.count > 1)
		group->is_closed[group->n_closed++] = true;
}

static void begin_groups(void)
{
	memset(groups, 0, sizeof groups);
	for (int i = 0; i < scene.n_groups; i++) {
		groups[i].fd = fds[i];
		groups[i].choice = by_chance;
		groups[i].next = i + 1 < scene.n_groups ? &groups[i + 1] : NULL;
		cr_assert_eq(tables_read_listening(
				     PROTOCOL_TCP, (uint16_t)scene.port, find_place, &groups[i]),
			0);
		cr_assert_eq(groups[i].place.local.port, scene.port);
	}
}

static void measure(void)
{
	struct snapshot snapshot = {0};

	for (int i = 0; i < scene.n_groups; i++) {
		look_at(&groups[i], &snapshot);
		close_some(&groups[i]);
	}
	groups_steer(groups, &snapshot);
	snapshot_forget(&snapshot);
}

/* ---- the truth: where a client arrives when the program has no answer but one number ---- */

struct queue {
	uint32_t inode, length;
};

struct queues {
	struct queue each[SLOTS];
	int count;
};

static void note_queue(const struct table_entry *entry, void *context)
{
	struct queues *queues = context;

	cr_assert_lt(queues->count, SLOTS);
	queues->each[queues->count++] = (struct queue){entry->inode, entry->queue};
}

static void read_queues(struct queues *queues)
{
	queues->count = 0;
	cr_assert_eq(
		tables_read_listening(PROTOCOL_TCP, (uint16_t)scene.port, note_queue, queues), 0);
}

static uint32_t length_of(const struct queues *queues, uint32_t inode)
{
	for (int i = 0; i < queues->count; i++) {
		if (queues->each[i].inode == inode)
			return queues->each[i].length;
	}
	return 0;
}

/* Of all listeners of the port, the one whose queue is longer; 0: none, or several. */
static uint32_t longer(const struct queues *before, const struct queues *after)
{
	uint32_t found = 0;

	for (int i = 0; i < after->count; i++) {
		uint32_t inode = after->each[i].inode;
		if (after->each[i].length <= length_of(before, inode))
			continue;
		if (found)
			return 0;
		found = inode;
	}
	return found;
}

static void attach_only(int fd, unsigned number)
{
	struct steer_program program = {
		.length = 1, .code = {{.code = BPF_RET | BPF_K, .k = number}}};

	cr_assert_eq(steer_attach(fd, &program), 0);
}

/* A client past members that drop what has travelled; whoever is full drops it nevertheless. */
static void visit(const char *name)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, name, scene.port);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	cr_assert_geq(fd, 0);
	set(fd, IPPROTO_IP, IP_TTL, 255);
	set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255);
	cr_assert(connect(fd, (struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS);
	poll(&polled, 1, 500);
	scene.clients[scene.n_clients++] = fd;
}

/* Two clients in a row have to say the same: a connection of before may arrive in between. */
static uint32_t truth_of(const struct group *group, const char *address, unsigned number)
{
	uint32_t found = 0, last = 0;

	attach_only(group->fd, number);
	for (int i = 0; i < 20 && (!found || found != last); i++) {
		struct queues before, after;
		last = found;
		read_queues(&before);
		visit(address);
		read_queues(&after);
		found = longer(&before, &after);
		end_clients();
	}
	return found;
}

/* Whoever was full has room again. */
static void make_room(void)
{
	end_clients();
	for (int i = 0; i < SLOTS; i++) {
		if (is_there(i) && !scene.members[i].is_paused)
			tell(i, (struct order){.act = RESUME, .backlog = 4096});
	}
}

static void expect_true(const struct group *group, long seed)
{
	int place = scene.place[group - groups];

	for (unsigned i = 0; i < group->order.count; i++) {
		if (!group->is_closed[i])
			continue;
		uint32_t truth = truth_of(group, client_address(place), i);
		cr_assert_eq(truth, group->order.members[i],
			"seed %ld: number %u of %u at %s is socket %u, and was said to be %u", seed,
			i, group->order.count, places[place].address, truth,
			group->order.members[i]);
	}
}

/* ---- which of the groups a client of this machine can reach ---- */

static bool has_place(int place)
{
	for (int i = 0; i < scene.n_groups; i++) {
		if (scene.place[i] == place)
			return true;
	}
	return false;
}

/* Past the others, by one family at least. */
static bool can_be_reached(int place)
{
	switch (place) {
	case MAPPED_4:
		return !has_place(LOCALHOST_4);
	case ANY_BOTH:
		return !has_place(ANY_4) || (!has_place(LOCALHOST_6) && !has_place(ANY_6));
	case ANY_6:
		return !has_place(LOCALHOST_6) && !has_place(ANY_BOTH);
	default:
		return true;
	}
}

/* Where the truth can be found by going there. */
static bool has_own_clients(int place)
{
	switch (place) {
	case MAPPED_4:
		return !has_place(LOCALHOST_4);
	case ANY_BOTH:
	case ANY_6:
		return !has_place(LOCALHOST_6) && !(has_place(ANY_BOTH) && has_place(ANY_6));
	default:
		return true;
	}
}

/* ---- at rest ---- */

static const char *const cookie_modes[] = {"0", "1", "2"};

static void set_cookies(const char *mode)
{
	int fd = open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, mode, 1) == 1, "tcp_syncookies: %s", strerror(errno));
	close(fd);
}

static int sometimes_many(void)
{
	return below(8) ? 1 + below(12) : 1 + below(MEMBERS_MOST);
}

static void choose_groups(void)
{
	int which[GROUPS_MOST], count = below(3) ? 1 : 2 + below(GROUPS_MOST - 1);

	for (int i = 0; i < count; i++) {
		bool is_new = true;
		which[i] = below(PLACES);
		for (int k = 0; k < i; k++)
			is_new &= which[k] != which[i];
		i -= !is_new;
	}
	set_up(which, count);
}

/* A random past. */
static void live(void)
{
	for (int i = 0; i < scene.n_groups; i++) {
		int most = sometimes_many();
		for (int step = 0; step < 3 * most; step++)
			change(i, most);
	}
	for (int i = 0; i < SLOTS; i++) {
		if (is_there(i) && below(10) == 0)
			tell(i, (struct order){.act = TRAVEL});
	}
	if (below(2))
		fill(below(100));
}

static const char *all_places(void)
{
	const char *all = "";

	for (int i = 0; i < scene.n_groups; i++)
		all = format("%s%s%s ", all, places[scene.place[i]].address,
			places[scene.place[i]].is_v6only ? " (v6only)" : "");
	return all;
}

struct score {
	int answers, groups, unreachable;
};

static void judge(struct score *score, long seed)
{
	make_room();
	for (int i = 0; i < scene.n_groups; i++) {
		const struct group *group = &groups[i];
		int place = scene.place[i];
		score->groups++;
		if (!can_be_reached(place) && (group->obstacle || group->no_way)) {
			score->unreachable++;
			continue;
		}
		cr_assert(!group->obstacle && !group->no_way,
			"seed %ld: group %d of %s, %u members, %u closed: %s", seed, i,
			all_places(), group->order.count, group->n_closed,
			group->obstacle ? group->obstacle : group->no_way);
		if (has_own_clients(place))
			expect_true(group, seed);
		score->answers += (int)group->n_closed;
	}
}

static void one_scene(struct score *score, long seed)
{
	srandom((unsigned)seed);
	set_cookies(cookie_modes[below(3)]);
	choose_groups();
	live();
	begin_groups();
	measure();
	judge(score, seed);
	clear();
}

/* By the environment: on a slow machine fewer scenes. */
static long asked(const char *variable, long otherwise)
{
	const char *value = getenv(variable);

	return value ? atol(value) : otherwise;
}

static long times(long briefly, long at_length)
{
	return asked("MEASURE_TIMES", is_long() ? at_length : briefly);
}

Test(measure, at_rest_every_number_is_known_and_right, .timeout = 1200)
{
	struct score score = {0};
	long first = asked("MEASURE_SEED", 1);

	enter_network_namespace();
	start_stranger();
	for (long seed = first; seed < first + times(100, 3000); seed++)
		one_scene(&score, seed);
	cr_log_info("%d groups, %d numbers, %d groups out of reach", score.groups, score.answers,
		score.unreachable);
	cr_expect_gt(score.answers, 4 * score.unreachable);
}

/* ---- while others come and go, and clients too ---- */

/* Between the process that changes the group and the test. */
struct shared {
	unsigned n_changes; /* odd: one is going on */
	int is_to_hold, holds;
	int are_ready;
};

static struct shared *shared;
static unsigned changes_at_attach;

int __real_steer_attach(int fd, const struct steer_program *program);
int __wrap_steer_attach(int fd, const struct steer_program *program);

static unsigned n_changes(void)
{
	return shared ? __atomic_load_n(&shared->n_changes, __ATOMIC_SEQ_CST) : 0;
}

/* What has changed before the last program is to be found out; what changes later cannot be. */
int __wrap_steer_attach(int fd, const struct steer_program *program)
{
	changes_at_attach = n_changes();
	return __real_steer_attach(fd, program);
}

static void pause_us(int most)
{
	long us = 1 + below(most);

	nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

static void note_change(void)
{
	__atomic_add_fetch(&shared->n_changes, 1, __ATOMIC_SEQ_CST);
}

/* Some of the members serve their clients now and then, and others never do. */
static void serve_some(void)
{
	for (int i = 0; i < SLOTS; i += 2) {
		if (fds[i] <= 0)
			continue;
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
		for (int client; (client = accept(fds[i], NULL, NULL)) >= 0;)
			close(client);
	}
}

/* While the test looks for the truth. */
static void hold(void)
{
	make_room();
	__atomic_store_n(&shared->holds, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->is_to_hold, __ATOMIC_SEQ_CST))
		pause_us(100);
	__atomic_store_n(&shared->holds, 0, __ATOMIC_SEQ_CST);
}

static _Noreturn void churn(int most_us)
{
	while (!__atomic_load_n(&shared->are_ready, __ATOMIC_SEQ_CST))
		pause_us(100);
	for (;;) {
		pause_us(most_us);
		if (__atomic_load_n(&shared->is_to_hold, __ATOMIC_SEQ_CST))
			hold();
		note_change();
		change(0, 24);
		note_change();
		if (below(3) == 0)
			serve_some();
	}
}

/* They are to be the churning process's alone. */
static void forget_all_but_one(void)
{
	for (int i = 1; i < SLOTS; i++) {
		if (fds[i] > 0)
			close(fds[i]);
		fds[i] = 0;
	}
}

/* Real ones, that never send anything. */
static _Noreturn void visit_for_ever(void)
{
	struct sockaddr_storage address;
	socklen_t length = make_address(&address, client_address(scene.place[0]), scene.port);

	forget_all_but_one();
	__atomic_store_n(&shared->are_ready, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fd, (struct sockaddr *)&address, length);
		pause_us(400);
		close(fd);
	}
}

enum { CLIENTS, CHURN, BUSY };

static pid_t busy[BUSY];

static void start_busy(int most_us)
{
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	for (int i = 0; i < BUSY; i++) {
		busy[i] = fork();
		cr_assert_geq(busy[i], 0);
		if (busy[i] == 0 && i == CHURN)
			churn(most_us);
		if (busy[i] == 0)
			visit_for_ever();
	}
	forget_all_but_one();
	while (!__atomic_load_n(&shared->are_ready, __ATOMIC_SEQ_CST))
		pause_us(100);
}

static void end_busy(void)
{
	for (int i = 0; i < BUSY; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	munmap(shared, sizeof *shared);
	shared = NULL;
}

static void set_hold(int is_to_hold)
{
	__atomic_store_n(&shared->is_to_hold, is_to_hold, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->holds, __ATOMIC_SEQ_CST) != is_to_hold)
		pause_us(50);
}

/* As steering_update() does it. */
static bool is_known_while_busy(void)
{
	for (int i = 0; i < 10; i++) {
		measure();
		if (!groups[0].obstacle)
			return true;
	}
	return false;
}

struct busy_score {
	int looks, unknown, judged, numbers;
};

static void look_while_busy(struct busy_score *score, long seed)
{
	score->looks++;
	if (!is_known_while_busy()) {
		score->unknown++;
		return;
	}
	cr_assert(!groups[0].no_way, "seed %ld: %s", seed, groups[0].no_way);
	unsigned since = changes_at_attach;
	if (n_changes() != since)
		return;
	set_hold(1);
	if (n_changes() == since) {
		kill(busy[CLIENTS], SIGSTOP);
		listen(fds[0], 4096);
		expect_true(&groups[0], seed);
		kill(busy[CLIENTS], SIGCONT);
		score->judged++;
		score->numbers += (int)groups[0].n_closed;
	}
	set_hold(0);
}

/* How long it takes on this machine, as busy as it is now, to measure the group. */
static int measuring_us(void)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 3; i++)
		measure();
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (int)((after.tv_sec - before.tv_sec) * 1000000 +
		       (after.tv_nsec - before.tv_nsec) / 1000) /
	       3;
}

static void look_for_a_while(struct busy_score *score, long seed, int looks)
{
	static const int all[] = {LOCALHOST_4, ANY_4, LOCALHOST_6, ANY_BOTH, ANY_6, MAPPED_4};
	static const int pauses[] = {10, 4, 2}; /* as long as so many measurements, at most */
	int which = all[seed % 6];

	srandom((unsigned)seed);
	set_cookies(cookie_modes[seed % 3]);
	set_up(&which, 1);
	for (int i = 0; i < 30; i++)
		change(0, 24);
	begin_groups();
	start_busy(pauses[seed / 6 % 3] * measuring_us());
	for (int i = 0; i < looks; i++)
		look_while_busy(score, seed);
	set_hold(1); /* no order to the other process is to be left half done */
	end_busy();
	clear();
}

Test(measure, while_others_join_and_leave_no_number_is_wrong, .timeout = 1200)
{
	struct busy_score score = {0};

	enter_network_namespace();
	start_stranger();
	for (long seed = 0; seed < times(6, 180); seed++)
		look_for_a_while(&score, seed, 20);
	cr_log_info("%d looks, %d unknown, %d judged, %d numbers", score.looks, score.unknown,
		score.judged, score.numbers);
	cr_expect_lt(
		100 * score.unknown, score.looks, "%d of %d looks", score.unknown, score.looks);
	cr_expect_gt(score.judged, score.looks / 10);
}

/* ---- what changes between two looks ---- */

/* To the kernel, the number of the last one is nobody's then, and any member may get the knock. */
Test(measure, after_a_member_has_left_no_wrong_number_is_known)
{
	int place = LOCALHOST_4, unknown = 0;

	enter_network_namespace();
	start_stranger();
	for (long seed = 0; seed < times(100, 1000); seed++) {
		struct snapshot snapshot = {0};
		srandom((unsigned)seed);
		set_up(&place, 1);
		for (int i = 0; i < 2; i++)
			add_member(0, false, false);
		begin_groups();
		look_at(&groups[0], &snapshot);
		close_some(&groups[0]);
		remove_member(1 + below(2));
		groups_steer(groups, &snapshot);
		snapshot_forget(&snapshot);
		make_room();
		if (groups[0].obstacle)
			unknown++;
		else
			expect_true(&groups[0], seed);
		clear();
	}
	cr_expect_gt(unknown, 0);
}

static void close_inode(struct group *group, uint32_t inode)
{
	group->n_closed = 1;
	for (unsigned i = 0; i < group->order.count; i++)
		group->is_closed[i] = group->order.members[i] == inode;
}

/* Closes the last of three, as at the first look of a drain or at a later one. */
static void look_again(uint32_t inode)
{
	struct snapshot snapshot = {0};

	groups[0].has_moved = false;
	groups[0].is_shared = true;
	look_at(&groups[0], &snapshot);
	close_inode(&groups[0], inode);
	groups_steer(groups, &snapshot);
	snapshot_forget(&snapshot);
	cr_assert(!groups[0].obstacle, "%s", groups[0].obstacle);
}

static void set_up_three(void)
{
	int place = LOCALHOST_4;

	set_up(&place, 1);
	for (int i = 0; i < 2; i++)
		add_member(0, false, false);
	begin_groups();
}

/* Its number was another one's for a while, who could get something. */
Test(measure, a_closed_member_that_gets_another_number_has_moved)
{
	enter_network_namespace();
	start_stranger();
	set_up_three();
	uint32_t last = scene.members[2].inode;
	look_again(last);
	cr_expect(groups[0].has_moved, "it was open before");
	look_again(last);
	cr_expect_not(groups[0].has_moved);
	remove_member(1);
	look_again(last);
	cr_expect(groups[0].has_moved);
	look_again(last);
	cr_expect_not(groups[0].has_moved);
	clear();
}

Test(measure, a_program_that_another_process_has_detached_is_in_force_again_at_the_next_look)
{
	enter_network_namespace();
	start_stranger();
	for (int i = 0; i < 20; i++) {
		struct queues before, after;
		set_up_three();
		uint32_t last = scene.members[2].inode;
		make_room();
		look_again(last);
		cr_assert_eq(steer_detach(fds[0]), 0);
		look_again(last);
		read_queues(&before);
		for (int client = 0; client < 20; client++)
			visit("127.0.0.1");
		read_queues(&after);
		cr_expect_eq(length_of(&before, last), length_of(&after, last));
		clear();
	}
}

/* ---- what is left behind ---- */

static void count_remains(const struct table_entry *entry, void *context)
{
	int *count = context;

	*count += entry->state != TABLE_LISTENING &&
		  (entry->local.port == scene.port || entry->peer.port == scene.port);
}

/* Handshakes, connections, and sockets that try to connect. */
static int remains(void)
{
	int count = 0;

	cr_assert_eq(tables_read(PROTOCOL_TCP, 0, TABLE_EVERY_STATE, count_remains, &count), 0);
	return count;
}

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	getsockopt(fd, level, name, &value, &length);
	return value;
}

static void expect_untouched(const char *when)
{
	struct queues queues;

	cr_assert_eq(remains(), 0, "%s: something is left", when);
	read_queues(&queues);
	for (int i = 0; i < queues.count; i++)
		cr_assert_eq(queues.each[i].length, 0, "%s: a connection", when);
	for (int i = 0; i < SLOTS; i++) {
		if (fds[i] <= 0)
			continue;
		cr_assert_eq(option_of(fds[i], IPPROTO_IP, IP_MINTTL), 0, "%s", when);
		cr_assert_eq(option_of(fds[i], IPPROTO_TCP, TCP_MAXSEG), 536, "%s: %d", when,
			option_of(fds[i], IPPROTO_TCP, TCP_MAXSEG));
	}
}

static void set_up_quietly(int place)
{
	set_up(&place, 1);
	for (int i = 0; i < 7; i++)
		add_member(0, i % 2, false);
	begin_groups();
}

Test(measure, a_measurement_leaves_nothing_behind)
{
	enter_network_namespace();
	start_stranger();
	for (int place = 0; place < PLACES; place++) {
		for (int mode = 0; mode < 3; mode++) {
			set_cookies(cookie_modes[mode]);
			set_up_quietly(place);
			measure();
			cr_assert(!groups[0].obstacle && !groups[0].no_way);
			expect_untouched(places[place].address);
			clear();
		}
	}
	/* what a client leaves that is gone would be seen */
	set_up_quietly(LOCALHOST_4);
	fill(1);
	cr_expect_gt(remains(), 0);
	end_clients();
	cr_expect_gt(remains(), 0);
	clear();
}

/* Runs MEASURE in a process that is killed at a system call; returns whether it came so far. */
static bool is_killed_at(int call)
{
	pid_t process = fork();
	int status, calls = 0;

	cr_assert_geq(process, 0);
	if (process == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		measure();
		_exit(0);
	}
	cr_assert(waitpid(process, &status, 0) == process && WIFSTOPPED(status));
	while (calls++ < call && WIFSTOPPED(status)) {
		cr_assert_eq(ptrace(PTRACE_SYSCALL, process, NULL, NULL), 0);
		cr_assert_eq(waitpid(process, &status, 0), process);
	}
	if (!WIFSTOPPED(status))
		return false;
	kill(process, SIGKILL);
	cr_assert_eq(waitpid(process, &status, 0), process);
	return true;
}

Test(measure, a_measurement_that_is_killed_at_any_call_leaves_nothing_behind, .timeout = 1200)
{
	int place = LOCALHOST_4, step = is_long() ? 1 : 17, call = 1;

	enter_network_namespace();
	start_stranger();
	set_up_quietly(place);
	srandom(1);
	for (; is_killed_at(call); call += step)
		expect_untouched(format("killed at call %d", call));
	cr_expect_gt(call, 50);
	/* whoever comes next finds the numbers */
	measure();
	make_room();
	cr_assert_not(groups[0].obstacle);
	expect_true(&groups[0], 1);
	clear();
}

/* ---- what others drop ---- */

/*
 * IPv6 leads to one of two such groups. In the other one a full member drops a client's SYN now and
 * then, just when the knock of its group arrives where it does not belong.
 */
Test(measure, a_knock_that_another_group_gets_is_not_an_answer)
{
	int which[] = {ANY_BOTH, ANY_6}, known = 0;

	enter_network_namespace();
	start_stranger();
	for (long seed = 0; seed < times(20, 200); seed++) {
		srandom((unsigned)seed);
		set_up(which, 2);
		for (int i = 0; i < 6; i++)
			add_member(i % 2, false, false);
		for (int i = 0; i < SLOTS; i++) {
			if (is_there(i))
				listen(fds[i], 0);
		}
		fill(30);
		begin_groups();
		pid_t clients = fork();
		cr_assert_geq(clients, 0);
		for (; clients == 0; end_clients()) {
			struct sockaddr_storage address;
			socklen_t length =
				make_address(&address, below(2) ? "127.0.0.1" : "::1", scene.port);
			int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
			connect(fd, (struct sockaddr *)&address, length);
			close(fd);
		}
		known += is_known_while_busy();
		kill(clients, SIGKILL);
		waitpid(clients, NULL, 0);
		make_room();
		/* IPv6 clients go to one of both, but IPv4 leads to the first one */
		scene.place[0] = MAPPED_4;
		if (!groups[0].obstacle)
			expect_true(&groups[0], seed);
		clear();
	}
	cr_expect_gt(known, times(20, 200) / 2, "%d were known", known);
}
