/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pool.h"

#include "aside.h"
#include "ground/clock.h"
#include "ground/errnos.h"
#include "own_errors.h"
#include "shared.h"
#include "unotify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WORKERS_MOST 32	 /* that are not condemned */
#define SEATS	     128 /* a condemned worker may hang in the kernel for a while */

#define SLOW_MS	   10	 /* most calls take a hundredth of that */
#define EVICT_MS   1000	 /* if all workers hang: none has answered for so long */
#define LIMIT_MS   10000 /* in any case */
#define SURPLUS_MS 10000 /* how long an extra worker waits for something to do */
#define FINISH_MS  2000
#define ENDING_MS  100

enum state {
	EMPTY,
	IDLE,
	BUSY,	   /* has a call, or what is left of it */
	CONDEMNED, /* is to end, and does not count any more */
};

struct seat {
	_Atomic int state;
	_Atomic int64_t since_ms; /* when the call came */
	union unotify_room room;  /* has the call while its id is not 0 */
};

/* What the workers and their parent share. */
struct table {
	atomic_bool is_armed;	     /* the timer will go off */
	atomic_bool is_over;	     /* no more calls will come */
	_Atomic int64_t answered_ms; /* when a worker was last through with a call */
	struct seat seats[SEATS];
};

/* Only the parent changes this after the first fork. */
static struct {
	const struct notify *notify;
	struct table *table;
	struct shared_lock *turn; /* to receive */
	int listener;
	int timer; /* goes off SLOW_MS after a call came */
	int over;  /* readable: no more calls are to be received */
	int events;
	struct {
		pid_t process; /* 0: none */
		int pidfd;
	} workers[SEATS];
	int keeping;	       /* a descriptor that the keeper waits for; -1: none */
	int64_t next_start_ms; /* no earlier start */
} pool;

/* ---- a worker ---- */

/* A worker that gets stuck must be noticed; the timer goes off once for all calls of that time. */
static void arm(void)
{
	const struct itimerspec soon = {.it_value.tv_nsec = SLOW_MS * 1000000L};

	if (!atomic_exchange(&pool.table->is_armed, true))
		timerfd_settime(pool.timer, 0, &soon, NULL);
}

enum received { NOTHING, A_CALL, NO_MORE };

/* Waits for a call, up to STEP_MS, or with -1 for ever. */
static enum received receive(struct seat *seat, int step_ms)
{
	struct pollfd polled[] = {
		{.fd = pool.listener, .events = POLLIN},
		{.fd = pool.over, .events = POLLIN},
	};

	if (poll(polled, 2, step_ms) <= 0)
		return NOTHING;
	if (polled[1].revents || polled[0].revents & (POLLHUP | POLLNVAL))
		return NO_MORE;
	if (!(polled[0].revents & POLLIN)) /* POLLERR: a signal came, as when we are stopped */
		return NOTHING;
	if (unotify_receive(pool.listener, &seat->room) == 0)
		return A_CALL;
	seat->room.notification.id = 0;
	return NOTHING;
}

/* From now on the program can delay us. Returns false for a condemned worker. */
static bool be_busy(struct seat *seat)
{
	int state = IDLE;

	seat->since_ms = clock_now_ms();
	bool is_busy = atomic_compare_exchange_strong(&seat->state, &state, BUSY);
	arm();
	return is_busy;
}

static bool be_idle(struct seat *seat)
{
	int state = BUSY;

	pool.table->answered_ms = clock_now_ms();
	return atomic_compare_exchange_strong(&seat->state, &state, IDLE);
}

/*
 * Only one worker at a time receives, so that only one wakes up, and none waits in the kernel for a
 * call that another one already has. An extra worker leaves when it has had nothing to do for long.
 */
static int work(void *context)
{
	struct seat *seat = context;
	enum received received = NOTHING;

	int step_ms = -1;
	do {
		bool has_turn = shared_lock(pool.turn, step_ms < 0 ? SURPLUS_MS : step_ms);
		if (!has_turn && step_ms < 0)
			break;
		received = has_turn ? receive(seat, step_ms) : NOTHING;
		if (has_turn)
			shared_unlock(pool.turn);
		if (received == NO_MORE || !be_busy(seat))
			break;
		if (received == A_CALL)
			notify_answer(pool.notify, pool.listener, &seat->room.notification);
		step_ms = notify_tend(pool.notify);
	} while (be_idle(seat));
	if (received == NO_MORE)
		pool.table->is_over = true;
	notify_finish(pool.notify);
	return 0;
}

/*
 * Answers a call that was slow, and logs that, because the program may be able to delay that as
 * well.
 */
static int complain(void *context)
{
	struct seat *seat = context;
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t alone;

	sigemptyset(&alone);
	sigaddset(&alone, SIGALRM);
	sigaction(SIGALRM, &by_default, NULL);
	sigprocmask(SIG_UNBLOCK, &alone, NULL);
	alarm(LIMIT_MS / 1000);
	notify_give_up(pool.notify, pool.listener, &seat->room.notification);
	return 0;
}

/* ---- their parent ---- */

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	epoll_ctl(pool.events, EPOLL_CTL_ADD, fd, &event);
}

/*
 * Call this before it is closed: workers that are started later have it too, so it would stay
 * there.
 */
static void unwatch(int fd)
{
	epoll_ctl(pool.events, EPOLL_CTL_DEL, fd, NULL);
}

static int find_empty(void)
{
	for (int i = 0; i < SEATS; i++) {
		if (pool.table->seats[i].state == EMPTY)
			return i;
	}
	return -1;
}

static void say_none(int error)
{
	static bool is_said;

	if (is_said)
		return;
	own_errors_begin();
	log_write(&pool.notify->configuration->log, LOG_LEVEL_ERROR,
		"no further process can be started to answer calls: %s; a call that no process "
		"answers fails if a rule protects, and is left alone otherwise",
		errno_name(-error));
	own_errors_end();
	is_said = true;
}

static bool seat_worker(int i, enum state state, int (*what)(void *))
{
	struct seat *seat = &pool.table->seats[i];

	seat->state = state;
	seat->since_ms = clock_now_ms();
	pid_t process = aside_start(what, seat);
	if (process < 0) {
		seat->state = EMPTY;
		say_none(process);
		return false;
	}
	pool.workers[i].process = process;
	pool.workers[i].pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	if (pool.workers[i].pidfd >= 0)
		watch(pool.workers[i].pidfd);
	return true;
}

static bool start_worker(void)
{
	int i = find_empty();

	pool.next_start_ms = clock_now_ms() + SLOW_MS;
	if (i < 0) {
		say_none(-EAGAIN);
		return false;
	}
	pool.table->seats[i].room.notification.id = 0;
	return seat_worker(i, IDLE, work);
}

/* Answers waiting calls, but not more at once than workers would. */
static void answer_here(void)
{
	struct pollfd polled = {.fd = pool.listener, .events = POLLIN};
	union unotify_room room;

	if (!shared_lock(pool.turn, 0))
		return;
	for (int i = 0; i < WORKERS_MOST && poll(&polled, 1, 0) > 0; i++) {
		if (polled.revents & POLLIN && unotify_receive(pool.listener, &room) == 0)
			notify_answer_blindly(pool.notify, pool.listener, &room.notification);
	}
	shared_unlock(pool.turn);
}

/* Has the call answered and logged, by another process, because that may take long again. */
static bool start_complaint(const union unotify_room *room)
{
	int i = find_empty();

	if (i < 0)
		return false;
	pool.table->seats[i].room = *room;
	return seat_worker(i, CONDEMNED, complain);
}

/* Answers what a worker has left unanswered. */
static void settle(struct seat *seat)
{
	if (seat->room.notification.id != 0)
		notify_answer_blindly(pool.notify, pool.listener, &seat->room.notification);
}

/* SINCE_MS: with the call that was checked; another one may have come since. */
static void condemn(int i, int64_t since_ms)
{
	struct seat *seat = &pool.table->seats[i];
	int state = BUSY;

	if (!atomic_compare_exchange_strong(&seat->state, &state, CONDEMNED))
		return;
	if (seat->since_ms != since_ms) {
		seat->state = BUSY;
		return;
	}
	kill(pool.workers[i].process, SIGKILL);
	if (seat->room.notification.id != 0 && start_complaint(&seat->room))
		seat->room.notification.id = 0;
	settle(seat);
}

static void bury(int i)
{
	struct seat *seat = &pool.table->seats[i];

	notify_forget(pool.workers[i].process);
	settle(seat);
	if (pool.workers[i].pidfd >= 0) {
		unwatch(pool.workers[i].pidfd);
		close(pool.workers[i].pidfd);
	}
	pool.workers[i].process = 0;
	seat->state = EMPTY;
}

static void bury_the_dead(void)
{
	for (int i = 0; i < SEATS; i++) {
		if (pool.workers[i].process && aside_has_ended(pool.workers[i].process))
			bury(i);
	}
}

struct sight {
	bool is_blind; /* the end of some process will not be reported */
	unsigned workers, idle;
	int longest;		   /* the seat that has been busy longest; -1: none */
	int64_t first_ms, last_ms; /* start of the longest and of the shortest call; or NEVER */
};

static struct sight look(void)
{
	struct sight view = {.longest = -1, .first_ms = CLOCK_NEVER, .last_ms = 0};

	for (int i = 0; i < SEATS; i++) {
		const struct seat *seat = &pool.table->seats[i];
		int state = seat->state;
		int64_t since_ms = seat->since_ms;
		view.is_blind |= pool.workers[i].process && pool.workers[i].pidfd < 0;
		view.workers += state == IDLE || state == BUSY;
		view.idle += state == IDLE;
		if (state != BUSY)
			continue;
		if (since_ms < view.first_ms) {
			view.first_ms = since_ms;
			view.longest = i;
		}
		if (since_ms > view.last_ms)
			view.last_ms = since_ms;
	}
	return view;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Makes sure that some process can answer. Returns when to call this again. */
static int64_t provide(int64_t now_ms)
{
	struct sight view = look();

	if (view.longest >= 0 && now_ms - view.first_ms >= LIMIT_MS) {
		condemn(view.longest, view.first_ms);
		view = look();
	}
	int64_t limit_ms = view.is_blind      ? now_ms + EVICT_MS
			   : view.longest < 0 ? CLOCK_NEVER
					      : view.first_ms + LIMIT_MS;
	if (view.idle > 0)
		return limit_ms;
	int64_t due_ms = view.workers == 0 ? 0 : view.last_ms + SLOW_MS;
	if (due_ms < pool.next_start_ms)
		due_ms = pool.next_start_ms;
	/* While some answer, they are only slow, as on a busy machine: a new one would be, too. */
	if (view.workers == WORKERS_MOST)
		due_ms = later(due_ms, later(view.first_ms, pool.table->answered_ms) + EVICT_MS);
	if (now_ms < due_ms)
		return earlier(limit_ms, due_ms);
	if (view.workers == WORKERS_MOST)
		condemn(view.longest, view.first_ms);
	if (!start_worker() && view.workers == 0)
		answer_here();
	return now_ms + SLOW_MS;
}

static void quiet_timer(void)
{
	uint64_t times;

	while (read(pool.timer, &times, sizeof times) > 0) {
	}
}

int pool_fd(void)
{
	return pool.events;
}

static void tend_keeping(void)
{
	if (pool.keeping < 0 || pool.notify->keeper->tend())
		return;
	unwatch(pool.keeping);
	pool.keeping = -1;
	own_errors_begin();
	log_write(&pool.notify->configuration->log, LOG_LEVEL_ERROR,
		"the process that keeps sockets has ended, so none is kept any more; start "
		"reuse-run again");
	own_errors_end();
}

int pool_tend(void)
{
	quiet_timer();
	pool.table->is_armed = false; /* a call that comes after this arms it */
	bury_the_dead();
	tend_keeping();
	if (pool.table->is_over)
		return -1;
	int64_t now_ms = clock_now_ms(), next_ms = provide(now_ms);
	return next_ms == CLOCK_NEVER ? -1 : next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

int pool_open(void)
{
	pool.table = shared_take(sizeof *pool.table);
	pool.turn = shared_new_lock();
	pool.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	pool.over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool.events = epoll_create1(EPOLL_CLOEXEC);
	if (!pool.table || !pool.turn || pool.timer < 0 || pool.over < 0 || pool.events < 0)
		return -errno;
	watch(pool.timer);
	return 0;
}

void pool_start(const struct notify *notify, int listener)
{
	pool.notify = notify;
	pool.listener = listener;
	pool.keeping = notify->keeper ? notify->keeper->start(notify->configuration) : -1;
	if (pool.keeping >= 0)
		watch(pool.keeping);
	pool_tend();
}

static unsigned count_left(void)
{
	unsigned left = 0;

	bury_the_dead();
	for (int i = 0; i < SEATS; i++)
		left += pool.workers[i].process != 0;
	return left;
}

static void wait_for_all(int patience_ms)
{
	int64_t until_ms = clock_now_ms() + patience_ms;
	struct epoll_event event;

	while (count_left() > 0 && clock_now_ms() < until_ms) {
		epoll_wait(pool.events, &event, 1, SLOW_MS);
		pool_tend();
	}
}

void pool_finish(void)
{
	pool.table->is_over = true;
	(void)!write(pool.over, &(uint64_t){1}, sizeof(uint64_t));
	wait_for_all(FINISH_MS);
	for (int i = 0; i < SEATS; i++) {
		if (pool.workers[i].process)
			kill(pool.workers[i].process, SIGKILL);
	}
	wait_for_all(ENDING_MS);
	if (pool.keeping >= 0)
		pool.notify->keeper->finish();
}
