# SPDX-License-Identifier: LGPL-2.1-or-later
# serve.py MODE PORT: unmodified servers of several makes; each answers with its process id.
#   workers  three forked workers, each with a socket of its own; one that dies is replaced
#   again    binds, closes, and binds the same again, as a port probe or a reload does
#   forgets  closes every descriptor that it does not know before it starts
#   ends     closes its listener for good as soon as it has told a first client so
#   hangs-up shuts its listener down before it ends
#   udp      answers datagrams
import os
import signal
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
    while True:
        for _ in range(3 - len(children)):
            child = os.fork()
            if child == 0:
                serve(listen(socket.socket()))
            children.add(child)
        children.discard(os.wait()[0])


def again():
    listen(socket.socket()).close()
    serve(listen(socket.socket()))


def forgets():
    os.closerange(3, 1024)
    serve(listen(socket.socket()))


def ends():
    server = listen(socket.socket())
    answer(server)
    server.close()
    signal.pause()


def hangs_up():
    server = listen(socket.socket())
    signal.signal(signal.SIGTERM, lambda *_: (server.shutdown(socket.SHUT_RDWR), sys.exit()))
    serve(server)


def udp():
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(address)
    while True:
        data, peer = server.recvfrom(100)
        server.sendto(data, peer)


children = set()
{
    "workers": workers,
    "again": again,
    "forgets": forgets,
    "ends": ends,
    "hangs-up": hangs_up,
    "udp": udp,
}[mode]()
