# SPDX-License-Identifier: LGPL-2.1-or-later
"""
server.py CONFIG: a server that knows nothing of libreuse and has no graceful end. It says at once who it is,
"PROCESS GENERATION LIFE PARENT TROUBLE", and answers a line with a number of milliseconds so much later with "done".

The first line of CONFIG has the ports. The second one says what goes wrong, and with which copy (-1: each):
  none WORKER    nothing
  slow WORKER    it listens half a second later
  dies WORKER    it ends before it listens
  weak WORKER    it ends a moment after it listens
  mute WORKER    it never listens
  half WORKER    it listens on the first port only
"""
import os
import signal
import socket
import sys
import threading
import time



def listen(port):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    return server


def answer(client):
    try:
        with client:
            time.sleep(int(client.recv(100) or 0) / 1000)
            client.sendall(b"done\n")
    except ConnectionError:
        pass  # a client that only looks whether somebody is there


def serve(server):
    while True:
        client, _ = server.accept()
        try:
            client.sendall(name.encode())
        except ConnectionError:
            client.close()
            continue
        threading.Thread(target=answer, args=(client,), daemon=True).start()


with open(sys.argv[1], encoding="utf-8") as config:
    ports = [int(port) for port in config.readline().split()]
    trouble, worker = config.readline().split()
if worker not in ("-1", os.environ["REUSE_WORKER"]):
    trouble = "none"
if trouble == "slow":
    time.sleep(0.5)
if trouble == "dies":
    sys.exit(3)
if trouble == "mute":
    signal.pause()
if trouble == "half":
    ports = ports[:1]
name = f"{os.getpid()} {os.environ['REUSE_GENERATION']} {os.environ['CHAOS_LIFE']} {os.getppid()} {trouble}\n"
for server in [listen(port) for port in ports]:
    threading.Thread(target=serve, args=(server,), daemon=True).start()
if trouble == "weak":
    time.sleep(0.2)
    sys.exit(3)
signal.pause()
