# SPDX-License-Identifier: LGPL-2.1-or-later
"""
queues.py: copies with a queue each, or with one for all: with requests of uneven length, beside load
balancers; and where one queue is worse, with short requests at full speed and long connections.
"""
import collections
import contextlib
import socket
import time

import bench
import servers
from copies import COPIES, EACH, METRICS, ONE, TWO, behind, copies_of, haproxy, load, supervised

ROUNDS = 5  # of what is promised
FEW_ROUNDS = 3
LONG_LIVED = 400  # connections, to EVENT_LOOPS copies
EVENT_LOOPS = 8
MANY = 32  # clients that ask for short answers

results = bench.Results("queues", "Uneven requests (2 ms, and one in ten 50 ms) to four copies")


# ---- uneven requests ----


def cluster(clients):
    def measure():
        port = bench.free_port()
        with bench.serving(port, servers.uneven_node(port, "cluster"), count=1):
            time.sleep(1)  # all workers are there
            return load(port, clients)

    return measure


def compare(name, make, clients, count, more=None, per_server="", limits=None):
    """
    With PER_SERVER, what HAProxy is told of each server. LIMITS are of one queue / another variant:
    {(variant, metric): limit}.
    """
    limits = limits or {}
    variants = {
        "one queue": copies_of(make, ONE, clients),
        "two queues": copies_of(make, TWO, clients),
        "a queue each": copies_of(make, EACH, clients),
        "steer=random": copies_of(make, "--steer=random", clients),
        "HAProxy leastconn": behind(haproxy(per_server), make, clients),
        "nginx least_conn": behind(servers.nginx_balancer, make, clients),
        **(more or {}),
    }
    taken = bench.rounds(variants, count)
    pairs = [(variant, "a queue each") for variant in variants if variant != "a queue each"]
    for metric, shown in METRICS.items():
        for above, below in [*pairs, ("one queue", "HAProxy leastconn")]:
            limit = limits.get((below, metric)) if above == "one queue" else None
            taken.add(results, f"{name}, {clients} clients, {above} / {below}: {shown}", above, below,
                      metric, limit=limit, is_main=limit is not None)


# ---- where one queue is worse ----


def events(port):
    return [bench.path("events"), str(port)]


def short_requests(copies):
    taken = bench.rounds({
        "one": copies_of(events, ONE, MANY, copies),
        "each": copies_of(events, EACH, MANY, copies),
    }, FEW_ROUNDS)
    what = f"short requests, event loops, {copies} copies, one queue / a queue each"
    for metric, shown in (("rate", METRICS["rate"]), ("cost", "processor time of a request")):
        taken.add(results, f"{what}: {shown}", "one", "each", metric, is_main=True)


def long_lived(option):
    """How many connections the copy has that has the most, by what would be fair."""

    def measure():
        with supervised(EVENT_LOOPS, option, events) as port, contextlib.ExitStack() as stack:
            shares = collections.Counter()
            for _ in range(LONG_LIVED):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                client.sendall(b"stay")
                shares[client.recv(100)] += 1
            return {"most": max(shares.values()) * EVENT_LOOPS / LONG_LIVED}

    return measure


def spread_of_long_lived():
    variants = {"one queue": long_lived(ONE), "two queues": long_lived(TWO),
                "a queue each": long_lived(EACH)}
    taken = bench.rounds(variants, FEW_ROUNDS)
    for variant in variants:
        values = [each[variant]["most"] for each in taken.kept]
        results.add(f"{LONG_LIVED} long connections, event loops, {EVENT_LOOPS} copies, {variant}: "
                    "the most that a copy has / its share", "times", is_main=True,
                    **bench.spread(values))


AS_HAPROXY = {("HAProxy leastconn", "rate"): ("at least", 0.98),
              ("HAProxy leastconn", "p99"): ("at most", 1.05)}
TWICE = {("a queue each", "rate"): ("at least", 2)}
# One request at a time is what such a server can do.
compare("python, one thread", servers.uneven, COPIES, ROUNDS, per_server=" maxconn 1",
        limits={**AS_HAPROXY, **TWICE})
compare("python, one thread", servers.uneven, 2 * COPIES, ROUNDS, per_server=" maxconn 1",
        limits=AS_HAPROXY)
compare("node", servers.uneven_node, COPIES, FEW_ROUNDS, {"node's cluster": cluster(COPIES)})
compare("python, threads", servers.uneven_threads, COPIES, FEW_ROUNDS)
for number in (2, 8, 32):
    short_requests(number)
spread_of_long_lived()
results.write()
