# SPDX-License-Identifier: LGPL-2.1-or-later
"""running.py: requests per second of running servers, with libreuse and without."""

import re

import bench
import servers

PAIRS = 9
NAMES = 100_000  # that the resolver is asked for

results = bench.Results("running", "Cost while running: with libreuse / without")


def redis_load(port):
    window = bench.Window()
    command = ["redis-benchmark", "-p", str(port), "-t", "get", "-n", "60000", "-c", "32", "--csv"]
    last = bench.run(command).strip().splitlines()[-1]
    measured = window.close()
    rate = float(last.split(",")[1].strip('"'))
    return {"rate": rate, "cost": measured["server_seconds"], **measured}


def under(make, load, env=None, wrapper=()):
    """A fresh server for each measurement: where it lies in memory is part of the noise."""

    def measure():
        port = bench.free_port()
        with bench.serving(port, [*wrapper, *make(port)], env=env):
            return load(port)

    return measure


def compare(name, make, load, how, hooked):
    taken = bench.rounds({"bare": under(make, load), "hooked": hooked}, PAIRS)
    rates = taken.ratio("hooked", "bare", "rate")
    # Noise goes both ways: it is slower when every single pair says so.
    results.add(f"{name}, {how}: requests per second", "times", ("at least", 1),
                is_reached=rates["max"] >= 1, is_noisy=True, is_main=True, **rates)
    taken.add(results, f"{name}, {how}: processor time of a request", "hooked", "bare", "cost")


preloaded = bench.environment(bench.LIBRARY)
for name, make, load in (
    ("nginx", servers.nginx, lambda port: bench.wrk(port, 32)),
    ("redis", servers.redis, redis_load),
):
    compare(name, make, load, "preloaded", under(make, load, preloaded))

if not servers.can("--hook"):
    results.skip("Go server, notified: requests per second", "not in this build")
else:
    program = servers.build_go()
    make = lambda port: [program, str(port)]
    load = lambda port: bench.wrk(port, 32)
    compare("Go server", make, load, "notified", under(make, load, wrapper=[servers.REUSE_RUN]))


# ---- a resolver, which binds a random port for each query ----


def dns_load(port):
    names = servers.write("names", "".join(f"n{number}.bench A\n" for number in range(NAMES)))
    window = bench.Window()
    text = bench.run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", names, "-c", "16", "-q", "64", "-l", "2"])
    measured = window.close()
    lost = int(re.search(r"Queries lost: +(\d+)", text).group(1))
    completed = int(re.search(r"Queries completed: +(\d+)", text).group(1))
    if lost or "NOERROR" not in text:
        raise SystemExit(f"bench: {text}")
    return {"rate": float(re.search(r"Queries per second: +([\d.]+)", text).group(1)),
            "cost": measured["server_seconds"] / completed, **measured}


def resolved(hook, is_named):
    """Two copies; without a rule, each random port is shared, and with one that names the port, none is."""

    def measure():
        port, upstream = bench.free_ports(2)
        rule = ["-r", f"tcp udp port={port} -> share"] if is_named else []
        command = [servers.REUSE_RUN, "-n2", f"--hook={hook}", *rule, "--", *servers.resolver(port, upstream)]
        with bench.serving(upstream, servers.name_server(upstream)), bench.serving(port, command, count=2):
            return dns_load(port)

    return measure


for hook in ("preload", "notify") if servers.can("--hook") else ():
    taken = bench.rounds({"none": resolved(hook, False), "named": resolved(hook, True)}, PAIRS)
    what = f"resolver, -n 2, {hook}, no rule / its port named"
    taken.add(results, f"{what}: queries per second", "none", "named", "rate", limit=("at least", 0.95), is_main=True)
    taken.add(results, f"{what}: processor time of a query", "none", "named", "cost")
results.write()
