#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
frames, their bounds, broken streams."""
import os
import socket
import struct

import pvx_tap
from pvx_relay import Relay
from pvx_wire import (CIPHERTEXT_MAX, ENVELOPE_MAX, LEFT, MAGIC, Device, Room,
                      encode, envelope, frame, join_fields, reset)


def length(number):
    return struct.pack(">I", number)


def two(relay, **options):
    return relay.enter_all(Room(), [Device(), Device()])


def test_rejects_an_oversized_length_before_joining():
    """Clause 2.3."""
    with Relay() as relay:
        for greeted, bound in ((False, 9), (True, 242)):
            for bad in (bound + 1, 1 << 20, 0xffffffff):
                client = relay.greet() if greeted else relay.connect()
                client.send_raw(length(bad))  # the four bytes are enough
                client.expect_error("TOO_LARGE")


def test_rejects_an_oversized_length_after_joining():
    """Clause 2.3."""
    with Relay() as relay:
        for bad in (1 + ENVELOPE_MAX + 1, 1 << 24, 0xffffffff):
            client = relay.enter(Room(), Device())
            client.send_raw(length(bad))
            client.expect_error("TOO_LARGE")


def test_the_largest_envelope_passes():
    """Clause 6.3."""
    with Relay() as relay:
        a, b = two(relay)
        a.say(0, os.urandom(CIPHERTEXT_MAX))
        assert len(b.expect("DELIVER").envelope) == ENVELOPE_MAX
        assert a.expect("ACK").up_to == 1


def test_length_zero_is_refused():
    """Clause 2.2."""
    with Relay() as relay:
        client = relay.connect()
        client.send_raw(length(0))
        client.expect_error("PROTOCOL")


def test_bodies_shorter_or_longer_than_their_layout_are_refused():
    """Clause 2.4."""
    with Relay() as relay:
        for number, size in ((10, 7), (10, 9), (11, 0), (13, 1), (5, 131)):
            client = relay.enter(Room(), Device())
            client.send_raw(frame(number, bytes(size)))
            client.expect_error("PROTOCOL")


def test_a_frame_cut_short_breaks_only_its_own_connection():
    """Clauses 4.8, 4.10."""
    with Relay() as relay:
        a, b = two(relay)
        whole = encode("SEND", envelope=envelope(a.device))
        a.send_raw(whole[:-1])
        a.close()
        assert b.expect("PRESENCE").what == LEFT
        b.expect_nothing(0.1)
        relay.wait_for_log("within a frame")
        b.send("PING", token=5)
        assert b.expect("PONG").token == 5


def test_a_session_byte_by_byte():
    """Clause 2.6."""
    with Relay() as relay:
        room, device, listener = Room(), Device(), Device()
        b = relay.enter(room, listener)
        a = relay.connect()

        def trickle(data):
            for byte in data:
                a.send_raw(bytes([byte]))

        trickle(encode("HELLO", magic=MAGIC, version_min=1, version_max=1))
        a.welcome = a.expect("WELCOME")
        trickle(encode("JOIN", **join_fields(room, device, a.welcome)))
        a.expect("JOINED")
        b.expect("PRESENCE")
        sealed = envelope(device, 0, b"trickled")
        trickle(encode("SEND", envelope=sealed))
        assert b.expect("DELIVER").envelope == sealed


def test_a_session_in_one_write():
    """Clause 2.6."""
    with Relay() as relay:
        room, device, listener = Room(), Device(), Device()
        b = relay.enter(room, listener)
        a = relay.greet()
        sealed = [envelope(device, i, b"%d" % i) for i in range(100)]
        a.send_raw(encode("JOIN", **join_fields(room, device, a.welcome)) +
                   b"".join(encode("SEND", envelope=e) for e in sealed) +
                   encode("PING", token=3) + encode("BYE"))
        b.expect("PRESENCE")
        assert [b.expect("DELIVER").envelope for _ in sealed] == sealed
        assert b.expect("PRESENCE").what == LEFT
        a.expect("JOINED")
        assert a.expect("PONG", skip=("ACK", "HISTORY")).token == 3
        a.expect_end()


def test_a_frame_in_two_pieces_cut_anywhere():
    """Clause 2.6."""
    with Relay() as relay:
        a, b = two(relay)
        for cut in range(1, 5 + 132 + 6):
            whole = encode("SEND", envelope=envelope(a.device, cut))
            a.send_raw(whole[:cut])
            # The answer to a PING of b: the relay has read the first piece.
            b.send("PING", token=cut)
            b.expect("PONG", skip=("DELIVER",))
            a.send_raw(whole[cut:])
            assert a.expect("ACK").up_to == cut


def test_ten_megabytes_without_a_frame():
    """Clause 2.3."""
    with Relay() as relay:
        a, b = two(relay)
        before = relay.memory_kib()
        for filler in (b"\xff", b"A"):
            client = relay.connect()
            try:
                for _ in range(10):
                    client.send_raw(filler * (1 << 20))
            except (ConnectionError, socket.timeout):
                pass  # cut off while sending
            client.close()
        assert relay.memory_kib() - before < 8192
        a.say(0)
        b.expect("DELIVER")


def test_a_tls_client_hello_is_refused_and_named_in_the_log():
    """Clause 2.3."""
    with Relay() as relay:
        client = relay.connect()
        client.send_raw(bytes.fromhex("16030100f5010000f10303") +
                        os.urandom(200))
        client.expect_error("TOO_LARGE")
        relay.wait_for_log("TLS")


def test_an_http_request_is_refused_and_named_in_the_log():
    """Clause 2.3."""
    with Relay() as relay:
        client = relay.connect()
        client.send_raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.expect_error("TOO_LARGE")
        relay.wait_for_log("HTTP")


def test_who_closed_one_side_gets_what_was_queued():
    """Clause 4.9."""
    with Relay() as relay:
        a, b = two(relay)
        for i in range(50):
            a.say(i)
        a.half_close()
        for i in range(50):
            b.expect("DELIVER")
        assert b.expect("PRESENCE").what == LEFT
        up_to = 0
        while up_to < 50:
            up_to = a.expect("ACK").up_to
        a.expect_end()


def test_a_reset_breaks_only_its_own_connection():
    """Clause 4.10."""
    with Relay() as relay:
        a, b = two(relay)
        reset(a.sock)
        assert b.expect("PRESENCE").what == LEFT
        b.send("PING", token=1)
        b.expect("PONG")


def test_garbage_from_many_leaves_the_others_alone():
    """Clause 4.10."""
    with Relay() as relay:
        a, b = two(relay)
        for i in range(30):
            bad = relay.greet() if i % 2 else relay.connect()
            bad.send_raw(os.urandom(100))
            if i % 3:
                bad.close()
            a.say(i)
            b.expect("DELIVER")
            a.expect("ACK")


if __name__ == "__main__":
    pvx_tap.main(globals())
