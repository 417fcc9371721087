/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unmodified servers that people run: two copies of each are started, rolled under load, and
 * stopped; no request is lost, and nothing is left behind. These take minutes to install, or long
 * to run; others are in test_servers.c.
 */
#include "supervised.h"

#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CLIENTS 16

/* They may need long to start on a busy machine, and are drained before they are told to stop. */
#define start_two(...)                                                                             \
	supervise("-n2", "--expand", "--ready-delay=1s", "--drain-timeout=30s", "--grace=30s",     \
		__VA_ARGS__)

static void roll_under_load(struct process *supervisor, struct process *clients)
{
	for (int i = 0; i < repeat(2, 20); i++) {
		pid_t before[] = {copy_in(supervisor, 0), copy_in(supervisor, 1)};
		roll(supervisor, 2);
		for (int slot = 0; slot < 2; slot++) {
			cr_expect_neq(copy_in(supervisor, slot), before[slot]);
			wait_gone(before[slot]);
		}
	}
	load_stop_served(clients);
	cr_expect_eq(times_said(supervisor, "still has connections"), 0);
}

static void roll_in(const char *protocol, struct process *supervisor, int port)
{
	wait_ready(supervisor, 2);
	roll_under_load(supervisor, load_start_in(protocol, port, CLIENTS));
	end_supervisor(supervisor);
	wait_listening("tcp", port, 0);
	wait_listening("udp", port, 0);
}

static void roll_http(struct process *supervisor, int port)
{
	roll_in("http", supervisor, port);
}

static const char *at(int port)
{
	return format("127.0.0.1:%d", port);
}

/* ---- in C ---- */

Test(more_servers, apache_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory(), *modules = "/usr/lib/apache2/modules";
	const char *config = write_file(directory, "apache.conf",
		format("ServerRoot %s\n"
		       "ServerName localhost\n"
		       "Listen %s\n"
		       "ErrorLog /dev/stderr\n"
		       "LoadModule mpm_event_module %s/mod_mpm_event.so\n"
		       "LoadModule authz_core_module %s/mod_authz_core.so\n"
		       "User nobody\n"
		       "Group nogroup\n"
		       "StartServers 2\n",
			directory, at(port), modules, modules));

	roll_http(start_two("--stop-signal=WINCH", need_program("apache2"), "-D", "FOREGROUND",
			  "-f", config, "-c", format("PidFile %s/%%i.%%g.pid", directory), "-c",
			  format("Mutex file:%s default", directory)),
		port);
}

Test(more_servers, haproxy_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *config = write_file(new_directory(), "haproxy.cfg",
		format("defaults\n"
		       "	mode http\n"
		       "	timeout client 30s\n"
		       "	timeout server 30s\n"
		       "	timeout connect 30s\n"
		       "frontend web\n"
		       "	bind %s\n"
		       "	http-request return status 200 content-type text/plain string "
		       "\"answer\\n\"\n",
			at(port)));

	roll_http(start_two("--stop-signal=USR1", need_program("haproxy"), "-db", "-f", config),
		port);
}

Test(more_servers, lighttpd_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *config = write_file(directory, "lighttpd.conf",
		format("server.document-root = \"%s\"\n"
		       "server.bind = \"127.0.0.1\"\n"
		       "server.port = %d\n"
		       "index-file.names = ( \"index.txt\" )\n",
			directory, port));

	write_file(directory, "index.txt", "answer\n");
	roll_http(
		start_two("--stop-signal=INT", need_program("lighttpd"), "-D", "-f", config), port);
}

/* ---- in Python ---- */

Test(more_servers, uwsgi_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *app = write_file(new_directory(), "app.py",
		"def application(environment, start):\n"
		"    start('200 OK', [('Content-Type', 'text/plain')])\n"
		"    return [b'answer\\n']\n");

	roll_http(start_two(need_program("uwsgi"), "--plugin", "python3", "--http-socket", at(port),
			  "--wsgi-file", app, "--master", "--processes", "2", "--die-on-term",
			  "--disable-logging"),
		port);
}

Test(more_servers, uvicorn_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();

	write_file(directory, "app.py",
		"async def app(scope, receive, send):\n"
		"    headers = [(b'content-type', b'text/plain')]\n"
		"    await send({'type': 'http.response.start', 'status': 200, 'headers': "
		"headers})\n"
		"    await send({'type': 'http.response.body', 'body': b'answer\\n'})\n");
	roll_http(start_two("--ready-delay=2s", need_program("python3"), "-m", "uvicorn",
			  "--app-dir", directory, "--lifespan", "off", "--log-level", "warning",
			  "--port", format("%d", port), "app:app"),
		port);
}

/* ---- in Ruby ---- */

static const char *rack_application(const char *directory)
{
	return write_file(directory, "config.ru",
		"run ->(environment) { [200, {'Content-Type' => 'text/plain'}, [\"answer\\n\"]] "
		"}\n");
}

Test(more_servers, puma_is_rolled_without_a_loss)
{
	int port = port_new();

	roll_http(start_two(need_program("puma"), "-b", format("tcp://%s", at(port)), "-e",
			  "production", "--quiet", rack_application(new_directory())),
		port);
}

Test(more_servers, unicorn_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *config = write_file(directory, "unicorn.rb", "worker_processes 2\n");

	roll_http(start_two("--stop-signal=QUIT", need_program("unicorn"), "-l", at(port), "-E",
			  "none", "-c", config, rack_application(directory)),
		port);
}

/* ---- others ---- */

/* A port that the kernel chooses, as that of a distributed node, does not belong to a service. */
Test(more_servers, an_erlang_server_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *program =
		format("{ok, _} = gen_tcp:listen(0, []),"
		       "{ok, L} = gen_tcp:listen(%d, [binary, {ip, {127,0,0,1}}, {active, false},"
		       "    {reuseaddr, true}, {backlog, 128}]),"
		       "Answer = fun(S) -> gen_tcp:recv(S, 0), gen_tcp:send(S, \"answer\\n\"),"
		       "    gen_tcp:close(S) end,"
		       "Accept = fun Next() -> {ok, S} = gen_tcp:accept(L),"
		       "    P = spawn(fun() -> receive go -> Answer(S) end end),"
		       "    ok = gen_tcp:controlling_process(S, P), P ! go, Next() end,"
		       "Accept().",
			port);

	roll_http(start_two(need_program("erl"), "-noshell", "-noinput", "-eval", program), port);
}

/* Its name has its version at the end. */
static const char *php_fpm(void)
{
	glob_t found;

	if (glob("/usr/sbin/php-fpm[0-9]*", 0, NULL, &found) != 0)
		skip("php-fpm is not installed");
	return found.gl_pathv[0];
}

Test(more_servers, php_fpm_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *config = write_file(directory, "fpm.conf",
		format("[global]\n"
		       "error_log = /dev/stderr\n"
		       "daemonize = no\n"
		       "[www]\n"
		       "listen = %s\n"
		       "pm = static\n"
		       "pm.max_children = 2\n"
		       "user = nobody\n"
		       "group = nogroup\n",
			at(port)));

	setenv("SCRIPT_FILENAME", write_file(directory, "answer.php", "answer\n"), true);
	roll_in("fastcgi", start_two("--stop-signal=QUIT", php_fpm(), "-F", "-R", "-y", config),
		port);
}

Test(more_servers, unbound_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory();
	const char *config = write_file(directory, "unbound.conf",
		format("server:\n"
		       "	interface: 127.0.0.1@%d\n"
		       "	do-daemonize: no\n"
		       "	use-syslog: no\n"
		       "	chroot: \"\"\n"
		       "	directory: %s\n"
		       "	username: \"\"\n"
		       "	pidfile: \"\"\n"
		       "	module-config: iterator\n"
		       "	local-zone: \"example.test.\" static\n"
		       "	local-data: \"example.test. A 192.0.2.1\"\n"
		       "remote-control:\n"
		       "	control-enable: no\n",
			port, directory));

	roll_in("dns", start_two(need_program("unbound"), "-d", "-p", "-c", config), port);
}

static int count_lines(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

Test(more_servers, rsyslog_is_rolled_without_a_loss)
{
	int port = port_new();
	const char *directory = new_directory(), *file = format("%s/lines", directory);
	const char *config = write_file(directory, "rsyslog.conf",
		format("module(load=\"imtcp\" MaxSessions=\"1000\")\n"
		       "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"%d\")\n"
		       "action(type=\"omfile\" file=\"%s\")\n",
			port, file));
	struct process *supervisor = start_two(need_program("rsyslogd"), "-n", "-f", config, "-i",
		format("%s/%%i.%%g.pid", directory));

	wait_ready(supervisor, 2);
	struct process *clients = load_start_in("syslog", port, 4);
	for (int i = 0; i < repeat(2, 20); i++)
		roll(supervisor, 2);
	struct outcome outcome = load_stop(clients);
	end_supervisor(supervisor);
	cr_expect_gt(outcome.answered, 0);
	cr_expect_eq(outcome.refused + outcome.cut_off + outcome.hung, 0);
	cr_expect_eq(count_lines(read_file(file)), outcome.answered);
}
