# SPDX-License-Identifier: LGPL-2.1-or-later
# half_open.py PORT: requests for connections that never become whole, all the time: the first ones
# stay for as long as the kernel keeps them, and others come and go.
import socket
import sys
import time

IP_MINTTL = 21


def begin():
    # Its end takes only what has not travelled at all, so the server's answer never arrives.
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", int(sys.argv[1])))
    return client


staying = [begin() for _ in range(6)]
print("asking", flush=True)
while True:
    with begin():
        time.sleep(0.02)
