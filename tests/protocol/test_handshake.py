#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
HELLO, JOIN, and who may enter a room."""
import time

import pvx_tap
from pvx_relay import Relay
from pvx_wire import (ENVELOPE_MAX, LABEL_ADMISSION, LABEL_DEVICE, MAGIC,
                      Device, Room, encode, envelope, frame, join_fields,
                      signed_bytes)


def flip(data, at=0):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def refused(client, **fields):
    client.send("JOIN", **fields)
    client.expect_error("ADMISSION")


def test_the_right_signatures_enter():
    """Clauses 4.4, 4.5."""
    with Relay() as relay:
        room, device = Room(), Device()
        assert relay.connect().enter(room, device) == [device.key]


def test_welcome_tells_limits_and_a_new_nonce_each_time():
    """Clause 4.3."""
    with Relay("--name=relay of the test", "--window-messages=7",
               "--window-bytes=70000", "--ping-interval-ms=1234") as relay:
        a, b = relay.connect().greet(), relay.connect().greet()
        assert a.name == "relay of the test"
        assert (a.version, a.max_envelope_bytes) == (1, ENVELOPE_MAX)
        assert (a.window_messages, a.window_bytes) == (7, 70000)
        assert a.ping_interval_ms == 1234
        assert a.nonce != b.nonce and a.nonce != bytes(32)


def test_a_wrong_magic_is_refused():
    """Clause 4.2."""
    with Relay() as relay:
        client = relay.connect()
        client.send("HELLO", magic=MAGIC ^ 1, version_min=1, version_max=1)
        client.expect_error("PROTOCOL")


def test_versions_without_ours_are_refused():
    """Clause 4.2."""
    with Relay() as relay:
        for low, high in ((2, 9), (0, 0)):
            client = relay.connect()
            client.send("HELLO", magic=MAGIC, version_min=low,
                        version_max=high)
            client.expect_error("VERSION")


def test_a_range_of_versions_with_ours_is_accepted():
    """Clause 4.2."""
    with Relay() as relay:
        client = relay.connect()
        client.send("HELLO", magic=MAGIC, version_min=0, version_max=65535)
        assert client.expect("WELCOME").version == 1


def test_a_range_of_versions_backwards_is_refused():
    """Clause 2.4."""
    with Relay() as relay:
        client = relay.connect()
        client.send("HELLO", magic=MAGIC, version_min=2, version_max=1)
        client.expect_error("PROTOCOL")


def test_messages_in_the_wrong_state_are_refused():
    """Clause 4.7."""
    hello = encode("HELLO", magic=MAGIC, version_min=1, version_max=1)
    ping = encode("PING", token=1)
    device = Device()
    send = encode("SEND", envelope=envelope(device, ciphertext=b""))
    with Relay() as relay:
        for raw in (ping, encode("PONG", token=1)):
            client = relay.connect()
            client.send_raw(raw)
            client.expect_error("STATE")
        for raw in (hello, send):
            client = relay.greet()
            client.send_raw(raw)
            client.expect_error("STATE")
        client = relay.enter(Room(), device)
        client.send_raw(hello)
        client.expect_error("STATE")


def test_a_second_join_is_refused():
    """Clauses 1.2, 4.7."""
    with Relay() as relay:
        room, device = Room(), Device()
        client = relay.enter(room, device)
        client.send("JOIN", **join_fields(room, device, client.welcome))
        client.expect_error("STATE")


def test_messages_of_the_relay_are_refused_from_a_client():
    """Clause 3."""
    device = Device()
    with Relay() as relay:
        for raw in (encode("ACK", up_to=1),
                    encode("DELIVER", sequence=0, envelope=envelope(device)),
                    encode("PRESENCE", what=1, device_key=device.key),
                    encode("ERROR", code=1, text="no")):
            client = relay.enter(Room(), device)
            client.send_raw(raw)
            client.expect_error("PROTOCOL")


def test_unknown_types_are_refused():
    """Clause 2.4."""
    with Relay() as relay:
        for number in (0, 14, 255):
            client = relay.greet()
            client.send_raw(frame(number, b"12345678"))
            client.expect_error("PROTOCOL")


def test_each_field_of_join_counts():
    """Clause 7."""
    with Relay() as relay:
        room, device = Room(), Device()
        for name in ("room_id", "admission_key", "device_key",
                     "admission_signature", "device_signature"):
            for at in (0, 31):
                client = relay.greet()
                fields = join_fields(room, device, client.welcome)
                fields[name] = flip(fields[name], at)
                refused(client, **fields)
        assert relay.enter(room, device).roster == [device.key]


def signed_otherwise(client, to_room, device, key, **change):
    """JOIN whose signature by `key` is about something else."""
    about = {"label": LABEL_ADMISSION if key == "admission" else LABEL_DEVICE,
             "version": 1, "name": client.welcome.name,
             "nonce": client.welcome.nonce,
             "exporter": client.welcome.exporter, "room": to_room.id,
             "device_key": device.key, **change}
    fields = join_fields(to_room, device, client.welcome)
    signer = to_room.private if key == "admission" else device.private
    fields[key + "_signature"] = signer.sign(signed_bytes(**about))
    return fields


def each_signed_field(key):
    with Relay() as relay:
        room, device = Room(), Device()
        client = relay.greet()
        client.send("JOIN", **signed_otherwise(client, room, device, key))
        client.expect("JOINED")  # unchanged it is right
        for change in ({"label": b"paravox v1 other"}, {"version": 2},
                       {"name": "another relay"}, {"nonce": bytes(32)},
                       {"exporter": b"\x01"}, {"room": bytes(32)},
                       {"device_key": bytes(32)},
                       *([{"exporter": b""}] if client.exporter else [])):
            client = relay.greet()
            refused(client, **signed_otherwise(client, room, device, key,
                                               **change))


def test_the_admission_signature_covers_each_field():
    """Clause 7.2."""
    each_signed_field("admission")


def test_the_device_signature_covers_each_field():
    """Clause 7.2."""
    each_signed_field("device")


def test_the_signature_of_another_rooms_key_is_refused():
    """Clause 7.2."""
    with Relay() as relay:
        room, other, device = Room(), Room(), Device()
        client = relay.greet()
        fields = join_fields(room, device, client.welcome)
        fields["admission_signature"] = join_fields(
            other, device, client.welcome)["admission_signature"]
        refused(client, **fields)


def test_nobody_squats_on_a_room_id_with_a_key_of_his_own():
    """Clause 7.1."""
    with Relay() as relay:
        room, mine, device = Room(), Room(), Device()
        client = relay.greet()
        mine.id = room.id  # everything is signed, and signed well
        refused(client, **join_fields(mine, device, client.welcome))


def test_a_device_key_that_is_not_ones_own_is_refused():
    """Clause 7.2."""
    with Relay() as relay:
        room, device, victim = Room(), Device(), Device()
        client = relay.greet()
        device.key = victim.key
        refused(client, **join_fields(room, device, client.welcome))


def test_a_join_of_another_connection_is_refused():
    """Clauses 4.3, 7.2."""
    with Relay() as relay:
        room, device = Room(), Device()
        first, second = relay.greet(), relay.greet()
        fields = join_fields(room, device, first.welcome)
        refused(second, **fields)
        first.send("JOIN", **fields)
        first.expect("JOINED")


def test_keys_of_small_order_are_refused():
    """Clause 7.2."""
    identity = b"\x01" + bytes(31)
    forged = identity + bytes(32)  # R the identity, S zero
    with Relay() as relay:
        room, device = Room(), Device()
        device.key = identity
        client = relay.greet()
        refused(client, **{**join_fields(room, device, client.welcome),
                           "device_signature": forged})


def test_who_says_nothing_is_cut_off_in_time():
    """Clause 4.6."""
    with Relay("--handshake-timeout-ms=200") as relay:
        relay.connect().expect_error("TIMEOUT", 8)
        relay.greet().expect_error("TIMEOUT", 8)


def test_who_trickles_is_cut_off_in_time():
    """Clause 4.6."""
    hello = encode("HELLO", magic=MAGIC, version_min=1, version_max=1)
    with Relay("--handshake-timeout-ms=300") as relay:
        client = relay.connect()
        start = time.monotonic()
        for byte in hello[:-1]:
            if time.monotonic() - start > 0.25:
                break
            client.send_raw(bytes([byte]))
            time.sleep(0.04)
        client.expect_error("TIMEOUT", 8)
        assert time.monotonic() - start < 8


def test_who_has_joined_is_not_cut_off_by_that_time():
    """Clause 4.6."""
    with Relay("--handshake-timeout-ms=200") as relay:
        client = relay.enter(Room(), Device())
        client.expect_nothing(0.4)


if __name__ == "__main__":
    pvx_tap.main(globals())
