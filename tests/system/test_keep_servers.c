/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restarts of real servers under load, with a real systemd as the keeper: what the clients of a
 * kept service lose, and what those of the same service without libreuse lose.
 */
#include "load.h"
#include "systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 16

/* A service NAME that listens on PORT, and the same one without libreuse on another. */
struct pair {
	const char *name;
	int kept, plain;
};

/* COMMAND makes the command of the server for a port; MORE are further lines of the service. */
static struct pair boot_pair(const char *name, const char *(*command)(int port), const char *more)
{
	struct pair pair = {name, port_new(), port_new()};
	const char *rules = format("tcp port=%d -> share keep", pair.kept);

	systemd_add_service(
		"kept", format("%s\n%s", systemd_kept(rules, command(pair.kept)), more));
	systemd_add_service("plain", format("ExecStart=%s\n%s", command(pair.plain), more));
	systemd_boot();
	return pair;
}

static struct outcome restart_under_load(const char *unit, int port, int times)
{
	systemd_do("start", unit);
	answering(port);
	struct process *load = load_start(port, CLIENTS);
	for (int i = 0; i < times; i++) {
		systemd_do("restart", unit);
		answering(port);
	}
	struct outcome outcome = load_stop(load);
	systemd_do("stop", unit);
	return outcome;
}

static int lost(const struct outcome *outcome)
{
	return outcome->refused + outcome->cut_off + outcome->hung;
}

static void show(const struct pair *pair, const char *how, int times, const struct outcome *outcome)
{
	fprintf(stderr,
		"%s %s: %d restarts, %d requests answered, %d lost (%d refused, %d cut off, %d "
		"hung)\n",
		pair->name, how, times, outcome->answered, lost(outcome), outcome->refused,
		outcome->cut_off, outcome->hung);
}

/* Restarts both; returns what the clients of the kept one lost, none of which was refused. */
static struct outcome expect_less_lost(const struct pair *pair, int times)
{
	const int few = 2; /* restarts are enough to lose something */
	struct outcome kept = restart_under_load("kept", pair->kept, times);
	struct outcome plain = restart_under_load("plain", pair->plain, few);

	show(pair, "kept", times, &kept);
	show(pair, "without libreuse", few, &plain);
	cr_expect_eq(kept.refused, 0, "%d refused", kept.refused);
	cr_expect_eq(kept.hung, 0, "%d hung", kept.hung);
	cr_expect_gt(kept.answered, times);
	cr_expect_gt(lost(&plain), 0);
	return kept;
}

static const char *compile_java(void)
{
	static const char *classes;

	if (!classes) {
		classes = new_directory();
		process_run(
			WORDS(need_program("javac"), "-d", classes, script_path("NioServer.java")),
			.is_bare = true);
	}
	return classes;
}

static const char *java_command(int port)
{
	return format("%s -cp %s -XX:TieredStopAtLevel=1 -XX:+UseSerialGC NioServer %d",
		need_program("java"), compile_java(), port);
}

static const char *python_command(int port)
{
	return format("%s %s %d", need_program("python3"), script_path("slow.py"), port);
}

static const char *node_command(int port)
{
	return format("%s %s %d", need_program("node"), script_path("http.js"), port);
}

static const char *nginx_command(int port)
{
	const char *directory = nginx_directory(format("listen 127.0.0.1:%d;", port), "1\\n");

	return format("%s -p %s -c %s/nginx.conf -g \"daemon off;\"", need_program("nginx"),
		directory, directory);
}

static const char *gunicorn_command(int port)
{
	const char *directory = new_directory();

	write_file(directory, "app.py",
		"import os\n"
		"def app(environment, start):\n"
		"    start('200 OK', [('Content-Type', 'text/plain')])\n"
		"    return [b'%d\\n' % os.getpid()]\n");
	return format("%s %s --chdir %s -b 127.0.0.1:%d app:app", need_program("python3"),
		need_program("gunicorn"), directory, port);
}

/* It serves one client at a time, and is killed with that one. */
Test(keep_servers, python_loses_nothing_but_what_was_accepted)
{
	struct pair pair = boot_pair("python", python_command, "");
	int times = restarts(20);
	struct outcome kept = expect_less_lost(&pair, times);

	cr_expect_leq(kept.cut_off, times, "%d cut off", kept.cut_off);
}

Test(keep_servers, nginx_that_is_told_to_quit_loses_nothing_at_all)
{
	struct pair pair = boot_pair("nginx", nginx_command, "KillSignal=SIGQUIT\nKillMode=mixed");
	struct outcome kept = expect_less_lost(&pair, restarts(20));

	cr_expect_eq(lost(&kept), 0, "%d lost", lost(&kept));
}

/* A worker finishes what it has accepted before it ends. */
Test(keep_servers, gunicorn_loses_nothing_at_all)
{
	struct pair pair = boot_pair("gunicorn", gunicorn_command, "KillMode=mixed");
	struct outcome kept = expect_less_lost(&pair, restarts(5));

	cr_expect_eq(lost(&kept), 0, "%d lost", lost(&kept));
}

Test(keep_servers, java_nio_loses_nothing_but_what_was_accepted)
{
	struct pair pair = boot_pair("java", java_command, "SuccessExitStatus=143");
	int times = restarts(5);
	struct outcome kept = expect_less_lost(&pair, times);

	cr_expect_leq(kept.cut_off, times, "%d cut off", kept.cut_off);
}

/* It accepts all who wait at once, and they end with it. */
Test(keep_servers, node_loses_nothing_but_what_was_accepted)
{
	struct pair pair = boot_pair("node", node_command, "");
	int times = restarts(20), unaccepted = 0, client;
	struct outcome kept = expect_less_lost(&pair, times);
	const char *log = systemd_log();
	char *at = kept.cut_off_ports;

	while ((client = (int)strtol(at, &at, 10)) > 0)
		unaccepted += !strstr(log, format("accepted %d \n", client));
	/* node may have been killed before it wrote the last one down */
	cr_expect_leq(unaccepted, times, "%d of %d cut off were never accepted", unaccepted,
		kept.cut_off);
}
