#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sizes - no file of C, Python or shell is longer than CONTRIBUTING.md says, and
no comment of C wider; clang-format sees to the rest of the width."""
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUFFIXES = (".c", ".h", ".py", ".sh")
WIDTH = 80
# How a script without a suffix begins, and a part of one.
OPENINGS = (b"#!", b"# SPDX")


def is_source(path):
    if path.suffix or not path.is_file():
        return path.suffix in SUFFIXES
    with path.open("rb") as file:
        return file.read(max(map(len, OPENINGS))).startswith(OPENINGS)


def sources(root):
    """What was built is not ours, and lies in folders of its own."""
    for top in root.iterdir():
        if top.is_dir() and not top.name.startswith((".", "build")):
            yield from (p for p in top.rglob("*") if is_source(p))


def too_long(root, most):
    """(how many were looked at, lines about those that are too long)."""
    found = {path.relative_to(root): path.read_bytes().count(b"\n")
             for path in sources(root)}
    return len(found), [f"{path}: {lines} lines, and may have {most}"
                        for path, lines in sorted(found.items())
                        if lines > most]


def is_wide_comment(line):
    return re.match(r"\s*/?\*", line) and len(line.expandtabs(8)) > WIDTH


def too_wide(root):
    return [f"{path.relative_to(root)}:{number}: a comment wider than {WIDTH}"
            for path in sorted(sources(root)) if path.suffix in (".c", ".h")
            for number, line in enumerate(path.read_text().split("\n"), 1)
            if is_wide_comment(line)]


def can_find(most):
    """Of each kind one that is too long, and one that is not."""
    texts = {"a.c": "", "b.h": "", "c.py": "", "d.sh": "",
             "e": "#!/bin/sh\n", "f": "# SPDX-License-Identifier: x\n"}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, lines in (("long", most + 1), ("short", most),
                            ("build", most + 1)):
            (root / name).mkdir()
            for file, text in texts.items():
                rest = lines - text.count("\n")
                (root / name / file).write_text(text + "\n" * rest)
        count, faults = too_long(root, most)
        (root / "long/a.c").write_text("\t/* " + 72 * "a" + "\n")
        (root / "short/a.c").write_text("\t/* " + 69 * "a" + "\n" + 90 * "b")
        wide = too_wide(root)
    if [fault.partition(":")[0] for fault in wide] != ["long/a.c"]:
        return False
    return count == 2 * len(texts) and len(faults) == len(texts) and all(
        fault.startswith("long/") for fault in faults)


def main():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    most = int(re.search(r"files up to (\d+)\s+lines", text).group(1))
    assert can_find(most)
    count, faults = too_long(ROOT, most)
    faults += too_wide(ROOT)
    for fault in faults:
        print(fault)
    print(f"{count} files")
    return 1 if faults or count < 100 else 0


sys.exit(main())
