# SPDX-License-Identifier: LGPL-2.1-or-later
"""
report.py [--publish] PART...: puts the results of the parts into one table, two pictures and one
verdict: ends with 1 when a number was missed. With --publish, beside the sources too, where README.md
shows them.
"""
import json
import os
import platform
import re
import subprocess
import sys

import bench

CHARTS = "chart.svg", "growth.svg"


def load(part):
    with open(bench.path(f"{part}.json"), encoding="utf-8") as file:
        return json.load(file)


def first(pattern, name, otherwise):
    try:
        with open(name, encoding="utf-8") as file:
            return re.search(pattern, file.read(), re.MULTILINE).group(1).strip()
    except (OSError, AttributeError):
        return otherwise


def machine():
    processor = first(r"^model name\s*: (.*)", "/proc/cpuinfo", platform.machine())
    system = first(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release", "unknown system")
    return f"{bench.CORES} cores, {processor}, Linux {platform.release()}, {system}"


# ---- the table ----


def wanted(line):
    if "limit" not in line:
        return ""
    how, number = line["limit"]
    text = f"{how} {bench.number(number)}" + (" within the noise" if line.get("is_noisy") else "")
    if "instead" in line:
        text += f", or {line['instead']}"
    if line["is_reached"]:
        return text
    others = line.get("others", 0)
    disturbed = f"; others used {others:.0%} of the machine" if others > bench.OTHERS_MOST else ""
    return f"{text}: **missed{disturbed}**"


def table(parts, is_wanted=lambda line: True):
    rows = []
    for part in parts:
        lines = [line for line in part["lines"] if is_wanted(line)]
        if lines:
            rows += ["", f"{part['title']}", "", "| what | measured | must be |", "|---|---|---|"]
        rows += [f"| {line['what']} | {bench.show(line)} | {wanted(line)} |" for line in lines]
    return "\n".join(rows[1:]) + "\n"


# ---- the picture ----

UNEVEN_CLIENTS = 4  # of those that queues.py has
COLOURS = "#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3"


def quoted(text):
    return '"' + text.replace('"', "'").replace("_", " ") + '"'


def bars(title, rows, is_logarithmic=False):
    """ROWS: (label, number), from the top down."""
    length = "log10(1 + $2)" if is_logarithmic else "$2"
    data = "\n".join(f"{quoted(label)} {value:.4g}" for label, value in rows)
    tics = ", ".join(f'"{10 ** n if n else 0}" log10(1 + {10 ** n if n else 0})' for n in range(6))
    top = max(1e-3, *(value for _, value in rows))
    return f"""
$bars << EOD
{data}
EOD
set title {quoted(title)}
set lmargin 40
set xrange [0:{f"log10(1 + {top})" if is_logarithmic else top} * 1.35]
set yrange [{0.5 - len(rows)}:0.5]
{f"set xtics ({tics})" if is_logarithmic else ""}
plot $bars using ({length} / 2):(-$0):({length} / 2):(0.3):ytic(1) with boxxyerror fill solid \\
    lc rgb "{COLOURS[0]}" notitle, \\
    $bars using ({length}):(-$0):(sprintf(" %.4g", $2)) with labels left notitle
set lmargin -1
set xrange [*:*]
set xtics auto
set ytics auto
"""


def curves(title, lines, is_logarithmic=False):
    """One curve for each name in "curve"."""
    names = list(dict.fromkeys(line["curve"] for line in lines))
    text = ["unset ylabel", f"set title {quoted(title)}", "set yrange [0:*]", "set logscale x"]
    if is_logarithmic:
        text += ["set logscale y", "set yrange [*:*]"]
    for at, name in enumerate(names):
        rows = [(line["x"], line.get("value", line.get("median")), line.get("min"), line.get("max"))
                for line in lines if line["curve"] == name]
        text += [f"$curve{at} << EOD"]
        text += [f"{x} {y} {y if low is None else low} {y if high is None else high}"
                 for x, y, low, high in rows]
        text += ["EOD"]
    text += ["plot " + ", ".join(
        f'$curve{at} using 1:2:3:4 with yerrorlines pt 7 ps 0.5 lc rgb "{COLOURS[at]}" title {quoted(name)}'
        for at, name in enumerate(names))]
    return "\n".join(text + ["unset logscale", ""])


def named(lines, ending):
    """(label, number) of the lines whose "what" ends so."""
    return [(line["what"][: -len(ending)].rstrip(": "), line.get("value", line.get("median")))
            for line in lines if line["what"].endswith(ending) and "skipped" not in line]


def users_panels(lines):
    """What users weigh."""
    gain, queues = lines.get("gain", []), lines.get("queues", [])
    for ending, title in (("requests per second", "Requests per second"), ("latency, p99", "p99")):
        equal = named(gain, f" / one copy: {ending}")
        if equal:
            yield bars(f"{title}, equal (one copy: 1)", equal)
        uneven = [(label.replace(f", {UNEVEN_CLIENTS} clients", ""), number) for label, number in
                  named(queues, f" / a queue each: {ending}") if f" {UNEVEN_CLIENTS} clients" in label]
        if uneven:
            yield bars(f"{title}, uneven (a queue each: 1)", uneven)
    lost = named(lines.get("restart", []), ": lost requests a restart")
    if lost:
        yield bars("Requests lost at a restart under load", lost, True)


def growth_panels(lines):
    """What developers weigh."""
    growth = [line for line in lines.get("growth", []) if "picture" in line]
    for picture, title, is_logarithmic in (
        ("bind", "Instructions added to a bind, by rules", False),
        ("start", "Instructions of a start for each rule, by rules", True),
        ("memory", "Private memory in bytes, by rules", True),
        ("group", "Time of a bind / native, by sockets on a port", False),
        ("kernel", "Time of a bind / first ones, by sockets on a port", True),
        ("copies", "Memory of the supervisor in bytes, by copies", False),
    ):
        shown = [line for line in growth if line["picture"] == picture]
        if shown:
            yield curves(title, shown, is_logarithmic)


def draw_one(drawn, path):
    if not drawn:
        return
    rows = (len(drawn) + 1) // 2
    script = f"""
set terminal svg size 1200,{320 * rows} font "sans-serif,11" background "white"
set output {quoted(path)}
set multiplot layout {rows},2
set style data lines
set grid ytics lc rgb "#dddddd"
set key top left
{"".join(drawn)}
unset multiplot
"""
    with open(bench.path("chart.gnuplot"), "w", encoding="utf-8") as file:
        file.write(script)
    subprocess.run(["gnuplot", bench.path("chart.gnuplot")], check=True)


def draw(parts, folder):
    """What has not been measured is left as it is."""
    lines = {part["part"]: part["lines"] for part in parts}
    for panels, name in zip((users_panels, growth_panels), CHARTS):
        draw_one(list(panels(lines)), os.path.join(folder, name))


# ---- what README.md shows ----


def is_main(line):
    return line.get("is_main", False)


def publish(parts):
    with open(os.path.join(bench.HERE, "results.md"), "w", encoding="utf-8") as file:
        file.write("# What libreuse costs and what it gains\n\n"
                   "Made by `./scripts/bench --publish`. Costs are counts of callgrind and strace. Ratios\n"
                   "are the median of runs that took turns (minimum to maximum), with a fresh server for\n"
                   f"each.\n\n{table(parts, is_main)}\nMeasured on: {machine()}.\n")
    draw(parts, bench.HERE)


def main():
    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    parts = [load(name) for name in names]
    with open(bench.path("results.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "parts": parts}, file, indent=1)
    text = f"{table(parts)}\nMeasured on: {machine()}.\n"
    with open(bench.path("results.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
    if "--quick" not in sys.argv:
        draw(parts, bench.BUILD)
    if "--publish" in sys.argv:
        publish(parts)
    missed = [line for part in parts for line in part["lines"] if not line.get("is_reached", True)]
    for line in missed:
        print(f"missed: {line['what']}: {bench.show(line)}, {' '.join(map(str, line['limit']))}")
    sys.exit(1 if missed else 0)


main()
