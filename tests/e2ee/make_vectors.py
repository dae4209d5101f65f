#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_vectors - write tests/vectors/e2ee.json from paravox_e2ee.py.

Run by hand when the version changes; checker.py holds the file against both
programs, so neither can drift from what is published.
"""
import json
import pathlib

import paravox_e2ee as p

ROOM = bytes(range(32))
SEED = bytes(range(32, 64))
CHAIN = bytes(range(64, 96))
MESSAGES = [
    (0, p.JOIN, "Alice", ""),
    (1, p.TEXT, "Alice", "Hello, world"),
    (2, p.TEXT, "Al\u00efce \U0001f512", "two\nlines"),
    (3, p.NICK, "al", ""),
    (999, p.TEXT, "al", "x" * 5000),
    (7, p.LEAVE, "al", "bye"),
]


def message(room, identity, number, link, row):
    generation, kind, nick, text = row
    iv = bytes([0xf0 + number]) * 15 + b"\xff"  # the counter carries
    time_ms = 1700000000000 + number
    envelope = p.seal(room, identity, CHAIN, generation, iv, link, time_ms,
                      kind, nick.encode(), text.encode())
    header = envelope[:p.HEADER_BYTES]
    encryption, authentication = room.message_keys(header)
    return {
        "generation": generation, "iv": iv.hex(), "link": link.hex(),
        "time_ms": time_ms, "type": kind, "nick": nick, "text": text,
        "encryption_key": encryption.hex(),
        "authentication_key": authentication.hex(),
        "plaintext": p.unseal(room, envelope)["plaintext"].hex(),
        "envelope": envelope.hex(),
    }


def main():
    room, identity = p.Room(ROOM), p.Identity(SEED)
    other = p.Identity(bytes(32)).key.public
    link, messages = bytes(32), []
    for number, row in enumerate(MESSAGES):
        messages.append(message(room, identity, number, link, row))
        link = p.link_of(bytes.fromhex(messages[-1]["envelope"]))
    server, certificate = "chat.example.org:7450", bytes(range(96, 128))
    fields = {1: server.encode(), 2: ROOM, 3: certificate}
    vectors = {
        "comment": "docs/spec/e2ee.md; bytes in hexadecimal, text in UTF-8",
        "room_secret": ROOM.hex(), "identity_seed": SEED.hex(),
        "room_id": room.id.hex(),
        "admission_key": room.admission.public.hex(),
        "epoch_secret": room.epoch_secret.hex(),
        "identity_key": identity.key.public.hex(),
        "device_key": identity.device(room).public.hex(),
        "device_proof": identity.proof(room).hex(),
        "fingerprint": p.fingerprint(identity.key.public),
        "other_identity_key": other.hex(),
        "safety_number": p.safety_number(identity.key.public, other),
        "chain_id": CHAIN.hex(), "messages": messages,
        "server": server, "certificate": certificate.hex(),
        "invite": p.invite(b"paravox1:", fields),
        "room_file": p.invite(b"paravox-room1:", fields),
    }
    path = pathlib.Path(__file__).parent.parent / "vectors" / "e2ee.json"
    path.write_text(json.dumps(vectors, indent=1, ensure_ascii=True) + "\n")


main()
