# SPDX-License-Identifier: LGPL-2.1-or-later
# polling.py PORT DIRECTORY: binds while its socket blocks, waits for the file COPY-NUMBER in the
# directory, makes the socket non-blocking, as programs do that wait with epoll(7), and listens.
import os
import select
import socket
import sys
import time

server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
number = os.environ["REUSE_WORKER"]
open(f"{sys.argv[2]}/bound-{number}", "w").close()
while not os.path.exists(f"{sys.argv[2]}/{number}"):
    time.sleep(0.01)
server.setblocking(False)
server.listen()
while True:
    select.select([server], [], [])
    try:
        client, _ = server.accept()
    except BlockingIOError:
        continue
    client.recv(100)
    client.sendall(b"%d\n" % os.getpid())
    client.close()
