# SPDX-License-Identifier: Apache-2.0
"""pvx_wire - the stream between relay and clients, written from the text of
docs/spec/chat-wire.md and not from the C code, for both sides.

    room, alice = Room(), Device()
    client = Client.connect(("127.0.0.1", 7450))
    client.enter(room, alice)               # HELLO, WELCOME, JOIN, JOINED
    client.send("SEND", envelope=envelope(alice, generation=0))
    client.expect("ACK")

The other side, for tests of clients:

    relay = RelaySide(listener.accept()[0])
    join = relay.admit()                    # checks the signatures
    relay.send("DELIVER", sequence=0, envelope=...)
"""
import hashlib
import os
import socket
import struct
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)

from pvx_patience import PATIENCE_S
from pvx_tls import TlsSocket

MAGIC = 0x50565843
VERSION = 1
NAME_MAX = 64
ROSTER_MAX_KEYS = 1024
HEADER_BYTES = 96
CIPHERTEXT_MAX = 65536
ENVELOPE_MIN = HEADER_BYTES + 4 + 32
ENVELOPE_MAX = ENVELOPE_MIN + CIPHERTEXT_MAX
JOINED, LEFT = 1, 2
NOTHING, AFTER, SINCE = 0, 1, 2
NONE, BEGINS, LIVE, FETCHED, UNREADABLE = 0, 1, 2, 3, 4

LABEL_ROOM_ID = b"paravox v1 room id"
LABEL_ADMISSION = b"paravox v1 admission"
LABEL_DEVICE = b"paravox v1 device admission"

CODES = {"PROTOCOL": 1, "TOO_LARGE": 2, "VERSION": 3, "STATE": 4,
         "ADMISSION": 5, "FULL": 6, "TIMEOUT": 7, "WINDOW": 8, "SLOW": 9,
         "INTERNAL": 10, "SENDER": 11, "ENVELOPE": 12, "STORE": 13,
         "REMOVED": 14, "TLS": 15}
CODE_NAMES = {number: name for name, number in CODES.items()}

# Clause 3: type, fields. A field is (name, kind): a struct letter, a number
# of bytes, "text" (u8 length and ASCII), "rest", or "keys" (32 bytes each).
MESSAGES = {
    "HELLO": (1, [("magic", "I"), ("version_min", "H"), ("version_max", "H")]),
    "WELCOME": (2, [("version", "H"), ("nonce", 32),
                    ("max_envelope_bytes", "I"), ("window_messages", "I"),
                    ("window_bytes", "I"), ("ping_interval_ms", "I"),
                    ("name", "text")]),
    "JOIN": (3, [("room_id", 32), ("admission_key", 32), ("device_key", 32),
                 ("admission_signature", 64), ("device_signature", 64),
                 ("want", "B"), ("era", "Q"), ("from_", "Q")]),
    "JOINED": (4, [("keys_after", "I"), ("members", "keys")]),
    "SEND": (5, [("envelope", "rest")]),
    "DELIVER": (6, [("sequence", "Q"), ("envelope", "rest")]),
    "ACK": (7, [("up_to", "Q")]),
    "REFUSED": (8, [("index", "Q"), ("code", "H"), ("text", "text")]),
    "PRESENCE": (9, [("what", "B"), ("device_key", 32)]),
    "PING": (10, [("token", "Q")]),
    "PONG": (11, [("token", "Q")]),
    "ERROR": (12, [("code", "H"), ("text", "text")]),
    "BYE": (13, []),
    "HISTORY": (14, [("what", "B"), ("era", "Q"), ("first", "Q"),
                     ("last", "Q")]),
    "FETCH": (15, [("from_", "Q"), ("count", "H")]),
}
TYPE_NAMES = {row[0]: name for name, row in MESSAGES.items()}


class WireError(Exception):
    """What the other side sent is not allowed by the specification."""


class Message(dict):
    """The fields of one message; `m.type` is its name."""

    def __init__(self, type_name, **fields):
        super().__init__(fields)
        self.type = type_name

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        shown = {k: v.hex()[:16] if isinstance(v, bytes) else v
                 for k, v in self.items()}
        return f"{self.type}{shown}"


def frame(type_number, body):
    """Any frame, also one that the specification forbids."""
    return struct.pack(">IB", 1 + len(body), type_number) + body


def encode(type_name, **fields):
    number, layout = MESSAGES[type_name]
    body = b""
    for name, kind in layout:
        value = fields.pop(name)
        if kind == "text":
            text = value.encode("ascii")
            body += struct.pack("B", len(text)) + text
        elif kind == "keys":
            body += b"".join(value)
        elif kind == "rest":
            body += value
        elif isinstance(kind, int):
            assert len(value) == kind, name
            body += value
        else:
            body += struct.pack(">" + kind, value)
    assert not fields, fields
    return frame(number, body)


def decode(type_number, body):
    if type_number not in TYPE_NAMES:
        raise WireError(f"unknown type {type_number}")
    type_name = TYPE_NAMES[type_number]
    found, at = {}, 0
    for name, kind in MESSAGES[type_name][1]:
        if kind in ("rest", "keys"):
            size = len(body) - at
        elif kind == "text":
            if at >= len(body):
                raise WireError(type_name + " is too short")
            size = body[at]
            at += 1
        else:
            size = kind if isinstance(kind, int) else struct.calcsize(kind)
        piece = body[at:at + size]
        if len(piece) != size:
            raise WireError(type_name + " is too short")
        at += size
        if kind == "text":
            if any(c < 0x20 or c > 0x7e for c in piece):
                raise WireError(type_name + ": text is not printable")
            found[name] = piece.decode("ascii")
        elif kind == "keys":
            if size % 32 or not size:
                raise WireError("JOINED: keys are not whole")
            found[name] = [piece[i:i + 32] for i in range(0, size, 32)]
        elif kind == "rest" or isinstance(kind, int):
            found[name] = piece
        else:
            found[name] = struct.unpack(">" + kind, piece)[0]
    if at != len(body):
        raise WireError(type_name + " is too long")
    return Message(type_name, **found)


def raw_public(private):
    return private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


class Device:
    """A device's Ed25519 key in one room."""

    def __init__(self, seed=None):
        self.private = Ed25519PrivateKey.from_private_bytes(
            seed or os.urandom(32))
        self.key = raw_public(self.private)
        self.chain = os.urandom(32)


class Room:
    """A room's admission key; the room's secret is not needed here."""

    def __init__(self, seed=None):
        self.private = Ed25519PrivateKey.from_private_bytes(
            seed or os.urandom(32))
        self.admission_key = raw_public(self.private)
        self.id = room_id(self.admission_key)


def is_tls(address):
    return getattr(address, "is_tls", False)


def counted(data):
    return struct.pack("B", len(data)) + data


def room_id(admission_key):
    """Clause 7.1."""
    return hashlib.sha256(counted(LABEL_ROOM_ID) + admission_key).digest()


def signed_bytes(label, version, name, nonce, exporter, room, device_key):
    """Clause 7.2."""
    return (counted(label) + struct.pack(">H", version) +
            counted(name.encode("ascii")) + nonce + counted(exporter) +
            room + device_key)


def join_fields(room, device, welcome):
    """The fields of an honest JOIN, for tests to spoil one."""
    about = (welcome.version, welcome.name, welcome.nonce, welcome.exporter,
             room.id, device.key)
    return {
        "room_id": room.id, "admission_key": room.admission_key,
        "device_key": device.key,
        "admission_signature":
            room.private.sign(signed_bytes(LABEL_ADMISSION, *about)),
        "device_signature":
            device.private.sign(signed_bytes(LABEL_DEVICE, *about)),
        "want": NOTHING, "era": 0, "from_": 0,
    }


def envelope(device, generation=0, ciphertext=b"sealed", chain=None,
             sender=None, version=1, suite=1, kind=1, epoch=0,
             iv=b"\x11" * 16, tag=b"\x22" * 32):
    """The bytes of an envelope (clause 6); nothing in it is really sealed."""
    return (struct.pack(">BHBI", version, suite, kind, epoch) +
            (sender or device.key) + (chain or device.chain) +
            struct.pack(">Q", generation) + iv +
            struct.pack(">I", len(ciphertext)) + ciphertext + tag)


def sends(client, first, count, ciphertext=b"sealed"):
    """The bytes of `count` SENDs of a client that has joined."""
    return b"".join(encode("SEND", envelope=envelope(client.device, i,
                                                     ciphertext))
                    for i in range(first, first + count))


def envelope_fields(data):
    version, suite, kind, epoch = struct.unpack(">BHBI", data[:8])
    size = struct.unpack(">I", data[96:100])[0]
    if len(data) != ENVELOPE_MIN + size:
        raise WireError("an envelope's length is wrong")
    return {"version": version, "suite": suite, "kind": kind, "epoch": epoch,
            "sender": data[8:40], "chain": data[40:72],
            "generation": struct.unpack(">Q", data[72:80])[0],
            "iv": data[80:96], "ciphertext": data[100:100 + size],
            "tag": data[100 + size:]}


class Peer:
    """One end of a stream of frames."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.early = []  # received already, to be received again
        self.exporter = getattr(sock, "exporter", b"")
        self.has_ended = False

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fileno(self):
        return self.sock.fileno()

    def send_raw(self, data):
        self.sock.settimeout(PATIENCE_S)
        self.sock.sendall(data)

    def send(self, type_name, **fields):
        self.send_raw(encode(type_name, **fields))

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def _take(self):
        """A whole message of the buffer, or None."""
        if len(self.buffer) < 4:
            return None
        length = struct.unpack(">I", self.buffer[:4])[0]
        if not 1 <= length <= 1 + 8 + ENVELOPE_MAX:
            raise WireError(f"a frame of length {length}")
        if len(self.buffer) < 4 + length:
            return None
        body = bytes(self.buffer[5:4 + length])
        number = self.buffer[4]
        del self.buffer[:4 + length]
        message = decode(number, body)
        if message.type == "WELCOME":
            message.exporter = self.exporter  # clause 7.2 signs both
        return message

    def receive(self, timeout=PATIENCE_S):
        """The next message; None at the end of the stream. TimeoutError."""
        if self.early:
            return self.early.pop(0)
        end = time.monotonic() + timeout
        while True:
            message = self._take()
            if message is not None:
                return message
            if self.has_ended:
                return None
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self.sock.recv(1 << 18)
            except socket.timeout:
                raise TimeoutError("nothing came") from None
            except ConnectionResetError:
                data = b""
            if not data:
                self.has_ended = True
                if self.buffer:
                    raise WireError("the stream ends within a frame")
            self.buffer += data

    def expect(self, type_name, timeout=PATIENCE_S, skip=("PING", "HISTORY")):
        """The next message, which must be of that type; those of `skip` are
        passed over."""
        end = time.monotonic() + timeout
        while True:
            message = self.receive(max(end - time.monotonic(), 0.001))
            if message is not None and message.type == type_name:
                return message
            if message is None or message.type not in skip:
                raise WireError(f"wanted {type_name}, got {message}")

    def expect_any(self, types, timeout=PATIENCE_S):
        """The next message of one of these types; others are passed over."""
        end = time.monotonic() + timeout
        while True:
            message = self.receive(max(end - time.monotonic(), 0.001))
            if message is None:
                raise WireError(f"the stream ends before any of {types}")
            if message.type in types:
                return message

    def expect_error(self, code, timeout=PATIENCE_S, skip=("PING", "HISTORY")):
        """An ERROR with that code, and then the end of the stream."""
        message = self.expect("ERROR", timeout, skip)
        if message.code != CODES[code]:
            raise WireError(f"wanted {code}, got {CODE_NAMES[message.code]}")
        self.expect_end(timeout)
        return message

    def expect_end(self, timeout=PATIENCE_S):
        message = self.receive(timeout)
        if message is not None:
            raise WireError(f"wanted the end, got {message}")

    def expect_nothing(self, seconds=0.2):
        try:
            message = self.receive(seconds)
        except TimeoutError:
            return
        raise WireError(f"wanted nothing, got {message}")


def reset(sock):
    """Close without a word, as a machine that forgot the connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


class Client(Peer):
    """The client's side."""

    @classmethod
    def connect(cls, address, receive_buffer=None, source=None):
        """`address` is (host, port), under TLS when it has is_tls, or the
        path of a Unix socket."""
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            sock = socket.socket(family)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                            receive_buffer)
        if source:
            sock.bind((source, 0))
        sock.settimeout(PATIENCE_S)
        sock.connect(address)
        if not isinstance(address, str):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(TlsSocket(sock) if is_tls(address) else sock)

    def greet(self):
        self.send("HELLO", magic=MAGIC, version_min=VERSION,
                  version_max=VERSION)
        self.welcome = self.expect("WELCOME")
        return self.welcome

    def join(self, room, device, **spoiled):
        """JOIN, the roster, and the first HISTORY (`self.history`); `spoiled`
        replaces fields. What comes before HISTORY is received later."""
        self.device = device
        self.send("JOIN", **{**join_fields(room, device, self.welcome),
                             **spoiled})
        keys = []
        while True:
            part = self.expect("JOINED")
            keys += part.members
            if not part.keys_after:
                break
        early = []
        while (message := self.receive()) and message.type != "HISTORY":
            early.append(message)
        if not message:
            raise WireError("the stream ends before HISTORY")
        self.early = early
        self.history = message
        self.roster = keys
        return keys

    def enter(self, room, device):
        self.greet()
        return self.join(room, device)

    def say(self, generation, ciphertext=b"sealed", **fields):
        self.send("SEND", envelope=envelope(self.device, generation,
                                            ciphertext, **fields))


class RelaySide(Peer):
    """The relay's side, for tests of clients: honest unless told otherwise."""

    def greet(self, name="test relay", nonce=None, version=VERSION,
              max_envelope_bytes=ENVELOPE_MAX, window_messages=256,
              window_bytes=1 << 20, ping_interval_ms=30000):
        hello = self.expect("HELLO", skip=())
        if hello.magic != MAGIC:
            raise WireError("HELLO without the magic")
        self.welcome = Message(
            "WELCOME", version=version, nonce=nonce or os.urandom(32),
            max_envelope_bytes=max_envelope_bytes,
            window_messages=window_messages, window_bytes=window_bytes,
            ping_interval_ms=ping_interval_ms, name=name)
        self.send("WELCOME", **self.welcome)
        return hello

    def admit(self, members=(), history=None, **greeting):
        """Greet, check a JOIN as clause 7 asks, answer with the roster."""
        self.greet(**greeting)
        join = self.expect("JOIN")
        self.check(join)
        self.device_key = join.device_key
        keys = list(members) + [join.device_key]
        while keys:
            part, keys = keys[:ROSTER_MAX_KEYS], keys[ROSTER_MAX_KEYS:]
            self.send("JOINED", keys_after=len(keys), members=part)
        self.send("HISTORY", **(history or {
            "what": NONE, "era": 0, "first": 0, "last": 0}))
        return join

    def check(self, join):
        if room_id(join.admission_key) != join.room_id:
            raise WireError("the room id is not the hash of the key")
        about = (self.welcome.version, self.welcome.name, self.welcome.nonce,
                 self.exporter, join.room_id, join.device_key)
        for label, key, signature in (
                (LABEL_ADMISSION, join.admission_key,
                 join.admission_signature),
                (LABEL_DEVICE, join.device_key, join.device_signature)):
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(
                    signature, signed_bytes(label, *about))
            except InvalidSignature:
                raise WireError("a signature of JOIN is wrong") from None
