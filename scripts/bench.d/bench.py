# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the parts of the benchmark share: their results, rounds that take turns, servers, load."""
import atexit
import contextlib
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BENCH_BUILD", os.path.join(SOURCE, "build", "bench"))
CORES = len(os.sched_getaffinity(0))
OTHERS_MOST = 0.05  # of the machine, that others may use before a round does not count
TICKS = os.sysconf("SC_CLK_TCK")


def path(*names):
    """Where something is built."""
    return os.path.join(BUILD, *names)


LIBRARY = path("preload", "libreuse.so")
EMPTY = path("preload", "libempty.so")  # its name is as long: the dynamic linker reads both


def say(text):
    """Progress, on standard error: standard output is for the table."""
    print(f"    {text}", file=sys.stderr, flush=True)


def environment(preload=None, rules=None, config="", **more):
    """The same few variables for every program, so that nothing of the caller's counts."""
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LC_ALL": "C"}
    if preload:
        variables["LD_PRELOAD"] = preload
    if config:
        variables["REUSE_CONFIG"] = config
    if rules:
        variables["REUSE_RULES"] = rules
    return {**variables, **more}


def take_precedence():
    """
    A session of its own with a higher priority, where that is allowed: the kernel shares the
    processors out between sessions (sched(7), autogroup), and others shall disturb little.
    """
    with contextlib.suppress(OSError):
        os.setsid()
        with open("/proc/self/autogroup", "w", encoding="utf-8") as file:
            file.write("-20")
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)


# ---- results ----


class Results:
    """The lines of one part, written to PART.json."""

    def __init__(self, part, title):
        self.part, self.title, self.lines = part, title, []
        take_precedence()
        say(title)

    def add(self, what, unit, limit=None, **values):
        """LIMIT: ("at most" or "at least", number); it is for the value, or for the median."""
        line = {"what": what, "unit": unit, **values}
        if limit:
            number = line["value"] if "value" in line else line["median"]
            reached = number <= limit[1] if limit[0] == "at most" else number >= limit[1]
            line.update(limit=list(limit), is_reached=line.pop("is_reached", reached))
        self.lines.append(line)
        say(f"  {what}: {show(line)}")
        return line

    def skip(self, what, why):
        self.lines.append({"what": what, "skipped": why})
        say(f"  {what}: skipped, {why}")

    def write(self):
        with open(path(f"{self.part}.json"), "w", encoding="utf-8") as file:
            json.dump({"part": self.part, "title": self.title, "lines": self.lines}, file, indent=1)


def number(value):
    """A number as it is shown: a count whole, a ratio with as many digits as it can mean."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{round(value):,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def show(line):
    if "skipped" in line:
        return line["skipped"]
    if "value" in line:
        return f"{number(line['value'])} {line['unit']}".strip()
    return (
        f"{number(line['median'])} {line['unit']}".strip()
        + f" ({number(line['min'])} to {number(line['max'])}, {line['runs']} runs)"
    )


def spread(values):
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "runs": len(values),
    }


# ---- counts ----


def run(command, **options):
    """Runs COMMAND to its end; what it prints to standard output."""
    return complete(command, **options).stdout


def complete(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: {done.stdout}{done.stderr}")
    return done


def instructions(command, env):
    """User-space instructions of COMMAND, from its first to its last."""
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"]
    text = complete([*tool, *command], env=env).stderr
    return int(re.search(r"Collected : (\d+)", text).group(1))


def system_calls(command, env):
    trace = path("strace.out")
    variables = [f"{name}={value}" for name, value in env.items()]
    run(["strace", "-f", "-c", "-o", trace, "env", "-i", *variables, *command])
    with open(trace, encoding="utf-8") as file:
        total = re.search(r"^100\.00 .*total$", file.read(), re.MULTILINE).group(0)
    return int(total.split()[3])


def free_ports(count):
    """Different ones: each is held until all are found."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


def free_port():
    return free_ports(1)[0]


def usual_port():
    """The same port each time, if it is free, so that counts repeat; no client is given one of these."""
    for port in range(21000, 22000):
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
    return free_port()


# ---- rounds ----


def tree():
    """The processes that descend from this one."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
    found, front = [], [os.getpid()]
    while front:
        front = [pid for pid, parent in parents.items() if parent in front]
        found += front
    return found


def ticks_of(pid):
    """What a process, and the children that it has waited for, took of the processors."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    except OSError:
        return 0


class Window:
    """A span of time, and what the servers, and what others took of the processors in it."""

    def __init__(self):
        self.servers = tree()
        self.start = self.now()

    def now(self):
        with open("/proc/stat", encoding="utf-8") as file:
            user, nice, system, idle, wait, *interrupts = map(int, file.readline().split()[1:9])
        busy = user + nice + system + sum(interrupts)
        ours = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "all": busy + idle + wait,
            "busy": busy,
            "servers": sum(map(ticks_of, self.servers)),
            "ours": sum(usage.ru_utime + usage.ru_stime for usage in ours) * TICKS,
        }

    def close(self):
        end = self.now()
        passed = {name: end[name] - self.start[name] for name in end}
        others = passed["busy"] - passed["servers"] - passed["ours"]
        return {
            "server_seconds": passed["servers"] / TICKS,
            "others": max(0.0, others / max(1, passed["all"])),
        }


def rounds(variants, count):
    """
    Runs each of VARIANTS (name: function that returns what it measured) in turn, COUNT times, the
    order turned round each time: what drifts, drifts for all. A round in which others used the
    machine is run again, up to half as many times; when that is not enough, the quietest count.
    """
    done = []
    for turn in range(count + (count + 1) // 2):
        names = list(variants)[:: -1 if turn % 2 else 1]
        measured = {name: variants[name]() for name in names}
        others = max(each.get("others", 0) for each in measured.values())
        done.append((others, measured))
        if sum(each[0] <= OTHERS_MOST for each in done) == count:
            break
    done.sort(key=lambda each: each[0])
    kept = done[:count]
    return Rounds([measured for _, measured in kept], kept[-1][0])


class Rounds:
    def __init__(self, kept, others):
        self.kept = kept
        self.others = others  # the most that others took of the machine in a round

    def ratio(self, above, below, metric):
        """Of two variants in the same round: median, minimum, maximum."""
        values = [each[above][metric] / each[below][metric] for each in self.kept]
        return {**spread(values), "others": round(self.others, 3)}

    def add(self, results, what, above, below, metric, **options):
        return results.add(what, "times", **options, **self.ratio(above, below, metric))


# ---- servers and load ----

started = []


def end(process, how=signal.SIGTERM):
    """Ends a server with all that it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process in started:
        started.remove(process)


@atexit.register
def end_all():
    for process in list(started):
        end(process, signal.SIGKILL)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))


def spawn(command, env=None):
    with open(path("server.log"), "ab") as log:
        process = subprocess.Popen(
            command,
            env=env or environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=os.setpgrp,
        )
    started.append(process)
    return process


def wait_until(is_so, what, seconds=30):
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            sys.exit(f"bench: waited in vain: {what}; see {path('server.log')}")
        time.sleep(0.01)


def listeners(port):
    """How many sockets listen on an IPv4 port."""
    with open("/proc/net/tcp", encoding="utf-8") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return sum(int(line[1][-4:], 16) == port and line[3] == "0A" for line in lines)


def wait_listening(port, count=1, seconds=30):
    wait_until(lambda: listeners(port) >= count, f"{count} on port {port}", seconds)


@contextlib.contextmanager
def serving(port, *commands, count=None, env=None, seconds=30):
    """Servers, listening with COUNT sockets (one each) while the body runs."""
    processes = [spawn(command, env) for command in commands]
    try:
        wait_listening(port, count or len(commands), seconds)
        yield processes
    finally:
        for process in processes:
            end(process)
        wait_until(lambda: listeners(port) == 0, f"port {port} to be free")


UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def wrk(port, connections, seconds=1, ports=None):
    """Load from wrk; with PORTS, as many connections split over several servers."""
    ports = ports or [port]
    window = Window()
    loads = [
        subprocess.Popen(
            ["wrk", "-t1", f"-c{connections // len(ports)}", f"-d{seconds}s", "--timeout", "30s",
             "--latency", f"http://127.0.0.1:{each}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for each in ports
    ]
    texts = [load.communicate()[0] for load in loads]
    measured = window.close()
    text = texts[0]
    requests = sum(int(re.search(r"(\d+) requests in", each).group(1)) for each in texts)
    measured["rate"] = sum(float(re.search(r"Requests/sec: +([\d.]+)", each).group(1)) for each in texts)
    measured["cost"] = measured["server_seconds"] / max(1, requests)
    for share in (50, 99):
        value, unit = re.search(rf"{share}% +([\d.]+)(us|ms|s|m)\b", text).groups()
        measured[f"p{share}"] = float(value) * UNITS[unit]
    if "Non-2xx" in text:
        sys.exit(f"bench: errors under load: {text}")
    return measured
