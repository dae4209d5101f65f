# SPDX-License-Identifier: Apache-2.0
"""test_kills [ROUNDS] - SIGKILL of the relay under load, many times.

Senders stream numbered lines while the relay is killed and started again on
its port. With a history every line appears exactly once at every member, and
the members' transcripts are the same. Without one, what the relay had not
acknowledged is sent again and appears exactly once at every member that stayed;
what it had acknowledged and not yet handed on may be lost with it, and then
members are told.
"""
import random
import sys
import tempfile
import threading
import time

import pvx_tap
from pvx_people import People
from pvx_relay import Relay

ROUNDS = 3
SENDERS = 4
TAILS = 3
SEED = 7


class Stream(threading.Thread):
    """Feeds a sender lines until told to stop, or as fast as it reads."""

    def __init__(self, reader, name, pause):
        super().__init__(daemon=True)
        self.reader, self.name_, self.count = reader, name, 0
        self.is_stopped = False
        self.pause = pause
        self.start()

    def run(self):
        pipe = self.reader.process.stdin
        try:
            while not self.is_stopped:
                pipe.write(f"{self.name_} {self.count}\n".encode())
                pipe.flush()
                self.count += 1
                time.sleep(self.pause)
            pipe.close()
        except BrokenPipeError:
            pass  # its status and words are looked at


def marks_of(events):
    """How many lines were acknowledged at each break of the connection, and
    in the end."""
    acked, marks = 0, []
    for event in events:
        if event["event"] == "acked":
            acked += 1
        elif event["event"] == "disconnected":
            marks.append(acked)
    return marks, acked


def lost_with_the_relay(stream, sender, seen):
    """The number of lines that a member never got. Each must have died in
    the relay's queue for that member: acknowledged before a break, with all
    that was acknowledged behind it."""
    marks, acked = marks_of(sender.events)
    assert acked == stream.count, (acked, stream.count)
    missing = [n for n in range(stream.count)
               if (stream.name_, n) not in seen]
    for number in missing:
        mark = min((m for m in marks if m > number), default=None)
        assert mark is not None, (
            f"{stream.name_} {number} was lost, though sent again")
        assert mark - 1 == number or number + 1 in missing, (
            f"{stream.name_} {number} was lost, though what came behind it "
            f"in the same queue was not")
    return len(missing)


def kill_and_restart(relay, rng, state):
    time.sleep(rng.uniform(0.3, 0.8))
    relay.process.kill()
    relay.process.wait()
    time.sleep(rng.choice((0, 0.05, 0.4)))
    host, port = relay.addresses[0]
    return Relay(listen=f"{host}:{port}", state=state)


def check_tail(tail, streams, senders):
    seen = set()
    order = {}
    for body in tail.bodies():
        name, number = body.rsplit(" ", 1)
        number = int(number)
        assert (name, number) not in seen, f"{body!r} came twice"
        seen.add((name, number))
        assert number > order.get(name, -1) or tail.of("late"), body
        order[name] = max(number, order.get(name, -1))
    lost = sum(lost_with_the_relay(stream, sender, seen)
               for stream, sender in zip(streams, senders))
    told = sum(e["missing"] for e in tail.of("gap", "chain-break"))
    told -= len(tail.of("late"))
    assert not lost or told, "lines are missing, and nobody was told"
    for kind in ("refused", "fork", "identity-changed"):
        assert not tail.of(kind), tail.of(kind)[:3]
    return lost


def check_transcript(tail, streams):
    """Every line once, in the order of the relay's numbers; returns that."""
    transcript = [(e["sequence"], e["body"]) for e in tail.of("message")]
    assert transcript == sorted(transcript)
    seen = [body for _, body in transcript]
    assert len(seen) == len(set(seen)), "a line came twice"
    wanted = {f"{s.name_} {n}" for s in streams for n in range(s.count)}
    assert set(seen) == wanted, sorted(wanted - set(seen))[:5]
    for stream in streams:
        numbers = [int(b.rsplit(" ", 1)[1]) for b in seen
                   if b.rsplit(" ", 1)[0] == stream.name_]
        assert numbers == sorted(numbers), "out of order"
    for kind in ("refused", "fork", "identity-changed", "gap", "late",
                 "replayed", "chain-break", "history-lost", "expired"):
        assert not tail.of(kind), tail.of(kind)[:3]
    return transcript


def check_transcripts(tails, streams):
    transcripts = [check_transcript(tail, streams) for tail in tails]
    assert all(t == transcripts[0] for t in transcripts)
    return 0


def check_each(tails, streams, senders):
    return [check_tail(t, streams, senders) for t in tails]


def run(rounds, state):
    rng = random.Random(SEED)
    relay = Relay(state=state)
    with People() as people:
        host, port = relay.addresses[0]
        first = people.new("first").make_room(f"plain:{host}:{port}")
        others = [people.new(f"tail{i}").join(first) for i in range(TAILS)]
        tails = [person.tail() for person in others]
        names = [people.new(f"s{i}").join(first) for i in range(SENDERS)]
        senders = [person.sender("--wait", "60") for person in names]
        pause = 0.002 if rounds <= 50 else 0.02
        streams = [Stream(s, p.name, pause) for s, p in zip(senders, names)]
        try:
            for sender in senders:
                sender.wait_for("acked")
            for _ in range(rounds):
                relay = kill_and_restart(relay, rng, state)
                for tail in tails:  # all are back, some lines have come
                    count = len(tail.events)
                    tail.wait_until(lambda e, c=count: len(e) > c)
                for sender in senders:
                    assert sender.process.poll() is None, (
                        sender.error_text(), sender.events[-3:])
            for stream in streams:
                stream.is_stopped = True
            for stream, sender in zip(streams, senders):
                stream.join(30)
                sender.process.wait(60)
                assert sender.process.returncode == 0, sender.error_text()
            last = [f"{s.name_} {s.count - 1}" for s in streams]
            for tail in tails:
                for body in last:
                    tail.wait_message(body)
            lost = (check_transcripts(tails, streams) if state
                    else check_each(tails, streams, senders))
            total = sum(s.count for s in streams)
            replays = sum(len(t.of("replayed")) for t in tails)
            print(f"# {rounds} kills, {total} lines to {TAILS} members, "
                  f"{lost} acknowledged lines lost with the relay, "
                  f"{replays} copies of lines sent again refused")
        finally:
            relay.process.kill()
            relay.process.wait()


def test_with_a_history_every_line_comes_once_to_all_in_one_order():
    with tempfile.TemporaryDirectory() as folder:
        run(ROUNDS, folder)


def test_unacknowledged_lines_come_exactly_once_through_kills():
    run(min(ROUNDS, 50), False)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        ROUNDS = int(sys.argv.pop(1))
    pvx_tap.main(globals())
