# SPDX-License-Identifier: LGPL-2.1-or-later
# Types at an interactive shell on a terminal of its own: jobs.py COMMAND starts the command, stops
# it, continues it before and after the shell, interrupts it, and sends its job a signal. COMMAND is
# "trouble counting 0", hooked or not. Prints what it sees.
import os
import pty
import select
import signal
import sys
import time

shell, terminal = pty.fork()
if shell == 0:
    os.environ.update(PS1="", PS2="", TERM="dumb", HISTFILE="")
    os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])

seen = b""


def wait_for(words):
    """Waits until the terminal shows WORDS; returns what came before them."""
    global seen
    deadline = time.monotonic() + 60
    while words.encode() not in seen:
        ready = select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]
        if not ready:
            sys.exit("%r did not come, but %r" % (words, seen))
        seen += os.read(terminal, 65536)
    before, seen = seen.split(words.encode(), 1)
    return before.decode()


def type_in(text):
    os.write(terminal, text.encode())


command = sys.argv[1]
type_in("stty -echo\n")
type_in("echo be''gin\n")
wait_for("begin")
type_in(command + "\n")
wait_for("running in group ")
job = int(wait_for("\r\n"))
type_in("\x1a")  # ^Z
wait_for("Stopped")
print("stopped")
type_in("fg\n")
wait_for("continued")
print("continued before the shell")
type_in("\x1a")
wait_for("Stopped")
type_in("bg\n")
wait_for("continued")
print("continued behind the shell")
type_in("kill %1\n")
wait_for("terminated")
type_in("fg\n")
while os.tcgetpgrp(terminal) != job:
    time.sleep(0.001)
type_in("\x03")  # ^C
wait_for("interrupted")
os.kill(job, signal.SIGRTMIN)
wait_for("interrupts=")
print("interrupts=" + wait_for("\r\n"))
type_in("echo status=$?=\n")
wait_for("status=42=")
type_in("exit\n")
os.waitpid(shell, 0)
