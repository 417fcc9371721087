# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the clients lost, and whether it may be lost: what a process that was killed had accepted, and nothing else."""
import json
import os
import sys
import threading
import time

from world import Finding, Program, is_gone, log, parent_of, until

HERE = os.path.dirname(os.path.abspath(__file__))
DRAIN_S = 4  # --drain-timeout
ALWAYS = float("inf")


class Clients:
    def __init__(self, count, seed):
        reader, writer = os.pipe()
        commands, self.commands = os.pipe()
        script = f'exec {sys.executable} -IS {HERE}/clients.py {count} "{seed}" <&3'
        self.program = Program(["/bin/sh", "-c", script], None, writer, [commands])
        self.losses, self.said, self.lock = [], [], threading.Lock()
        os.close(writer)
        os.close(commands)
        threading.Thread(target=self.hear, args=(os.fdopen(reader),), daemon=True).start()

    def hear(self, reader):
        for line in reader:
            with self.lock:
                (self.losses if line.startswith("{") else self.said).append(line.strip())
            log.say(f"  clients: {line.strip()}")

    def take_losses(self):
        with self.lock:
            taken, self.losses = self.losses, []
        return [json.loads(line) for line in taken]

    def tell(self, command):
        os.write(self.commands, command.encode() + b"\n")

    def wait_said(self, start):
        def is_said():
            return any(line.startswith(start) for line in self.said)
        until(is_said, f"the clients do not say \"{start}\"")
        said = [line for line in self.said if line.startswith(start)]
        self.said = [line for line in self.said if line not in said]
        return said[0]

    def leave(self, port):
        self.tell(f"leave {port}")
        self.wait_said(f"left {port}")

    def end(self):
        """How many requests were answered."""
        self.tell("end")
        answered = int(self.wait_said("end ").split()[1])
        self.program.wait()
        return answered


class Death:
    """Of processes that are killed from now on; each may have accepted one connection that it has not greeted yet."""

    def __init__(self, processes, ports, life=None, most=None, is_frozen=False):
        self.processes, self.life, self.is_frozen = set(processes), life, is_frozen
        self.begin, self.end = time.monotonic(), ALWAYS
        self.most = len(self.processes) if most is None else most
        self.silent = {port: self.most for port in ports}
        self.losers = set()

    def wait(self):
        """Until nobody can have accepted anything any more."""
        until(lambda: all(map(is_gone, self.processes)), f"{self.processes} have not ended")
        self.end = time.monotonic()

    def explains(self, loss):
        if loss["begun"] > self.end or loss["ended"] < self.begin:
            return False
        if not loss["greeting"] and self.is_frozen and loss["ended"] - loss["begun"] >= DRAIN_S:
            return True  # it was in the queue until the time for a drain was over
        if not loss["greeting"]:
            self.silent[loss["port"]] = self.silent.get(loss["port"], 0) - 1
            return self.silent[loss["port"]] >= 0
        process, _, life, _, _ = loss["greeting"]
        if int(process) not in self.processes and life != self.life:
            return False
        self.losers.add(process)
        return len(self.losers) <= self.most


class Losses:
    def __init__(self, clients):
        self.clients, self.deaths, self.count = clients, [], 0
        self.frozen = set()  # processes that were stopped for a moment

    def killed(self, processes, ports, **more):
        death = Death(processes, ports, **more)
        self.deaths.append(death)
        return death

    def judge(self, said):
        """SAID is what the supervisors have said since the last time."""
        for loss in self.clients.take_losses():
            self.count += 1
            if not self.is_permitted(loss, said):
                raise Finding(f"a request was lost: {loss}")

    def is_permitted(self, loss, said):
        if loss["how"] in ("refused", "hung"):
            return False
        if loss["greeting"] and self.is_announced(loss, said):
            return True
        return any(death.explains(loss) for death in self.deaths)

    def is_announced(self, loss, said):
        """By a copy that dies on its probation, that hung, or that still had connections when its drain was over."""
        process, _, _, parent, trouble = loss["greeting"]

        def is_said(what):
            return any(f" process {each} {what}" in said for each in (process, parent))
        return (trouble == "weak"
                or (int(process) in self.frozen and is_said("takes nothing from its queue"))
                or (is_said("still has connections after") and loss["ended"] - loss["begun"] >= DRAIN_S))
