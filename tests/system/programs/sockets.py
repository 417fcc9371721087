#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""sockets.py CALL...: makes socket calls in order, and prints for each what it gave.

    tcp4 udp4 tcp6 udp6 mptcp4 mptcp6 sctp4   a new socket, which the next calls are about
    bind=ADDRESS,PORT  connect=ADDRESS,PORT   "ok", or the name of the errno; fe80::1%lo,80 too
    rawbind=ADDRESS,PORT                      the system call itself, not libc's function
    listen  listen=BACKLOG
    set=OPTION,NUMBER  set=OPTION,TEXT
    blocking=0  inheritable=1                 O_NONBLOCK, FD_CLOEXEC
    get=OPTION                                the number, of 32 bits
    get64=OPTION                              the number, of 64 bits
    text=OPTION                               the value as text
    name                                      ADDRESS,PORT that the socket has
    interface                                 that of its link-local address
    backlog                                   the backlog that the kernel has for it
    inode                                     the socket's identity
    flags                                     "blocking" or "nonblocking", and "cloexec" or not
    join=GROUP                                a multicast group
    inherited=NUMBER                          that descriptor becomes a socket
    activation                                LISTEN_FDS, LISTEN_FDNAMES
    names                                     LISTEN_FDNAMES that the process was started with
    child                                     how many sockets a child process has
    shutdown                                  of both directions
    greeting                                  what comes back from a client, a line that it sent
    close
    stay                                      never ends

It never sets an option that it was not told to.
"""
import ctypes
import errno
import os
import re
import socket
import struct
import subprocess
import sys
import time

IP, IPV6, TCP, SOCKET = socket.IPPROTO_IP, socket.IPPROTO_IPV6, socket.IPPROTO_TCP, socket.SOL_SOCKET

# By the numbers of the kernel's headers, because not every Python knows every name.
OPTIONS = {
    "SO_REUSEADDR": (SOCKET, 2),
    "SO_DONTROUTE": (SOCKET, 5),
    "SO_BROADCAST": (SOCKET, 6),
    "SO_SNDBUF": (SOCKET, 7),
    "SO_RCVBUF": (SOCKET, 8),
    "SO_KEEPALIVE": (SOCKET, 9),
    "SO_PRIORITY": (SOCKET, 12),
    "SO_REUSEPORT": (SOCKET, 15),
    "SO_BINDTODEVICE": (SOCKET, 25),
    "SO_MARK": (SOCKET, 36),
    "SO_BUSY_POLL": (SOCKET, 46),
    "SO_MAX_PACING_RATE": (SOCKET, 47),
    "SO_INCOMING_CPU": (SOCKET, 49),
    "IP_TOS": (IP, 1),
    "IP_TTL": (IP, 2),
    "IP_FREEBIND": (IP, 15),
    "IP_TRANSPARENT": (IP, 19),
    "IP_BIND_ADDRESS_NO_PORT": (IP, 24),
    "IPV6_UNICAST_HOPS": (IPV6, 16),
    "IPV6_V6ONLY": (IPV6, 26),
    "IPV6_TCLASS": (IPV6, 67),
    "IPV6_TRANSPARENT": (IPV6, 75),
    "IPV6_FREEBIND": (IPV6, 78),
    "TCP_NODELAY": (TCP, 1),
    "TCP_MAXSEG": (TCP, 2),
    "TCP_KEEPIDLE": (TCP, 4),
    "TCP_KEEPINTVL": (TCP, 5),
    "TCP_KEEPCNT": (TCP, 6),
    "TCP_SYNCNT": (TCP, 7),
    "TCP_DEFER_ACCEPT": (TCP, 9),
    "TCP_CONGESTION": (TCP, 13),
    "TCP_USER_TIMEOUT": (TCP, 18),
    "TCP_FASTOPEN": (TCP, 23),
    "TCP_NOTSENT_LOWAT": (TCP, 25),
}

SOCKETS = {
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM, 0),
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM, 0),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, 0),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM, 0),
    "mptcp4": (socket.AF_INET, socket.SOCK_STREAM, 262),
    "mptcp6": (socket.AF_INET6, socket.SOCK_STREAM, 262),
    "sctp4": (socket.AF_INET, socket.SOCK_STREAM, 132),
}


def address(text):
    host, port = text.split(",")
    host, _, interface = host.partition("%")
    if interface:
        return host, int(port), 0, socket.if_nametoindex(interface)
    return host, int(port)


def raw_bind(sock, value):
    host, port = address(value)
    name = struct.pack("=H", socket.AF_INET) + struct.pack(">H", port)
    name += socket.inet_aton(host) + bytes(8)
    number = {"x86_64": 49, "aarch64": 200}[os.uname().machine]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, sock.fileno(), name, len(name)) < 0:
        raise OSError(ctypes.get_errno(), "bind")


def join(sock, group):
    group = socket.inet_pton(sock.family, group)
    if sock.family == socket.AF_INET:
        sock.setsockopt(IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4))
    else:
        sock.setsockopt(IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("=I", 1))


def greeting(sock):
    with socket.socket(sock.family, sock.type) as client:
        client.connect(sock.getsockname())
        client.sendall(b"hello")
        if sock.type == socket.SOCK_DGRAM:
            return sock.recv(5).decode()
        with sock.accept()[0] as taken:
            taken.sendall(taken.recv(5))
        return client.recv(5).decode()


def flags(sock):
    access = "nonblocking" if not os.get_blocking(sock.fileno()) else "blocking"
    return access if os.get_inheritable(sock.fileno()) else access + " cloexec"


def count_in_child():
    listing = subprocess.run(
        ["/bin/ls", "-l", "/proc/self/fd"], stdout=subprocess.PIPE, text=True, close_fds=False
    )
    return listing.stdout.count("socket:")


def started_with(name):
    with open("/proc/self/environ") as environment:
        return re.search(rf"\b{name}=([^\0]*)", environment.read())


def make(call, value, sock):
    if call == "bind":
        sock.bind(address(value))
    elif call == "rawbind":
        raw_bind(sock, value)
    elif call == "connect":
        sock.connect(address(value))
    elif call == "listen":
        sock.listen(int(value or 128))
    elif call == "set":
        option, setting = value.split(",")
        sock.setsockopt(
            *OPTIONS[option], int(setting) if setting.isdigit() else setting.encode()
        )
    elif call == "blocking":
        os.set_blocking(sock.fileno(), value == "1")
    elif call == "inheritable":
        sock.set_inheritable(value == "1")
    elif call == "join":
        join(sock, value)
    elif call == "get":
        return sock.getsockopt(*OPTIONS[value])
    elif call == "get64":
        return struct.unpack("=q", sock.getsockopt(*OPTIONS[value], 8))[0]
    elif call == "text":
        return sock.getsockopt(*OPTIONS[value], 64).rstrip(b"\0").decode()
    elif call == "name":
        return "%s,%d" % sock.getsockname()[:2]
    elif call == "interface":
        return socket.if_indextoname(sock.getsockname()[3])
    elif call == "backlog":
        # tcpi_sacked of struct tcp_info, which for a listening socket holds the backlog
        return struct.unpack_from("=I", sock.getsockopt(TCP, 11, 104), 28)[0]
    elif call == "shutdown":
        sock.shutdown(socket.SHUT_RDWR)
    elif call == "greeting":
        return greeting(sock)
    elif call == "close":
        sock.close()
    elif call == "inode":
        return os.fstat(sock.fileno()).st_ino
    elif call == "flags":
        return flags(sock)
    elif call == "activation":
        return os.environ.get("LISTEN_FDS"), os.environ.get("LISTEN_FDNAMES")
    elif call == "names":
        names = started_with("LISTEN_FDNAMES")
        return names and names[1]
    elif call == "child":
        return count_in_child()
    else:
        sys.exit("no call is named " + call)
    return "ok"


sockets = []
for argument in sys.argv[1:]:
    call, _, value = argument.partition("=")
    if call == "stay":
        print("stay", flush=True)
        time.sleep(3600)
    try:
        if call in SOCKETS:
            sockets.append(socket.socket(*SOCKETS[call]))
            result = "ok"
        elif call == "inherited":
            sockets.append(socket.socket(fileno=int(value)))
            result = "ok"
        else:
            result = make(call, value, sockets[-1] if sockets else None)
    except OSError as error:
        result = errno.errorcode[error.errno]
        if call in SOCKETS:
            print(argument, result)
            break
    print(argument, result, flush=True)
