# SPDX-License-Identifier: LGPL-2.1-or-later
"""queues.py: requests of uneven length, to four copies with a queue each, or with one for all."""
import contextlib
import socket
import threading
import time

import bench
import servers

COPIES = 4
ROUNDS = 5
SECONDS = 4
CLIENTS = 4, 8

results = bench.Results("queues", "Uneven requests (2 ms, and one in ten 50 ms) to four copies")


def ask(port, until, latencies):
    """A client that asks again when it has been answered."""
    while time.monotonic() < until:
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while client.recv(1000):
                pass
        latencies.append(time.monotonic() - start)


def load(port, clients):
    window, latencies = bench.Window(), []
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=ask, args=(port, until, latencies)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return {"rate": len(latencies) / SECONDS, "p50": latencies[len(latencies) // 2],
            "p99": latencies[len(latencies) * 99 // 100], **window.close()}


def copies(clients, count, *options):
    def measure():
        port = bench.free_port()
        command = [servers.REUSE_RUN, f"-n{COPIES}", "--ready-delay=0", *options, "--"]
        with bench.serving(port, command + servers.uneven(port), count=count):
            time.sleep(0.5)  # the last copy listens, or has taken the queue
            return load(port, clients)

    return measure


def behind_haproxy(clients):
    def measure():
        port, *backends = [bench.free_port() for _ in range(COPIES + 1)]
        with contextlib.ExitStack() as stack:
            for backend in backends:
                stack.enter_context(bench.serving(backend, servers.uneven(backend)))
            # One request at a time is what such a server can do.
            command = servers.haproxy(port, backends, "tcp", " maxconn 1")
            stack.enter_context(bench.serving(port, command, count=1))
            return load(port, clients)

    return measure


def compare(clients):
    taken = bench.rounds({
        "one queue": copies(clients, 1, "--queues=1"),
        "a queue each": copies(clients, COPIES),
        "HAProxy leastconn": behind_haproxy(clients),
    }, ROUNDS)
    is_promised = clients == COPIES
    for below, metric, limit in (
        ("HAProxy leastconn", "rate", ("at least", 0.98)),
        ("HAProxy leastconn", "p99", ("at most", 1.05)),
        ("a queue each", "rate", ("at least", 2)),
        ("a queue each", "p99", None),
    ):
        name = "requests per second" if metric == "rate" else f"latency, {metric}"
        taken.add(results, f"{clients} clients, one queue / {below}: {name}", "one queue", below,
                  metric, limit=limit if is_promised else None, is_main=is_promised)


for number in CLIENTS:
    compare(number)
results.write()
