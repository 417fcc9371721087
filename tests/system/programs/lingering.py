# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection whose last descriptor takes an hour to close."""
import socket
import struct


def connect_lingering(server):
    client = socket.create_connection(server.getsockname())
    client.setblocking(False)
    try:
        while client.send(b"x" * 65536):
            pass
    except BlockingIOError:
        pass
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return client
