/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instances of a unit that share a port are restarted by systemd, and no client notices. */
#include "supervised.h"
#include "systemd.h"

#include <stdlib.h>
#include <string.h>

#define CLIENTS	    16
#define CONNECTIONS 200

#define RUN_AS_ROOT "-+"
#define KEPT(PORT)                                                                                 \
	format("Environment=\"REUSE_RULES=tcp port=%d -> share keep\"\nFileDescriptorStoreMax=16", \
		PORT)

/* Starts two instances, with these lines in their section [Service]. */
static void start(int port, const char *prefix, const char *lines)
{
	systemd_add("server@.service", format("[Unit]\nStartLimitIntervalSec=0\n[Service]\n"
					      "Environment=LD_PRELOAD=libreuse.so REUSE_CONFIG=\n"
					      "ExecStart=%s %s %d\n"
					      "ExecStop=%s%s --stop $MAINPID\n"
					      "Restart=always\n%s\n",
					       need_program("python3"), script_path("slow.py"),
					       port, prefix, run_path(), lines));
	systemd_boot();
	systemd_do("start", "server@1");
	systemd_do("start", "server@2");
	wait_listening("tcp", port, 2);
}

/* ---- afterwards ---- */

static void expect_never_failed(const char *unit)
{
	cr_expect_str_eq(systemd_show(unit, "ActiveState"), "active\n");
	cr_expect_str_eq(systemd_show(unit, "Result"), "success\n");
	cr_expect_str_eq(systemd_show(unit, "NRestarts"), "0\n");
}

/* Who answers is named by its process. */
static void expect_shares(int port)
{
	int processes[2] = {atoi(systemd_show("server@1", "MainPID")),
		atoi(systemd_show("server@2", "MainPID"))};
	int got[2] = {0};

	for (int i = 0; i < CONNECTIONS; i++) {
		int process = answering(port);
		cr_assert(process == processes[0] || process == processes[1], "%d", process);
		got[process == processes[1]]++;
	}
	cr_expect(got[0] >= CONNECTIONS / 4 && got[1] >= CONNECTIONS / 4, "%d and %d", got[0],
		got[1]);
}

static void expect_left(int port)
{
	expect_never_failed("server@1");
	expect_never_failed("server@2");
	wait_listening("tcp", port, 2);
	expect_shares(port);
}

/* ---- restarts ---- */

static struct outcome restart(int port, const char *const units[2])
{
	struct process *clients = load_start(port, CLIENTS);

	for (int i = 0; i < repeat(2, 20); i++) {
		systemd_do("restart", units[i % 2]);
		wait_listening("tcp", port, 2);
		expect_shares(port); /* so that it takes clients before the other one stops */
	}
	struct outcome outcome = load_stop(clients);
	cr_expect_gt(outcome.answered, 0);
	cr_expect_eq(outcome.hung, 0);
	expect_left(port);
	return outcome;
}

static void restart_in_turn(int port)
{
	struct outcome outcome = restart(port, (const char *const[]){"server@1", "server@2"});

	cr_expect_eq(outcome.refused + outcome.cut_off, 0, "%d refused, %d cut off",
		outcome.refused, outcome.cut_off);
	cr_expect(!strstr(systemd_log(), "at once") && !strstr(systemd_log(), "cannot be stopped"),
		"%s", systemd_log());
}

Test(stop_units, instances_are_restarted_one_after_the_other_without_a_loss)
{
	int port = port_new();

	start(port, RUN_AS_ROOT, "");
	restart_in_turn(port);
}

Test(stop_units, instances_of_a_user_with_a_filter_of_system_calls_are_restarted_without_a_loss)
{
	int port = port_new();

	start(port, RUN_AS_ROOT, "User=server\nSystemCallFilter=@system-service");
	restart_in_turn(port);
}

/*
 * Then the filter holds for reuse-run too, which opens a socket beside. With no number for the
 * error, the filter would kill it.
 */
Test(stop_units, instances_stopped_under_the_filter_of_system_calls_are_restarted_without_a_loss)
{
	int port = port_new();

	start(port, "-",
		"User=server\nSystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM");
	restart_in_turn(port);
}

Test(stop_units, instances_on_port_80_by_an_ambient_capability_are_restarted_without_a_loss)
{
	enter_network_namespace();
	start(80, RUN_AS_ROOT,
		"User=server\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
		"SystemCallFilter=@system-service");
	restart_in_turn(80);
}

/* It must not stay deaf. */
Test(stop_units, instances_whose_sockets_are_kept_are_restarted_without_a_loss)
{
	int port = port_new();

	start(port, RUN_AS_ROOT, format("User=server\n%s", KEPT(port)));
	unsigned long before = sum_listening("tcp", port);
	restart_in_turn(port);
	cr_expect_eq(sum_listening("tcp", port), before, "the sockets are not those from before");
	cr_expect_eq(systemd_stored("server@1"), 1);
	cr_expect_eq(systemd_stored("server@2"), 1);
}

/* Whoever is the last one waits for the other to be replaced, unless that one is gone already. */
static void restart_at_once(int port)
{
	struct outcome outcome = restart(port, (const char *const[]){"server@*", "server@*"});
	bool was_gone = strstr(systemd_log(), "shares no TCP port with others") != NULL;

	cr_expect(was_gone || outcome.refused + outcome.cut_off == 0, "%d refused, %d cut off",
		outcome.refused, outcome.cut_off);
}

Test(stop_units, both_instances_can_be_restarted_at_once_without_a_loss)
{
	int port = port_new();

	start(port, RUN_AS_ROOT, "User=server");
	restart_at_once(port);
}

Test(stop_units, both_instances_whose_sockets_are_kept_can_be_restarted_at_once_without_a_loss)
{
	int port = port_new();

	start(port, RUN_AS_ROOT, format("User=server\n%s", KEPT(port)));
	restart_at_once(port);
}
