# SPDX-License-Identifier: LGPL-2.1-or-later
# clients.py PORT: 16 clients connect, ask and read in a loop until SIGTERM; prints how many were
# answered, how many found nobody listening, and how many were cut off once they were connected.
import collections
import signal
import socket
import sys
import threading

port, is_over, counts = int(sys.argv[1]), threading.Event(), collections.Counter()


def ask():
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"hello\n")
            return "answered" if client.recv(100).endswith(b"\n") else "cut off"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionError:
        return "cut off"


def run():
    while not is_over.is_set():
        counts[ask()] += 1


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
threads = [threading.Thread(target=run) for _ in range(16)]
for thread in threads:
    thread.start()
print("asking", flush=True)
signal.sigwait([signal.SIGTERM])
is_over.set()
for thread in threads:
    thread.join()
print(counts["answered"], counts["refused"], counts["cut off"], flush=True)
