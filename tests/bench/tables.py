# SPDX-License-Identifier: Apache-2.0
"""tables - what the benches of the device and of its guest share: samples with
medians and ratios, tables, and files beside them."""
import collections
import json
import os
import platform
import shutil
import statistics
import subprocess


class Values:
    """What was measured, by key and round."""

    def __init__(self):
        self.by_key = collections.defaultdict(list)

    def add(self, value, *key):
        self.by_key[key].append(value)

    def median(self, *key):
        values = self.by_key.get(key)
        return statistics.median(values) if values else None

    def ratios(self, key, other):
        """key's values by other's, round by round: neighbours in time, so a
        slow moment of the machine weighs on both. Sorted."""
        pairs = zip(self.by_key.get(tuple(key), ()),
                    self.by_key.get(tuple(other), ()))
        return sorted(a / b for a, b in pairs)


def row(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def head(*names):
    yield row(*names)
    yield row(*["---"] * len(names))


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def spread(ratios):
    """Median (least to most), or a dash."""
    if not ratios:
        return "-"
    return (f"{statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})")


def check(holds, text):
    return f"{'holds' if holds else 'MISSED'}: {text}"


def about():
    return {"machine": platform.machine(), "kernel": platform.release(),
            "cpus": os.cpu_count(), "load": os.getloadavg()}


def report(folder, samples, lines, machine):
    """samples.json, table.md, and all of the table to the terminal."""
    (folder / "samples.json").write_text(
        json.dumps({"about": machine, "samples": samples}, indent=0))
    (folder / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    print(f"load {machine['load'][0]:.1f} on {machine['cpus']} CPUs")


def plot(folder, commands):
    """gnuplot's commands behind the head that all plots have."""
    if not shutil.which("gnuplot"):
        return "no gnuplot: no plot"
    start = (f'set terminal svg size 800,480 background "white"\n'
             f'set output "{folder}/plot.svg"\n'
             'set logscale x 2\nset xlabel "bytes of payload"\nset grid\n')
    subprocess.run(["gnuplot"], input=start + commands, text=True, check=True)
    return f"plot: {folder}/plot.svg"
