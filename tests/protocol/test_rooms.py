#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
who gets what, and who is said to be there."""
import os

import pvx_tap
from pvx_relay import Relay
from pvx_wire import CODES, JOINED, LEFT, Device, Room, envelope


def test_every_other_member_gets_the_very_envelope():
    """Clause 5.1."""
    with Relay() as relay:
        clients = relay.enter_all(Room(), [Device() for _ in range(5)])
        sealed = envelope(clients[2].device, 7, os.urandom(1000))
        clients[2].send("SEND", envelope=sealed)
        for client in clients:
            if client is not clients[2]:
                got = client.expect("DELIVER")
                assert got.envelope == sealed and got.sequence == 0
        assert clients[2].expect("ACK").up_to == 1
        clients[2].expect_nothing(0.1)


def test_another_room_gets_nothing():
    """Clause 5.1."""
    with Relay() as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        outsider = relay.enter(Room(), Device())
        assert len(outsider.roster) == 1
        a.say(0)
        b.expect("DELIVER")  # it could have been seen
        outsider.expect_nothing(0.2)


def test_an_envelope_that_names_another_sender_is_refused():
    """Clause 5.2."""
    with Relay() as relay:
        a, b, c = relay.enter_all(Room(), [Device() for _ in range(3)])
        a.say(0)
        b.expect("DELIVER")
        c.expect("DELIVER")
        assert a.expect("ACK").up_to == 1
        a.say(1, sender=b.device.key)
        said = a.expect("REFUSED")
        assert said.index == 2 and said.code == CODES["SENDER"]
        assert a.expect("ACK").up_to == 2  # done, though not taken
        for other in (b, c):
            other.expect_nothing(0.1)
        a.say(2)
        b.expect("DELIVER")
        assert a.expect("ACK").up_to == 3


def test_an_envelope_of_an_unknown_version_is_refused():
    """Clauses 5.2, 6.4."""
    with Relay() as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.say(0, version=2)
        assert a.expect("REFUSED").code == CODES["ENVELOPE"]
        assert a.expect("ACK").up_to == 1
        b.expect_nothing(0.1)


def test_order_of_a_sender_is_kept_at_every_member():
    """Clause 5.1."""
    with Relay() as relay:
        a, b, c = relay.enter_all(Room(), [Device() for _ in range(3)])
        sealed = {x: [envelope(x.device, i) for i in range(200)]
                  for x in (a, b)}
        for i in range(200):
            for x in (a, b):
                x.send("SEND", envelope=sealed[x][i])
                if i % 50 == 49:
                    while x.expect("ACK", skip=("DELIVER",)).up_to <= i:
                        pass
        got = [c.expect("DELIVER").envelope for _ in range(400)]
        for x in (a, b):
            assert [e for e in got if e[8:40] == x.device.key] == sealed[x]


def test_presence_is_told_when_a_device_comes_and_goes():
    """Clause 5.8."""
    with Relay() as relay:
        room, device = Room(), Device()
        a = relay.enter(room, Device())
        b = relay.enter(room, device)
        came = a.expect("PRESENCE")
        assert (came.what, came.device_key) == (JOINED, device.key)
        assert sorted(b.roster) == sorted([a.device.key, device.key])
        b.send("BYE")
        b.expect_end()
        went = a.expect("PRESENCE")
        assert (went.what, went.device_key) == (LEFT, device.key)


def test_presence_counts_devices_and_not_connections():
    """Clause 5.8."""
    with Relay() as relay:
        room, device = Room(), Device()
        a = relay.enter(room, Device())
        first = relay.enter(room, device)
        a.expect("PRESENCE")
        second = relay.enter(room, device)
        assert len(second.roster) == 2  # the key once
        a.expect_nothing(0.1)
        first.close()
        a.expect_nothing(0.1)
        second.close()
        assert a.expect("PRESENCE").what == LEFT


def test_a_devices_other_connection_gets_its_messages():
    """Clause 5.1."""
    with Relay() as relay:
        room, device = Room(), Device()
        first, second = relay.enter(room, device), relay.enter(room, device)
        first.say(0, b"from the first")
        second.expect("DELIVER")
        assert first.expect("ACK").up_to == 1
        first.expect_nothing(0.1)


def test_a_room_is_empty_again_after_the_last_one_left():
    """Clause 4.5."""
    with Relay() as relay:
        room = Room()
        for _ in range(3):
            a = relay.enter(room, Device())
            assert a.roster == [a.device.key]
            a.send("BYE")
            a.expect_end()


if __name__ == "__main__":
    pvx_tap.main(globals())
