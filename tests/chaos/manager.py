# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager as systemd is one: keeps the sockets of a service, and passes them on to its next life."""
import fcntl
import os
import re
import socket
import threading

from world import Program, log

FIRST_FREE = 100  # descriptors that no program is started with
STORE_MOST = 64
LAST = b"X_LAST=1"  # of ours: what was sent before it has been heard


class Manager:
    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.store = []  # of name, descriptor
        self.lock, self.has_heard_all = threading.Lock(), threading.Event()
        reader, self.errors = os.pipe()
        threading.Thread(target=self.hear, daemon=True).start()
        threading.Thread(target=self.copy_errors, args=(os.fdopen(reader, errors="replace"),), daemon=True).start()

    # ---- the store ----

    def hear(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.socket, 4096, 16)
            if message == LAST:
                self.has_heard_all.set()
                continue
            fields = dict(line.partition("=")[::2] for line in message.decode().splitlines())
            with self.lock:
                if fields.get("FDSTORE") == "1":
                    self.keep(fields.get("FDNAME", "stored"), descriptors)
                elif fields.get("FDSTOREREMOVE") == "1":
                    self.forget(fields.get("FDNAME"))
            log.say(f"  manager: {message.decode()!r}")
            for each in descriptors:
                os.close(each)

    def keep(self, name, descriptors):
        """What it has already is not kept twice."""
        known = {os.fstat(each).st_ino for _, each in self.store}
        for each in descriptors:
            if os.fstat(each).st_ino not in known and len(self.store) < STORE_MOST:
                self.store.append((name, fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE)))

    def forget(self, name):
        for each in [each for kept, each in self.store if kept == name]:
            os.close(each)
        self.store = [(kept, each) for kept, each in self.store if kept != name]

    def stored(self):
        """The inodes of what it keeps."""
        with self.lock:
            return {os.fstat(each).st_ino for _, each in self.store}

    def drop_all(self):
        with self.lock:
            for name in {name for name, _ in self.store}:
                self.forget(name)

    def hear_all(self):
        """What the last life has said counts before the next one starts, as with systemd."""
        self.has_heard_all.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.sendto(LAST, self.path)
        self.has_heard_all.wait()

    # ---- the service ----

    said = ""  # by the supervisors since forget_errors()

    def copy_errors(self, reader):
        for line in reader:
            self.said += line
            log.say("  " + re.sub(r"^reuse-run\[", "[", line.rstrip()))

    def start(self, words, **variables):
        """The shell becomes the service, so it knows its process number."""
        self.hear_all()
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": self.path, "REUSE_CONFIG": "", **variables}
        with self.lock:
            names, descriptors = [name for name, _ in self.store], [each for _, each in self.store]
            if names:
                environment |= {"LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names)}
                words = ["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *words]
            return Program(words, environment, self.errors, descriptors)
