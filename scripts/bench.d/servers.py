# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unmodified servers that are measured, each as the command that starts it on a port."""
import os

import bench

PYTHON = "/usr/bin/python3"
REUSE_RUN = bench.path("tree", "reuse-run")


def can(option):
    """Whether this build's reuse-run has an option."""
    return option in bench.run([REUSE_RUN, "--help"])


def write(name, text):
    with open(bench.path(name), "w", encoding="utf-8") as file:
        file.write(text)
    return bench.path(name)


def script(name):
    return os.path.join(bench.HERE, name)


def python(port):
    return [PYTHON, script("cpu.py"), str(port)]


def node(port, *mode):
    return ["node", script("cpu.js"), str(port), *mode]


def slow(port):
    """The server of the tests that has no graceful end at all."""
    return [PYTHON, os.path.join(bench.SOURCE, "tests", "system", "programs", "slow.py"), str(port)]


def redis(port):
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", bench.BUILD]


def nginx_with(port, http, workers=1, copy=0):
    config = write(f"nginx-{port}-{copy}.conf", f"""
daemon off;
worker_processes {workers};
error_log stderr crit;
pid {bench.path(f"nginx-{port}-{copy}.pid")};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {bench.path("nginx-body")};
    proxy_temp_path {bench.path("nginx-proxy")};
    fastcgi_temp_path {bench.path("nginx-fastcgi")};
    uwsgi_temp_path {bench.path("nginx-uwsgi")};
    scgi_temp_path {bench.path("nginx-scgi")};
    {http}
}}
""")
    return ["nginx", "-e", "stderr", "-p", bench.BUILD, "-c", config]


def nginx(port, workers=1, listen="", copy=0):
    return nginx_with(port, f"""
    server {{
        listen 127.0.0.1:{port}{listen};
        location / {{ return 200 "an answer"; }}
    }}""", workers, copy)


def nginx_balancer(port, backends):
    """In front of servers; one that does not answer is not left out, for all of them do."""
    lines = "\n".join(f"        server 127.0.0.1:{each} max_fails=0;" for each in backends)
    return nginx_with(port, f"""
    upstream servers {{
        least_conn;
{lines}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://servers; }}
    }}""")


def uneven(port):
    return [PYTHON, script("uneven.py"), str(port)]


def one_slow(port):
    return [PYTHON, script("one_slow.py"), str(port)]


def uneven_threads(port):
    return [*uneven(port), "threads"]


def uneven_node(port, *mode):
    return ["node", script("uneven.js"), str(port), *mode]


def haproxy(port, backends, mode="http", more=""):
    """
    HAProxy in front of servers, each at the port named and with MORE options; with its defaults but
    for timeouts.
    """
    lines = "\n".join(f"    server s{each} 127.0.0.1:{each}{more}" for each in backends)
    config = write(f"haproxy-{port}.conf", f"""
global
    stats socket {bench.path("haproxy.sock")} mode 600 level admin expose-fd listeners
defaults
    mode {mode}
    balance leastconn
    timeout connect 30s
    timeout client 30s
    timeout server 30s
listen web
    bind 127.0.0.1:{port}
{lines}
""")
    return ["haproxy", "-W", "-db", "-f", config]


def unbound(port, lines):
    config = write(f"unbound-{port}.conf", f"""
server:
    interface: 127.0.0.1@{port}
    do-daemonize: no
    use-syslog: no
    chroot: ""
    directory: {bench.BUILD}
    username: ""
    pidfile: ""
    module-config: iterator
    {lines}
remote-control:
    control-enable: no
""")
    return ["unbound", "-d", "-p", "-c", config]


def name_server(port):
    """Answers each name below bench."""
    return unbound(port, """
    local-zone: bench. redirect
    local-data: "bench. 0 A 192.0.2.1"
""")


def resolver(port, upstream):
    """Asks another one for each query, from a random port of its own."""
    return unbound(port, f"""
    do-not-query-localhost: no
    cache-max-ttl: 0
    outgoing-range: 4096
    num-queries-per-thread: 2048
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{upstream}
""")


def build_go():
    """A static Go server, which no preload reaches."""
    program = bench.path("server-go")
    env = bench.environment(GOCACHE=bench.path("go-cache"), GOFLAGS="", CGO_ENABLED="0",
                            GO111MODULE="off")
    bench.run(["go", "build", "-o", program, script("server.go")], env=env)
    return program
