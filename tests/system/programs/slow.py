# SPDX-License-Identifier: LGPL-2.1-or-later
# slow.py PORT [OWN]: a server of one thread that knows nothing of libreuse, and has no graceful end at
# all: answers each connection with its process id. Who asks it to "wait" gets the first half of
# the answer at once, and the rest a second later.
# SLOW_MODE=dies: ends a moment after it listens; SLOW_MODE=late: never comes to listen;
# SLOW_MODE=weak: ends when it has answered 20.
import itertools
import os
import signal
import socket
import sys
import time

mode = os.environ.get("SLOW_MODE")
if mode == "late":
    signal.pause()
own = socket.socket()  # which no client ever uses
if len(sys.argv) > 2:
    own.bind(("127.0.0.1", int(sys.argv[2])))
    own.listen()
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
print("listening", flush=True)
if mode == "dies":
    time.sleep(0.1)
    sys.exit(3)
for number in itertools.count(1):
    client, _ = server.accept()
    answer = b"%d\n" % os.getpid()
    if client.recv(100).startswith(b"wait"):
        client.sendall(answer[:-1])
        time.sleep(1)
        answer = answer[-1:]
    client.sendall(answer)
    client.close()
    if mode == "weak" and number == 20:
        sys.exit(3)
