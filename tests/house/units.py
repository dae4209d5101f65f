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
