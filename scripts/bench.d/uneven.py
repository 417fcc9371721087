# SPDX-License-Identifier: LGPL-2.1-or-later
"""uneven.py PORT: a server of one thread, as many are, whose requests take 2 ms or, 1 in 10, 50 ms."""
import os
import random
import socket
import sys
import time

chance = random.Random(int(os.environ.get("REUSE_WORKER", sys.argv[1])))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(512)
while True:
    client, _ = server.accept()
    client.recv(1000)
    time.sleep(0.05 if chance.random() < 0.1 else 0.002)
    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.close()
