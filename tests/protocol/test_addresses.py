#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How many connections one address has, over real sockets: in a network of
our own that has more addresses than loopback's."""
import subprocess

import pvx_namespace
import pvx_tap
from pvx_clock import Clock
from pvx_relay import Relay
from pvx_wire import CODES, Device, Room

ADDRESSES = ("192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128",
             "2001:db8::2/128", "2001:db8:0:1::1/128")
LISTEN = ("--listen=plain:192.0.2.1:0", "--max-address-clients=2")


def make_addresses():
    for command in ("link set lo up", *(
            f"address add {address} dev lo nodad" if ":" in address
            else f"address add {address} dev lo" for address in ADDRESSES)):
        subprocess.run(["ip", *command.split()], capture_output=True)


def has_ipv6():
    return "2001:db8::2" in subprocess.run(
        ["ip", "address"], capture_output=True, text=True).stdout


def test_an_address_has_so_many_connections():
    pvx_namespace.need()
    with Relay(*LISTEN, listen=None) as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        relay.connect().expect_error("FULL")
        other = relay.connect(source="192.0.2.2")
        other.enter(Room(), Device())
        b.send("BYE")
        b.expect_end()
        b.close()
        a.expect("PRESENCE")
        relay.enter(Room(), Device())
        relay.connect().expect_error("FULL")


def test_an_ipv6_network_counts_as_one():
    pvx_namespace.need()
    if not has_ipv6():
        raise pvx_tap.Skip("no IPv6 here")
    with Relay("--listen=plain:[2001:db8::1]:0", LISTEN[1], listen=None) as relay:
        for source in ("2001:db8::1", "2001:db8::2"):
            relay.connect(source=source).greet()
        relay.connect(source="2001:db8::2").expect_error("FULL")
        relay.connect(source="2001:db8:0:1::1").greet()


def first_word(client, room):
    """The first message of a new member: None, or why it was refused."""
    client.enter(room, Device())
    client.say(0)
    answer = client.expect_any(("REFUSED", "ACK"))
    if answer.type == "ACK":
        return None
    assert answer.code == CODES["STORE"], answer
    return answer.text


def test_an_address_begins_so_many_rooms():
    pvx_namespace.need()
    with Clock() as clock, Relay(
            "--listen=plain:192.0.2.1:0", "--rate-rooms=60", "--burst-rooms=3",
            "--sandbox=off", listen=None, state=True,
            env=clock.env) as relay:
        rooms = [Room() for _ in range(5)]
        for room in rooms[:3]:
            with relay.connect(source="192.0.2.2") as client:
                assert first_word(client, room) is None
        # It is not forgotten when all of its connections are gone.
        relay.wait_for_log("leaves")
        refused = relay.connect(source="192.0.2.2")
        assert "too many rooms" in first_word(refused, rooms[3])
        refused.expect("ACK")
        refused.say(1)
        assert refused.expect_any(("REFUSED", "ACK")).type == "REFUSED"
        # Rooms that are there are no new ones, and others are not meant.
        for source, room in (("192.0.2.2", rooms[0]), ("192.0.2.1", rooms[3]),
                             ("192.0.2.2", rooms[3])):
            with relay.connect(source=source) as client:
                assert first_word(client, room) is None, source
        # A minute, and what its count in steps of 3.6 s may miss.
        clock.jump(monotonic_ms=64000)
        with relay.connect(source="192.0.2.2") as client:
            assert first_word(client, rooms[4]) is None
        with relay.connect(source="192.0.2.2") as client:
            assert first_word(client, Room()) is not None


def test_loopback_has_no_limit():
    with Relay("--max-address-clients=2") as relay:
        for _ in range(6):
            relay.greet()


if __name__ == "__main__":
    pvx_namespace.enter("net", "ip", "link", "set", "lo", "up")
    if pvx_namespace.is_inside():
        make_addresses()
    pvx_tap.main(globals())
