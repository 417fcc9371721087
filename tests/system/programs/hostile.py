# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile.py PORT DEED: answers each connection with its process id, and on SIGUSR1 does to its
keeper what DEED names. Says "all is sent" when it is, and "done" when the keeper has read it."""
import array
import ctypes
import fcntl
import os
import select
import signal
import socket
import sys
import tempfile
import termios
import threading
import time

sys.dont_write_bytecode = True
from lingering import connect_lingering

STORE = b"FDSTORE=1\nFDNAME=libreuse-1-tcp-127.0.0.1-1"
MANY = 1000 * 1000 if os.environ.get("LIBREUSE_LONG") == "1" else 50 * 1000
keeper = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
keeper_name = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
opened = []  # and never closed


def send(message, *things):
    fds = [thing if isinstance(thing, int) else thing.fileno() for thing in things]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    opened.extend(things)
    keeper.sendmsg([message], rights, 0, keeper_name)


def listening():
    """Port 0 is not for the policy, so the library leaves this socket alone."""
    return socket.create_server(("127.0.0.1", 0))


def garbage():
    for message in [b"", b"\n\n\n", b"=", b"\0\0\0", b"FDSTORE", b"FDSTORE=1", b"FDNAME=", STORE,
                    b"FDSTORE=1\nFDNAME=", b"FDSTOREREMOVE=1\nFDNAME=libreuse-nothing",
                    b"STATUS=" + b"x" * 4096, b"READY=" + b"1" * 100, b"x" * 65000,
                    STORE + b"x" * 200, bytes(range(256)) * 16, b"WATCHDOG=trigger\nERRNO=a"]:
        send(message)
        send(message, 0)


def wrong():
    server = listening()
    client = socket.create_connection(server.getsockname())
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind("")
    unix.listen()
    for thing in [tempfile.TemporaryFile(), *os.pipe(), *socket.socketpair(), unix, keeper, client,
                  server.accept()[0], bound, socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
                  socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), select.epoll(),
                  os.open("/", os.O_PATH), os.open("/dev/null", os.O_RDWR),
                  os.open("/proc/self/mem", os.O_RDONLY), os.memfd_create("nothing")]:
        send(STORE, thing)
    # One that listens; but its name would be several of LISTEN_FDNAMES, or is not ours.
    for name in [b"libreuse-1-tcp:a:b:c", b"libreuse-1-tcp\x01", b"libreuse- ", b"somebody"]:
        send(b"FDSTORE=1\nFDNAME=" + name, server)


def many():
    nothing = os.open("/dev/null", os.O_RDWR)
    for _ in range(20):
        send(STORE, *[nothing] * 253)
        send(b"", *[nothing] * 253)
        send(STORE, *[nothing] * 17)


def of_others():
    """The socket of each other copy, as far as it lets us have it."""
    with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as children:
        for child in map(int, children.read().split()):
            pidfd = os.pidfd_open(child)
            for number in range(3, 100):
                fd = ctypes.CDLL(None).syscall(438, pidfd, number, 0)  # pidfd_getfd(2)
                if fd >= 0:
                    send(STORE, fd)
                    os.close(fd)  # it may be a client's, who waits for the end of it


def lingering():
    """Sockets whose last descriptor takes an hour to close."""
    server = listening()
    for _ in range(8):  # as many as fit into the queue of a keeper that reads nothing
        client = connect_lingering(server)
        send(STORE, client)
    for client in opened:
        client.close()  # in the queue it is open still
    opened.append(server)


def foreign():
    send(STORE, listening())


def flood():
    for i in range(MANY):
        send(b"STATUS=%d" % i)


def flood_with_sockets():
    for _ in range(MANY // 10):
        send(STORE, server)
        opened.clear()


def endless():
    """From several processes, messages that take longer to read than to send."""
    for _ in range(3):
        if os.fork() == 0:
            # a client that is being served waits for the last process that has its connection
            os.closerange(3, keeper.fileno())
            os.closerange(keeper.fileno() + 1, 1 << 16)
            break
    for i in range(1 << 40):
        keeper.sendto(b"\n" * 4000, keeper_name)
        if i == 2000:
            print("all is sent", flush=True)


def do():
    globals()[sys.argv[2]]()
    print("all is sent", flush=True)
    while fcntl.ioctl(keeper, termios.TIOCOUTQ, bytes(4)) != bytes(4):
        time.sleep(0.001)
    print("done", flush=True)


signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=do, daemon=True).start())
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(512)
while True:
    connection, _ = server.accept()
    connection.recv(100)
    connection.sendall(b"%d\n" % os.getpid())
    connection.close()
