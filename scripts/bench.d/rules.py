# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies of a given size, in which the last rule is the one for 127.0.0.1 and a port."""
import ipaddress
import random

import bench

LOOPBACK = int(ipaddress.IPv4Address("127.0.0.1"))


def ports(port, count):
    """Each rule for a port of its own."""
    others = (each for each in range(1, 65536) if each != port)
    return [f"tcp port={each} -> share" for _, each in zip(range(count - 1), others)]


def ranges(port, count):
    """Each rule for a prefix of any length, and for a range of ports."""
    dice = random.Random(1)
    rules = []
    while len(rules) < count - 1:
        length = dice.randint(8, 32)
        prefix = ipaddress.ip_network((dice.getrandbits(32), length), strict=False)
        first = dice.randint(1, 65000)
        last = min(65535, first + dice.randint(0, 1000))
        if LOOPBACK not in range(int(prefix[0]), int(prefix[-1]) + 1) or not first <= port <= last:
            rules.append(f"tcp addr={prefix} port={first}-{last} -> share")
    return rules


def file(shape, port, count):
    """The path of a policy file of COUNT rules."""
    name = bench.path(f"{shape.__name__}-{count}.conf")
    with open(name, "w", encoding="utf-8") as out:
        out.write("\n".join(shape(port, count) + [f"tcp port={port} -> share", ""]))
    return name
