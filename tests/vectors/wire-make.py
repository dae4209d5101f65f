#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""wire-make - write wire.txt (golden bytes of every message) anew.

The Python side writes, the C side must decode, encode and sign the same
(tests/unit/wire/test_golden.c). Keys are fixed; nothing here is random.
"""
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "lib"))
import pvx_wire as wire  # noqa: E402

room = wire.Room(bytes(range(32)))
device = wire.Device(bytes(range(32, 64)))
device.chain = bytes(range(64, 96))
nonce = bytes(range(96, 128))
welcome = wire.Message("WELCOME", version=1, nonce=nonce,
                       max_envelope_bytes=wire.ENVELOPE_MAX,
                       window_messages=256, window_bytes=1048576,
                       ping_interval_ms=30000, name="relay.example")
join = wire.join_fields(room, device, welcome)
join.update(want=wire.AFTER, era=0x1112131415161718, from_=0x2122232425262728)
envelope = wire.envelope(device, 0x0102030405060708, b"sealed", epoch=0)
about = (1, "relay.example", nonce, b"", room.id, device.key)

messages = [
    ("HELLO", dict(magic=wire.MAGIC, version_min=1, version_max=1)),
    ("WELCOME", dict(welcome)),
    ("JOIN", join),
    ("JOINED", dict(keys_after=3, members=[device.key, b"\x07" * 32])),
    ("SEND", dict(envelope=envelope)),
    ("DELIVER", dict(sequence=0, envelope=envelope)),
    ("ACK", dict(up_to=0x1122334455667788)),
    ("REFUSED", dict(index=5, code=11, text="another sender")),
    ("PRESENCE", dict(what=2, device_key=device.key)),
    ("PING", dict(token=0x0102030405060708)),
    ("PONG", dict(token=0x0102030405060708)),
    ("ERROR", dict(code=8, text="")),
    ("BYE", {}),
    ("HISTORY", dict(what=2, era=0x1112131415161718, first=3, last=9)),
    ("FETCH", dict(from_=0x0102030405060708, count=50)),
]
lines = ["# golden bytes; written by wire-make.py"]
lines += [f"{name} {wire.encode(name, **fields).hex()}"
          for name, fields in messages]
lines += [
    "room-id " + room.id.hex(),
    "signed-admission " + wire.signed_bytes(
        wire.LABEL_ADMISSION, *about).hex(),
    "signed-device " + wire.signed_bytes(wire.LABEL_DEVICE, *about).hex(),
]
(here / "wire.txt").write_text("\n".join(lines) + "\n")
