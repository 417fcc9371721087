# SPDX-License-Identifier: LGPL-2.1-or-later
# copy.py PROTOCOL ADDRESS PORT: answers each client with its process id, over tcp, mptcp or udp.
import os
import socket
import sys

PROTOCOLS = {"tcp": 0, "mptcp": 262, "udp": 0}
protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
name = b"%d\n" % os.getpid()

server = socket.socket(family, kind, PROTOCOLS[protocol])
server.bind((address, port))
if kind == socket.SOCK_STREAM:
    server.listen()
print("ready", flush=True)
while True:
    if kind == socket.SOCK_DGRAM:
        _, peer = server.recvfrom(100)
        server.sendto(name, peer)
    else:
        client, _ = server.accept()
        client.sendall(name)
        client.close()
