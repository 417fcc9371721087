# SPDX-License-Identifier: LGPL-2.1-or-later
"""start.py [NAME=FILE.so]...: what it costs a program that makes no socket to be started."""
import os
import shutil
import sys

import bench
import rules

ROUNDS = 0 if os.environ.get("BENCH_QUICK") else 11
STARTS = 100
PRIVATE_MOST = 16 * 1024  # bytes

results = bench.Results("start", "Cost of being loaded, over an empty preloaded object")
nothing = bench.path("nothing")
empty = bench.environment(bench.EMPTY)
own_instructions = bench.instructions([nothing], empty)
several = {
    count: bench.environment(bench.LIBRARY, config=rules.file(rules.ports, 65535, count))
    for count in (10, 10000)
}
policies = {"no configuration": bench.environment(bench.LIBRARY)}
policies.update({f"{count:,} rules": env for count, env in several.items()})


def started(env, starts=STARTS):
    def measure():
        window = bench.Window()
        nanoseconds, processor = map(int, bench.run([bench.path("start"), str(starts), nothing], env=env).split())
        return {"time": nanoseconds, "processor": processor / starts, **window.close()}

    return measure


def private(env):
    return int(bench.run([bench.path("memory"), "private"], env=env))


def size(library):
    """Bytes of the object without what only a debugger reads."""
    copy = bench.path("stripped.so")
    shutil.copy(library, copy)
    bench.run(["strip", copy])
    return os.path.getsize(copy)


instructions_most = {"no configuration": 18000, "10,000 rules": 3500 * 10000}
for name, env in policies.items():
    limit = ("at most", instructions_most[name]) if name in instructions_most else None
    added = bench.instructions([nothing], env) - own_instructions
    results.add(f"{name}: instructions", "", limit, value=added, is_main=limit is not None)
for name, env in policies.items():
    limit = ("at most", PRIVATE_MOST) if env is policies["no configuration"] else None
    results.add(f"{name}: private memory", "bytes", limit, value=private(env),
                is_main=limit is not None)
results.add("size of the object, stripped", "bytes", value=size(bench.LIBRARY))
for other in sys.argv[1:]:
    name, _, library = other.partition("=")
    loaded, own = (bench.instructions([nothing], {**os.environ, "LD_PRELOAD": each})
                   for each in (library, bench.EMPTY))
    results.add(f"{name}: instructions", "", value=loaded - own)
    results.add(f"{name}: size of the object, stripped", "bytes", value=size(library))
if ROUNDS:
    variants = {name: started(env) for name, env in {"empty": empty, **policies}.items()}
    taken = bench.rounds(variants, ROUNDS)
    for name in policies:
        taken.add(results, f"{name}: time of a start", name, "empty", "time")
    reading = [
        (each["10,000 rules"]["processor"] - each["no configuration"]["processor"]) / 1000
        for each in taken.kept
    ]
    results.add("reading 10,000 rules: processor time", "ms", **bench.spread(reading))
results.write()
