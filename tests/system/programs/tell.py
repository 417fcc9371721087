# SPDX-License-Identifier: LGPL-2.1-or-later
# tell.py PORT [WORD]...: answers each connection with what it sees of its own world, a line each;
# prints on standard error which signals come.
import os
import signal
import socket
import sys


def note(number, _):
    os.write(2, b"got %s\n" % signal.Signals(number).name.encode())  # in one piece


for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
               signal.SIGWINCH):
    signal.signal(number, note)
world = {
    "process": os.getpid(),
    "group": os.getpgrp(),
    "directory": os.getcwd(),
    "input": os.readlink("/proc/self/fd/0"),
    "words": " ".join(sys.argv[2:]),
    "worker": os.environ.get("REUSE_WORKER"),
    "generation": os.environ.get("REUSE_GENERATION"),
    "greeting": os.environ.get("GREETING"),
}
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
while True:
    client, _ = server.accept()
    client.sendall("".join("%s=%s\n" % pair for pair in world.items()).encode())
    client.close()
