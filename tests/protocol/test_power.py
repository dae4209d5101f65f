#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_power [ROUNDS] - the power fails under load, many times.

The disk of tests/disk keeps what was synced. All that a sender had an ACK for
when the relay died must be on it, once, in order; what was not acknowledged is
sent again and must not come twice.
"""
import random
import selectors
import shutil
import sys
import time

import pvx_tap
from pvx_disk import Disk, everything
from pvx_wire import Device, Room, WireError, sends

ROUNDS = 3
ROOMS = 2
ROUNDS_OF_A_ROOM = 20  # then others, or looking would take too long
SENDERS = 3  # of each room
BURST = 20
SEED = 11


class Sender:
    """Sends numbered messages, and knows which are acknowledged for good."""

    def __init__(self, room):
        self.room, self.device = room, Device()
        self.acked = 0  # over all connections
        self.sent = 0
        self.base = 0

    def connect(self, relay):
        self.base = self.sent = self.acked
        self.client = relay.enter(self.room, self.device)

    def go_on(self):
        while (m := self.client._take()) is not None:
            if m.type == "ACK":
                self.acked = self.base + m.up_to
            elif m.type == "REFUSED":
                raise WireError(f"refused: {m.text}")
        if self.sent - self.acked < BURST:
            self.client.send_raw(sends(self.client, self.sent, BURST))
            self.sent += BURST

    def read(self):
        data = self.client.sock.recv(1 << 16)
        if not data:
            raise WireError("the relay went")
        self.client.buffer += data


def load(senders, seconds):
    """All send for a while."""
    with selectors.DefaultSelector() as selector:
        for sender in senders:
            sender.client.sock.settimeout(10)
            selector.register(sender.client, selectors.EVENT_READ, sender)
            sender.go_on()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in selector.select(0.05):
                key.data.read()
                key.data.go_on()


def drain(sender):
    """The ACKs that had left before the relay died."""
    try:
        while True:
            sender.read()
    except (WireError, OSError):
        pass
    while (m := sender.client._take()) is not None:
        if m.type == "ACK":
            sender.acked = sender.base + m.up_to


def check(relay, rooms, senders):
    for room in rooms:
        found = everything(relay, room)
        assert len(found) == len(set(found)), "a message is there twice"
        for sender in senders:
            if sender.room is not room:
                continue
            own = [g for chain, g in found if chain == sender.device.chain]
            assert own == list(range(len(own))), (
                f"not in order, or not all: {own[:3]} to {own[-3:]}")
            assert len(own) >= sender.acked, (
                f"{sender.acked} were acknowledged, {len(own)} are there")


def run(rounds):
    rng = random.Random(SEED)
    acknowledged = 0
    with Disk() as disk:
        for number in range(rounds):
            if number % ROUNDS_OF_A_ROOM == 0:
                rooms = [Room() for _ in range(ROOMS)]
                senders = [Sender(room) for room in rooms
                           for _ in range(SENDERS)]
            before = sum(s.acked for s in senders)
            disk.fault("slow", rng.choice((0, 1, 20)))
            relay = disk.relay("--rate-messages=0", log_level="info")
            for sender in senders:
                sender.connect(relay)
            load(senders, rng.uniform(0.1, 0.6))
            relay.process.kill()
            relay.process.wait()
            for sender in senders:
                drain(sender)
                sender.client.close()
            # The machine comes up again with what was synced.
            shutil.rmtree(disk.folder)
            shutil.copytree(disk.snapshot, disk.folder)
            with disk.relay() as again:
                check(again, rooms, senders)
            acknowledged += sum(s.acked for s in senders) - before
        print(f"# {rounds} losses of power, {acknowledged} messages "
              "acknowledged")


def test_all_that_was_acknowledged_is_there_after_a_loss_of_power():
    run(ROUNDS)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        ROUNDS = int(sys.argv.pop(1))
    pvx_tap.main(globals())
