#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""checker TOOL VECTORS [EMULATOR] - hold the C program, the spec's second
implementation and the published vectors against each other, in both
directions. With an emulator of /dev/crypto the C program uses that, and what
it asked of it is looked at too. Prints TAP.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import paravox_e2ee as p

ACCEPTED, MALFORMED, UNKNOWN_VERSION, UNDECRYPTABLE, FORGED, INSIDE = range(6)
VERDICTS = {"malformed": MALFORMED, "unknown version": UNKNOWN_VERSION,
            "undecryptable": UNDECRYPTABLE, "forged": FORGED,
            "malformed inside": INSIDE}
RECEIVER = (b"\x42" * 32).hex()
SEED = 20240131  # of the random inputs: a failure can be repeated


class Tool:
    def __init__(self, path, emulator=None):
        command, environment = [path], dict(os.environ)
        self.trace = None
        if emulator:
            command.append("cryptodev")
            self.trace = tempfile.NamedTemporaryFile("r")
            environment.update(LD_PRELOAD=emulator,
                               PVX_EMULATOR_TRACE=self.trace.name,
                               ASAN_OPTIONS="verify_asan_link_order=0")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment)

    def ask(self, *words):
        line = " ".join(w.hex() or "-" if isinstance(w, bytes) else str(w)
                        for w in words)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


tool = Tool(sys.argv[1], *sys.argv[3:4])
vectors = json.loads(pathlib.Path(sys.argv[2]).read_text())
room_secret = bytes.fromhex(vectors["room_secret"])
identity_seed = bytes.fromhex(vectors["identity_seed"])
room, identity = p.Room(room_secret), p.Identity(identity_seed)
rng = random.Random(SEED)


def hexed(name):
    return bytes.fromhex(vectors[name])


def python_opens(envelope, of=room):
    try:
        return ACCEPTED, p.unseal(of, envelope)
    except Refused as refused:
        return VERDICTS[str(refused)], None


Refused = p.Refused


def test_python_gives_the_published_keys():
    assert room.id == hexed("room_id")
    assert room.admission.public == hexed("admission_key")
    assert room.epoch_secret == hexed("epoch_secret")
    assert identity.key.public == hexed("identity_key")
    assert identity.device(room).public == hexed("device_key")
    assert identity.proof(room) == hexed("device_proof")
    assert p.fingerprint(identity.key.public) == vectors["fingerprint"]
    assert p.safety_number(identity.key.public, hexed(
        "other_identity_key")) == vectors["safety_number"]


def test_c_gives_the_published_keys():
    answer = tool.ask("keys", room_secret, identity_seed)
    assert answer[:6] == ["ok"] + [vectors[name] for name in (
        "room_id", "admission_key", "identity_key", "device_key",
        "device_proof")]
    assert " ".join(answer[6:]) == vectors["fingerprint"]
    for pair in (("identity_key", "other_identity_key"),
                 ("other_identity_key", "identity_key")):
        answer = tool.ask("safety", *map(hexed, pair))
        assert " ".join(answer[1:]) == vectors["safety_number"]


def seal_arguments(message):
    return (hexed("chain_id"), message["generation"],
            bytes.fromhex(message["iv"]), bytes.fromhex(message["link"]),
            message["time_ms"], message["type"], message["nick"].encode(),
            message["text"].encode())


def test_both_seal_the_published_envelopes():
    assert len(vectors["messages"]) >= 6
    for message in vectors["messages"]:
        envelope = bytes.fromhex(message["envelope"])
        assert p.seal(room, identity, *seal_arguments(message)) == envelope
        answer = tool.ask("seal", room_secret, identity_seed,
                          *seal_arguments(message))
        assert answer == ["ok", message["envelope"],
                          p.link_of(envelope).hex()]
        header = envelope[:p.HEADER_BYTES]
        assert [key.hex() for key in room.message_keys(header)] == [
            message["encryption_key"], message["authentication_key"]]


def assert_same_content(answer, sender, generation, opened):
    assert answer == ["0", opened["identity"].hex(), sender.hex(),
                      str(generation), str(opened["time_ms"]),
                      str(opened["type"]), opened["nick"].hex(),
                      opened["text"].hex() or "-"], answer


def test_both_open_the_published_envelopes():
    for message in vectors["messages"]:
        envelope = bytes.fromhex(message["envelope"])
        verdict, opened = python_opens(envelope)
        assert verdict == ACCEPTED
        assert opened["text"].decode() == message["text"]
        assert opened["plaintext"].hex() == message["plaintext"]
        answer = tool.ask("open", room_secret, RECEIVER, envelope)
        assert_same_content(answer, hexed("device_key"),
                            message["generation"], opened)


def random_message():
    nick = bytes(rng.randrange(1, 256) for _ in range(rng.randint(1, 64)))
    length = rng.choice((1, 40, 300, 3000, 9000, 65266 - 200))
    text = bytes(rng.randrange(1, 256)
                 for _ in range(rng.randint(1, length)))
    return (rng.randbytes(32), rng.randrange(1000), rng.randbytes(16),
            rng.randbytes(32), rng.randrange(1 << 64), p.TEXT, nick, text)


def test_c_opens_what_python_sealed():
    for _ in range(40):
        secret, seed = rng.randbytes(32), rng.randbytes(32)
        message = random_message()
        here, sender = p.Room(secret), p.Identity(seed)
        envelope = p.seal(here, sender, *message)
        answer = tool.ask("open", secret, RECEIVER, envelope)
        assert_same_content(answer, sender.device(here).public, message[1],
                            p.unseal(here, envelope))


def test_python_opens_what_c_sealed():
    for _ in range(20):
        secret, seed = rng.randbytes(32), rng.randbytes(32)
        texts = [b"line %d" % i * rng.randint(1, 500) for i in range(5)]
        answer = tool.ask("speak", secret, seed, b"nick", *texts)
        envelopes = [bytes.fromhex(word) for word in answer[1:]]
        opened = [p.unseal(p.Room(secret), e) for e in envelopes]
        assert [o["text"] for o in opened] == texts
        assert {o["identity"] for o in opened} == {p.Identity(seed).key.public}
        links = [bytes(32)] + [p.link_of(e) for e in envelopes]
        assert [o["link"] for o in opened] == links[:-1]
        assert len({e[40:72] for e in envelopes}) == 1  # one chain
        assert len({e[80:96] for e in envelopes}) == len(texts)  # IVs


def test_both_refuse_what_was_changed_and_say_the_same():
    for message in vectors["messages"][:3]:
        original = bytes.fromhex(message["envelope"])
        for _ in range(150):
            envelope = bytearray(original)
            envelope[rng.randrange(len(envelope))] ^= 1 << rng.randrange(8)
            if rng.random() < .2:
                envelope = envelope[:rng.randrange(len(envelope))]
            verdict, _ = python_opens(bytes(envelope))
            assert verdict != ACCEPTED
            answer = tool.ask("open", room_secret, RECEIVER, bytes(envelope))
            assert answer == [str(verdict)], (answer, verdict)


def test_both_refuse_what_a_member_changed_inside_and_say_the_same():
    message = vectors["messages"][1]
    header = bytes.fromhex(message["envelope"])[:p.HEADER_BYTES]
    original = bytes.fromhex(message["plaintext"])
    assert python_opens(p.wrap(room, header, original))[0] == ACCEPTED
    for at in list(range(0, 230, 3)) + [255]:
        plaintext = bytearray(original)
        plaintext[at] ^= 1 << rng.randrange(8)
        # Once as it is, once signed again by the member himself.
        resigned = resign(header, bytes(plaintext)) if at >= 96 else None
        for inside in filter(None, (bytes(plaintext), resigned)):
            envelope = p.wrap(room, header, inside)
            verdict, _ = python_opens(envelope)
            answer = tool.ask("open", room_secret, RECEIVER, envelope)
            assert answer[0] == str(verdict), (at, answer, verdict)
            assert inside is resigned or verdict == FORGED


def resign(header, plaintext):
    aad = p.aad_of(room, header, len(plaintext))
    body = plaintext[96:]
    return identity.key.public + identity.key.sign(
        p.to_sign(aad, header[80:96], identity.key.public, body)) + body


def test_an_outsider_opens_nothing():
    envelope = bytes.fromhex(vectors["messages"][1]["envelope"])
    assert python_opens(envelope, p.Room(bytes(32)))[0] == UNDECRYPTABLE
    assert tool.ask("open", bytes(32), RECEIVER, envelope) == [
        str(UNDECRYPTABLE)]


def test_both_write_the_published_links():
    fields = {1: vectors["server"].encode(), 2: room_secret,
              3: hexed("certificate")}
    published = [vectors["invite"], vectors["room_file"]]
    assert [p.invite(prefix, fields) for prefix in (
        b"paravox1:", b"paravox-room1:")] == published
    assert tool.ask("link", vectors["server"], room_secret,
                    hexed("certificate")) == ["ok"] + published


def test_a_node_is_asked_for_two_sessions_per_message():
    before = tool.trace.read()
    assert "CIOCCRYPT" in before
    seal = ("seal", room_secret, identity_seed,
            *seal_arguments(vectors["messages"][1]))
    one = ["CIOCGSESSION 0", "CIOCCRYPT 0", "CIOCFSESSION 0"]
    for question in (seal, ("open", room_secret, RECEIVER, bytes.fromhex(
            vectors["messages"][1]["envelope"]))):
        assert tool.ask(*question)[0] in ("ok", "0")
        assert tool.trace.read().splitlines() == one + one
    names = {line.split()[0] for line in before.splitlines()}
    assert names - {"#"} == {line.split()[0] for line in one}, names


def main():
    tests = [(name, test) for name, test in globals().items()
             if name.startswith("test_")
             and (tool.trace or not name.startswith("test_a_node"))]
    print(f"1..{len(tests) + 1}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print("ok", number, "-", name, flush=True)
        except (AssertionError, Refused, IndexError, ValueError) as error:
            print("not ok", number, "-", name)
            print("#", type(error).__name__, str(error)[:500],
                  "line", error.__traceback__.tb_next.tb_lineno, flush=True)
    ended = tool.close() == 0
    print("ok" if ended else "not ok", len(tests) + 1, "- the tool ends well")


main()
