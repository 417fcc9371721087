# SPDX-License-Identifier: LGPL-2.1-or-later
"""reborn.py REUSE-RUN: as process 1 of a PID namespace, has another user send READY=1 to a copy, and
end before the supervisor reads it; then the copy starts a process that gets the same number. Says
"the number is taken" when it has. The log of the supervisor follows on standard error."""
import os
import signal
import socket
import subprocess
import sys
import time

COPY = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.write(1, b"started %d\\n" % os.getpid())
signal.sigwait([signal.SIGUSR1])
child = os.fork()
if child == 0:
    signal.pause()
os.write(1, b"child %d\\n" % child)
signal.pause()
"""


def number_behind(word):
    first, number = supervisor.stdout.readline().split()
    assert first == word, first
    return int(number)


def send(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(name)
        socket.send_fds(channel, [message], [1])


def send_as_nobody():
    process = os.fork()
    if process == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        send(b"READY=1")
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0
    return process


def wait_state(process, state):
    while True:
        with open(f"/proc/{process}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == state:
                return
        time.sleep(0.001)


supervisor = subprocess.Popen(
    [sys.argv[1], "-v", "-n1", "--ready=notify", sys.executable, "-c", COPY],
    stdout=subprocess.PIPE, text=True)
copy = number_behind("started")
with open(f"/proc/{copy}/environ") as environment:
    variables = dict(each.partition("=")[::2] for each in environment.read().split("\0"))
name = variables["NOTIFY_SOCKET"].replace("@", "\0", 1)
os.kill(supervisor.pid, signal.SIGSTOP)
wait_state(supervisor.pid, "T")
dead = send_as_nobody()
with open("/proc/sys/kernel/ns_last_pid", "w") as last:
    last.write(str(dead - 1))
os.kill(copy, signal.SIGUSR1)
if number_behind("child") == dead:
    print("the number is taken", flush=True)
send(b"FDSTORE=1\nFDNAME=wrong")  # of which the log tells
os.kill(supervisor.pid, signal.SIGCONT)
signal.pause()
