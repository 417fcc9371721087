# SPDX-License-Identifier: LGPL-2.1-or-later
"""
clients.py CLIENTS SEED: asks a server over and over, each time from another address. Standard input says where:

  ask PORT          from now on
  leave PORT        no longer; says "left PORT" when what has begun is over
  burst PORT COUNT  as many at once, besides
  end               says "end ANSWERED" when all is over, and ends

Says in a line of JSON for each request that was not answered: when it began and ended, and who had accepted it.
"""
import collections
import json
import random
import socket
import struct
import sys
import threading
import time

PATIENCE = 60  # seconds; only who hangs takes so long
RESET = struct.pack("ii", 1, 0)  # leaves no TIME_WAIT behind
TIMED_OUT = (TimeoutError, socket.timeout)  # two things before Python 3.10

lock = threading.Lock()
idle = threading.Condition(lock)
asked, busy, answered = set(), collections.Counter(), 0
is_over = threading.Event()


def say(line):
    print(line, flush=True)


def read_all(client):
    """What came, and how it ended."""
    said = b""
    try:
        while data := client.recv(4096):
            said += data
    except TIMED_OUT:
        return said, "hung"
    except ConnectionError:
        return said, "reset"
    return said, "ended"


def talk(client, port, delay_ms):
    """The lines that the server has said, and how it ended."""
    client.settimeout(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    try:
        client.connect(("127.0.0.1", port))
        client.sendall(b"%d\n" % delay_ms)
    except ConnectionRefusedError:
        return [], "refused"
    except TIMED_OUT:
        return [], "hung"
    except ConnectionError:
        pass  # what it has said may be there
    said, how = read_all(client)
    return said.decode().splitlines(), how


def ask(port, number):
    """The address is given to each client once in a long time, so no port of it runs out."""
    global answered
    delay_ms = number.choice((0, 0, 0, 0, 0, 0, 5, 10, 20, number.randrange(300)))
    begun = time.monotonic()
    with socket.socket() as client:
        client.bind((f"127.{number.randrange(1, 255)}.{number.randrange(256)}.{number.randrange(1, 255)}", 0))
        address = "%s:%d" % client.getsockname()
        said, how = talk(client, port, delay_ms)
    with lock:
        if said[1:] == ["done"] and how == "ended":
            answered += 1
            return
        say(json.dumps({"port": port, "begun": begun, "ended": time.monotonic(), "how": how, "client": address,
                        "greeting": said[0].split() if said else None}))


def ask_counted(port, number):
    with lock:
        busy[port] += 1
    try:
        ask(port, number)
    finally:
        with lock:
            busy[port] -= 1
            idle.notify_all()


def run(number):
    while not is_over.is_set():
        with lock:
            port = number.choice(sorted(asked)) if asked else None
            busy[port] += 1
        try:
            if port:
                ask(port, number)
        finally:
            with lock:
                busy[port] -= 1
                idle.notify_all()
        is_over.wait(number.random() * 0.02)


def leave(port):
    with lock:
        asked.discard(port)
        idle.wait_for(lambda: not busy[port])
    say(f"left {port}")


def burst(port, count, seed):
    for i in range(count):
        threading.Thread(target=ask_counted, args=(port, random.Random(f"{seed} {i}"))).start()


seed = sys.argv[2]
threads = [threading.Thread(target=run, args=(random.Random(f"{seed} client {i}"),)) for i in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for line in sys.stdin:
    word, *numbers = line.split()
    numbers = [int(number) for number in numbers]
    if word == "ask":
        with lock:
            asked.add(numbers[0])
    elif word == "leave":
        leave(*numbers)
    elif word == "burst":
        burst(*numbers, f"{seed} {line}")
    else:
        break
is_over.set()
with lock:
    idle.wait_for(lambda: not any(busy.values()))
say(f"end {answered}")
