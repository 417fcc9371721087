# SPDX-License-Identifier: LGPL-2.1-or-later
"""growth.py: what becomes of the costs with many rules, sockets on a port, copies, endpoints."""
import os
import signal

import bench
import rules
import servers

FEW, MANY = 20, 220  # cycles
RULES = 1, 10, 100, 1000, 10000
SOCKETS = 16, 64, 256, 1024, 4096
COPIES = 1, 4, 16, 64
PATIENCE = 120  # seconds, until so many interpreters have started one after the other
ROUNDS = 5
ENDPOINTS = 25, 250
ENDPOINTS_MOST = 15  # times the CPU time, for ten times the endpoints

results = bench.Results("growth", "Growth: with the number of rules, of sockets, of copies")
port = bench.usual_port()


def ours(**options):
    return bench.environment(bench.LIBRARY, **options)


# ---- rules ----


def bind_instructions(env):
    few, many = (bench.instructions([bench.path("cycle"), str(port), str(n)], env) for n in (FEW, MANY))
    return (many - few) / (MANY - FEW)


own = bind_instructions(bench.environment(bench.EMPTY))
own_start = bench.instructions([bench.path("nothing")], bench.environment(bench.EMPTY))
for shape, words in (rules.ports, "a port each"), (rules.ranges, "prefixes and ranges"):
    for count in RULES:
        env = ours(config=rules.file(shape, port, count))
        name = f"{count:,} rules, {words}"
        point = {"x": count, "curve": words}
        results.add(f"{name}: instructions of a bind", "", picture="bind",
                    value=round(bind_instructions(env) - own), **point)
        start = bench.instructions([bench.path("nothing")], env) - own_start
        results.add(f"{name}: instructions of a start, each rule", "", picture="start",
                    value=round(start / count), **point)
        memory = int(bench.run([bench.path("memory"), "private"], env=env))
        results.add(f"{name}: private memory", "bytes", picture="memory", value=memory, **point)

# ---- sockets on a port ----


def joined(count, preload, *native):
    def measure():
        window = bench.Window()
        command = [bench.path("group"), str(bench.free_port()), str(count), *native]
        time = int(bench.run(command, env=bench.environment(preload)))
        return {"time": time, **window.close()}

    return measure


if not os.environ.get("BENCH_QUICK"):
    variants = {}
    for count in SOCKETS:
        variants[f"native {count}"] = joined(count, bench.EMPTY, "native")
        variants[f"ours {count}"] = joined(count, bench.LIBRARY)
    taken = bench.rounds(variants, ROUNDS)
    for count in SOCKETS:
        taken.add(results, f"{count:,} sockets on a port: time of a bind / with SO_REUSEPORT in the "
                  "program", f"ours {count}", f"native {count}", "time", picture="group", x=count,
                  curve="libreuse / native")
    for count in SOCKETS[1:]:
        taken.add(results, f"{count:,} sockets on a port: time of a bind / with {SOCKETS[0]}, both "
                  "without libreuse", f"native {count}", f"native {SOCKETS[0]}", "time",
                  picture="kernel", x=count, curve="the kernel's own growth")

# ---- copies under one supervisor ----


def private(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_"))


if os.environ.get("BENCH_QUICK") or not servers.can("--keep"):
    results.skip("copies under one supervisor: private memory of the supervisor",
                 "counts only" if os.environ.get("BENCH_QUICK") else "not in this build")
else:
    for count in COPIES:
        at = bench.free_port()
        command = [servers.REUSE_RUN, "-n", str(count), "--keep", "--ready-delay=0s",
                   *servers.slow(at)]
        with bench.serving(at, command, count=count, seconds=PATIENCE) as (supervisor,):
            results.add(f"{count} copies under one supervisor: its private memory", "bytes",
                        picture="copies", x=count, curve="supervisor",
                        value=private(supervisor.pid))

# ---- endpoints of each copy ----


def cpu_time(pid):
    """What a process took of the processors, in nanoseconds."""
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[0])


def replaced(count):
    """Rolls two copies with so many endpoints, and stops them; what the supervisor took for it."""
    def measure():
        at = bench.free_port()
        window = bench.Window()
        command = [servers.REUSE_RUN, "-q", "-n2", "--keep", bench.path("endpoints"), str(at), str(count)]
        with bench.serving(at, command, count=2 * count) as (supervisor,):
            started = cpu_time(supervisor.pid)
            bench.run([servers.REUSE_RUN, "--roll", str(supervisor.pid)], env=bench.environment())
            rolled = cpu_time(supervisor.pid)
            supervisor.send_signal(signal.SIGTERM)
            os.waitid(os.P_PID, supervisor.pid, os.WEXITED | os.WNOWAIT)
            stopped = cpu_time(supervisor.pid)
        return {"roll": rolled - started, "stop": stopped - rolled, **window.close()}

    return measure


if os.environ.get("BENCH_QUICK") or not servers.can("--keep"):
    results.skip("a roll and a stop of copies with many endpoints",
                 "counts only" if os.environ.get("BENCH_QUICK") else "not in this build")
else:
    few, many = ENDPOINTS
    taken = bench.rounds({"few": replaced(few), "many": replaced(many)}, ROUNDS)
    for what in "roll", "stop":
        taken.add(results, f"a {what} of copies with {many} endpoints: CPU time / with {few}", "many",
                  "few", what, limit=("at most", ENDPOINTS_MOST))
results.write()
