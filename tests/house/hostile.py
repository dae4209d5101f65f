#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hostile - every test that docs/hostile.md names exists."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    text = (ROOT / "docs" / "hostile.md").read_text()
    # What is in the last column of a table.
    named = {name for line in text.splitlines() if line.startswith("| ")
             for name in re.findall(r"`(\w+)`", line.split("|")[-2])}
    sources = [p for p in (ROOT / "tests").rglob("*.c")]
    there = set(re.findall(r"^static void test_(\w+)\(",
                           "".join(p.read_text() for p in sources), re.M))
    there |= {p.stem for p in sources if p.stem.startswith("fuzz_")}
    for name in sorted(named - there):
        print(f"docs/hostile.md names {name}, which does not exist")
    return 1 if named - there or not named else 0


sys.exit(main())
