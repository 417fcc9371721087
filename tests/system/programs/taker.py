# SPDX-License-Identifier: LGPL-2.1-or-later
# taker.py [ENDPOINT ...]: answers what comes to tcp,ADDRESS,PORT or udp,ADDRESS,PORT with its process
# id, as programs do that wait with epoll(7): its sockets are made non-blocking after they are bound.
# SIGUSR1: shuts its listeners down, and ends with status 3. SIGUSR2: ends with status 0.
# TAKER_DIRECTORY: after it has bound, writes bound-NUMBER there, and waits for the file NUMBER, where
# that is the number of the copy.
import os
import select
import signal
import socket
import sys
import time

sockets = []


def shut_down(*_):
    for server in sockets:
        server.shutdown(socket.SHUT_RDWR)
    os._exit(3)


signal.signal(signal.SIGUSR1, shut_down)
signal.signal(signal.SIGUSR2, lambda *_: os._exit(0))
for endpoint in sys.argv[1:]:
    protocol, address, port = endpoint.split(",")
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                           socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    server.bind((address, int(port)))
    sockets.append(server)
directory, number = os.environ.get("TAKER_DIRECTORY"), os.environ.get("REUSE_WORKER")
if directory:
    open(f"{directory}/bound-{number}", "w").close()
    while not os.path.exists(f"{directory}/{number}"):
        time.sleep(0.01)
for server in sockets:
    server.setblocking(False)
    if server.type == socket.SOCK_STREAM:
        server.listen()
answer = b"%d\n" % os.getpid()
while True:
    for server in select.select(sockets, [], [])[0]:
        try:
            if server.type == socket.SOCK_DGRAM:
                server.sendto(answer, server.recvfrom(100)[1])
            else:
                client, _ = server.accept()
                client.recv(100)
                client.sendall(answer)
                client.close()
        except OSError:  # another one was faster, or the client has gone
            pass
