# SPDX-License-Identifier: Apache-2.0
"""pvx_disk - a relay whose disk a test can break, and what is on it.

    with Disk() as disk:
        with disk.relay() as relay:
            disk.fault("sync", errno.EIO)
            ...
            disk.heal()
        everything(Relay(state=disk.snapshot), room)
"""
import os
import pathlib
import tempfile

from pvx_relay import Relay
from pvx_wire import AFTER, BEGINS, LIVE, Device, envelope_fields

PRELOAD = os.environ.get("PVX_DISK_PRELOAD", "build/tests/disk/disk.so")


class Disk:
    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="paravoxd-disk-")
        base = pathlib.Path(self.kept.name)
        self.folder = str(base / "state")
        self.snapshot = str(base / "snapshot")
        os.mkdir(self.folder, 0o700)
        os.mkdir(self.snapshot, 0o700)
        self.faults = base / "faults"
        self.faults.write_text("")
        self.env = {"LD_PRELOAD": PRELOAD, "PVX_DISK": self.folder,
                    "PVX_DISK_SNAPSHOT": self.snapshot,
                    "PVX_DISK_FAULTS": str(self.faults),
                    "PVX_DISK_COUNT": str(base / "syncs"),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def relay(self, *options, **more):
        """A relay on this disk. Its sandbox would keep the disk from its
        copies."""
        return Relay("--sandbox=off", *options, state=self.folder,
                     env=self.env, **more)

    def fault(self, kind, number):
        new = self.faults.with_suffix(".new")
        new.write_text(f"{kind} {number}\n")
        new.rename(self.faults)

    def sync_count(self):
        return os.path.getsize(self.env["PVX_DISK_COUNT"])

    def heal(self):
        self.fault("none", 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kept.cleanup()


def everything(relay, room, is_whole=False):
    """What the relay has of a room: [(chain, generation)] in its order, with
    the numbers checked for density. `is_whole`: nothing was forgotten, so the
    first is number 1."""
    client = relay.connect()
    client.greet()
    client.join(room, Device(), want=AFTER)
    found = []
    if client.history.what == BEGINS:
        number = client.history.first
        assert number == 1 or not is_whole, f"forgotten: all before {number}"
        while (message := client.receive(20)).type != "HISTORY":
            if message.type != "DELIVER":
                continue
            assert message.sequence == number, (message.sequence, number)
            number += 1
            fields = envelope_fields(message.envelope)
            found.append((fields["chain"], fields["generation"]))
        client.history = message
    assert client.history.what == LIVE, client.history
    client.close()
    return found
