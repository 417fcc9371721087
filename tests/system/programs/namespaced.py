# SPDX-License-Identifier: LGPL-2.1-or-later
# namespaced.py PROGRAM WORD...: becomes the program, as the user 65534 of a user namespace that
# has numbers for root, and for 100000 as that user, and so shows all others as him too.
import ctypes
import os
import sys

unshared, is_unshared = os.pipe()
mapped, is_mapped = os.pipe()
if os.fork() == 0:
    os.read(unshared, 1)
    for kind in "uid", "gid":
        with open(f"/proc/{os.getppid()}/{kind}_map", "w") as numbers:
            numbers.write("0 0 1\n65534 100000 1\n")
    os.write(is_mapped, b"x")
    os._exit(0)
if ctypes.CDLL(None).unshare(0x10000000) < 0:  # CLONE_NEWUSER
    sys.exit("no user namespace")
os.write(is_unshared, b"x")
os.read(mapped, 1)
os.wait()
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
os.execv(sys.argv[1], sys.argv[1:])
