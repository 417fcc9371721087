# SPDX-License-Identifier: LGPL-2.1-or-later
"""neighbour.py DEED WORD...: what another user may try. NAME is that of an abstract socket.

    send NAME MESSAGE     sends it, with a socket that listens
    forge NAME            sends READY=1, and says that root does
    join GROUP NAME WORD  joins the process group, sends each word from there, and listens
    flood NAME            sends messages with sockets without end, from several processes
    steal PROCESS         goes for the descriptors of a process, and sends it SIGHUP
    knock NAME            connects without end
    impersonate NAME      is a keeper there, and counts the descriptors that it is sent
    squat NAME            listens there, and says of each roll that it has worked
    disguise              does so with the name of its own process, as the user 65534
"""
import array
import ctypes
import errno
import os
import signal
import socket
import struct
import sys

sys.dont_write_bytecode = True
from lingering import connect_lingering

deed, words = sys.argv[1], sys.argv[2:]


def address(name):
    return name.replace("@", "\0", 1)


def attempt(what, function, *arguments):
    try:
        function(*arguments)
        print(what, "ok", flush=True)
    except OSError as error:
        print(what, errno.errorcode[error.errno], flush=True)


def send(name, message, things, credentials=None):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", map(int, things)))]
    if credentials:
        control = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("iII", *credentials))]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendmsg([message.encode()], control, 0, address(name))


def join(group, name, *messages):
    os.setpgid(0, int(group))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for message in messages:
            send(name, message, [listening.fileno()])
        print("joined", flush=True)
        signal.pause()


def flood(name):
    child = 1
    for _ in range(3):
        child = child and os.fork()
    server = socket.create_server(("127.0.0.1", 0), backlog=4096)
    for i in range(1 << 40):
        try:
            # Who is the last to close it, waits; should that be the child itself, others go on.
            if i < 20 and not child:
                with connect_lingering(server) as client:
                    send(name, "FDSTORE=1\nFDNAME=libreuse-x", [client.fileno()])
            send(name, "\n" * 4000, [server.fileno()] * 10)
        except OSError as error:
            # A user may have so many descriptors in messages as one process may have (RLIMIT_NOFILE).
            if error.errno != errno.ETOOMANYREFS:
                raise
        if i == 500 and child:
            print("sent", flush=True)


def get_descriptor(process, number):
    fd = libc.syscall(438, os.pidfd_open(process), number, 0)  # pidfd_getfd(2)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")


def steal(process):
    for number in range(20):
        attempt("descriptor", get_descriptor, process, number)
    attempt("list", os.listdir, f"/proc/{process}/fd")
    attempt("memory", open, f"/proc/{process}/mem", "rb")
    attempt("environment", open, f"/proc/{process}/environ", "rb")
    attempt("signal", os.kill, process, signal.SIGHUP)


def knock(name):
    for i in range(1 << 40):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(address(name))
        if i == 1000:
            print("knocked", flush=True)


def impersonate(name):
    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    keeper.bind(address(name))
    print("listening", flush=True)
    while True:
        _, fds, _, _ = socket.recv_fds(keeper, 4096, 10)
        print("got", len(fds), flush=True)


def squat(name):
    server = socket.socket(socket.AF_UNIX)
    server.bind(address(name))
    server.listen()
    os.seteuid(os.getuid())
    print("listening", flush=True)
    while True:
        client, _ = server.accept()
        client.sendall(b"\x1b[2Jcopy 0: process 1 is replaced by 2\nend 0\n")
        client.close()


def disguise():
    name = f"@libreuse-supervisor-{os.stat('/proc/self/ns/pid').st_ino}-{os.getpid()}"
    os.seteuid(65534)
    squat(name)


libc = ctypes.CDLL(None, use_errno=True)
if deed == "send":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        attempt("send", send, words[0], words[1], [listening.fileno()])
elif deed == "forge":
    attempt("forge", send, words[0], "READY=1", [], (os.getpid(), 0, 0))
elif deed == "steal":
    steal(int(words[0]))
else:
    {"join": join, "flood": flood, "knock": knock, "impersonate": impersonate, "squat": squat,
     "disguise": disguise}[deed](*words)
