# SPDX-License-Identifier: LGPL-2.1-or-later
# namespaced.py USER LINES PROGRAM WORD...: becomes the program, as that user of a user namespace with
# these lines, split by commas, in uid_map and gid_map (user_namespaces(7)).
import ctypes
import os
import sys

user, lines = int(sys.argv[1]), sys.argv[2].replace(",", "\n")
unshared, is_unshared = os.pipe()
mapped, is_mapped = os.pipe()
if os.fork() == 0:
    os.read(unshared, 1)
    for kind in "uid", "gid":
        with open(f"/proc/{os.getppid()}/{kind}_map", "w") as numbers:
            numbers.write(lines + "\n")
    os.write(is_mapped, b"x")
    os._exit(0)
if ctypes.CDLL(None).unshare(0x10000000) < 0:  # CLONE_NEWUSER
    sys.exit("no user namespace")
os.write(is_unshared, b"x")
os.read(mapped, 1)
os.wait()
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.execv(sys.argv[3], sys.argv[3:])
