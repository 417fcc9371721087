# SPDX-License-Identifier: LGPL-2.1-or-later
"""running.py: requests per second of running servers, with libreuse and without."""

import bench
import servers

PAIRS = 9

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
results.write()
