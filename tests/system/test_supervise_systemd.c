/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-run as a service of a real systemd, which keeps the sockets while it is restarted. */
#include "supervised.h"
#include "systemd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY 32 /* clients */

static const char *python(void)
{
	return need_program("python3");
}

static void add_service(const char *more, const char *options, const char *command)
{
	systemd_add_service(
		"web", format("Type=notify\nEnvironment=REUSE_CONFIG=\nFileDescriptorStoreMax=16\n"
			      "Restart=always\nExecStart=%s -v --probation=100ms %s -- %s\n"
			      "ExecReload=%s --roll $MAINPID\n%s\n",
			       run_path(), options, command, run_path(), more));
}

static void add_slow(const char *options, int port)
{
	add_service("", options, format("%s %s %d", python(), script_path("slow.py"), port));
}

struct property {
	const char *name, *part;
};

static bool is_shown(void *context)
{
	const struct property *property = context;

	return strstr(systemd_show("web", property->name), property->part) != NULL;
}

/* Waits until a property of the service has PART in it. */
static void wait_shown(const char *name, const char *part)
{
	struct property property = {name, part};

	wait_until(is_shown, &property,
		format("%s=%s; it is %s%s", name, part, systemd_show("web", name), systemd_log()));
}

static int main_process(void)
{
	return atoi(systemd_show("web", "MainPID"));
}

static int times_logged(const char *what)
{
	return occurrences(systemd_log(), what);
}

/*
 * Listens, and ends. Copy 1 ends at once as long as there is DIRECTORY/dies, so its socket is not
 * in the store; the other one ends when there is DIRECTORY/go, and does not listen to its clients
 * any more.
 */
static const char ends_slowly[] =
	"import os, signal, socket, sys, time\n"
	"server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
	"if os.environ['REUSE_WORKER'] == '1' and os.path.exists(sys.argv[2] + '/dies'):\n"
	"    os._exit(3)\n"
	"def end(*_):\n"
	"    print('told to end', flush=True)\n"
	"    while not os.path.exists(sys.argv[2] + '/go'):\n"
	"        time.sleep(0.05)\n"
	"    os._exit(0)\n"
	"signal.signal(signal.SIGTERM, end)\n"
	"while True:\n"
	"    server.accept()[0].sendall(b'%d\\n' % os.getpid())\n";

#define LATE 32 /* clients */

Test(supervise_systemd, clients_that_come_while_the_last_copy_ends_are_served_by_the_next_life)
{
	int port = port_new(), clients[LATE];
	const char *directory = new_directory(), *dies = write_file(directory, "dies", "");
	const char *program = write_file(directory, "server.py", ends_slowly);
	char answer[16];

	add_service("Type=simple\nNotifyAccess=main", "-n2 --keep --ready-delay=500ms",
		format("%s %s %d %s", python(), program, port, directory));
	systemd_boot();
	systemd_do("start", "web");
	systemd_wait_log("another one starts in 3200 ms", 1);
	systemd_kill(main_process(), SIGTERM);
	systemd_wait_log("told to end", 1);
	for (int i = 0; i < LATE; i++)
		clients[i] = client_connect("127.0.0.1", port);
	cr_assert_eq(unlink(dies), 0);
	write_file(directory, "go", "");
	for (int i = 0; i < LATE; i++) {
		cr_expect_gt(recv(clients[i], answer, sizeof answer, 0), 0, "client %d: %s", i,
			systemd_log());
		close(clients[i]);
	}
}

/* ---- what is lost ---- */

/* Stops the clients, and expects that no more than MOST were cut off, and all others answered. */
static void expect_lost(struct process *clients, int most)
{
	struct outcome outcome = load_stop(clients);

	cr_expect_eq(outcome.refused, 0, "%d refused: %s", outcome.refused, systemd_log());
	cr_expect_eq(outcome.hung, 0, "%d hung: %s", outcome.hung, systemd_log());
	cr_expect_leq(outcome.cut_off, most, "%d cut off: %s", outcome.cut_off, systemd_log());
	cr_expect_gt(outcome.answered, most);
}

Test(supervise_systemd, a_reload_replaces_the_copies_and_no_request_is_lost)
{
	int port = port_new(), times = restarts(2);

	add_slow("-n2 --keep --ready-delay=200ms", port);
	systemd_boot();
	systemd_do("start", "web");
	cr_expect_eq(times_logged(" is ready\n"), 2, "it had started before all were ready");
	wait_shown("StatusText", "2 of 2 copies ready");
	int first = main_process();
	struct process *clients = load_start(port, MANY);
	for (int i = 1; i <= times; i++) {
		systemd_do("reload", "web");
		cr_expect_eq(times_logged(" is ready\n"), 2 + 2 * i, "%s", systemd_log());
	}
	expect_lost(clients, 0);
	cr_expect_eq(main_process(), first);
	wait_shown("ActiveState", "active");
}

/* KILLED processes end with what they have accepted in each restart. */
static void restart_under_load(const char *kill_mode, int killed)
{
	int port = port_new(), times = restarts(3);

	add_service(kill_mode, "-n2 --keep --ready-delay=0",
		format("%s %s %d", python(), script_path("slow.py"), port));
	systemd_boot();
	systemd_do("start", "web");
	struct process *clients = load_start(port, MANY);
	for (int i = 0; i < times; i++) {
		systemd_do("restart", "web");
		answering(port);
	}
	expect_lost(clients, killed * times);
	wait_listening("tcp", port, 2);

	/* and rolls are as they were */
	clients = load_start(port, MANY);
	systemd_do("reload", "web");
	load_stop_served(clients);
	systemd_do("stop", "web");
	wait_listening("tcp", port, 0);
}

Test(supervise_systemd, a_restart_loses_nothing_but_what_the_last_copy_had_accepted)
{
	restart_under_load("KillMode=mixed", 1);
}

Test(supervise_systemd, a_restart_in_which_all_are_told_at_once_loses_nothing_but_what_was_accepted)
{
	restart_under_load("KillMode=control-group", 2);
}

Test(supervise_systemd, a_supervisor_that_is_killed_loses_nothing_but_what_was_accepted)
{
	int port = port_new(), times = restarts(2), copies = 2;

	add_slow("-n2 --keep --ready-delay=0", port);
	systemd_boot();
	systemd_do("start", "web");
	struct process *clients = load_start(port, MANY);
	for (int i = 1; i <= times; i++) {
		systemd_kill(main_process(), SIGKILL);
		systemd_wait_log(" is ready\n", copies * (i + 1));
		wait_shown("ActiveState", "active");
	}
	expect_lost(clients, copies * times);
	wait_listening("tcp", port, copies);
}

Test(supervise_systemd, ip6_only_sockets_are_each_taken_back_by_a_copy)
{
	int port = port_new();
	const char *server = write_file(new_directory(), "server.py",
		format("import signal, socket\n"
		       "server = socket.create_server(('::1', %d), family=socket.AF_INET6)\n"
		       "signal.pause()\n",
			port));

	add_service("", "-n2 --keep --ready-delay=0", format("%s %s", python(), server));
	systemd_boot();
	systemd_do("start", "web");
	unsigned long sockets = sum_listening("tcp", port);
	systemd_do("restart", "web");
	wait_listening("tcp", port, 2);
	cr_expect_eq(sum_listening("tcp", port), sockets, "%s", systemd_log());
}

/* ---- one queue for all ---- */

Test(supervise_systemd, a_queue_of_all_copies_outlives_restarts_and_the_death_of_the_supervisor)
{
	int port = port_new(), times = restarts(2), copies = 3;

	add_slow("-n3 --queues=1 --ready-delay=0", port);
	systemd_boot();
	systemd_do("start", "web");
	unsigned long inode = sum_listening("tcp", port);
	struct process *clients = load_start(port, 8);
	for (int i = 1; i <= times; i++) {
		systemd_do("restart", "web");
		systemd_kill(main_process(), SIGKILL);
		systemd_wait_log(" is ready\n", copies * (2 * i + 1));
		wait_shown("ActiveState", "active");
	}
	expect_lost(clients, 2 * copies * times);
	wait_listening("tcp", port, 1);
	cr_expect_eq(sum_listening("tcp", port), inode, "%s", systemd_log());

	clients = load_start(port, 8);
	systemd_do("reload", "web");
	load_stop_served(clients);
	wait_listening("tcp", port, 1);
	systemd_do("stop", "web");
	wait_listening("tcp", port, 0);
}

static bool has_stored(void *context)
{
	return systemd_stored("web") == *(int *)context;
}

/* A socket listens a moment before systemd has it. */
static void wait_stored(int sockets)
{
	wait_until(has_stored, &sockets, format("%d sockets in the store", sockets));
}

/*
 * The old sockets and the new one of a roll were kept, and somebody waits in each. A copy is READY
 * that often when each socket has been emptied.
 */
static void kill_in_roll(const char *options, int copies, int sockets, int replaced)
{
	int port = port_new();

	if (systemd_version() < 249)
		skip("systemd before 249 does not notice the end of a service that reloads");
	add_slow(format("%s --ready-delay=1s", options), port);
	systemd_boot();
	systemd_do("start", "web");
	struct process *clients = load_start(port, 8);
	systemd_kill(main_process(), SIGHUP);
	wait_stored(sockets + 1);
	systemd_kill(main_process(), SIGKILL);
	systemd_wait_log(" is ready\n", 2 * copies + replaced);
	wait_listening("tcp", port, sockets);
	expect_lost(clients, 2 * copies); /* what each old copy, and each new one, had accepted */
	cr_expect_eq(times_logged("it is closed"), 0, "%s", systemd_log());
	wait_shown("StatusText", "copies");
	systemd_do("stop", "web");
	wait_listening("tcp", port, 0);
}

Test(supervise_systemd, a_supervisor_that_is_killed_in_a_roll_ends_with_one_queue)
{
	kill_in_roll("-n3 --queues=1", 3, 1, 3);
}

Test(supervise_systemd, a_supervisor_with_too_few_copies_for_all_sockets_ends_with_two_queues)
{
	kill_in_roll("-n3 --queues=2", 3, 2, 2);
}

Test(supervise_systemd, a_supervisor_without_shared_queues_ends_with_one_queue_for_each_copy)
{
	kill_in_roll("-n2", 2, 2, 1);
}

/* As systemd says itself since version 254. */
static void roll_with_room_for(int sockets, bool is_too_few)
{
	int port = port_new();

	add_service(format("Environment=FDSTORE=%d", sockets), "-n3 --queues=2 --ready-delay=0",
		format("%s %s %d", python(), script_path("slow.py"), port));
	systemd_boot();
	systemd_do("start", "web");
	cr_expect_eq(times_logged("FileDescriptorStoreMax="), 0, "%s", systemd_log());
	systemd_do("reload", "web");
	cr_expect_eq(times_logged("3 sockets are kept, but the service manager takes only 2"),
		is_too_few, "%s", systemd_log());
	cr_expect_eq(times_logged("FileDescriptorStoreMax="), is_too_few, "%s", systemd_log());
}

Test(supervise_systemd, a_store_that_is_too_small_for_a_roll_is_logged)
{
	roll_with_room_for(2, true);
}

Test(supervise_systemd, a_store_with_room_for_two_sockets_of_each_queue_is_not_logged)
{
	roll_with_room_for(4, false);
}

/* ---- what it tells ---- */

Test(supervise_systemd, a_roll_shows_as_a_reload)
{
	int port = port_new();

	add_slow("-n2 --keep --ready-delay=2s", port);
	systemd_boot();
	systemd_do("start", "web");
	wait_shown("ActiveState", "active");
	systemd_kill(main_process(), SIGHUP);
	wait_shown("ActiveState", "reloading");
	systemd_wait_log(" is ready\n", 4);
	wait_shown("ActiveState", "active");
	wait_shown("StatusText", "copies");
}

/* Each copy takes longer than the service may; so they must have asked for more time. */
Test(supervise_systemd, a_start_may_take_as_long_as_all_copies_need)
{
	int port = port_new();

	add_service("TimeoutStartSec=5s", "-n3 --keep --ready-delay=2s",
		format("%s %s %d", python(), script_path("slow.py"), port));
	systemd_boot();
	systemd_do("start", "web");
	cr_expect_eq(atoi(systemd_show("web", "NRestarts")), 0);
	cr_expect_eq(times_logged(" is ready\n"), 3);
}

/* Says that it lives as long as a file of its number is there. */
static const char *living(const char *directory)
{
	return write_file(directory, "server.py",
		"import os, socket, sys, time\n"
		"server = socket.socket()\n"
		"server.bind(('127.0.0.1', int(sys.argv[1])))\n"
		"server.listen()\n"
		"name = os.environ['NOTIFY_SOCKET'].replace('@', '\\0')\n"
		"worker = os.environ['REUSE_WORKER']\n"
		"assert int(os.environ['WATCHDOG_PID']) == os.getpid()\n"
		"assert int(os.environ['WATCHDOG_USEC']) == 5000000\n"
		"def say(text):\n"
		"    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text, name)\n"
		"say(b'STATUS=worker %s serves\\nREADY=1' % worker.encode())\n"
		"while True:\n"
		"    if os.path.exists(sys.argv[2] + worker):\n"
		"        say(b'WATCHDOG=1')\n"
		"    time.sleep(0.1)\n");
}

struct changing {
	char *before;
};

static bool has_changed(void *context)
{
	const struct changing *changing = context;

	return strcmp(systemd_show("web", "WatchdogTimestampMonotonic"), changing->before) != 0;
}

Test(supervise_systemd, the_watchdog_covers_all_copies_and_their_status_is_shown)
{
	int port = port_new();
	const char *directory = new_directory();

	write_file(directory, "alive0", "");
	write_file(directory, "alive1", "");
	add_service("WatchdogSec=5s", "-n2 --keep --ready=notify",
		format("%s %s %d %s/alive", python(), living(directory), port, directory));
	systemd_boot();
	systemd_do("start", "web");
	wait_shown("StatusText",
		"2 of 2 copies ready; copy 0: worker 0 serves; copy 1: worker 1 serves");
	struct changing changing = {strdup(systemd_show("web", "WatchdogTimestampMonotonic"))};
	wait_until(has_changed, &changing, "a sign of life");
	changing.before = strdup(systemd_show("web", "WatchdogTimestampMonotonic"));
	wait_until(has_changed, &changing, "another sign of life");

	/* one copy that hangs is enough */
	cr_assert_eq(unlink(format("%s/alive1", directory)), 0);
	wait_shown("NRestarts", "1");
}
