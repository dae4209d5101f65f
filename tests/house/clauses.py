#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clauses - each clause of the ioctl interface is what a test in a guest is
named after, or docs/spec/cryptodev-conformance.md says why not."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/spec/cryptodev-conformance.md"
# How many clauses each letter has.
FAMILIES = {"D": 6, "C": 3, "S": 11, "F": 3, "I": 4, "E": 17, "A": 17, "Q": 6,
            "H": 3, "P": 4, "X": 1}
CLAUSE = r"[A-Z][0-9]+"


def read(*patterns):
    paths = [p for pattern in patterns for p in ROOT.glob(pattern)
             if p.is_file()]
    return "\n".join(p.read_text() for p in paths)


def named():
    """The clauses that names of tests begin with."""
    programs = read("tests/guest/*.c")
    scripts = read("tests/guest/[a-z]*", "tests/uml/[a-z]*", "tests/qemu/[a-z]*")
    emulator = read("tests/emulator/test_emulator_*.c")
    names = re.findall(rf'"((?:{CLAUSE} ?)+): ', programs)
    names += re.findall(rf'(?:claim|run) "((?:{CLAUSE} ?)+): ', scripts)
    names += re.findall(rf"void test_((?:{CLAUSE}_)+)", emulator)
    return {clause for name in names for clause in re.findall(CLAUSE, name)}


def excused(text):
    """Those of the table of reasons."""
    table = text.partition("## Without a test")[2]
    return set(re.findall(rf"^\| ({CLAUSE}) \| \S", table, re.M))


def described(text):
    """Those of the first table, where "S1 to S11" is eleven."""
    found = set()
    table = text.partition("## Without a test")[0]
    for cell in re.findall(rf"^\| ({CLAUSE}[^|]*)\|", table, re.M):
        found |= set(re.findall(CLAUSE, cell))
        for letter, first, last in re.findall(
                r"([A-Z])(\d+) to [A-Z](\d+)", cell):
            found |= {f"{letter}{n}"
                      for n in range(int(first), int(last) + 1)}
    return found


def main():
    text = DOCUMENT.read_text()
    every = {f"{letter}{n + 1}" for letter, count in FAMILIES.items()
             for n in range(count)}
    tested, reasons = named(), excused(text)
    faults = [f"{c}: no test is named after it, and no reason given"
              for c in every - tested - reasons]
    faults += [f"{c}: has a test, and a reason why not"
               for c in tested & reasons]
    faults += [f"{c}: not described" for c in every - described(text)]
    faults += [f"{c}: there is no such clause"
               for c in (tested | reasons) - every]
    for fault in sorted(faults):
        print(fault)
    print(f"{len(every & tested)} clauses have tests, {len(reasons)} reasons")
    return 1 if faults or not tested else 0


sys.exit(main())
