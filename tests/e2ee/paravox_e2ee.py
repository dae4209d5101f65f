# SPDX-License-Identifier: Apache-2.0
"""paravox_e2ee - docs/spec/e2ee.md a second time, over python3-cryptography.

Written from the text, so that text and C program can be held against each
other. Numbers in parentheses are the text's clauses.
"""
import base64
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

SUITE_A = 1
TYPE_CONTENT = 1
TEXT, JOIN, NICK, LEAVE = 1, 2, 3, 4
HEADER_BYTES = 96


class Refused(Exception):
    """The verdict of clause 10 is its text."""


def label(text):
    return b"paravox v1 " + text + b"\0"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def extract(salt, material):
    return hmac.new(salt, material, "sha256").digest()


def expand(key, info, length):
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def derive(key, text, context=b""):  # (1.4)
    return expand(key, label(text) + context, 32)


class SignKey:
    def __init__(self, seed):
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def sign(self, data):
        return self._key.sign(data)


def verify(public, signature, data):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
        return True
    except (InvalidSignature, ValueError):
        return False


class Room:  # (3.1 - 3.3)
    def __init__(self, secret):
        prk = extract(label(b"room secret"), secret)
        self.admission = SignKey(derive(prk, b"admission key"))
        name = b"paravox v1 room id"  # chat-wire.md, 7.1
        self.id = sha256(bytes([len(name)]), name, self.admission.public)
        self.epoch_secret = derive(prk, b"epoch secret",
                                   struct.pack(">I", 0) + self.id)

    def message_keys(self, header):  # (4.1, 4.2)
        suite, epoch = struct.unpack(">HxI", header[1:8])
        root = derive(self.epoch_secret, b"chain root",
                      struct.pack(">HI", suite, epoch) + self.id
                      + header[8:40] + header[40:72])
        generation = header[72:80]
        return (derive(root, b"message encryption key", generation),
                derive(root, b"message authentication key", generation))


class Identity:  # (3.4 - 3.6)
    def __init__(self, seed):
        prk = extract(label(b"identity"), seed)
        self.key = SignKey(derive(prk, b"identity key"))
        self.device_root = derive(prk, b"device root")

    def device(self, room):
        return SignKey(derive(self.device_root, b"device key", room.id))

    def proof(self, room):
        device = self.device(room)
        return device.sign(proof_bytes(room, device.public, self.key.public))


def proof_bytes(room, device, identity):
    return label(b"device proof") + room.id + device + identity


def padded(length):  # (6.4)
    for bucket in (256, 512, 1024, 2048, 4096):
        if length <= bucket:
            return bucket
    e = length.bit_length() - 1
    unit = 1 << (e - e.bit_length())
    return -(-length // unit) * unit


def aad_of(room, header, length):  # (5.3)
    return label(b"envelope") + room.id + header[:80] + struct.pack(">I",
                                                                    length)


def to_sign(aad, iv, identity, body):  # (6.2)
    return label(b"message signature") + aad + iv + identity + body


def tag_of(key, aad, iv, ciphertext):  # (5.4)
    data = b"".join(struct.pack(">I", len(part)) + part
                    for part in (aad, iv, ciphertext))
    return hmac.new(key, data, "sha256").digest()


def ctr(key, iv, data):
    run = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return run.update(data) + run.finalize()


def body_of(proof, link, time_ms, kind, nick, text):  # (6.1)
    body = (proof + link + struct.pack(">QBB", time_ms, kind, len(nick)) + nick
            + struct.pack(">I", len(text)) + text)
    return body.ljust(padded(96 + len(body)) - 96, b"\0")


def header_of(device, chain, generation, iv):  # (5.2)
    return (struct.pack(">BHBI", 1, SUITE_A, TYPE_CONTENT, 0) + device + chain
            + struct.pack(">Q", generation) + iv)


def seal(room, identity, chain, generation, iv, link, time_ms, kind, nick,
         text):
    header = header_of(identity.device(room).public, chain, generation, iv)
    body = body_of(identity.proof(room), link, time_ms, kind, nick, text)
    aad = aad_of(room, header, 96 + len(body))
    signature = identity.key.sign(to_sign(aad, iv, identity.key.public, body))
    return wrap(room, header, identity.key.public + signature + body)


def wrap(room, header, plaintext):  # (5.4, 5.5)
    encryption, authentication = room.message_keys(header)
    iv = header[80:96]
    ciphertext = ctr(encryption, iv, plaintext)
    aad = aad_of(room, header, len(ciphertext))
    return (header + struct.pack(">I", len(ciphertext)) + ciphertext
            + tag_of(authentication, aad, iv, ciphertext))


def parse_body(body):
    if len(body) < 110:
        raise Refused("malformed inside")
    time_ms, kind, nick_bytes = struct.unpack(">QBB", body[96:106])
    nick = body[106:106 + nick_bytes]
    rest = body[106 + nick_bytes:]
    if len(rest) < 4:
        raise Refused("malformed inside")
    text_bytes, = struct.unpack(">I", rest[:4])
    text = rest[4:4 + text_bytes]
    if body != body_of(body[:64], body[64:96], time_ms, kind, nick, text):
        raise Refused("malformed inside")
    may_be_empty, may_be_full = {TEXT: (False, True), JOIN: (True, False),
                                 NICK: (True, False), LEAVE: (True, True)
                                 }.get(kind, (False, False))
    if (time_ms == 2 ** 64 - 1 or not 1 <= nick_bytes <= 64 or b"\0" in nick or b"\0" in text
            or not (may_be_full if text else may_be_empty)):
        raise Refused("malformed inside")
    return {"proof": body[:64], "link": body[64:96], "time_ms": time_ms,
            "type": kind, "nick": nick, "text": text}


def unseal(room, envelope):  # (5.6, without what needs memory)
    if len(envelope) < HEADER_BYTES + 4 + 32:
        raise Refused("malformed")
    header, body = envelope[:HEADER_BYTES], envelope[HEADER_BYTES:]
    length, = struct.unpack(">I", body[:4])
    ciphertext, tag = body[4:-32], body[-32:]
    if (len(ciphertext) != length or length > 65536):
        raise Refused("malformed")
    if struct.unpack(">BHBI", header[:8]) != (1, SUITE_A, TYPE_CONTENT, 0):
        raise Refused("unknown version")
    if length != padded(length) or header[40:72] == bytes(32):
        raise Refused("malformed")
    encryption, authentication = room.message_keys(header)
    iv = header[80:96]
    aad = aad_of(room, header, length)
    if not hmac.compare_digest(tag, tag_of(authentication, aad, iv,
                                           ciphertext)):
        raise Refused("undecryptable")
    plaintext = ctr(encryption, iv, ciphertext)
    identity, signature, body = (plaintext[:32], plaintext[32:96],
                                 plaintext[96:])
    if not verify(identity, signature, to_sign(aad, iv, identity, body)):
        raise Refused("forged")
    opened = parse_body(body)
    if not verify(header[8:40], opened["proof"],
                  proof_bytes(room, header[8:40], identity)):
        raise Refused("forged")
    opened["identity"] = identity
    opened["plaintext"] = plaintext
    return opened


def link_of(envelope):  # (6.5)
    return sha256(label(b"message link"), envelope)


def fingerprint(identity):  # (7.1)
    digits = sha256(label(b"fingerprint"), identity)[:20].hex()
    return " ".join(digits[i:i + 4] for i in range(0, 40, 4))


def safety_number(one, other):  # (7.2)
    low, high = sorted((one, other))
    digest = bytes(32)
    for _ in range(5200):
        digest = sha256(digest, label(b"safety number"), b"\0\1", low, high)
    data = expand(digest, label(b"safety number"), 60)
    groups = (int.from_bytes(data[i:i + 5], "big") for i in range(0, 60, 5))
    return " ".join(f"{number % 100000:05}" for number in groups)


def invite(prefix, fields):  # (8); fields: {type: value}
    blob = b"".join(struct.pack(">BH", kind, len(value)) + value
                    for kind, value in sorted(fields.items()))
    blob += sha256(label(b"link checksum"), prefix, blob)[:8]
    return (prefix + base64.urlsafe_b64encode(blob).rstrip(b"=")).decode()
