#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""UNIT MOST ...: whether systemd takes our units, and leaves each service at
most so much of what is exposed, in tenths of systemd-analyze(1)'s figure."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pvx_tap

TIMEOUT = 120
ROOT = pathlib.Path(__file__).resolve().parents[2]


def analyze(*words):
    if not shutil.which("systemd-analyze"):
        raise pvx_tap.Skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", *words], capture_output=True,
                          text=True, timeout=TIMEOUT)


class Units:
    """Those on the command line, beside each other, with programs that are
    here."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.most = {}
        for path, most in zip(UNITS[::2], UNITS[1::2]):
            text = pathlib.Path(path).read_text()
            text = re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", text,
                          flags=re.M)
            unit = pathlib.Path(self.folder.name, pathlib.Path(path).name)
            unit.write_text(re.sub(r"^Documentation=.*\n", "", text,
                                   flags=re.M))
            self.most[unit] = int(most)

    def services(self):
        return {unit: most for unit, most in self.most.items()
                if unit.suffix == ".service"}


def security(unit, most):
    return analyze("security", "--offline=true", "--no-pager",
                   f"--threshold={most}", str(unit))


def test_systemd_takes_the_units():
    units = Units()
    for unit in units.most:
        done = analyze("verify", "--man=no", str(unit))
        assert done.returncode == 0 and not done.stderr, done.stderr


def test_systemd_would_not_take_a_wrong_one():
    units = Units()
    unit = next(iter(units.services()))
    unit.write_text(unit.read_text().replace("[Service]",
                                             "[Service]\nNoSuchThing=yes"))
    done = analyze("verify", "--man=no", str(unit))
    assert "NoSuchThing" in done.stderr


def test_services_are_hardened():
    units = Units()
    for unit, most in units.services().items():
        done = security(unit, most)
        assert done.returncode == 0, done.stdout[-100:] + done.stderr
        print("#", done.stdout.strip().splitlines()[-1])


def system_calls(group, groups):
    found = set()
    for name in groups[group]:
        found |= system_calls(name, groups) if name[0] == "@" else {name}
    return found


def filter_of(text):
    """The system calls that a unit's SystemCallFilter= lines leave."""
    groups, name = {}, None
    for line in analyze("syscall-filter").stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            groups[name] = []
        elif word and name and line[0].isspace() and word[0] != "#":
            groups[name].append(word)
    left = system_calls("@default", groups)
    for sign, words in re.findall(r"^SystemCallFilter=(~?)(.*)$", text, re.M):
        for word in words.split():
            named = (system_calls(word, groups) if word[0] == "@"
                     else {word})
            left = left - named if sign else left | named
    return left


def test_units_allow_what_the_programs_lists_allow():
    units = Units()
    lists = {"paravoxd.service": ROOT / "src/relay/confine.c",
             "vhost-user-cryptodev@.service": ROOT / "src/device/syscalls.c"}
    for unit in units.services():
        called = set(re.findall(
            r"^\tCALL(?:_IF|_OF)?\((?:\"\w+\", )?(\w+), ",
            lists[unit.name].read_text(), re.M))
        assert len(called) > 50
        # SQLite calls it as root only, and the unit's user is not root.
        missing = called - filter_of(unit.read_text()) - {"fchown"}
        assert not missing, (unit.name, missing)
        assert "ptrace" not in filter_of(unit.read_text())


def test_one_that_is_not_would_be_seen():
    units = Units()
    unit, most = next(iter(units.services().items()))
    text = re.sub(r"^(Private|Protect|System|Restrict).*\n", "",
                  unit.read_text(), flags=re.M)
    unit.write_text(text)
    done = security(unit, most)
    assert done.returncode != 0 and "exposure" in done.stdout


if __name__ == "__main__":
    UNITS = sys.argv[1:]
    del sys.argv[1:]  # what follows would be names of tests
    pvx_tap.main(globals())
