# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in the namespaces of the test, programs that it starts, and a log of what happened."""
import collections
import os
import re
import signal
import time

PATIENCE = 120  # seconds; only what hangs takes so long


class Finding(Exception):
    """What must not happen."""


def until(is_so, what, patience=PATIENCE):
    """WHAT is a sentence, or says one when it is called."""
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise Finding(f"{patience} seconds were not enough: {what() if callable(what) else what}")
        time.sleep(0.02)


# ---- the log ----

class Log:
    LINES_MOST = 20000

    def __init__(self):
        self.begin = time.monotonic()
        self.lines = collections.deque(maxlen=self.LINES_MOST)

    def say(self, text):
        self.lines.append(f"{time.monotonic() - self.begin:9.3f} {text}")


log = Log()


# ---- processes ----

ended = {}  # the exit status of each that is gone, or minus the signal


def reap():
    """We are process 1, so orphans come to us as well."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not process:
            return
        ended[process] = os.waitstatus_to_exitcode(status)


class Program:
    """One that the test has started; what it prints is read when it has ended, or goes to the descriptor OUTPUT."""

    def __init__(self, words, environment=None, output=None, descriptors=()):
        reader, writer = (None, output) if output is not None else os.pipe()
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        actions += [(os.POSIX_SPAWN_DUP2, source, target) for source, target in
                    ((writer, 1), (writer, 2), *((each, 3 + i) for i, each in enumerate(descriptors)))]
        self.words, self.reader = words, reader
        reap()
        self.process = os.posix_spawn(words[0], words, environment or {"PATH": os.environ["PATH"]}, setpgroup=0,
                                      file_actions=actions, setsigdef=[signal.SIGPIPE])
        ended.pop(self.process, None)
        if reader is not None:
            os.close(writer)

    def status(self):
        """None while it runs."""
        reap()
        return ended.get(self.process)

    def wait(self):
        until(lambda: self.status() is not None, f"{' '.join(self.words)} has not ended")
        return self.status()

    def output(self):
        with os.fdopen(self.reader, errors="replace") as reader:
            return reader.read()

    def signal(self, number):
        os.kill(self.process, number)


def read(path):
    """Of a file in /proc; empty when its process is gone."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def processes():
    """All but this one and what has ended."""
    found = (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid())
    return [process for process in found if state_of(process) not in "ZX"]


def state_of(process):
    return (read(f"/proc/{process}/stat").rpartition(")")[2].split() or ["X"])[0]


def parent_of(process):
    return int((read(f"/proc/{process}/stat").rpartition(")")[2].split() or [0, 0])[1])


def words_of(process):
    return read(f"/proc/{process}/cmdline").split("\0")


def variable_of(process, name):
    match = re.search(rf"(?:^|\0){name}=([^\0]*)", read(f"/proc/{process}/environ"))
    return match and match[1]


def name_of(process):
    return read(f"/proc/{process}/comm").strip()


def guardians():
    return [each for each in processes() if name_of(each) == "reuse-guardian"]


def is_gone(process):
    """Its first thread may have ended when another one still accepts."""
    try:
        threads = len(os.listdir(f"/proc/{process}/task"))
    except OSError:
        threads = 0
    return state_of(process) in "ZX" and threads <= 1


# ---- sockets ----

def listeners(port):
    """The inodes of the sockets that listen on a port."""
    lines = (line.split() for line in read("/proc/net/tcp").splitlines())
    return {int(each[9]) for each in lines if each[1].endswith(":%04X" % port) and each[3] == "0A"}


def abstract_names():
    return re.findall(r"@(libreuse-\S+)", read("/proc/net/unix"))
