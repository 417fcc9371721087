# SPDX-License-Identifier: LGPL-2.1-or-later
# members.py PORT MOST FEWEST: opens sockets on one port until it has MOST, closes them until it has
# FEWEST, and so on, with a line for each round; answers clients in between. If FEWEST is MOST,
# it stays with them.
import itertools
import selectors
import socket
import sys

port, most, fewest = (int(word) for word in sys.argv[1:])
ready, servers = selectors.DefaultSelector(), []


def join():
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.setblocking(False)
    server.listen(128)
    ready.register(server, selectors.EVENT_READ)
    servers.append(server)


def leave():
    # The oldest: the newest takes its place.
    server = servers.pop(0)
    ready.unregister(server)
    server.close()


def answer_one(server):
    try:
        client, _ = server.accept()
        client.setblocking(True)
        client.recv(100)
        client.sendall(b"answer\n")
        client.close()
    except (BlockingIOError, ConnectionError):
        pass


def answer(seconds):
    for key, _ in ready.select(seconds):
        answer_one(key.fileobj)


for turn in itertools.count(1):
    while len(servers) < most:
        join()
        answer(0)
    while len(servers) > fewest:
        leave()
        answer(0)
    print("round", turn, flush=True)
    while fewest == most:
        answer(None)
