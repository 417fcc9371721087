# SPDX-License-Identifier: LGPL-2.1-or-later
# mapped.py BASE COUNT PROGRAM WORD...: becomes the program, as root of a user namespace whose users
# 0 to COUNT - 1 are those from BASE on outside.
import ctypes
import os
import sys

base, count = sys.argv[1:3]
unshared, is_unshared = os.pipe()
mapped, is_mapped = os.pipe()
if os.fork() == 0:
    os.read(unshared, 1)
    for kind in "uid", "gid":
        with open(f"/proc/{os.getppid()}/{kind}_map", "w") as numbers:
            numbers.write(f"0 {base} {count}\n")
    os.write(is_mapped, b"x")
    os._exit(0)
if ctypes.CDLL(None).unshare(0x10000000) < 0:  # CLONE_NEWUSER
    sys.exit("no user namespace")
os.write(is_unshared, b"x")
os.read(mapped, 1)
os.wait()
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)
os.execv(sys.argv[3], sys.argv[3:])
