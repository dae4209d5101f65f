#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full to its last block, a small one of our own: what may go
must be able to go, and then messages are kept again."""
import os
import subprocess
import time

import pvx_namespace
import pvx_tap
from pvx_disk import everything
from pvx_patience import PATIENCE_S
from pvx_relay import Relay
from pvx_wire import CODES, Device, Room

DISK = "/mnt"
SIZE = 48 << 20
BODY = os.urandom(30000)


def make_disk():
    """Small and empty, for one test."""
    pvx_namespace.need()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs",
                    DISK], check=True)
    os.mkdir(DISK + "/state", 0o700)


def fill(path):
    """Until there is no block left."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 4096):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                pass


def say(client, generation):
    """None, or why it was not kept."""
    client.say(generation, BODY)
    reason = None
    while (m := client.expect_any(("ACK", "REFUSED"))).type == "REFUSED":
        assert m.code == CODES["STORE"], m
        reason = m.text
    return reason


def relay(*options):
    return Relay("--rate-messages=0", "--rate-bytes=0", *options,
                 state=DISK + "/state")


def say_until_it_is_kept(client, generation):
    end = time.monotonic() + PATIENCE_S
    while (reason := say(client, generation)) is not None:
        assert time.monotonic() < end, reason
        time.sleep(0.1)


def fill_up(room, device):
    """A history of some megabytes on a disk without a free block."""
    with relay() as first:
        sender = first.enter(room, device)
        for generation in range(200):
            assert say(sender, generation) is None
        fill(DISK + "/junk")
        refused = 200
        while say(sender, refused) is None:  # into what it has
            refused += 1
        assert "disk is full" in say(sender, refused)
        return refused


def kept_after_a_change(*options):
    """What is kept when the relay of a full disk begins again like this."""
    make_disk()
    room, device = Room(), Device()
    at = fill_up(room, device)
    fill(DISK + "/junk2")
    with relay(*options) as second:
        say_until_it_is_kept(second.enter(room, device), at)
        kept = everything(second, room)
        assert kept[-1] == (device.chain, at), kept[-1]
        return kept


def test_a_full_disk_forgets_what_is_too_much():
    assert len(kept_after_a_change("--history-room-messages=20")) < 200


def test_a_full_disk_forgets_what_is_above_the_bound_of_all():
    kept = kept_after_a_change("--history-bytes=1000000")
    assert len(kept) * len(BODY) <= 1000000, len(kept)


def test_a_full_disk_keeps_what_may_not_go():
    make_disk()
    room, device = Room(), Device()
    at = fill_up(room, device)
    with relay() as second:
        sender = second.enter(room, device)
        for _ in range(5):
            assert say(sender, at) is not None
        assert len(everything(second, room)) == at
        # Nothing may go: the reserve is kept for when something may.
        reserve = os.stat(DISK + "/state/history.reserve")
        assert reserve.st_blocks * 512 >= 8 << 20
        os.unlink(DISK + "/junk")
        say_until_it_is_kept(sender, at)


if __name__ == "__main__":
    pvx_namespace.enter("mount", "mount", "-t", "tmpfs", "tmpfs", DISK)
    pvx_tap.main(globals())
