# SPDX-License-Identifier: LGPL-2.1-or-later
# health.py PORT DIRECTORY [OTHER]: a server of one thread that answers each connection with its process id,
# and a request for /health with a status of HTTP. DIRECTORY/PID may contain what it does instead:
#   a number   the status is this one
#   mute       accepts, and answers nothing on /health
#   silent     accepts, and never answers
#   deaf       accepts nothing
#   leak       needs a megabyte more with each client
# DIRECTORY/first is for processes without such a file; OTHER is a port that it listens on, too.
import os
import socket
import sys
import time


def listen(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    return server


def mode():
    for name in str(os.getpid()), "first":
        try:
            return open(os.path.join(sys.argv[2], name)).read().strip()
        except FileNotFoundError:
            pass
    return ""


def serve(client):
    said = client.recv(1000)
    if not said.startswith(b"GET /health"):
        if mode() != "silent":
            client.sendall(b"%d\n" % os.getpid())
        return mode() == "silent"
    while said and b"\r\n\r\n" not in said:
        more = client.recv(1000)
        said = said + more if more else b""
    if mode() in ("mute", "silent"):
        return True
    if said:
        status = mode() if mode().isdigit() else "200"
        host = said.split(b"Host: ")[1].split(b"\r\n")[0]
        client.sendall(b"HTTP/1.1 %s Some\r\nX-Host: %s\r\n\r\n" % (status.encode(), host))
        print("asked at", host.decode(), "from", client.getpeername()[0], flush=True)
    return False


leaked = []
server = listen(int(sys.argv[1]))
others = [listen(int(port)) for port in sys.argv[3:]]
held = []
print("listening", flush=True)
while True:
    while mode() == "deaf":
        time.sleep(0.01)
    client, _ = server.accept()
    if mode() == "leak":
        leaked.append(b"x" * 2**20)
        time.sleep(0.01)
    try:
        if serve(client):
            held.append(client)
            continue
    except OSError:
        pass
    client.close()
