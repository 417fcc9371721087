# SPDX-License-Identifier: LGPL-2.1-or-later
"""A supervised server as its administrator has it: its options, its configuration, and what has to be true of it."""
import json
import os
import random
import signal
import socket
import sys

from losses import DRAIN_S, HERE, Clients, Losses
from manager import Manager
from world import (Finding, Program, abstract_names, guardians, is_gone, listeners, log, name_of, parent_of,
                   processes, read, until, variable_of, words_of)

COPIES_MOST = 5
CLIENTS = 5
PORTS = range(8080, 8086)  # of which it has the first one, and one of the others
FIRST_PORT = PORTS[0]


class Options:
    """Of one life of the supervisor."""

    def __init__(self, choice, hook, queues):
        self.hook, self.queues = hook, queues
        self.copies = choice.randrange(max(1, queues), COPIES_MOST)
        self.ready = choice.choice(("listen", "listen", f"tcp:{FIRST_PORT}"))
        self.ready_delay_ms = choice.choice((0, 100, 500))
        self.probation_ms = choice.choice((100, 1000))
        self.is_impatient = choice.random() < 0.2  # a copy that is not ready soon is given up
        self.is_asked = choice.random() < 0.2
        # By listen, a first copy may be ready before it listens on its second port, which a rule has to name then.
        self.is_named = self.ready == "listen" or choice.random() < 0.5
        self.steer = choice.choice((None, None, "source", "random"))

    def words(self):
        words = [f"--hook={self.hook}", "-v", f"-n{self.copies}", f"--ready={self.ready}",
                 f"--ready-delay={self.ready_delay_ms}ms", f"--probation={self.probation_ms}ms",
                 f"--ready-timeout={'5s' if self.is_impatient else '60s'}",
                 f"--drain-timeout={DRAIN_S}s", "--grace=1s"]
        if self.queues:
            words.append(f"--queues={self.queues}")
        if self.is_asked:
            words += [f"--alive=tcp:{FIRST_PORT}", "--alive-interval=5s", "--alive-failures=2"]
        if self.is_named:
            words += ["-r", f"tcp port={PORTS[0]}-{PORTS[-1]} -> share" + (f" steer={self.steer}" if self.steer else "")]
        elif self.steer:
            words.append(f"--steer={self.steer}")
        return words


class Service:
    def __init__(self, run, hook, queues, folder, seed):
        self.run, self.hook, self.queues, self.folder = run, hook, queues, folder
        self.config, self.pid_file = os.path.join(folder, "config"), os.path.join(folder, "pid")
        self.ports, self.life, self.copies = [FIRST_PORT, FIRST_PORT + 1], 0, 0
        self.manager, self.losses = Manager(folder), Losses(Clients(CLIENTS, seed))
        self.sources = random.Random(seed)

    # ---- what the administrator does ----

    def configure(self, trouble="none", worker=-1):
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            file.write(f"{' '.join(map(str, self.ports))}\n{trouble} {worker}\n")
        os.rename(self.config + ".new", self.config)

    def start(self, choice):
        self.life += 1
        self.options = Options(choice, self.hook, self.queues)
        self.copies = self.options.copies  # None: any number, for it is not known what came of the last request
        words = [self.run, *self.options.words(), f"--pid-file={self.pid_file}", "--", sys.executable, "-IS",
                 os.path.join(HERE, "server.py"), self.config]
        log.say(f"  starts life {self.life}: {' '.join(words)}")
        self.supervisor = self.manager.start(words, CHAOS_LIFE=str(self.life))
        until(lambda: read(self.pid_file).strip() == str(self.supervisor.process) or self.supervisor.status() is not None,
              "there is no pid file")  # from then on it minds its signals

    def call(self, *words):
        """Starts --roll, --scale or --status."""
        verb, *more = words
        return Program([self.run, verb, str(self.supervisor.process), *more])

    def finish(self, asked, *expected):
        """What it exits with, which has to be one of those, and what it has said."""
        status, said = asked.wait(), asked.output()
        log.say(f"  {' '.join(asked.words[1:])} exits with {status}: {said.strip()!r}")
        if status not in expected:
            raise Finding(f"{' '.join(asked.words[1:])} exits with {status}, and not one of {expected}: {said}")
        return status, said

    def signal(self, number):
        log.say(f"  {signal.Signals(number).name} to the supervisor")
        if self.supervisor.status() is not None:
            raise Finding(f"the supervisor has ended with {self.supervisor.status()}")
        self.supervisor.signal(number)

    # ---- what is there ----

    def programs(self):
        """The processes of the server, by their numbers."""
        return sorted(each for each in processes() if os.path.join(HERE, "server.py") in words_of(each)
                      and variable_of(each, "CHAOS_LIFE") and "--" not in words_of(each))

    def copy_of(self, program, copies):
        """The copy that a program is, or is in."""
        while program and program not in copies:
            program = parent_of(program)
        return program

    def status(self):
        """What --status says; None when nobody answers."""
        asked = self.call("--status", "--json")
        status, said = asked.wait(), asked.output()
        if status not in (0, 1):
            return None
        found = json.loads(said)
        is_ready = found["ready"] == found["wanted"]
        if is_ready != (status == 0):
            raise Finding(f"--status exits with {status}, and says {said}")
        return found

    # ---- what has to be true ----

    def what_is_missing(self):
        """Why it is not as it has to be when nothing is under way; None: it is."""
        if self.supervisor.status() is not None:
            raise Finding(f"the supervisor has ended with {self.supervisor.status()}")
        status = self.status()
        if not status or status["state"] != "running":
            return f"--status says {status}"
        wanted = self.copies or status["wanted"]
        states = [(row["copy"], row["state"]) for row in status["copies"]]
        if status["wanted"] != wanted or sorted(states) != [(i, "ready") for i in range(wanted)]:
            return f"there are not {wanted} copies that are ready: {status}"
        programs, copies = self.programs(), {row["process"] for row in status["copies"]}
        if len(programs) != wanted or {self.copy_of(each, copies) for each in programs} != copies:
            return f"the copies {copies} have the processes {programs}"
        sockets, known = min(self.queues or wanted, wanted), set()
        for port in self.ports:
            if len(listeners(port)) != sockets:
                return f"{len(listeners(port))} sockets listen on port {port}, and not {sockets}"
            known |= listeners(port)
        others = [port for port in PORTS if port not in self.ports and listeners(port)]
        if others:
            return f"somebody listens on {others}"
        if self.manager.stored() != known:
            return f"the manager keeps {self.manager.stored()}, and {known} listen"
        self.rows, self.copies = status["copies"], wanted
        return None

    def settle(self):
        """Waits until everything is as it has to be, and asks each queue."""
        last = []

        def is_settled():
            last.append(self.what_is_missing())
            return not last[-1]
        until(is_settled, lambda: last[-1])
        for port in self.ports:
            self.expect_all_answer(port)
        self.losses.judge(self.manager.said)
        self.manager.said = self.manager.said[-10000:]

    def expect_all_answer(self, port):
        """Each copy that has a queue for itself gets clients, and of each other queue one."""
        programs, copies = self.programs(), {row["process"]: row["copy"] for row in self.rows}
        queues = {each: copies.get(self.copy_of(each, copies), -1) % (self.queues or COPIES_MOST + 1)
                  for each in programs}
        missing = set(queues.values())

        def has_all():
            answered = self.answering(port)
            if answered in queues:
                missing.discard(queues[answered])
            return not missing
        until(has_all, lambda: f"no client of port {port} reaches queue {missing} of {queues}")

    def answering(self, port):
        address = f"127.{self.sources.randrange(1, 255)}.{self.sources.randrange(256)}.{self.sources.randrange(1, 255)}"
        with socket.socket() as client:
            client.settimeout(60)
            client.bind((address, 0))
            try:
                client.connect(("127.0.0.1", port))
                said = client.recv(100)
                client.sendall(b"0\n")
                client.recv(100)
                return int(said.split()[0])
            except (OSError, IndexError) as error:
                raise Finding(f"a client of port {port} at {address} is not answered: {error!r}") from error

    def expect_new(self, before):
        old = set(before) & set(self.programs())
        if old:
            raise Finding(f"old processes are there after the roll: {old}")

    # ---- the ends of its lives ----

    def wait_for_guardian(self):
        """Nobody could end the copies of a supervisor that is killed at one moment with its guardian."""
        until(lambda: guardians() or self.supervisor.status() is not None, "there is no guardian")

    def kill(self):
        self.wait_for_guardian()
        self.signal(signal.SIGKILL)

    def kill_while_it_stops(self):
        """It may end before that."""
        self.wait_for_guardian()
        if self.supervisor.status() is None:
            log.say("  SIGKILL to the supervisor")
            self.supervisor.signal(signal.SIGKILL)

    def kill_supervisor(self):
        """The copies go with it."""
        death = self.expect_end(self.programs(), COPIES_MOST * 3)
        self.kill()
        self.supervisor.wait()
        self.wait_for_the_end(death)

    def expect_end(self, programs, most):
        """Of this life, with what MOST of its processes have accepted."""
        return self.losses.killed(programs, self.ports, life=str(self.life), most=most)

    def wait_for_the_end(self, death):
        until(lambda: not [each for each in processes() if self.is_of_supervisor(each)],
              lambda: f"{[(each, name_of(each)) for each in processes() if self.is_of_supervisor(each)]} stay behind")
        death.wait()

    def is_of_supervisor(self, process):
        return variable_of(process, "CHAOS_LIFE") == str(self.life) and not is_gone(process)

    def stop_supervisor(self):
        """The last copy, or all of the last queue, are told to stop with what they have accepted."""
        copies = self.copies or COPIES_MOST * 2
        most = -(-copies // self.queues) if self.queues else 1
        death = self.expect_end((), most)
        self.signal(signal.SIGTERM)
        if self.supervisor.wait() != 0:
            raise Finding(f"told to stop, the supervisor exits with {self.supervisor.status()}")
        self.wait_for_the_end(death)

    def end(self):
        """Nobody asks any more, and nothing is left behind. Returns how many were answered."""
        answered = self.losses.clients.end()
        self.losses.judge(self.manager.said)
        self.stop_supervisor()
        left = [name_of(each) for each in processes()]
        self.manager.drop_all()
        files = set(os.listdir(self.folder)) - {"config", "notify"}
        sockets = {port: listeners(port) for port in PORTS if listeners(port)}
        if left or files or sockets or abstract_names():
            raise Finding(f"left behind: processes {left}, files {files}, listeners {sockets}, names {abstract_names()}")
        return answered
