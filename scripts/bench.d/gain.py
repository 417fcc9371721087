# SPDX-License-Identifier: LGPL-2.1-or-later
"""gain.py: two copies that share a port, against one, and against what else one would use."""
import contextlib

import bench
import servers

ROUNDS = 11  # short ones: what drifts, drifts between them
CLIENTS = 256
OF_MACHINE = 0.95  # of what two copies do that share nothing

results = bench.Results("gain", "Gain: two copies that share a port")
SHARED = bench.environment(bench.LIBRARY)


def one(make):
    def measure():
        port = bench.free_port()
        with bench.serving(port, make(port)):
            return bench.wrk(port, CLIENTS)

    return measure


def shared(make):
    def measure():
        port = bench.free_port()
        with bench.serving(port, make(port), make(port), env=SHARED):
            return bench.wrk(port, CLIENTS)

    return measure


def apart(make):
    """Two copies that have nothing in common: what the machine can give."""

    def measure():
        ports = bench.free_ports(2)
        with bench.serving(ports[0], make(ports[0])), bench.serving(ports[1], make(ports[1])):
            return bench.wrk(None, CLIENTS, ports=ports)

    return measure


def behind_haproxy(make):
    def measure():
        port, *backends = bench.free_ports(3)
        with contextlib.ExitStack() as stack:
            for backend in backends:
                stack.enter_context(bench.serving(backend, make(backend)))
            stack.enter_context(bench.serving(port, servers.haproxy(port, backends)))
            return bench.wrk(port, CLIENTS)

    return measure


def compare(name, make, more):
    variants = {
        "one copy": one(make),
        "two that share": shared(make),
        "two behind HAProxy": behind_haproxy(make),
        "two on ports of their own": apart(make),
        **more,
    }
    taken = bench.rounds(variants, ROUNDS)
    # Processors that share a core, or a host, give two copies less than twice as much.
    of_machine = taken.ratio("two that share", "two on ports of their own", "rate")
    for variant in list(variants)[1:]:
        line = taken.ratio(variant, "one copy", "rate")
        if variant == "two that share":
            line.update(limit=("at least", 1.9), instead="what the machine gives two",
                        is_reached=line["median"] >= 1.9 or of_machine["median"] >= OF_MACHINE)
        results.add(f"{name}, {variant} / one copy: requests per second", "times", is_main=True,
                    **line)
    results.add(f"{name}, two that share / two on ports of their own: requests per second",
                "times", limit=("at least", OF_MACHINE), is_main=True, **of_machine)
    taken.add(results, f"{name}, two that share / two behind HAProxy: requests per second",
              "two that share", "two behind HAProxy", "rate", limit=("at least", 1), is_main=True)
    for share in (50, 99):
        for variant in list(variants)[1:]:
            if variant != "two on ports of their own":
                taken.add(results, f"{name}, {variant} / one copy: latency, p{share}", variant,
                          "one copy", f"p{share}")


def nginx_native():
    port = bench.free_port()
    with bench.serving(port, servers.nginx(port, 2, " reuseport"), count=2):
        return bench.wrk(port, 64)


def nginx_twice():
    port = bench.free_port()
    copies = [servers.nginx(port, copy=copy) for copy in range(2)]
    with bench.serving(port, *copies, env=SHARED):
        return bench.wrk(port, 64)


compare("python", servers.python, {})
compare("node", servers.node, {"node's cluster": one(lambda port: servers.node(port, "cluster"))})
taken = bench.rounds({"native": nginx_native, "twice": nginx_twice}, 9)
taken.add(results, "nginx, two under libreuse / its own reuseport: requests per second", "twice",
          "native", "rate", limit=("at least", 0.97), is_main=True)
taken.add(results, "nginx, two under libreuse / its own reuseport: processor time of a request",
          "twice", "native", "cost")
for share in (50, 99):
    taken.add(results, f"nginx, two under libreuse / its own reuseport: latency, p{share}", "twice",
              "native", f"p{share}")
results.write()
