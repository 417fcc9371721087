# SPDX-License-Identifier: LGPL-2.1-or-later
"""copies.py: copies of a server under reuse-run, or behind a load balancer, and clients that ask them."""
import contextlib
import signal
import subprocess
import time

import bench
import servers

COPIES = 4
SECONDS = 2
ONE, TWO, EACH = "--queues=1", "--queues=2", "--keep"
METRICS = {"rate": "requests per second", "p50": "latency, p50", "p99": "latency, p99"}


# ---- load ----


def load(port, clients):
    """Clients, each of which asks again when it has been answered."""
    window = bench.Window()
    start = time.monotonic()
    process = subprocess.Popen([bench.path("ask"), str(port), str(clients)], stdout=subprocess.PIPE,
                               text=True)
    bench.started.append(process)
    time.sleep(SECONDS)
    process.send_signal(signal.SIGTERM)
    words = process.communicate()[0].split()
    passed = time.monotonic() - start
    bench.started.remove(process)
    answered, refused, cut_off, p50, _, p99 = map(int, words)
    if refused or cut_off:
        raise SystemExit(f"bench: {refused} refused, {cut_off} cut off")
    measured = window.close()
    return {"rate": answered / passed, "p50": p50, "p99": p99,
            "cost": measured["server_seconds"] / max(1, answered), **measured}


@contextlib.contextmanager
def supervised(copies, option, make):
    """Copies, all of which take from their queue; with a queue each, unless OPTION says otherwise."""
    port = bench.free_port()
    log = bench.path("server.log")
    with open(log, "ab") as file:
        start = file.tell()
    command = [servers.REUSE_RUN, "-v", f"-n{copies}", "--ready-delay=0", option, "--", *make(port)]

    def all_are_ready():
        with open(log, "rb") as file:
            file.seek(start)
            return file.read().count(b" is ready\n") >= copies

    with bench.serving(port, command, count=1):
        bench.wait_until(all_are_ready, f"{copies} copies to be ready")
        yield port


def copies_of(make, option, clients, copies=COPIES):
    def measure():
        with supervised(copies, option, make) as port:
            return load(port, clients)

    return measure


# ---- load balancers ----


def behind(balancer, make, clients):
    """BALANCER makes the command of one from its port and those of the servers."""

    def measure():
        port, *backends = bench.free_ports(COPIES + 1)
        with contextlib.ExitStack() as stack:
            for backend in backends:
                stack.enter_context(bench.serving(backend, make(backend)))
            stack.enter_context(bench.serving(port, balancer(port, backends), count=1))
            return load(port, clients)

    return measure


def haproxy(more):
    return lambda port, backends: servers.haproxy(port, backends, "tcp", more)
