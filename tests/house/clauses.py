#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clauses - each clause of the ioctl interface is what a test in a guest is
named after, or docs/spec/cryptodev-conformance.md says why not; and the tests
that its table names are there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/spec/cryptodev-conformance.md"
# How many clauses each letter has.
FAMILIES = {"D": 6, "C": 3, "S": 11, "F": 3, "I": 4, "E": 17, "A": 17, "Q": 6,
            "H": 3, "P": 4, "X": 1}
EVERY = {f"{letter}{n + 1}" for letter, count in FAMILIES.items()
         for n in range(count)}
CLAUSE = r"[A-Z][0-9]+"
# What the table calls the tests. Those that it does not name count too.
PLACES = {
    "abi": "tests/guest/test_abi.c",
    "rest": "tests/guest/test_clauses.c",
    "hostile": "tests/guest/test_hostile*.c",
    "lost": "tests/guest/test_lost.c",
    "orphan": "tests/guest/test_orphan.c",
    "shortage": "tests/guest/test_shortage.c",
    "narrow": "tests/guest/test_narrow.c",
    "emu": "tests/emulator/test_emulator_*.c",
    "cryptodev": "tests/guest/cryptodev",
    "survival": "tests/uml/survival",
    "several": "tests/uml/several",
}
OTHERS = ["tests/guest/*.c", "tests/guest/[a-z]*", "tests/uml/[a-z]*",
          "tests/qemu/[a-z]*"]
# How a test's name begins: of a program's, a script's, the emulator's.
NAMES = [rf'"((?:{CLAUSE} ?)+): ', rf'(?:claim|run) "((?:{CLAUSE} ?)+): ',
         rf"void test_((?:{CLAUSE}_)+)"]


def named(pattern):
    """The clauses that names of tests in these files begin with."""
    text = "\n".join(p.read_text() for p in ROOT.glob(pattern) if p.is_file())
    return {clause for name in NAMES for found in re.findall(name, text)
            for clause in re.findall(CLAUSE, found)}


def rows(text):
    """(clauses, [(place, clause), ...]) of the first table; "S1 to S11" is
    eleven clauses, and "abi P1 P2" is two tests."""
    table = text.partition("## Without a test")[0]
    for cell, tests in re.findall(
            rf"^\| ({CLAUSE}[^|]*)\|[^|]*\|([^|]*)\|$", table, re.M):
        clauses = set(re.findall(CLAUSE, cell))
        for letter, first, last in re.findall(
                r"([A-Z])(\d+) to [A-Z](\d+)", cell):
            clauses |= {f"{letter}{n}"
                        for n in range(int(first), int(last) + 1)}
        place, pairs = None, []
        for word in re.findall(r"\w+", tests):
            if word in PLACES:
                place = word
            elif re.fullmatch(CLAUSE, word):
                pairs.append((place, word))
        yield clauses, pairs


def faults_of(text, tests):
    """What is wrong with the document, given the tests' clauses by place."""
    tested = set().union(*tests.values())
    table = text.partition("## Without a test")[2]
    reasons = set(re.findall(rf"^\| ({CLAUSE}) \| \S", table, re.M))
    faults = [f"{c}: no test is named after it, and no reason given"
              for c in EVERY - tested - reasons]
    faults += [f"{c}: has a test, and a reason why not"
               for c in tested & reasons]
    faults += [f"{c}: there is no such clause"
               for c in (tested | reasons) - EVERY]
    described = set()
    for clauses, pairs in rows(text):
        described |= clauses
        faults += [f"{c}: its row names no test of it"
                   for c in clauses - reasons - {c for _, c in pairs}]
        faults += [f"{c}: no test of {place} is named after it"
                   for place, c in pairs if c not in tests.get(place, ())]
    return faults + [f"{c}: not described" for c in EVERY - described]


def without(tests, clause):
    return {place: clauses - {clause} for place, clauses in tests.items()}


def main():
    text = DOCUMENT.read_text()
    tests = {place: named(pattern) for place, pattern in PLACES.items()}
    tests[None] = set().union(*map(named, OTHERS))
    faults = faults_of(text, tests)
    # It can find what it looks for.
    faults += [f"{c}: would not be missed"
               for c in set().union(*tests.values())
               if not faults_of(text, without(tests, c))]
    for place in PLACES:
        less = dict(tests, **{place: set()})
        if not faults_of(text, less):
            faults.append(f"{place}: would not be missed")
    for fault in sorted(faults):
        print(fault)
    print(f"{len(EVERY & set().union(*tests.values()))} clauses have tests")
    return 1 if faults else 0


sys.exit(main())
