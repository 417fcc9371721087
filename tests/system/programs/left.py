# SPDX-License-Identifier: LGPL-2.1-or-later
# left.py PORT SOCKETS COMMAND...: leaves as many listeners on the port as a supervisor does that was
# killed, waits for SIGUSR1, and becomes the command, which gets them as from the store of systemd.
import os
import signal
import socket
import sys

FIRST_FD = 3
port, count = int(sys.argv[1]), int(sys.argv[2])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
sockets = []
for _ in range(count):
    left = socket.socket()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    left.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    left.bind(("127.0.0.1", port))
    left.listen(512)
    sockets.append(left)
names = [f"libreuse-{os.fstat(left.fileno()).st_ino}-tcp-127.0.0.1-{port}" for left in sockets]
high = [os.dup2(left.fileno(), 100 + i, inheritable=False) for i, left in enumerate(sockets)]
print("listening", flush=True)
signal.sigwait([signal.SIGUSR1])
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
for i, fd in enumerate(high):
    os.dup2(fd, FIRST_FD + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=":".join(names))
os.execv(sys.argv[3], sys.argv[3:])
