# SPDX-License-Identifier: LGPL-2.1-or-later
"""
kernel.py: what the kernel hook adds to a bind, and what steer=least gains where one of two copies is
slow, or where requests are of uneven length. Needs root; what it loads ends with it.
"""
import contextlib
import ctypes
import os
import random
import socket
import threading
import time

import bench
import copies
import rules
import servers

BINDS = 20000  # of one measurement
BIND_ROUNDS = 21
ROUNDS = 5
REQUESTS, A_SECOND = 600, 80
LEAST = "--steer=least"
REUSE_BPF = bench.path("tree", "reuse-bpf")
PINS = "/sys/fs/bpf"
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000

results = bench.Results("kernel", "The kernel hook, and steer=least")


# ---- what is loaded ----


def mount():
    """A BPF file system that only this process and what it starts see. Returns why not, or ""."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not os.path.exists(REUSE_BPF):
        return "libreuse was built without reuse-bpf"
    if os.geteuid() != 0:
        return "only root can load programs"
    if (libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) or
            libc.mount(b"bpf", PINS.encode(), b"bpf", 0, None)):
        return "no BPF file system can be mounted"
    return "" if cgroups() else "there are no control groups of version 2"


def cgroups():
    with open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split() for line in file]
    return next((words[1] for words in mounts if words[2] == "cgroup2"), None)


def reuse_bpf(*words, pins="libreuse"):
    bench.run([REUSE_BPF, *words], env=bench.environment(REUSE_BPF_PIN=f"{PINS}/{pins}"))


@contextlib.contextmanager
def attached(name, file):
    """A control group that the policy in FILE is attached to."""
    folder = f"{cgroups()}/libreuse-bench-{os.getpid()}-{name}"
    os.mkdir(folder)
    try:
        reuse_bpf("load", "-f", file, pins=name)
        reuse_bpf("attach", folder, pins=name)
        yield folder
    finally:
        reuse_bpf("unload", pins=name)
        os.rmdir(folder)


# ---- a bind ----


def bind_time(port, folder=None):
    def enter():
        if folder:
            with open(f"{folder}/cgroup.procs", "w", encoding="utf-8") as file:
                file.write("0")

    command = [bench.path("bind_time"), str(port), str(BINDS)]
    return lambda: {"ns": float(bench.run(command, preexec_fn=enter, env=bench.environment()))}


def measure_binds():
    port = bench.usual_port()
    with attached("one", rules.file(rules.ports, port, 1)) as one, \
            attached("many", rules.file(rules.ports, port, 10000)) as many:
        taken = bench.rounds({"bare": bind_time(port), "1 rule": bind_time(port, one),
                              "10,000 rules": bind_time(port, many)}, BIND_ROUNDS)
    results.add("a bind, bare", "ns", **bench.spread([each["bare"]["ns"] for each in taken.kept]))
    for name, most in ("1 rule", 1.15), ("10,000 rules", 1.35):
        taken.add(results, f"a bind, kernel hook, {name} / bare", name, "bare", "ns",
                  limit=("at most", most), is_main=True)


# ---- one slow copy of two ----


def ask(port, times):
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while client.recv(1000):
            pass
    times.append(time.monotonic() - start)


def one_slow(option):
    """Clients that come by chance, whether those before them have been answered or not."""

    def measure():
        dice, times, clients = random.Random(42), [], []
        with copies.supervised(2, option, servers.one_slow) as port:
            window = bench.Window()
            for _ in range(REQUESTS):
                time.sleep(dice.expovariate(A_SECOND))
                clients.append(threading.Thread(target=ask, args=(port, times)))
                clients[-1].start()
            for client in clients:
                client.join()
            return {"p99": sorted(times)[len(times) * 99 // 100], **window.close()}

    return measure


def measure_one_slow():
    taken = bench.rounds({"least": one_slow(LEAST), "hash": one_slow(copies.EACH)}, ROUNDS)
    taken.add(results, "one of two copies ten times slower, steer=least / hash: latency, p99", "least",
              "hash", "p99", limit=("at most", 1 / 3), is_main=True)


# ---- uneven requests ----


def measure_uneven(clients):
    """The same as in queues.py."""
    server = servers.uneven
    variants = {
        "steer=least": copies.copies_of(server, LEAST, clients),
        "a queue each": copies.copies_of(server, copies.EACH, clients),
        "one queue": copies.copies_of(server, copies.ONE, clients),
        "HAProxy leastconn": copies.behind(copies.haproxy(" maxconn 1"), server, clients),
    }
    taken = bench.rounds(variants, ROUNDS)
    for metric in "rate", "p99":
        for other in list(variants)[1:]:
            taken.add(results, f"uneven requests, {clients} clients, steer=least / {other}: "
                      f"{copies.METRICS[metric]}", "steer=least", other, metric, is_main=True)


obstacle = mount()
if obstacle:
    results.skip("the kernel hook", obstacle)
else:
    measure_binds()
    with open(bench.path("share.conf"), "w", encoding="utf-8") as rules_file:
        rules_file.write("share\n")
    reuse_bpf("load", "-f", bench.path("share.conf"))
    measure_one_slow()
    for clients in copies.COPIES, 2 * copies.COPIES:
        measure_uneven(clients)
    reuse_bpf("unload")
results.write()
