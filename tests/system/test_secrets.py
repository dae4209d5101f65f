# SPDX-License-Identifier: Apache-2.0
"""test_secrets - no plaintext and no key where it must not be.

Two people talk through a relay while everything is recorded: the bytes on both
sockets, the relay's memory, every log, the arguments and environments of all
processes. The ciphertext of a marker message is found there; marker, room
secret, message keys and identity keys are not, raw, in hex or in base64.
"""
import base64
import os
import pathlib
import signal

import paravox_e2ee as e2ee
import pvx_tap
from pvx_people import People
from pvx_proxy import Proxy
from pvx_relay import Relay
from pvx_wire import MESSAGES

MARKER = "zanzibar-marker-7c1f9e"
DELIVER = MESSAGES["DELIVER"][0]
HELD_LINES = 4000  # more than a stopped reader's socket buffers hold
PADDING = "x" * 3000
SHADOW_BYTES = 1 << 32
NO_BOUNDS = ("--high-water-bytes=100000000", "--hard-bound-bytes=200000000",
             "--rate-messages=0", "--rate-bytes=0")


def forms(secret):
    """How a secret could be written: raw, hex, base64 at each alignment."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):
        for table in (base64.b64encode, base64.urlsafe_b64encode):
            # Whole groups of the secret only, whatever stands around it.
            text = table(bytes(shift) + secret)
            yield text[-(-shift * 4 // 3):len(text) - 4]


def finds(haystack, secret):
    return any(form in haystack for form in forms(secret))


def memory_of(pid, without=()):
    """Every readable byte of a process: at least what a core file has. What
    begins at an address of `without` is left out."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            fields = line.split()
            start, end = (int(x, 16) for x in fields[0].split("-"))
            if "r" not in fields[1] or fields[-1] in ("[vvar]", "[vsyscall]"):
                continue
            if start in without or end - start > SHADOW_BYTES:
                continue  # a sanitizer's tables, which hold no bytes of ours
            try:
                memory.seek(start)
                parts.append(memory.read(end - start))
            except OSError:
                pass  # a guard page
    return b"\0".join(parts)


def key_memory_of(pid):
    """Where the mappings begin that are left out of core files, as those of
    secret_alloc() are. (Sanitizers leave nothing locked.)"""
    start, found = 0, set()
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        flags = line.split()
        if flags[0] == "VmFlags:":
            if "dd" in flags:
                found.add(start)
        elif not flags[0].endswith(":"):
            start = int(flags[0].split("-")[0], 16)
    return found


def command_lines_of(*pids):
    """Arguments and environments; those of undumpable processes are hidden
    from other users, and from themselves, by the kernel."""
    found = b""
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                found += pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except PermissionError:
                pass
    return found


class Evidence:
    """Runs the conversation and keeps everything that could tell. In its
    sandbox the relay would not let us look into its memory."""

    def __init__(self):
        with Relay(*NO_BOUNDS, "--sandbox=off") as relay, People() as people:
            host, port = relay.addresses[0]
            self.proxy = Proxy((host, port))
            alice = people.new("alice").make_room(self.proxy.address)
            bob = people.new("bob").join(alice)
            tail, slow = bob.tail(), bob.tail()
            sender = alice.sender()
            self.talk(sender, tail)
            # A reader that stands still keeps the marker's envelope, and
            # much behind it, in the relay's queues.
            os.kill(slow.process.pid, signal.SIGSTOP)
            for number in range(HELD_LINES):
                self.say(sender, f"{number} {PADDING}")
            self.say(sender, MARKER)
            tail.wait_message(MARKER, 200)
            pids = [relay.pid, tail.process.pid, sender.process.pid]
            self.memory = memory_of(relay.pid)
            self.arguments = command_lines_of(*pids)
            self.socket = bytes(self.proxy.seen["up"]
                                + self.proxy.seen["down"])
            os.kill(slow.process.pid, signal.SIGCONT)
            sender.process.stdin.close()
            sender.process.wait(60)
            self.output = "\n".join(tail.bodies()).encode()
            self.logs = (relay.log_text() + tail.error_text()
                         + slow.error_text() + sender.error_text()).encode()
            self.collect_secrets(alice, bob)
            for reader in (tail, slow):
                reader.stop()
            self.proxy.close()

    @staticmethod
    def say(sender, line):
        sender.process.stdin.write(line.encode() + b"\n")
        sender.process.stdin.flush()

    def talk(self, sender, tail):
        self.say(sender, MARKER + " first")
        tail.wait_message(MARKER + " first")

    def collect_secrets(self, alice, bob):
        room = e2ee.Room(alice.room_secret())
        self.secrets = {"room secret": alice.room_secret(),
                        "epoch secret": room.epoch_secret}
        for person in (alice, bob):
            self.secrets[f"{person.name}'s identity"] = person.identity_seed()
        self.envelopes = []
        for envelope in self.delivered():
            opened = e2ee.unseal(room, envelope)
            if opened["text"].startswith(MARKER.encode()):
                self.envelopes.append(envelope)
                keys = room.message_keys(envelope[:96])
                for name, key in zip(("encryption", "mac"), keys):
                    self.secrets[f"{name} key {len(self.envelopes)}"] = key
                self.secrets[f"identity key {len(self.envelopes)}"] = (
                    opened["identity"])

    def delivered(self):
        for link_bytes in self.streams():
            at = 0
            while at + 5 <= len(link_bytes):
                size = 4 + int.from_bytes(link_bytes[at:at + 4], "big")
                if link_bytes[at + 4] == DELIVER and (
                        at + size <= len(link_bytes)):
                    yield link_bytes[at + 13:at + size]
                at += size

    def streams(self):
        return [bytes(link.seen["down"]) for link in self.proxy.links]

    def places(self):
        return {"the relay's memory": self.memory,
                "the bytes on the sockets": self.socket,
                "the logs": self.logs,
                "arguments and environments": self.arguments}


evidence = None


def seen():
    global evidence
    evidence = evidence or Evidence()
    return evidence


def test_the_search_finds_what_is_there():
    """The control: ciphertext where it must be, the marker where it may be,
    and each way of writing a secret."""
    e = seen()
    assert len(e.envelopes) >= 2
    ciphertexts = [envelope[100:-32] for envelope in e.envelopes]
    assert all(finds(e.socket, c) for c in ciphertexts)
    assert any(finds(e.memory, c) for c in ciphertexts)
    assert finds(e.output, MARKER.encode())
    assert b"listening" in e.logs or b"connected" in e.logs
    assert b"--room" in e.arguments and b"HOME=" in e.arguments
    secret = os.urandom(32)
    for before in (b"", b"a", b"ab", b"abc"):
        for text in (secret, secret.hex().encode(),
                     base64.b64encode(before + secret + b"z"),
                     base64.urlsafe_b64encode(before + secret)):
            assert finds(b"<" + text + b">", secret), text


def test_the_marker_is_nowhere():
    for place, data in seen().places().items():
        assert not finds(data, MARKER.encode()), "the marker is in " + place


def test_no_key_is_anywhere():
    e = seen()
    assert len(e.secrets) >= 8, e.secrets.keys()
    for place, data in e.places().items():
        for name, secret in e.secrets.items():
            assert not finds(data, secret), f"{name} is in {place}"


def test_nicks_are_not_told_to_the_relay():
    e = seen()
    for place in ("the relay's memory", "the bytes on the sockets"):
        # As a message would carry it; the word alone is a host's or user's.
        assert b"\x05alice" not in e.places()[place], place


def test_a_clients_keys_are_where_keys_live_or_wiped():
    with Relay() as relay, People() as people:
        host, port = relay.addresses[0]
        proxy = Proxy((host, port))
        alice = people.new("alice").make_room(proxy.address)
        tail = people.new("bob").join(alice).tail()
        sender = alice.sender()
        Evidence.say(sender, MARKER)
        tail.wait_message(MARKER)
        room = e2ee.Room(alice.room_secret())
        envelope = bytes(proxy.links[0].seen["down"])
        envelope = envelope[envelope.index(b"\x01\x00\x01\x01" + bytes(4)):]
        keys = room.message_keys(envelope[:96])
        for person, process in ((alice, sender.process),
                                (people.new("bob"), tail.process)):
            identity = e2ee.Identity(person.identity_seed())
            held = {"epoch secret": room.epoch_secret,
                    "device root": identity.device_root}
            wiped = {"room secret": alice.room_secret(),
                     "identity seed": person.identity_seed(),
                     "encryption key": keys[0], "mac key": keys[1]}
            try:
                everywhere = memory_of(process.pid)
            except PermissionError as error:
                raise pvx_tap.Skip("only root may look there") from error
            elsewhere = memory_of(process.pid, key_memory_of(process.pid))
            for name, secret in held.items():
                assert secret in everywhere, f"the control: {name}"
            for name, secret in {**held, **wiped}.items():
                assert secret not in elsewhere, (person.name, name)
        proxy.close()


def test_a_client_cannot_be_looked_into():
    with Relay() as relay, People() as people:
        host, port = relay.addresses[0]
        alice = people.new("alice").make_room(f"plain:{host}:{port}")
        tail = alice.tail()
        pid = tail.process.pid
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        core = [line for line in limits.splitlines() if "core file" in line]
        assert core[0].split()[4:6] == ["0", "0"], core
        # Undumpable: its files in /proc belong to root.
        if os.geteuid() != 0:
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        tail.stop()


if __name__ == "__main__":
    pvx_tap.main(globals())
