# SPDX-License-Identifier: LGPL-2.1-or-later
# serve.py MODE PORT: unmodified servers of several makes; each answers with its process id.
#   workers  three forked workers, each with a socket of its own
#   again    binds, closes, and binds the same again
#   epoll    tells epoll of its socket before it binds
#   udp      answers datagrams, and keeps what came for a while before it reads
import os
import select
import socket
import sys

mode, port = sys.argv[1], int(sys.argv[2])
address = ("127.0.0.1", port)


def listen(server):
    server.bind(address)
    server.listen(5)
    return server


def answer(server):
    client, _ = server.accept()
    client.recv(100)
    client.sendall(b"%d\n" % os.getpid())
    client.close()


def serve(server):
    while True:
        answer(server)


def workers():
    for _ in range(3):
        if os.fork() == 0:
            serve(listen(socket.socket()))
    os.wait()


def again():
    listen(socket.socket()).close()
    serve(listen(socket.socket()))


def epoll():
    server, events = socket.socket(), select.epoll()
    events.register(server.fileno(), select.EPOLLIN)
    listen(server)
    while True:
        for _ in events.poll():
            answer(server)


def udp():
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(address)
    while True:
        data, peer = server.recvfrom(100)
        server.sendto(data, peer)


{"workers": workers, "again": again, "epoll": epoll, "udp": udp}[mode]()
