# SPDX-License-Identifier: LGPL-2.1-or-later
# timeline.py PORT PATH: 16 clients ask an HTTP server on 127.0.0.1 for PATH, one connection a
# request, until SIGTERM; then draws how many answers came when, and where requests were lost.
# SIGUSR1 marks a moment. It prints a line for the start and for each mark, once they have happened.
# Ends with 1 when any request was lost, or none was answered.
import collections
import signal
import socket
import sys
import threading
import time

COLUMN_MS, COLUMNS_MOST, HEIGHT = 100, 72, 5
WAIT_SECONDS = 30

port, path, is_over = int(sys.argv[1]), sys.argv[2], threading.Event()
start = time.monotonic()
answered, lost = collections.Counter(), collections.Counter()  # by the 100 ms they ended in
marks, lock = [], threading.Lock()


def now():
    return int((time.monotonic() - start) * 1000 / COLUMN_MS)


def is_answered():
    """Whether all that the server has announced has come."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as client:
            client.sendall(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
            head, _, body = b"".join(iter(lambda: client.recv(4096), b"")).partition(b"\r\n\r\n")
            return b" 200 " in head and b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    except OSError:
        return False


def run():
    while not is_over.is_set():
        is_good = is_answered()
        with lock:
            (answered if is_good else lost)[now()] += 1
        if not is_good:
            time.sleep(0.01)  # a client that was refused does not come back at once


def squeeze(counter, ratio):
    squeezed = collections.Counter()
    for moment, count in counter.items():
        squeezed[moment // ratio] += count
    return squeezed


def draw():
    moments = max([*answered, *lost, *marks]) + 1
    ratio = -(-moments // COLUMNS_MOST)
    heights, losses = squeeze(answered, ratio), squeeze(lost, ratio)
    columns = range(-(-moments // ratio))
    most = max(heights.values(), default=1)
    for row in range(HEIGHT, 0, -1):
        level = most * (row - 0.5) / HEIGHT
        print("    " + "".join("#" if heights[at] > level else " " for at in columns).rstrip())
    print("    " + "".join("x" if losses[at] else "-" for at in columns) + " x: lost")
    marked = {moment // ratio for moment in marks}
    print("    " + "".join("^" if at in marked else " " for at in columns).rstrip(), end="  ")
    print(f"one column is {ratio * COLUMN_MS} ms")


waited_for = {signal.SIGTERM, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
threads = [threading.Thread(target=run) for _ in range(16)]
for thread in threads:
    thread.start()
print("asking", flush=True)
while signal.sigwait(waited_for) == signal.SIGUSR1:
    marks.append(now())
    print("marked", flush=True)
is_over.set()
for thread in threads:
    thread.join()
draw()
n_answered, n_lost = sum(answered.values()), sum(lost.values())
print(f"    {n_answered} requests answered, {n_lost} lost")
sys.exit(n_lost > 0 or n_answered == 0)
