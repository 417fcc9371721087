# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.py BEFORE PART...: which counts differ from those in the folder BEFORE; 1 if one grew."""
import json
import os
import sys

import bench

GROWN = 1.01  # times; less than this is the linker's doing


def counts(folder, part):
    with open(os.path.join(folder, f"{part}.json"), encoding="utf-8") as file:
        lines = json.load(file)["lines"]
    return {line["what"]: line["value"] for line in lines if "value" in line}


grown = 0
print("| what | before | now | |\n|---|---|---|---|")
for part in sys.argv[2:]:
    before, now = counts(sys.argv[1], part), counts(bench.BUILD, part)
    for what in [each for each in before if each in now]:
        if before[what] == now[what]:
            continue
        is_grown = now[what] > before[what] * GROWN
        grown += is_grown
        ratio = now[what] / before[what] if before[what] else float("inf")
        print(f"| {part}: {what} | {bench.number(before[what])} | {bench.number(now[what])} "
              f"| {ratio:.3f} times{', **grown**' if is_grown else ''} |")
print(f"\n{grown} of the counts have grown by more than 1%")
sys.exit(1 if grown else 0)
