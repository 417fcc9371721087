#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""matrix.py PHASE FIRST SECOND PORT: whether two sockets may have one port.

PHASE is "bind" (both bind) or "listen" (both listen, too); FIRST and SECOND are "specific" or
"wildcard". Prints what the second gets, "ok" or "in-use". It sets no socket option.
"""
import errno
import socket
import sys

ADDRESSES = {"specific": "127.0.0.1", "wildcard": "0.0.0.0"}


def open_socket(phase, address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((ADDRESSES[address], port))
    if phase == "listen":
        sock.listen()
    return sock


phase, first, second, port = sys.argv[1:]
first_socket = open_socket(phase, first, int(port))
try:
    open_socket(phase, second, int(port))
    print("ok")
except OSError as error:
    if error.errno != errno.EADDRINUSE:
        raise
    print("in-use")
