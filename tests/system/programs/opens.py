# SPDX-License-Identifier: LGPL-2.1-or-later
"""opens.py CONTROL [PROTOCOL:PORT]...: opens sockets at 127.0.0.1, and others when it is told to.

TCP clients are answered the process number. A client of the port CONTROL sends one line instead:
"open PROTOCOL PORT", "close PORT" or "random N", which is done, and answered "done". "random:N"
and "random N" bind N random UDP ports one after the other, as a resolver does, and close each.
"tries:PORT" tries a bind until it works, without end, and for the first time before anything
listens; "may:PORT" tries it once.
"""
import os
import random
import socket
import sys
import threading
import time

sockets, threads = {}, {}


def answer(port, listener, serve):
    listener.settimeout(0.02)
    while port in sockets:
        try:
            connection = listener.accept()[0]
        except socket.timeout:
            continue
        with connection:
            serve(connection)
    listener.close()


def say_number(connection):
    connection.recv(100)
    send_number(connection)


def send_number(connection):
    connection.sendall(f"{os.getpid()}\n".encode())


def bind(kind, port):
    new = socket.socket(socket.AF_INET, kind)
    try:
        new.bind(("127.0.0.1", port))
    except OSError:
        new.close()
        raise
    return new


def start_listening(port, new, serve):
    sockets[port] = new
    new.listen()
    threads[port] = threading.Thread(target=answer, args=[port, new, serve], daemon=True)
    threads[port].start()


def open_one(protocol, port):
    if protocol == "tcp":
        start_listening(port, bind(socket.SOCK_STREAM, port), say_number)
    else:
        sockets[port] = bind(socket.SOCK_DGRAM, port)


def close_one(port):
    closed = sockets.pop(port)
    if port in threads:
        threads.pop(port).join()
    closed.close()


def ask_at_random(times):
    for _ in range(times):
        try:
            bind(socket.SOCK_DGRAM, random.randrange(10000, 60000)).close()
        except OSError:
            pass


def try_again_and_again(port):
    while True:
        try:
            open_one("tcp", port)
            return
        except OSError:
            time.sleep(0.05)


def try_once(port):
    try:
        open_one("tcp", port)
    except OSError:
        pass


def obey(connection):
    verb, *words = connection.recv(100).decode().split()
    if verb == "open":
        open_one(words[0], int(words[1]))
    elif verb == "close":
        close_one(int(words[0]))
    elif verb == "random":
        ask_at_random(int(words[0]))
    else:
        send_number(connection)
        return
    connection.sendall(b"done")


control = int(sys.argv[1])
first = bind(socket.SOCK_STREAM, control)
words = [word.split(":") for word in sys.argv[2:]]
for port in [int(number) for name, number in words if name == "tries"]:
    try_once(port)
    if port not in sockets:
        threading.Thread(target=try_again_and_again, args=[port], daemon=True).start()
start_listening(control, first, obey)
AT_START = {"random": ask_at_random, "may": try_once, "tries": int}
for name, number in words:
    if name in AT_START:
        AT_START[name](int(number))
    else:
        open_one(name, int(number))
threading.Event().wait()
