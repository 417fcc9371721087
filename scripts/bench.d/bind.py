# SPDX-License-Identifier: LGPL-2.1-or-later
"""bind.py [NAME=FILE.so]...: what preloading adds to socket, bind, listen and close."""
import os
import sys

import bench
import rules

FEW, MANY = 20, 220  # cycles; the difference is free of what the start costs

results = bench.Results("bind", "Cost of a bind: what is added to socket, bind, listen, close")
port = bench.usual_port()


def per_cycle(count, env):
    """What COUNT counts, for one cycle of the four calls."""
    few, many = (count([bench.path("cycle"), str(port), str(n)], env) for n in (FEW, MANY))
    return (many - few) / (MANY - FEW)


bare = bench.environment(bench.EMPTY)
own_instructions = per_cycle(bench.instructions, bare)
own_calls = per_cycle(bench.system_calls, bare)


def measure(name, env, instructions_most=None, calls_most=None, main=()):
    instructions = round(per_cycle(bench.instructions, env) - own_instructions)
    calls = round(per_cycle(bench.system_calls, env) - own_calls)
    results.add(f"{name}: instructions", "", instructions_most, value=instructions,
                is_main="instructions" in main)
    results.add(f"{name}: system calls", "", calls_most, value=calls, is_main="calls" in main)
    return instructions


def ours(**options):
    return bench.environment(bench.LIBRARY, **options)


measure("built-in policy", ours(), ("at most", 300), ("at most", 3), ("instructions", "calls"))
measure("no rule matches", ours(rules="port=9 -> share"), None, ("at most", 0), ("calls",))
measure("no rule matches, one names a protocol", ours(rules="udp -> share"), None, ("at most", 1))
one = measure("1 rule", ours(config=rules.file(rules.ports, port, 1)), ("at most", 300), ("at most", 3))
for count in 100, 10000:
    for shape, words in (rules.ports, "a port each"), (rules.ranges, "prefixes and ranges of ports"):
        env = ours(config=rules.file(shape, port, count))
        measure(f"{count:,} rules, {words}", env, ("at most", 2 * one), ("at most", 3),
                ("instructions",) if count == 10000 else ())
for other in sys.argv[1:]:
    name, _, library = other.partition("=")
    measure(name, {**os.environ, "LD_PRELOAD": library})
results.write()
