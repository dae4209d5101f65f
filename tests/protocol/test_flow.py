#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
windows, acknowledgements, rates, PINGs."""
import signal
import tempfile
import time

import pvx_tap
from pvx_relay import Relay
from pvx_wire import Device, Room, sends


def test_acks_are_cumulative():
    """Clause 5.3."""
    with Relay() as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.send_raw(sends(a, 0, 100))
        up_to = 0
        while up_to < 100:
            ack = a.expect("ACK").up_to
            assert ack > up_to
            up_to = ack
        for i in range(100):
            b.expect("DELIVER")
        a.expect_nothing(0.1)


def test_who_is_alone_gets_his_acks():
    """Clause 5.3."""
    with Relay() as relay:
        a = relay.enter(Room(), Device())
        a.say(0)
        assert a.expect("ACK").up_to == 1


def test_a_full_window_of_messages_is_no_fault():
    """Clause 5.4."""
    with Relay("--window-messages=4") as relay:
        a = relay.enter(Room(), Device())
        for i in range(0, 40, 4):
            a.send_raw(sends(a, i, 4))
            while a.expect("ACK").up_to < i + 4:
                pass


def test_more_messages_than_the_window_are_a_fault():
    """Clause 5.4."""
    with Relay("--window-messages=4") as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.send_raw(sends(a, 0, 5))
        a.expect_error("WINDOW", skip=("ACK",))
        b.expect("DELIVER")  # what was within the window


def test_more_bytes_than_the_window_are_a_fault():
    """Clause 5.4."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/relay"
        with Relay("--window-bytes=70000", listen="unix:" + path) as relay:
            a = relay.enter(Room(), Device())
            relay.signal(signal.SIGSTOP)  # so that one read finds it all
            a.send_raw(sends(a, 0, 3, bytes(30000)))
            relay.signal(signal.SIGCONT)
            a.expect_error("WINDOW", skip=("ACK",))


def test_a_pasted_page_is_not_slowed():
    """Clause 5.7."""
    with Relay() as relay:  # with the default limits
        a, b = relay.enter_all(Room(), [Device(), Device()])
        start = time.monotonic()
        a.send_raw(sends(a, 0, 200, bytes(256)))
        while a.expect("ACK").up_to < 200:
            pass
        for _ in range(200):
            b.expect("DELIVER")
        assert time.monotonic() - start < 2.0


def test_a_sender_above_the_rate_is_slowed_and_not_cut_off():
    """Clause 5.7."""
    with Relay("--rate-messages=200", "--burst-messages=100") as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        start = time.monotonic()
        for i in range(0, 300, 20):
            a.send_raw(sends(a, i, 20))
            while a.expect("ACK", 10).up_to < i + 20:
                pass
        a.send("PING", token=1)
        a.expect("PONG")
        assert time.monotonic() - start > 0.8
        for _ in range(300):
            b.expect("DELIVER")


def test_a_rate_of_bytes_holds_too():
    """Clause 5.7."""
    with Relay("--rate-bytes=100000", "--burst-bytes=50000") as relay:
        a = relay.enter(Room(), Device())
        start = time.monotonic()
        for i in range(3):
            a.say(i, bytes(50000))
            a.expect("ACK", 10)
        a.send("PING", token=1)
        a.expect("PONG", 10)
        assert time.monotonic() - start > 0.7


def test_a_silent_client_is_pinged_and_stays_while_it_answers():
    """Clause 5.9."""
    with Relay("--ping-interval-ms=100", "--idle-timeout-ms=400") as relay:
        a = relay.enter(Room(), Device())
        end = time.monotonic() + 1.0
        count = 0
        while time.monotonic() < end:
            ping = a.expect("PING", skip=())
            a.send("PONG", token=ping.token)
            count += 1
        assert 3 <= count <= 12, count


def test_a_client_that_does_not_answer_is_cut_off():
    """Clause 5.9."""
    with Relay("--ping-interval-ms=100", "--idle-timeout-ms=400") as relay:
        a = relay.enter(Room(), Device())
        start = time.monotonic()
        a.expect_error("TIMEOUT")
        assert 0.3 < time.monotonic() - start < 20


if __name__ == "__main__":
    pvx_tap.main(globals())
