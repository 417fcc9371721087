# SPDX-License-Identifier: LGPL-2.1-or-later
"""restart.py: what clients lose while a server is restarted under load, in each of several ways."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile

import bench
import servers

RESTARTS = 20
MANY = 100  # where nothing may be lost
CLIENTS = 16
ROOT = os.geteuid() == 0

results = bench.Results("restart", "Restart under load: lost requests, and the slowest")
SHARED = bench.environment(bench.LIBRARY)
KEPT = "tcp -> share keep"


# ---- clients ----


@contextlib.contextmanager
def asking(port):
    """Clients that ask all the while; what became of their requests is in the dictionary."""
    outcome = {}
    process = subprocess.Popen([bench.path("ask"), str(port), str(CLIENTS)], stdout=subprocess.PIPE,
                               text=True)
    bench.started.append(process)
    try:
        yield outcome
    finally:
        process.send_signal(signal.SIGTERM)
        words = process.communicate()[0].split()
        bench.started.remove(process)
        names = "answered", "refused", "cut off", "median", "slowest"
        outcome.update(zip(names, map(int, words)))


def record(what, outcome, restarts, limit):
    lost = outcome["refused"] + outcome["cut off"]
    results.add(f"{what}: lost requests a restart", "", limit, value=lost / restarts, is_main=True,
                refused=outcome["refused"], cut_off=outcome["cut off"], restarts=restarts,
                answered=outcome["answered"])
    results.add(f"{what}: slowest request / median", "times",
                value=outcome["slowest"] / outcome["median"])


def restarted(process, command, port, count, env=None):
    """Ends a server as systemctl does, and starts another in its place."""
    bench.end(process)
    fresh = bench.spawn(command, env)
    bench.wait_listening(port, count)
    return fresh


# ---- ways to restart ----


def plain():
    port = bench.free_port()
    with bench.serving(port, servers.slow(port)) as copies, asking(port) as outcome:
        for _ in range(RESTARTS):
            copies[0] = restarted(copies[0], servers.slow(port), port, 1)
    return outcome


def shared():
    """Two copies that share a port, replaced in turn."""
    port = bench.free_port()
    command = servers.slow(port)
    with bench.serving(port, command, command, env=SHARED) as copies, asking(port) as outcome:
        for turn in range(RESTARTS):
            copies[turn % 2] = restarted(copies[turn % 2], command, port, 2, SHARED)
    return outcome


def haproxy():
    """HAProxy's own reload, of a master with workers, which hands its sockets over."""
    port, *backends = bench.free_ports(3)
    with contextlib.ExitStack() as stack:
        for backend in backends:
            stack.enter_context(bench.serving(backend, servers.slow(backend)))
        master, = stack.enter_context(
            bench.serving(port, servers.haproxy(port, backends, "tcp"), count=1))
        with asking(port) as outcome:
            for _ in range(RESTARTS):
                before = children(master.pid)
                master.send_signal(signal.SIGUSR2)
                bench.wait_until(lambda: children(master.pid) - before, "a new worker")
                bench.wait_until(lambda: not children(master.pid) & before, "the old one's end")
    return outcome


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return set(file.read().split())


def migrating():
    """The same as shared(), in a network of its own, where the kernel moves what is queued."""
    command = [servers.PYTHON, "-B", os.path.abspath(__file__), "migrate"]
    text = bench.run(["unshare", "--net", *command], env=dict(os.environ))
    answered, refused, cut_off, median, slowest = map(int, text.split()[-5:])
    return {"answered": answered, "refused": refused, "cut off": cut_off, "median": median,
            "slowest": slowest}


def migrate():
    bench.run(["ip", "link", "set", "lo", "up"])
    with open("/proc/sys/net/ipv4/tcp_migrate_req", "w", encoding="utf-8") as file:
        file.write("1")
    print(*shared().values())


class Systemd:
    """A systemd of its own, with one service."""

    def __init__(self, port, environment, more=""):
        units = bench.path("units")
        os.makedirs(units, exist_ok=True)
        with open(os.path.join(units, "web.service"), "w", encoding="utf-8") as file:
            file.write(f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nEnvironment={environment}\n"
                       f"{more}ExecStart={' '.join(servers.slow(port))}\n")
        boot = os.path.join(bench.SOURCE, "tests", "system", "programs", "boot-systemd")
        self.group = tempfile.mkdtemp(prefix="libreuse-", dir=own_group())
        self.host = bench.spawn([boot, self.group, units, bench.LIBRARY])
        bench.wait_until(self.is_up, "systemd to come up")

    def is_up(self):
        found = children(self.host.pid)
        self.pid = next(iter(found), None)
        return found and os.path.exists(f"/proc/{self.pid}/root/run/systemd/private")

    def ctl(self, verb):
        bench.run(["nsenter", "-t", self.pid, "-m", "-p", "systemctl", verb, "web"])

    def end(self):
        bench.end(self.host)
        for folder, _, _ in os.walk(self.group, topdown=False):
            bench.wait_until(lambda: remove_group(folder), "a control group to be empty")


def own_group():
    """The folder of the control group (cgroups(7)) that we are in."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mount = next(line.split()[4] for line in file if " - cgroup2 " in line)
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        own = next(line.strip()[3:] for line in file if line.startswith("0::"))
    return mount + own


def remove_group(folder):
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.exists(folder)


def kept():
    port = bench.free_port()
    systemd = Systemd(port, f'LD_PRELOAD={bench.LIBRARY} "REUSE_RULES={KEPT}" REUSE_CONFIG=',
                      "FileDescriptorStoreMax=16\nRestart=always\n")
    try:
        systemd.ctl("start")
        bench.wait_listening(port)
        with asking(port) as outcome:
            for _ in range(MANY):
                systemd.ctl("restart")
    finally:
        systemd.end()
    return outcome


def rolled():
    port = bench.free_port()
    pid_file = bench.path("roll.pid")
    command = [servers.REUSE_RUN, "-n", "2", "--keep", "--ready-delay=50ms", "--pid-file", pid_file,
               *servers.slow(port)]
    with bench.serving(port, command, count=2), asking(port) as outcome:
        for _ in range(MANY):
            bench.run([servers.REUSE_RUN, "--roll", pid_file], env=bench.environment())
    return outcome


def measure(what, function, why_not=None, limit=None, restarts=RESTARTS):
    if why_not:
        results.skip(f"{what}: lost requests a restart", why_not)
    else:
        record(what, function(), restarts, limit)


if sys.argv[1:] == ["migrate"]:
    migrate()
    sys.exit()

needs_root = None if ROOT else "it needs root"
needs_sysctl = needs_root
if not os.path.exists("/proc/sys/net/ipv4/tcp_migrate_req"):
    needs_sysctl = "this kernel has no net.ipv4.tcp_migrate_req"
measure("one copy, plainly restarted", plain)
measure("two that share, plainly restarted in turn", shared)
measure("the same with tcp_migrate_req=1", migrating, needs_sysctl)
# The one request that the killed process had accepted is lost with it.
measure("one copy, kept by systemd", kept, needs_root, ("at most", 1), MANY)
measure("two copies, rolled by reuse-run", rolled,
        None if servers.can("--roll") else "not in this build", ("at most", 0), MANY)
measure("HAProxy's seamless reload, two servers behind", haproxy)
results.write()
