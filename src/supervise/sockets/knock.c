/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "knock.h"

#include "ground/clock.h"
#include "ground/errnos.h"
#include "ground/system.h"
#include "socket/steer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES_MOST   12
#define ARRIVAL_MS   50		 /* the kernel may process a SYN a little after connect() */
#define LOST_MS	     2000	 /* it will not arrive any more */
#define ARRIVAL_NS   (50 * 1000) /* between two checks whether it has arrived */
#define NETSTAT_SIZE 16384

/* ---- obstacles ---- */

static void note_error(struct knock *knock, int error)
{
	knock->obstacle = errno_name(-error);
	knock->may_pass = errno_is_shortage(-error) || error == -EAGAIN || error == -EINTR;
}

/* ---- one knock ---- */

/* A listener that takes nothing (keeper_set_deaf()) does take packets that have not travelled. */
static int set_most_hops(int fd, sa_family_t family)
{
	int most = 255;

	return family == AF_INET6
		       ? setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &most, sizeof most)
		       : setsockopt(fd, IPPROTO_IP, IP_TTL, &most, sizeof most);
}

/*
 * Until Linux 6.19, ENOMEM also says that the kernel does not allow MD5 (FIPS 140), and that does
 * not pass.
 */
static int sign(int fd, const struct sockaddr_storage *to, socklen_t length)
{
	static bool has_worked;
	struct tcp_md5sig key = {.tcpm_keylen = 1, .tcpm_key = "k"};

	memcpy(&key.tcpm_addr, to, length);
	int result = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key);
	has_worked |= result == 0;
	if (result < 0 && errno == ENOMEM && !has_worked)
		errno = EOPNOTSUPP;
	return result;
}

/* Returns a socket to be closed when the knock has arrived, or a negative errno. */
static int send_knock(const struct knock *knock)
{
	struct sockaddr_storage to;
	socklen_t length = endpoint_to_sockaddr(&knock->way->to, &to);
	int size = STEER_KNOCK_MSS + (int)knock->number;
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (sign(fd, &to, length) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size, sizeof size) == 0 &&
		set_most_hops(fd, to.ss_family) == 0 &&
		(connect(fd, (const struct sockaddr *)&to, length) == 0 || errno == EINPROGRESS))
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

/* ---- has it arrived? ---- */

/* The index of the word WANTED in a line, or -1. */
static int column_of(const char *line, const char *wanted)
{
	size_t length = strlen(wanted);
	int column = 0;

	for (; *line && *line != '\n'; column++) {
		size_t word = strcspn(line, " \n");
		if (word == length && memcmp(line, wanted, length) == 0)
			return column;
		line += word;
		line += *line == ' ';
	}
	return -1;
}

static const char *column_at(const char *line, int column)
{
	for (; line && column > 0; column--) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	return line;
}

/*
 * How many unwanted SYNs with a signature this network namespace has received: a line of names, and
 * one of numbers (/proc/net/netstat). Returns a negative errno if that is not known.
 */
static int64_t count_unexpected(int netstat)
{
	static char bytes[NETSTAT_SIZE];
	ssize_t got = pread(netstat, bytes, sizeof bytes - 1, 0);

	if (got < 0)
		return -errno;
	bytes[got] = '\0';
	const char *names = strstr(bytes, "TcpExt:"), *end = names ? strchr(names, '\n') : NULL;
	int column = end ? column_of(names, "TCPMD5Unexpected") : -1;
	const char *number = column > 0 ? column_at(end + 1, column) : NULL;
	return number ? strtoll(number, NULL, 10) : -ENODATA;
}

/*
 * A SYN that has not arrived in time may arrive at any later time, and be mistaken for another one.
 * So it is waited for together with those that are sent afterwards, until it must be lost.
 */
struct expected {
	int64_t count; /* the value when all have arrived */
	int64_t sent_ms;
};

static struct expected expected;

/* N_SENT SYNs are sent; NOW is the count before them. */
static void expect_more(int64_t now, size_t n_sent)
{
	int64_t now_ms = clock_now_ms();

	if (expected.count < now || now_ms - expected.sent_ms > LOST_MS)
		expected.count = now;
	expected.count += (int64_t)n_sent;
	expected.sent_ms = now_ms;
}

/* Whether exactly the SYNs that were sent have arrived. */
static bool has_arrived(int netstat)
{
	const struct timespec pause = {.tv_nsec = ARRIVAL_NS};
	int64_t end = clock_now_ms() + ARRIVAL_MS, now = count_unexpected(netstat);

	while (now < expected.count && clock_now_ms() < end) {
		nanosleep(&pause, NULL);
		now = count_unexpected(netstat);
	}
	return now == expected.count;
}

/*
 * The kernel counts a SYN before it counts the drop; but it processes what came over loopback on
 * the CPU that sent it, and nothing else runs there in between.
 */
static bool stay_on_one_cpu(cpu_set_t *before)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof *before, before) < 0)
		return false;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	return sched_setaffinity(0, sizeof one, &one) == 0;
}

/* ---- who has dropped it? ---- */

struct drops {
	struct table_entry *entries;
	size_t count, room;
	bool is_short; /* there was no memory */
};

static void note_drops(const struct table_entry *entry, void *context)
{
	struct drops *drops = context;

	if (drops->count == drops->room) {
		size_t room = drops->room ? 2 * drops->room : 64;
		struct table_entry *larger = realloc(drops->entries, room * sizeof *larger);
		drops->is_short |= !larger;
		if (!larger)
			return;
		drops->entries = larger;
		drops->room = room;
	}
	drops->entries[drops->count++] = *entry;
}

static int by_inode(const void *a, const void *b)
{
	uint32_t x = ((const struct table_entry *)a)->inode;
	uint32_t y = ((const struct table_entry *)b)->inode;

	return (x > y) - (x < y);
}

/* For all groups in one read. */
static int read_drops(struct drops *drops, const struct knock *knocks, size_t count)
{
	uint16_t port = knocks[0].way->to.port;

	for (size_t i = 1; i < count; i++) {
		if (knocks[i].way->to.port != port)
			port = 0;
	}
	drops->count = 0;
	int error = tables_read_drops(port, note_drops, drops);
	if (drops->count)
		qsort(drops->entries, drops->count, sizeof *drops->entries, by_inode);
	return error ? error : drops->is_short ? -ENOMEM : 0;
}

static bool has_risen(const struct drops *before, const struct table_entry *after)
{
	const struct table_entry *known =
		bsearch(after, before->entries, before->count, sizeof *after, by_inode);

	return after->drops != (known ? known->drops : 0);
}

/*
 * A listener drops packets of clients as well; but the knock is among what it has dropped. So the
 * candidates are those that have dropped something in each try, and not only the members: if the
 * knock has gone elsewhere, a member that drops something else does not have the number.
 */
#define CANDIDATES_MOST 16

struct asked {
	uint32_t candidates[CANDIDATES_MOST];
	unsigned n_candidates;
	bool has_any; /* false: any member is a candidate */
	int socket;   /* of the knock that is on its way; -1: none */
};

static bool is_candidate(const struct asked *asked, uint32_t inode)
{
	for (unsigned i = 0; i < asked->n_candidates; i++) {
		if (asked->candidates[i] == inode)
			return true;
	}
	return !asked->has_any;
}

/*
 * Whether the group has had enough members all the time for one of them to have the number: if no
 * member has it, the kernel chooses by its hash. A listener that is not shown any more may have
 * left before, or may be there and was missed.
 */
static bool has_number(
	const struct knock *knock, const struct drops *before, const struct drops *after)
{
	size_t n_before = 0, n_still = 0, n_members = 0;

	for (size_t i = 0; i < before->count; i++) {
		const struct table_entry *entry = &before->entries[i];
		n_before += knock_leads_to(knock->way, entry);
		n_members += tables_are_at_one_place(entry, knock->place);
	}
	for (size_t i = 0; i < after->count; i++)
		n_still += knock_leads_to(knock->way, &after->entries[i]) &&
			   bsearch(&after->entries[i], before->entries, before->count,
				   sizeof *before->entries, by_inode) != NULL;
	return n_still == n_before && knock->number < n_members;
}

static void narrow(struct asked *asked, const struct knock *knock, const struct drops *before,
	const struct drops *after)
{
	struct asked left = {.has_any = true, .socket = -1};

	if (!has_number(knock, before, after))
		return;
	for (size_t i = 0; i < after->count; i++) {
		const struct table_entry *entry = &after->entries[i];
		if (!knock_leads_to(knock->way, entry) || !has_risen(before, entry) ||
			!is_candidate(asked, entry->inode))
			continue;
		if (left.n_candidates == CANDIDATES_MOST)
			return;
		left.candidates[left.n_candidates++] = entry->inode;
	}
	left.has_any = left.n_candidates > 0; /* none: it has left meanwhile */
	*asked = left;
}

/* ---- all of it ---- */

#define AT_ONCE	      64 /* each needs a descriptor while it is on its way */
#define TRIES_AT_ONCE 3	 /* before each is asked alone: one that does not arrive spoils all */

struct round {
	struct knock *knocks;
	size_t count;
	struct asked asked[AT_ONCE];
	struct drops before, after;
	int netstat;
	bool has_any_arrived;
};

static bool is_open_question(const struct round *round, size_t i)
{
	return round->asked[i].n_candidates != 1 && !round->knocks[i].obstacle;
}

static void end_knocks(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		if (round->asked[i].socket >= 0)
			close(round->asked[i].socket);
		round->asked[i].socket = -1;
	}
}

/* Returns how many were sent. */
static int send_knocks(struct round *round)
{
	int n_sent = 0;

	for (size_t i = 0; i < round->count; i++) {
		if (!is_open_question(round, i))
			continue;
		int fd = send_knock(&round->knocks[i]);
		round->asked[i].socket = fd;
		if (fd < 0)
			note_error(&round->knocks[i], fd);
		n_sent += fd >= 0;
	}
	return n_sent;
}

/* Returns how many questions were open, or a negative errno. */
static int try(struct round *round)
{
	int64_t before = count_unexpected(round->netstat);
	int n_sent = before < 0 ? (int)before : send_knocks(round);
	if (n_sent > 0)
		expect_more(before, (size_t)n_sent);
	bool has_all_arrived = n_sent > 0 && has_arrived(round->netstat);

	round->has_any_arrived |= n_sent > 0 && count_unexpected(round->netstat) > before;
	end_knocks(round);
	if (n_sent <= 0)
		return n_sent;
	int error = read_drops(&round->after, round->knocks, round->count);
	/* If one arrives now, one of those that were counted was not ours. */
	has_all_arrived = has_all_arrived && count_unexpected(round->netstat) == expected.count;
	for (size_t i = 0; i < round->count && has_all_arrived && !error; i++) {
		if (is_open_question(round, i))
			narrow(&round->asked[i], &round->knocks[i], &round->before, &round->after);
	}
	struct drops spare = round->before;
	round->before = round->after;
	round->after = spare;
	return error ? error : n_sent;
}

static void note_error_of_all(struct round *round, int error)
{
	for (size_t i = 0; i < round->count; i++) {
		if (is_open_question(round, i))
			note_error(&round->knocks[i], error);
	}
}

static void ask(struct round *round, struct knock *knocks, size_t count)
{
	round->knocks = knocks;
	round->count = count;
	round->has_any_arrived = false;
	int result = read_drops(&round->before, knocks, count);
	for (size_t i = 0; i < count; i++)
		round->asked[i] = (struct asked){.socket = -1};
	for (int i = 0; i < (count > 1 ? TRIES_AT_ONCE : TRIES_MOST) && result >= 0; i++) {
		result = try(round);
		if (result == 0)
			break;
	}
	if (result < 0)
		note_error_of_all(round, result);
	else if (count == 1 && !round->has_any_arrived && is_open_question(round, 0))
		knocks[0].obstacle = "cannot be reached from this machine";
	for (size_t i = 0; i < count; i++) {
		const struct asked *asked = &round->asked[i];
		knocks[i].inode = asked->n_candidates == 1 ? asked->candidates[0] : 0;
	}
}

/* A shortage of what all of them needed together may not concern one alone. */
static void forget_shortage(const struct round *round, struct knock *knock)
{
	if (round->netstat < 0 || !knock->may_pass)
		return;
	knock->obstacle = NULL;
	knock->may_pass = false;
}

static void ask_all(struct round *round, struct knock *knocks, size_t count)
{
	size_t some;

	for (size_t at = 0; at < count && count > 1; at += some) {
		some = count - at < AT_ONCE ? count - at : AT_ONCE;
		ask(round, knocks + at, some);
	}
	for (size_t i = 0; i < count; i++) {
		forget_shortage(round, &knocks[i]);
		if (!knocks[i].inode && !knocks[i].obstacle)
			ask(round, knocks + i, 1);
	}
}

void knock(struct knock *knocks, size_t count)
{
	struct round round = {.netstat = open("/proc/net/netstat", O_RDONLY | O_CLOEXEC)};
	int error = round.netstat < 0 ? -errno : 0;
	cpu_set_t cpus;
	bool is_on_one_cpu = stay_on_one_cpu(&cpus);

	for (size_t i = 0; i < count; i++) {
		knocks[i].inode = 0;
		knocks[i].obstacle = NULL;
		if (error)
			note_error(&knocks[i], error);
	}
	ask_all(&round, knocks, count);
	if (is_on_one_cpu)
		sched_setaffinity(0, sizeof cpus, &cpus);
	free(round.before.entries);
	free(round.after.entries);
	system_close(round.netstat);
}
