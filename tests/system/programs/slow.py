# SPDX-License-Identifier: LGPL-2.1-or-later
# A server of one thread that knows nothing of libreuse, and has no graceful end at all: answers
# each connection with its process id.
import os
import socket
import sys

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
print("listening", flush=True)
while True:
    client, _ = server.accept()
    client.recv(100)
    client.sendall(b"%d\n" % os.getpid())
    client.close()
