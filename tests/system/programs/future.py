# SPDX-License-Identifier: LGPL-2.1-or-later
"""A supervisor, or a library, of a later version: sends all that this one does, and more.

future.py keeper PORT COMMAND...  starts COMMAND with a kept socket for PORT, and a file; prints
                                  each message that it sends, its lines joined by blanks, and then
                                  what is in the file
future.py copy PORT               a program that has what a later library does in it, and for which
                                  this one does nothing; answers each connection with its process
                                  id and the name of the socket
"""
import os
import socket
import sys

MORE = "-later" * 30  # a name is an opaque word of up to 255 bytes


def listen(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def name_of(server):
    inode = os.fstat(server.fileno()).st_ino
    return "libreuse-%d-tcp-127.0.0.1-%d%s" % (inode, server.getsockname()[1], MORE)


# ---- a supervisor ----

def become(command, server, state, address):
    name = name_of(server)
    socket_fd, state_fd = os.dup(server.fileno()), os.dup(state)
    os.dup2(state_fd, 3)
    os.dup2(socket_fd, 4)
    os.environ.update(
        LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="libreuse-state:" + name,
        LISTEN_LATER="1", NOTIFY_SOCKET="@" + address, REUSE_KEEP="1", REUSE_WORKER="0",
        REUSE_GENERATION="7", REUSE_LATER="anything", REUSE_KEPT="later,5:1:later")
    os.execvp(command[0], command)


def keeper(port, command):
    server = listen(port)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind("")
    address = channel.getsockname()[1:].decode()
    state = os.memfd_create("libreuse-state")
    os.write(state, b"its own")
    print("kept", os.fstat(server.fileno()).st_ino, flush=True)
    if os.fork() == 0:
        become(command, server, state, address)
    while True:
        message, fds, _, _ = socket.recv_fds(channel, 4096, 8)
        print(*message.decode().split("\n"), "with", len(fds), flush=True)
        for fd in fds:
            os.close(fd)
        sys.stdout.write(f"the state is {os.pread(state, 100, 0).decode()}\n")  # in one piece


# ---- a copy ----

def say(*lines, fds=()):
    path = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(path)
        socket.send_fds(channel, ["\n".join(lines).encode()], fds)


# What this process was started with; the library has sorted it since.
def names_at_start():
    with open("/proc/self/environ", "rb") as file:
        variables = dict(each.partition(b"=")[::2] for each in file.read().split(b"\0"))
    return variables.get(b"LISTEN_FDNAMES", b"").decode()


def copy(port):
    name = names_at_start()
    say("LATER=1")
    say("LATER=1", "FDNAME=libreuse-later", fds=[0])
    say("FDSTORE=1", "FDNAME=somebody-elses", fds=[0])
    if name:
        server = socket.socket(fileno=int(os.environ["REUSE_KEPT"].split(":")[0]))
    else:
        server = listen(port)
        name = name_of(server)
    say("LATER=" + "x" * 500, "FDSTORE=1", "FDPOLL=0", "FDNAME=" + name, "FDLATER=1",
        fds=[server.fileno(), 0, 1])
    while True:
        client, _ = server.accept()
        client.sendall(b"%d %s\n" % (os.getpid(), name.encode()))
        client.close()


if sys.argv[1] == "keeper":
    keeper(int(sys.argv[2]), sys.argv[3:])
else:
    copy(int(sys.argv[2]))
