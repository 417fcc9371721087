# SPDX-License-Identifier: LGPL-2.1-or-later
# ways.py WAY PORT: answers each connection with its process id, 2 ms after it was asked; WAY is how
# it waits for connections: blocking, threads, poll, epoll, edge or exclusive. When it is told to
# stop, it shuts its listener down, and finishes what it has accepted.
import os
import select
import signal
import socket
import sys
import threading
import time

THREADS = 4
way, port = sys.argv[1], int(sys.argv[2])
server = socket.socket()
is_over = False


def stop(*_):
    global is_over
    is_over = True
    server.shutdown(socket.SHUT_RDWR)


def take():
    """Whether there was a connection: another copy may have been faster, or shut the listener down."""
    try:
        client, _ = server.accept()
    except OSError:
        return False
    with client:
        try:
            client.setblocking(True)
            client.recv(100)
            time.sleep(0.002)
            client.sendall(b"%d\n" % os.getpid())
        except ConnectionError:
            pass
    return True


def take_all():
    while take():
        pass


def block():
    while not is_over:
        take()


def block_in_threads():
    threads = [threading.Thread(target=block) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    while not is_over:
        time.sleep(0.01)  # a signal ends it
    for thread in threads:
        thread.join()


def wait_with(poller, flags, handler):
    server.setblocking(False)
    poller.register(server, flags)
    while not is_over:
        poller.poll()
        handler()


signal.signal(signal.SIGTERM, stop)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(512)
if way == "blocking":
    block()
elif way == "threads":
    block_in_threads()
elif way == "poll":
    wait_with(select.poll(), select.POLLIN, take)
elif way == "epoll":
    wait_with(select.epoll(), select.EPOLLIN, take)
elif way == "edge":
    wait_with(select.epoll(), select.EPOLLIN | select.EPOLLET, take_all)
elif way == "exclusive":
    wait_with(select.epoll(), select.EPOLLIN | select.EPOLLEXCLUSIVE, take)
else:
    sys.exit(f"{way}: unknown way")
