#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""state_seeds FOLDER - write the corpus of fuzz_state, when its steps change."""
import pathlib
import struct
import sys

FIELD, ANYWHERE, AMBUSH, AMBUSH_ANYWHERE, STATISTICS, WORKER, ADOPT, FORGET, \
    DEATH = range(9)
# The fields of fuzz_state.c in their order: name, bytes.
FIELDS = [
    ("magic", 4), ("layout", 4), ("limits", 16), ("generation", 8),
    ("worker", 4), ("file_count", 4), ("session_count", 4), ("deaths", 4),
    ("log", 16), ("position", 8), ("start", 4), ("slot.head", 2),
    ("slot.attempts", 1), ("slot.worker", 4), ("slot.phase", 4),
    ("slot.used_bytes", 4), ("slot.made_file", 4), ("slot.made_session", 4),
    ("slot.ending_file", 4), ("slot.ending_session", 4), ("slot.ends_all", 1),
    ("slot.session_id", 4), ("slot.hash_worker_before", 4),
    ("slot.hash_worker", 4), ("slot.has_iv", 1), ("slot.has_hash", 1),
    ("slot.has_generation", 1), ("slot.generation", 8), ("file.id", 4),
    ("file.uses", 4), ("session.id", 4), ("session.uses", 4),
    ("session.file_id", 4), ("session.queue", 4), ("session.cipher", 4),
    ("session.mac", 4), ("session.key_bytes", 4), ("session.mac_key_bytes", 4),
    ("session.row", 4), ("session.hash_worker", 4),
]
NAMES = [name for name, _ in FIELDS]
SIZES = dict(FIELDS)
ALL = bytes([STATISTICS, WORKER, 7, 4, STATISTICS, ADOPT, WORKER, 0, 4,
             FORGET, STATISTICS, WORKER, 1, 0x84])


def field(name, value, index=0, step=FIELD):
    return bytes([step, NAMES.index(name), index]) + value.to_bytes(
        SIZES[name], "little")


def worker(op=1, requests=0):
    return bytes([WORKER, op, requests])


def window(count, used=3, avail=3):
    return (1 << 48) | count << 32 | used << 16 | avail


seeds = {
    "end": b"",
    "all": ALL,
    "statistics": bytes([STATISTICS]),
    "adopt": bytes([ADOPT, STATISTICS, ADOPT]),
    "forget": bytes([FORGET, FORGET]) + worker(1, 4),
    "workers": worker(1, 4) + worker(5, 4) + worker(8, 0x84) + worker(9, 4),
    "deaths": bytes([DEATH, STATISTICS, DEATH, ADOPT, STATISTICS]),
}
# Each field at its borders, in each entry that the image has.
for name, size in FIELDS:
    top = (1 << 8 * size) - 1
    for value in (0, 1, 2, 3, 7, 0x7fffffff, top):
        spoilt = b"".join(field(name, value & top, index)
                          for index in range(16 if "." in name else 2))
        seeds[f"{name}-{value & top:x}"] = spoilt + ALL
    seeds[f"under-readers-{name}"] = b"".join(
        field(name, top, index, AMBUSH) + bytes([STATISTICS])
        for index in range(2)) + ALL
for count in (0, 1, 2, 63, 64, 65, 1023, 1024, 1025, 0xffff):
    for used in (0, 3, 0xffff):
        seeds[f"window-{count}-{used}"] = b"".join(
            field("position", window(count, used), queue)
            for queue in range(2)) + ALL
# A slot of every kind at the window's only place.
for phase in range(4):
    for used in (0, 4096, 4097, 0xffffffff):
        seeds[f"slot-{phase}-{used}"] = (
            field("position", window(1, 0)) + field("slot.phase", phase) +
            field("slot.head", 2 * phase) + field("slot.used_bytes", used) +
            worker())
# The head with the most room, on the last queue.
for used in (4096, 4097, 8192, 8193):
    seeds[f"wide-{used}"] = (
        field("position", window(1, 0), 1) + field("slot.phase", 1, 1) +
        field("slot.head", 62, 1) + field("slot.used_bytes", used, 1) +
        worker())
for made in (1, 4, 5, 6, 7, 8, 9, 100, 0xffff, 1 << 31, 0xffffffff):
    for name in ("slot.made_file", "slot.made_session"):
        seeds[f"{name}-window-{made}"] = (
            field("position", window(1, 0)) + field("slot.phase", 0) +
            field(name, made) + worker())
# Entries that nobody counts, for the next guest.
seeds["hidden"] = (field("session_count", 0) + field("file_count", 0) +
                   bytes([FORGET]) + worker(1, 4))
for offset in range(0, 1 << 18, 1 << 13):
    seeds[f"noise-{offset:x}"] = struct.pack(
        ">BIB", ANYWHERE, offset, 63) + b"\xff" * 63 + ALL

folder = pathlib.Path(sys.argv[1])
for name, steps in seeds.items():
    (folder / name.replace(".", "-")).write_bytes(steps)
