# SPDX-License-Identifier: LGPL-2.1-or-later
# clients.py PORT CLIENTS: as many clients connect, ask and read to the end in a loop until SIGTERM;
# prints how many were answered, found nobody listening, were cut off once they were connected, and
# heard nothing for 30 s; and the ports of those that were cut off.
import collections
import signal
import socket
import struct
import sys
import threading
import time

port, clients = int(sys.argv[1]), int(sys.argv[2])
is_over, counts, ports = threading.Event(), collections.Counter(), []


def read_all(client):
    answer = b""
    while data := client.recv(4096):
        answer += data
    return answer


def talk(client):
    # No TIME_WAIT is left behind: thousands of them slow down all who read the kernel's tables.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        if read_all(client).endswith(b"\n"):
            return "answered"
    except TimeoutError:
        return "hung"
    except ConnectionError:
        pass
    ports.append(client.getsockname()[1])
    return "cut off"


def ask():
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            return talk(client)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "cut off"  # before connect() had returned
    except TimeoutError:
        return "hung"


def run():
    while not is_over.is_set():
        outcome = ask()
        counts[outcome] += 1
        if outcome == "refused":
            time.sleep(0.001)  # leaves the server the time to start


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
threads = [threading.Thread(target=run) for _ in range(clients)]
for thread in threads:
    thread.start()
print("asking", flush=True)
signal.sigwait([signal.SIGTERM])
is_over.set()
for thread in threads:
    thread.join()
kinds = ["answered", "refused", "cut off", "hung"]
print(*[f"{kind} {counts[kind]}" for kind in kinds], "ports", *ports, flush=True)
