#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""keep_seeds FOLDER - write the corpus of fuzz_keep, when its steps change."""
import pathlib
import struct
import sys

SET_UP, MESSAGE, PARTS, ROW, RAW, ORDER, DIE, SPOIL, SLOW = range(9)
MOMENTS = ("received", "stopped", "acted", "applied", "started", "taken",
           "written", "noted", "sent", "stored", "flipped")
NEED_REPLY = 8
RESET_OWNER, GET_VRING_BASE, GET_CONFIG, GET_INFLIGHT = 4, 11, 24, 31
SET_INFLIGHT, RESET_DEVICE, ADD_MEM_REG = 32, 34, 37


def set_up(choice=0x24):
    return bytes([SET_UP, choice])


def message(request, payload=b"", fds=0):
    return bytes([MESSAGE, request, NEED_REPLY, fds, len(payload)]) + payload


def parts(request, part_bytes, payload=b"", fds=0):
    return bytes([PARTS, part_bytes]) + message(request, payload, fds)[1:]


def order(moment, passes=0):
    return bytes([ORDER, moment + len(MOMENTS) * passes])


def spoil(where, data):
    return struct.pack("<BHB", SPOIL, where, len(data)) + data


ROW_OF_ALL = bytes([ROW, 0xe4])
DEATH = bytes([DIE])
REGION = struct.pack("<QQQQQ", 0, 1 << 40, 4096, 1 << 40, 0)
AREA = struct.pack("<QQHHI", 0x10000, 0, 1, 256, 0)
WORD = struct.pack("<II", 0, 0)

seeds = {
    "end": b"",
    "set-up": set_up(),
    "set-up-dies": set_up() + DEATH + ROW_OF_ALL,
    "row": ROW_OF_ALL + DEATH + ROW_OF_ALL,
    "region": set_up() + message(ADD_MEM_REG, REGION, 1) + DEATH + ROW_OF_ALL,
    "base": set_up() + message(GET_VRING_BASE, WORD) + DEATH + ROW_OF_ALL,
    "raw": set_up() + bytes([RAW, 12]) + bytes(12) + DEATH,
    "half-a-message": bytes([RAW, 5]) + b"\x01\0\0\0\x01" + DEATH + ROW_OF_ALL,
    "slow-manager": bytes([SLOW, 1]) + set_up() + DEATH + ROW_OF_ALL,
    "slow-for-a-while": bytes([SLOW, 1]) + set_up() + bytes([SLOW, 0]) +
                        ROW_OF_ALL + DEATH + ROW_OF_ALL,
    "inflight": message(SET_INFLIGHT, AREA, 1 | 2 << 2) + set_up() + DEATH,
    "lost-descriptor": set_up() + spoil(3, b"") + ROW_OF_ALL,
}
for number, moment in enumerate(MOMENTS):
    seeds["reset-" + moment] = (set_up() + order(number) +
                                message(RESET_DEVICE) + ROW_OF_ALL)
    seeds["set-up-" + moment] = order(number, 2) + set_up() + ROW_OF_ALL
    seeds["inflight-" + moment] = (set_up() + order(number) +
                                   message(GET_INFLIGHT, AREA) + ROW_OF_ALL)
    seeds["parts-" + moment] = (set_up() + order(number) +
                                parts(ADD_MEM_REG, 20, REGION, 1) + ROW_OF_ALL)
    seeds["twice-" + moment] = (set_up() + order(number) + ROW_OF_ALL +
                                order(number) + ROW_OF_ALL)
# Of the record: its head, and in both copies the features, the first region,
# ring 0 and a ring that is not there, the step, and what is in use.
HEAD, COPY_BYTES, RING, STEP, IN_USE = 16, 5640, 1072, 4144, 4720
for where in (0, 4, 8, 12):
    seeds[f"spoil-{where}"] = (set_up() + spoil(where, b"\xff" * 4) +
                               ROW_OF_ALL + set_up())
for where in (0, 8, 16, 24, 32, 40, 1048, RING, RING + 8, RING + 32, RING + 36,
              RING + 5 * 48 + 36, STEP, STEP + 4, STEP + 16, IN_USE,
              IN_USE + 4, IN_USE + 8):
    seeds[f"spoil-copy-{where}"] = (
        set_up() +
        b"".join(spoil(HEAD + i * COPY_BYTES + where, b"\x03" * 4)
                 for i in (0, 1)) + ROW_OF_ALL + set_up())
# An answer that is longer than any, about to be written.
seeds["spoil-answer"] = (
    set_up() +
    b"".join(spoil(HEAD + i * COPY_BYTES + STEP,
                   struct.pack("<5I", 1, 1, 1, 5, 0x7fff)) for i in (0, 1)))

folder = pathlib.Path(sys.argv[1])
for name, steps in seeds.items():
    for is_slow in 0, 1:
        (folder / (name + "-late" * is_slow)).write_bytes(
            bytes([is_slow]) + steps)
