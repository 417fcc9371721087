# SPDX-License-Identifier: LGPL-2.1-or-later
"""
uneven.py PORT [threads]: a server of one thread, as many are, or with a thread for each connection,
whose requests take 2 ms, and ten of each hundred, by chance which, 50 ms: so all have the same work.
"""
import random
import socket
import sys
import threading
import time

DELAYS = 10 * [0.05] + 90 * [0.002]


def delays():
    while True:
        yield from random.sample(DELAYS, len(DELAYS))


def serve(client, delay):
    client.recv(1000)
    time.sleep(delay)
    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    client.close()


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(512)
for each in delays():
    accepted, _ = server.accept()
    if "threads" in sys.argv:
        threading.Thread(target=serve, args=(accepted, each), daemon=True).start()
    else:
        serve(accepted, each)
