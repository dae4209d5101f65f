# SPDX-License-Identifier: Apache-2.0
"""test_hostile_relay - what a relay can try against real clients, and how it
is refused and shown. The relay is the real one with a proxy behind it that
does the mischief (pvx_proxy)."""
import struct
import threading
import time

import paravox_e2ee as e2ee
import pvx_tap
from pvx_patience import PATIENCE_S
from pvx_people import People
from pvx_proxy import Proxy
from pvx_relay import Relay
from pvx_wire import MESSAGES, frame

DELIVER = MESSAGES["DELIVER"][0]
SEQUENCE_BYTES = 8
ENVELOPE_AT = 5 + SEQUENCE_BYTES  # in a DELIVER frame


def is_deliver(piece):
    return piece[4] == DELIVER


def deliver(envelope, sequence=bytes(SEQUENCE_BYTES)):
    return frame(DELIVER, sequence + envelope)


class Scene:
    """Alice talks to the relay, Bob through the proxy; `spoil(envelope)` is
    what becomes of each envelope on its way to Bob: a list of envelopes."""

    def __init__(self, spoil=None):
        self.spoil = spoil or (lambda envelope: [envelope])
        self.envelopes = []  # all that came for Bob

    def _hook(self, proxy, link, side, piece):
        if side == "up" or not is_deliver(piece):
            return [piece]
        envelope = piece[ENVELOPE_AT:]
        self.envelopes.append(envelope)
        sequence = piece[ENVELOPE_AT - SEQUENCE_BYTES:ENVELOPE_AT]
        return [deliver(e, sequence) for e in self.spoil(envelope)]

    def __enter__(self):
        self.relay = Relay().__enter__()
        self.people = People()
        host, port = self.relay.addresses[0]
        self.proxy = Proxy((host, port), self._hook)
        self.alice = self.people.new("alice").make_room(f"plain:{host}:{port}")
        self.bob = self.people.new("bob").join(self.alice)
        self.tail = self.bob.tail(server=self.proxy.address)
        return self

    def __exit__(self, *exception):
        self.people.__exit__(*exception)
        self.proxy.close()
        self.relay.__exit__(*exception)

    def only_reads(self, *bodies):
        self.tail.wait_message(bodies[-1])
        assert self.tail.bodies() == list(bodies), self.tail.bodies()


def test_an_honest_relay_is_not_accused():
    with Scene() as s:
        s.alice.send("one", "two", "three")
        s.only_reads("one", "two", "three")
        assert not s.tail.of("refused", "replayed", "gap", "late", "fork",
                             "chain-break"), s.tail.events


def test_an_outsider_of_another_room_reads_nothing():
    with Scene() as s:
        host, port = s.relay.addresses[0]
        carol = s.people.new("carol").make_room(f"plain:{host}:{port}")
        hand = Proxy((host, port))
        tail = carol.tail(server=hand.address)
        s.alice.send("for members only")
        s.tail.wait_message("for members only")
        for envelope in s.envelopes:  # all that the members got
            hand.links[0].send("down", deliver(envelope))
        event = tail.wait_for("refused")
        assert "not of this room" in event["reason"], event
        # She reads her own room all the while.
        carol.send("mine")
        tail.wait_message("mine")
        assert tail.bodies() == ["mine"]
        assert len(tail.of("refused")) == len(s.envelopes)
        hand.close()


def test_a_replay_is_refused_and_counted():
    with Scene(lambda e: [e, e]) as s:
        s.alice.send("once")
        s.only_reads("once")
        s.tail.wait_for("replayed")
        s.alice.send("more")
        s.only_reads("once", "more")


def test_a_replay_after_a_restart_is_refused():
    with Scene() as s:
        s.alice.send("first")
        s.only_reads("first")
        s.tail.stop()
        s.tail = s.bob.tail(server=s.proxy.address)
        for envelope in list(s.envelopes):
            s.proxy.links[-1].send("down", deliver(envelope))
        s.tail.wait_for("replayed")
        s.alice.send("second")
        s.only_reads("second")


def test_reordering_is_shown():
    held = []

    def swap(envelope):
        generation = struct.unpack(">Q", envelope[72:80])[0]
        if generation == 0:
            held.append(envelope)
            return []
        return [envelope] + held

    with Scene(swap) as s:
        s.alice.send("first", "second")
        s.tail.wait_message("first")
        assert s.tail.bodies() == ["second", "first"]
        s.tail.wait_for("late")


def test_a_dropped_message_is_shown_as_a_gap():
    def drop(envelope):
        return [] if envelope[79] in (1, 2) else [envelope]

    with Scene(drop) as s:
        s.alice.send("a", "b", "c", "d")
        s.only_reads("a", "d")
        assert s.tail.wait_for("gap")["missing"] == 2


def test_a_withheld_beginning_is_shown_as_a_gap():
    def drop(envelope):
        return [] if envelope[79] in (0, 1) else [envelope]

    with Scene(drop) as s:
        s.alice.send("a", "b", "c", "d")
        s.only_reads("c", "d")
        assert [e["missing"] for e in s.tail.of("gap")] == [2]


def test_what_was_said_before_us_is_no_gap():
    with Scene() as s:
        alice = s.alice.sender().process.stdin
        alice.write(b"one\n")
        alice.flush()
        s.tail.wait_message("one")
        carol = s.people.new("carol").join(s.alice).tail()
        alice.write(b"two\n")
        alice.flush()
        carol.wait_message("two")
        assert not carol.of("gap"), carol.events


def test_a_relay_that_pings_and_does_not_read_is_left():
    ping = frame(MESSAGES["PING"][0], bytes(8))
    end = threading.Event()

    def hook(proxy, link, side, piece):
        if side == "up" and piece[4] == MESSAGES["PONG"][0]:
            end.wait(20)
            return []
        if piece[4] == MESSAGES["JOINED"][0] and link.number == 0:
            return [piece] + [ping * 1000] * 1000
        return [piece]

    with Scene() as s:
        proxy = Proxy(s.relay.addresses[0], hook)
        tail = s.bob.tail(server=proxy.address)
        event = tail.wait_for("disconnected")
        end.set()
        assert "does not read" in event["reason"], event
        tail.stop()
        proxy.close()


def test_a_state_that_vanishes_stops_the_client():
    with Scene() as s:
        s.alice.send("first")
        s.only_reads("first")
        (s.bob.folder / ".local/state/paravox/state.sqlite").unlink()
        s.alice.send("second")
        event = s.tail.wait_for("stopped")
        assert "deleted" in event["reason"], event
        assert s.tail.process.wait(20) == 1
        assert s.tail.bodies() == ["first"]


def test_a_truncated_envelope_is_refused():
    with Scene(lambda e: [e[:-1], e[:132], e]) as s:
        s.alice.send("whole")
        s.only_reads("whole")
        s.tail.wait_until(lambda events: sum(
            e["event"] == "refused" for e in events) == 2)


def test_a_frame_that_holds_no_envelope_ends_the_connection():
    cuts = []

    def cut_once(envelope):
        cuts.append(envelope)
        return [envelope[:100]] if len(cuts) == 1 else [envelope]

    with Scene(cut_once) as s:
        s.alice.send("lost with the frame")
        event = s.tail.wait_for("disconnected")
        assert "broke the protocol" in event["reason"], event
        s.tail.wait_until(lambda events: sum(
            e["event"] == "connected" for e in events) == 2)
        s.alice.send("heard again")
        # The history has it still.
        s.only_reads("lost with the frame", "heard again")


# A byte of each field of an envelope: version, suite, type, epoch, sender,
# chain, generation, IV, length, ciphertext, tag.
FIELDS = (0, 2, 3, 7, 8, 40, 79, 80, 99, 100, -33, -32, -1)


def test_every_flipped_bit_is_refused():
    def flip(envelope):
        out = []
        for at in FIELDS:
            changed = bytearray(envelope)
            changed[at] ^= 1
            out.append(bytes(changed))
        return out + [envelope]

    with Scene(flip) as s:
        s.alice.send("intact")
        s.only_reads("intact")
        s.tail.wait_until(lambda events: sum(
            e["event"] == "refused" for e in events) == len(FIELDS))
        reasons = [e["reason"] for e in s.tail.of("refused")]
        assert all(reasons), reasons


def test_a_message_of_another_room_is_refused():
    with Scene() as s:
        host, port = s.relay.addresses[0]
        dora = s.people.new("dora").make_room(f"plain:{host}:{port}")
        ear = Proxy((host, port))
        tail = s.people.new("eve").join(dora).tail(server=ear.address)
        dora.send("in the other room")
        tail.wait_message("in the other room")
        seen, envelope = bytes(ear.seen["down"]), None
        while seen:  # the frames of Dora's room
            size = 4 + int.from_bytes(seen[:4], "big")
            if is_deliver(seen):
                envelope = seen[ENVELOPE_AT:size]
            seen = seen[size:]
        s.proxy.links[0].send("down", deliver(envelope))
        s.tail.wait_for("refused")
        assert s.tail.bodies() == []
        ear.close()


def test_a_swapped_sender_is_refused():
    state = {}

    def swap(envelope):
        state.setdefault("first", envelope[8:40])
        changed = envelope[:8] + state["first"] + envelope[40:]
        return [envelope] if changed == envelope else [changed, envelope]

    with Scene(swap) as s:
        mallory = s.people.new("mallory").join(s.alice)
        s.alice.send("I am Alice")
        s.tail.wait_message("I am Alice")
        mallory.send("I am Mallory")
        message = s.tail.wait_message("I am Mallory")
        assert message["nick"] == "mallory"
        event = s.tail.wait_for("refused")
        assert "decrypt" in event["reason"], event


class Insider:
    """A member with the room's secret and another implementation, who wants
    to speak as Alice."""

    def __init__(self, scene):
        self.room = e2ee.Room(scene.alice.room_secret())
        self.alice = e2ee.Identity(scene.alice.identity_seed())
        self.mallory = e2ee.Identity(b"\x66" * 32)

    def forge(self, identity, signer, device, proof):
        """Seals with the room's key what `signer` signs as `identity`."""
        chain, iv = b"\x77" * 32, b"\x55" * 16
        header = e2ee.header_of(device, chain, 0, iv)
        body = e2ee.body_of(proof, bytes(32), 1_700_000_000_000, e2ee.TEXT,
                            b"alice", b"forged words")
        aad = e2ee.aad_of(self.room, header, 96 + len(body))
        signature = signer.sign(e2ee.to_sign(aad, iv, identity, body))
        return e2ee.wrap(self.room, header, identity + signature + body)


def test_what_is_refused_is_answered_with_nothing():
    with Scene() as s:
        s.alice.send("accepted")
        s.tail.wait_message("accepted")
        link, envelope = s.proxy.links[0], s.envelopes[-1]
        said = bytes(link.seen["up"])
        insider = Insider(s)
        alice = insider.alice
        for refused in (
                envelope,  # a replay
                envelope[:-1] + bytes([envelope[-1] ^ 1]),
                envelope[:100] + bytes(32),
                insider.forge(alice.key.public, insider.mallory.key,
                              alice.device(insider.room).public,
                              alice.proof(insider.room))):
            link.send("down", deliver(refused))
        s.tail.wait_until(lambda events: sum(
            e["event"] in ("refused", "replayed") for e in events) == 4)
        assert bytes(link.seen["up"]) == said
        # What is answered would be seen: it comes in order.
        link.send("down", frame(MESSAGES["PING"][0], b"a marker"))
        pong = frame(MESSAGES["PONG"][0], b"a marker")
        end = time.monotonic() + PATIENCE_S
        while (len(link.seen["up"]) < len(said + pong)
               and time.monotonic() < end):
            time.sleep(0.01)
        assert bytes(link.seen["up"]) == said + pong


def test_a_member_who_tells_two_people_two_things_is_found_out():
    with Scene() as s:
        s.alice.send("the room is there")
        hand = Proxy(s.relay.addresses[0])
        carol = s.people.new("carol").join(s.alice).tail(server=hand.address)
        room, mallory = Insider(s).room, Insider(s).mallory
        chain = b"\x77" * 32

        def say(generation, link, text):
            return e2ee.seal(room, mallory, chain, generation,
                             bytes([generation]) * 16, link,
                             int(time.time() * 1000), e2ee.TEXT, b"mallory",
                             text)

        one, other = say(0, bytes(32), b"yes"), say(0, bytes(32), b"no")
        after = say(1, e2ee.link_of(one), b"as I said")
        for reader, proxy, first in ((s.tail, s.proxy, one),
                                     (carol, hand, other)):
            proxy.links[0].send("down", deliver(first) + deliver(after))
            reader.wait_message("as I said")
        assert not s.tail.of("fork"), s.tail.events
        assert carol.of("fork"), carol.events
        hand.close()


def test_who_takes_a_twin_of_a_nick_is_told_each_time_he_comes():
    with Scene() as s:
        twin = s.people.new("a1ice").join(s.alice)
        s.alice.send("I am alice")
        s.tail.wait_message("I am alice")
        twin.send("me, too")
        first = s.tail.wait_for("nick-taken", nick="a1ice")
        assert first["other_nick"] == "alice", first
        s.tail.stop()
        s.tail = s.bob.tail(server=s.proxy.address)
        s.people.new("carol").join(s.alice).send("nobody's twin")
        twin.send("again")
        s.tail.wait_message("again")
        told = s.tail.of("nick-taken")
        assert [e["nick"] for e in told] == ["a1ice"], told
        assert told[0]["other_fingerprint"] == first["other_fingerprint"]


def test_a_member_cannot_speak_as_another():
    with Scene() as s:
        s.alice.send("the real Alice")
        known = s.tail.wait_message("the real Alice")
        insider = Insider(s)
        room, alice, mallory = insider.room, insider.alice, insider.mallory
        alice_key, alice_device = alice.key.public, alice.device(room).public
        own_device = mallory.device(room).public
        forgeries = [
            # Alice's name on it, Mallory's signature.
            insider.forge(alice_key, mallory.key, alice_device,
                          alice.proof(room)),
            insider.forge(alice_key, mallory.key, own_device,
                          mallory.proof(room)),
            # Mallory's identity behind Alice's device key.
            insider.forge(mallory.key.public, mallory.key, alice_device,
                          alice.proof(room)),
            insider.forge(mallory.key.public, mallory.key, alice_device,
                          mallory.proof(room)),
        ]
        for envelope in forgeries:
            s.proxy.links[0].send("down", deliver(envelope))
        s.tail.wait_until(lambda events: sum(
            e["event"] in ("refused", "identity-changed")
            for e in events) == len(forgeries))
        assert s.tail.bodies() == ["the real Alice"]
        # The forger works: as himself, with Alice's nick, he is heard, and
        # told from her.
        s.proxy.links[0].send("down", deliver(insider.forge(
            mallory.key.public, mallory.key, own_device,
            mallory.proof(room))))
        heard = s.tail.wait_message("forged words")
        # Whatever is old says so, also when it is new to the reader.
        assert heard["said"] == "2023-11-14T22:13:20.000Z", heard
        assert heard["fingerprint"] != known["fingerprint"]
        s.tail.wait_for("nick-taken")


if __name__ == "__main__":
    pvx_tap.main(globals())
