# SPDX-License-Identifier: LGPL-2.1-or-later
# clients.py PORT CLIENTS [PROTOCOL]: as many clients connect, ask and read to the end in a loop until
# SIGTERM; prints how many were answered, found nobody listening, were cut off once they were
# connected, and heard nothing for 30 s; and the ports of those that were cut off. PROTOCOL is http,
# fastcgi (the script is the variable SCRIPT_FILENAME), syslog, or dns, over UDP.
import collections
import os
import signal
import socket
import struct
import sys
import threading
import time

port, clients = int(sys.argv[1]), int(sys.argv[2])
protocol = sys.argv[3] if len(sys.argv) > 3 else "http"
TIMED_OUT = (TimeoutError, socket.timeout)  # two things before Python 3.10
is_over, counts, ports = threading.Event(), collections.Counter(), []


def read_all(client):
    answer = b""
    while data := client.recv(4096):
        answer += data
    return answer


def fastcgi_record(kind, content):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def fastcgi_request():
    script = os.environ.get("SCRIPT_FILENAME", "")
    variables = {"SCRIPT_FILENAME": script, "REQUEST_METHOD": "GET"}
    parameters = b"".join(
        bytes([len(name), len(value)]) + name.encode() + value.encode()
        for name, value in variables.items()
    )
    is_a_responder = fastcgi_record(1, struct.pack("!HB5x", 1, 0))
    return is_a_responder + fastcgi_record(4, parameters) + fastcgi_record(4, b"") + fastcgi_record(5, b"")


# What is asked, and what the answer has at its end. Nobody answers to a line of a log.
conversations = {
    "http": (b"GET / HTTP/1.0\r\n\r\n", b"\n"),
    "fastcgi": (fastcgi_request(), fastcgi_record(3, bytes(8))),
    "syslog": (b"<13>a line\n", b""),
}


def talk(client):
    request, end = conversations[protocol]
    # No TIME_WAIT is left behind: thousands of them slow down all who read the kernel's tables.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        client.sendall(request)
        if not end:
            client.shutdown(socket.SHUT_WR)
        if read_all(client).endswith(end):
            return "answered"
    except TIMED_OUT:
        return "hung"
    except ConnectionError:
        pass
    ports.append(client.getsockname()[1])
    return "cut off"


def ask_over_tcp():
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            return talk(client)
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "cut off"  # before connect() had returned
    except TIMED_OUT:
        return "hung"


def ask_over_udp():
    number = os.urandom(2)
    question = number + bytes([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"\7example\4test\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.connect(("127.0.0.1", port))
        try:
            client.send(question)
            return "answered" if client.recv(512)[:2] == number else "cut off"
        except ConnectionRefusedError:
            return "refused"
        except TIMED_OUT:
            return "hung"


ask = ask_over_udp if protocol == "dns" else ask_over_tcp


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
