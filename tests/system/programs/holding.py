# SPDX-License-Identifier: LGPL-2.1-or-later
# holding.py PORT [stubborn [OTHER]...]: answers each connection with its process id, and holds it open until the
# client closes it. A stubborn one prints that it has got SIGTERM, and does not end.
import os
import select
import signal
import socket
import sys

if sys.argv[2:3] == ["stubborn"]:
    signal.signal(signal.SIGTERM, lambda *_: sys.stderr.write("told to stop\n"))
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
others = [socket.create_server(("127.0.0.1", int(port))) for port in sys.argv[3:]]  # on which nobody ever asks
clients = []
while True:
    for ready in select.select([server, *clients], [], [])[0]:
        if ready is server:
            clients.append(server.accept()[0])
            clients[-1].sendall(b"%d\n" % os.getpid())
        else:
            try:
                is_open = ready.recv(100)
            except ConnectionResetError:
                is_open = False
            if not is_open:
                ready.close()
                clients.remove(ready)
