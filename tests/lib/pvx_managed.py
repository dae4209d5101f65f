# SPDX-License-Identifier: Apache-2.0
"""pvx_managed - a relay and its operator.

    with Managed() as relay:
        assert relay.stats()["clients"] == 0
        relay.ctl("kick", "0123abcd")
"""
import subprocess
import tempfile

from pvx_relay import PROGRAM, Relay


class Managed(Relay):
    """A relay with an admin socket."""

    def __init__(self, *options, **more):
        self.folder = tempfile.TemporaryDirectory()
        self.admin = self.folder.name + "/admin"
        self.bans = self.folder.name + "/bans"
        super().__init__(f"--admin={self.admin}", f"--bans={self.bans}",
                         *options, **more)

    def ctl(self, *words, status=0):
        done = subprocess.run([PROGRAM, "ctl", f"--admin={self.admin}",
                               *words], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == status, (words, done)
        return done.stdout if status == 0 else done.stderr

    def stats(self):
        return {name: int(number) for name, number in
                (line.split() for line in self.ctl("stats").splitlines())}

    def __exit__(self, *reason):
        try:
            super().__exit__(*reason)
        finally:
            self.folder.cleanup()
