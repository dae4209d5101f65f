#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""device_seeds - write the corpus of fuzz_device from the known answers.

For each algorithm and form: open a session, run every vector that fits into
one input (apart, in place, cut, from the chained IV), copy hashes, die in the
middle, say HELLO again and close. The bytes are those that fuzz_device.c
reads; integers of the contract are little-endian, those of the input
big-endian.
"""
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vectors" / "crypto"))
import vectors  # noqa: E402

IDS = {
    "des-cbc": 1, "3des-cbc": 2, "blowfish-cbc": 3, "hmac-md5": 6,
    "hmac-sha1": 7, "hmac-ripemd160": 8, "aes-cbc": 11, "md5": 13, "sha1": 14,
    "null": 16, "hmac-sha256": 18, "hmac-sha384": 19, "hmac-sha512": 20,
    "aes-ctr": 21, "aes-xts": 22, "aes-ecb": 23, "aes-cfb": 24, "aes-ofb": 25,
    "aes-gcm": 50, "aes-ccm": 51, "camellia-cbc": 101, "ripemd160": 102,
    "sha224": 103, "sha256": 104, "sha384": 105, "sha512": 106,
    "hmac-sha224": 107,
}
HELLO, PING, OPEN, CLOSE, SESSION_OPEN, SESSION_CLOSE, INFO, CRYPT, AUTH, \
    COPY = range(1, 11)
QUEUE_1, INDIRECT, IN_PLACE, FITTED = 1, 2, 16, 32
UPDATE, FINAL, WRITE_IV, TLS, SRTP, RESET = 1, 2, 4, 16, 32, 64
MOMENTS = 12
PAYLOAD_MAX = 600
VECTORS_EACH = 4


def request(op, params=b"", data=b"", how=0, file=0, session=0):
    return bytes([0, how, op, file, session]) + params \
        + struct.pack(">H", len(data)) + data


def death(moment):
    return bytes([6, moment])


def strike(moment, where, offset, flip=0xff):
    return bytes([5, moment, where]) + struct.pack(">HB", offset, flip)


def hello():
    return request(HELLO, struct.pack("<IHHQ", 0x64637670, 1, 1, 0))


def session_open(v, session=0, how=0):
    key, mac_key = v.get("key", b""), v.get("mac-key", b"")
    return request(SESSION_OPEN, struct.pack(
        "<IIII", IDS.get(v.get("cipher"), 0), IDS.get(v.get("mac"), 0),
        len(key), len(mac_key)), key + mac_key, how, session=session)


def crypt(v, direction, flags, how=0, session=0, with_iv=True):
    """The target makes the lengths fit the session."""
    data = v["ciphertext" if direction and "cipher" in v else "plaintext"]
    iv = v.get("iv", b"") if with_iv else b""
    params = struct.pack("<HHIIIIIQ", direction, flags, len(data), len(iv), 0,
                         0, 1 if flags & WRITE_IV else 0, 0)
    return request(CRYPT, params, iv + data, how | FITTED, session=session)


def auth(v, direction, how=0, session=0):
    form = v["form"]
    iv, aad, tag = v.get("iv", b""), v.get("aad", b""), v.get("tag", b"")
    plain, sealed = v["plaintext"], v.get("ciphertext", v["plaintext"])
    flags = {"aead": 0, "tls": TLS, "srtp": SRTP}[form]
    payload = sealed if direction else plain
    tag_bytes = len(tag) or int(v.get("tag-bytes", 0))
    if form == "aead":
        payload = sealed + tag if direction else plain
    offset, parts = 0, iv + aad + payload
    auth_bytes = len(aad)
    if form == "srtp":
        packet = aad + payload + v.get("aad-after", b"")
        offset, auth_bytes = len(aad), len(packet)
        parts = iv + packet + (tag if direction else b"")
    params = struct.pack("<HHIIIIIIIIIQ", direction, flags | WRITE_IV,
                         len(payload), len(iv), auth_bytes, offset, tag_bytes,
                         0, 0, 0, 1, 0)
    return request(AUTH, params, parts, how | FITTED, session=session)


def whole(v, number):
    """Everything that may be done with a session of this vector."""
    out = session_open(v) + request(INFO)
    hows = [0, IN_PLACE, (number % 4) << 2 | INDIRECT, 1 << 2, 3 << 2 | IN_PLACE]
    for direction in (0, 1):
        for how in hows:
            if v["form"] == "crypt":
                out += crypt(v, direction, WRITE_IV, how)
            else:
                out += auth(v, direction, how)
    if v["form"] == "crypt":
        out += crypt(v, 0, 0, with_iv=False)
        out += death(number % MOMENTS) + crypt(v, 0, 0, IN_PLACE)
    else:
        out += death(number % MOMENTS) + auth(v, 1, IN_PLACE)
    out += strike(number % (MOMENTS + 1), number % 4, 40 + number)
    out += crypt(v, 0, 0) if v["form"] == "crypt" else auth(v, 0)
    return out + request(SESSION_CLOSE) + request(CLOSE)


def hashes(v):
    """Multi-part, copied, carried over a death, and copied across."""
    out = session_open(v) + session_open(v, 1) \
        + session_open({"mac": "md5"}, 2)
    out += crypt(v, 0, UPDATE | RESET) + crypt(v, 0, UPDATE)
    out += request(COPY, struct.pack("<II", 0, 0), session=1)
    out += request(COPY, struct.pack("<II", 0, 0), session=2)
    out += crypt(v, 0, FINAL) + crypt(v, 0, FINAL, session=1)
    out += crypt(v, 0, UPDATE) + death(4) + crypt(v, 0, UPDATE)
    out += crypt(v, 0, FINAL) + crypt(v, 0, RESET | FINAL)
    return out + hello() + crypt(v, 0, 0) + request(OPEN) + request(CLOSE)


def deaths(v):
    """Ends at each moment of the ops that change the tables."""
    out = b""
    for moment in range(MOMENTS):
        out += death(moment) + request(OPEN, file=1)
        out += death(moment) + session_open(v)
        out += death(moment) + request(CLOSE, file=1)
        out += death(moment) + request(SESSION_CLOSE)
    return out


def vectors_of(folder):
    found = {}
    for path in sorted(folder.glob("*.vec")):
        for v in vectors.read(path):
            v.setdefault("form", "crypt")
            if "expect" in v or len(v["plaintext"]) > PAYLOAD_MAX:
                continue
            name = "-".join(v[k] for k in ("cipher", "mac") if k in v)
            found.setdefault(name + "-" + v["form"], []).append(v)
    return found


def main():
    corpus = HERE / "corpus" / "device"
    corpus.mkdir(exist_ok=True)
    number = 0
    for name, group in vectors_of(HERE.parent / "vectors" / "crypto").items():
        for v in group[::max(1, len(group) // VECTORS_EACH)][:VECTORS_EACH]:
            number += 1
            (corpus / f"{name}-{number}").write_bytes(b"\0" + whole(v, number))
        if "mac" in group[0] and "cipher" not in group[0]:
            (corpus / f"{name}-parts").write_bytes(b"\0" + hashes(group[0]))
    cbc = {"cipher": "aes-cbc", "key": bytes(16), "mac": "hmac-sha1",
           "mac-key": bytes(20)}
    (corpus / "deaths").write_bytes(b"\0" + deaths(cbc))
    # The chain of a recorded answer is spoilt before it is copied out.
    spoilt = dict(cbc, form="crypt", iv=bytes(16), plaintext=bytes(64))
    (corpus / "recorded-and-spoilt").write_bytes(
        b"\0" + session_open(spoilt) + strike(1, 2, 7) + death(5)
        + crypt(spoilt, 0, 0, IN_PLACE | INDIRECT) + crypt(spoilt, 0, 0))
    (corpus / "no-hello").write_bytes(
        b"\1" + request(PING) + request(OPEN) + hello() + request(PING)
        + bytes([7, 1]) + request(PING) + bytes([7, 0]) + hello())


main()
