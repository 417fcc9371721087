/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a unit must have for its sockets to be kept, and the limits of that. */
#include "load.h"
#include "systemd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *keep_rule(int port)
{
	return format("tcp port=%d -> share keep", port);
}

static const char *slow(int port)
{
	return format("%s %s %d", need_program("python3"), script_path("slow.py"), port);
}

static const char *serve(const char *mode, int port)
{
	return format("%s %s %s %d", need_program("python3"), script_path("serve.py"), mode, port);
}

static void start(const char *lines)
{
	systemd_add_service("kept", lines);
	systemd_boot();
	systemd_do("start", "kept");
}

static void expect_answers(int port)
{
	for (int client = 0; client < 30; client++)
		answering(port);
}

/* ---- when the socket goes ---- */

Test(keep_units, stop_frees_the_port)
{
	int port = port_new();

	start(systemd_kept(keep_rule(port), slow(port)));
	answering(port);
	systemd_do("stop", "kept");
	wait_listening("tcp", port, 0);
	cr_expect_eq(systemd_stored("kept"), 0);
}

Test(keep_units, without_restart_a_killed_process_leaves_nothing)
{
	int port = port_new();

	start(format("%s\nRestart=no", systemd_kept(keep_rule(port), slow(port))));
	int process = answering(port);
	cr_expect_eq(systemd_stored("kept"), 1);
	systemd_kill(process, SIGKILL);
	wait_listening("tcp", port, 0);
}

Test(keep_units, a_listener_that_was_closed_for_good_continues_to_take_connections)
{
	int port = port_new();

	start(systemd_kept(keep_rule(port), serve("ends", port)));
	answering(port);
	int client = client_connect("127.0.0.1", port);
	systemd_do("stop", "kept");
	wait_listening("tcp", port, 0);
	close(client);
}

/* ---- how many ---- */

/* A server with two ports, which reports on the second one when all is done. */
static void start_with_room_for(int sockets, int told)
{
	int first = port_new(), second = port_new();
	const char *service = systemd_kept(format("tcp port=%d,%d -> share keep", first, second),
		format("%s %s tcp4 bind=127.0.0.1,%d listen tcp4 bind=127.0.0.1,%d listen stay",
			need_program("python3"), script_path("sockets.py"), first, second));

	start(format(
		"%s\nFileDescriptorStoreMax=%d\nEnvironment=FDSTORE=%d", service, sockets, told));
	systemd_wait_log("stay", 1);
}

Test(keep_units, a_store_without_room_for_all_sockets_is_logged)
{
	start_with_room_for(1, 1);
	cr_expect(strstr(systemd_log(), "2 sockets are to be kept, but the keeper takes only 1; "
					"raise FileDescriptorStoreMax="),
		"%s", systemd_log());
	cr_expect_eq(systemd_stored("kept"), 1); /* in the place that the manual names */
}

Test(keep_units, a_store_with_room_for_all_is_not_logged)
{
	start_with_room_for(2, 2);
	cr_expect_not(strstr(systemd_log(), "FileDescriptorStoreMax="), "%s", systemd_log());
	cr_expect_eq(systemd_stored("kept"), 2);
}

/* ---- sandboxes ---- */

Test(keep_units, a_sandbox_that_blocks_the_keepers_socket_is_logged)
{
	int port = port_new();

	start(format(
		"%s\nRestrictAddressFamilies=AF_INET", systemd_kept(keep_rule(port), slow(port))));
	answering(port);
	cr_expect(strstr(systemd_log(), "the keeper cannot be reached, so the socket is not kept: "
					"EAFNOSUPPORT"),
		"%s", systemd_log());
}

/* ---- processes beside the main one ---- */

static const char *forking_nginx(int port, const char *more)
{
	const char *directory = nginx_directory(format("listen 127.0.0.1:%d;", port), "1\\n");
	const char *command =
		format("%s -p %s -c %s/nginx.conf", need_program("nginx"), directory, directory);

	return format("%s\nType=forking\nPIDFile=%s/nginx.pid\n%s",
		systemd_kept(keep_rule(port), command), directory, more);
}

Test(keep_units, a_daemon_that_forks_is_kept_with_notify_access)
{
	int port = port_new();

	start(forking_nginx(port, "NotifyAccess=all"));
	for (int i = 0; i < 3; i++) {
		expect_answers(port);
		cr_expect_eq(count_listening("tcp", port), 1);
		cr_expect_eq(systemd_stored("kept"), 1);
		systemd_do("restart", "kept");
	}
}

Test(keep_units, a_daemon_that_forks_is_not_kept_without_notify_access)
{
	int port = port_new();

	start(forking_nginx(port, ""));
	expect_answers(port);
	cr_expect_eq(systemd_stored("kept"), 0);
}

/* nginx tests its configuration by binding; the check does not get the kept sockets. */
static void expect_checked(const char *check, const char *more)
{
	int port = port_new();
	const char *directory = nginx_directory(format("listen 127.0.0.1:%d;", port), "1\\n");
	const char *command =
		format("%s -p %s -c %s/nginx.conf", need_program("nginx"), directory, directory);

	start(format("%s -g \"daemon off;\"\nExecStartPre=%s%s -t\n%s",
		systemd_kept(keep_rule(port), command), check, command, more));
	for (int i = 0; i < 3; i++) {
		expect_answers(port);
		cr_expect_eq(
			count_listening("tcp", port), 1, "%d listen", count_listening("tcp", port));
		cr_expect_eq(systemd_stored("kept"), 1, "%d kept", systemd_stored("kept"));
		systemd_do("restart", "kept");
	}
}

Test(keep_units, a_check_before_the_start_does_not_touch_the_kept_socket)
{
	expect_checked("", "");
}

Test(keep_units, a_check_without_libreuse_does_not_touch_the_kept_socket)
{
	expect_checked("/usr/bin/env -u LD_PRELOAD ", "NotifyAccess=all");
}
