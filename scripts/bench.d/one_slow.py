# SPDX-License-Identifier: LGPL-2.1-or-later
"""
one_slow.py PORT: a server of one thread, whose requests take 2 ms; where reuse-run has started it with
an odd number, 20 ms.
"""
import os
import socket
import sys
import time

delay = 0.02 if int(os.environ["REUSE_WORKER"]) % 2 else 0.002
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(512)
while True:
    client, _ = server.accept()
    client.recv(1000)
    time.sleep(delay)
    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.close()
