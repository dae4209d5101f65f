#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by docs/spec/chat-wire.md, clause 9: what it
keeps, and how it gives it."""
import os
import tempfile
import threading
import time

import pvx_tap
from pvx_clock import Clock
from pvx_disk import everything
from pvx_relay import Relay
from pvx_wire import (AFTER, BEGINS, FETCHED, LIVE, NONE, NOTHING, SINCE,
                      UNREADABLE, Device, Room, WireError, envelope_fields, sends)

WAIT = 60


def enter(relay, room, **want):
    client = relay.connect()
    client.greet()
    client.join(room, Device(), **want)
    return client


def say(client, first, count, ciphertext=b"sealed"):
    """Messages that are acknowledged."""
    start = getattr(client, "said", 0)
    client.send_raw(sends(client, first, count, ciphertext))
    client.said = start + count
    while client.expect_any(("ACK",), WAIT).up_to < client.said:
        pass


def catch_up(client):
    """The numbers that come until LIVE, which must be in a row."""
    if client.history.what == LIVE:
        return []
    assert client.history.what == BEGINS, client.history
    number, found = client.history.first, []
    while True:
        message = client.expect_any(("DELIVER", "HISTORY"), WAIT)
        if message.type == "HISTORY":
            assert message.what == LIVE, message
            client.live = message
            return found
        assert message.sequence == number, (message.sequence, number)
        found.append(number)
        number += 1


def test_without_a_history_it_says_so_and_gives_nothing():
    """Clause 9.3."""
    with Relay(state=False) as relay:
        room = Room()
        a = relay.enter(room, Device())
        assert a.history == dict(what=NONE, era=0, first=0, last=0)
        b = enter(relay, room, want=AFTER)
        assert b.history.what == NONE
        a.expect("PRESENCE")
        a.say(0)
        assert b.expect("DELIVER").sequence == 0
        b.send("FETCH", from_=1, count=1)
        assert b.expect("HISTORY").what == NONE


def test_numbers_are_dense_and_the_same_for_all():
    """Clause 9.1."""
    with Relay(state=True) as relay:
        a, b, c = relay.enter_all(Room(), [Device() for _ in range(3)])
        for i in range(5):
            a.say(i)
            b.say(i)
        seen = {}
        for client, count in ((c, 10), (a, 5), (b, 5)):
            numbers = []
            for _ in range(count):
                m = client.expect_any(("DELIVER",), WAIT)
                numbers.append(m.sequence)
                assert seen.setdefault(m.sequence, m.envelope) == m.envelope
            assert numbers == sorted(numbers)
        assert sorted(seen) == list(range(1, 11))


def test_what_is_wanted_is_given_and_no_more():
    """Clauses 9.2 and 9.3."""
    with Relay(state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 10)
        era = enter(relay, room).history.era
        assert era != 0
        for want, given in (
                (dict(want=NOTHING), []),
                (dict(want=AFTER), range(1, 11)),
                (dict(want=AFTER, era=era), range(1, 11)),
                (dict(want=AFTER, era=era, from_=7), range(8, 11)),
                (dict(want=AFTER, era=era, from_=10), []),
                (dict(want=AFTER, era=era, from_=11), range(1, 11)),
                (dict(want=AFTER, era=era, from_=2**64 - 1), range(1, 11)),
                (dict(want=AFTER, era=era ^ 1, from_=7), range(1, 11)),
                (dict(want=SINCE, from_=0), range(1, 11)),
                (dict(want=SINCE, from_=2**64 - 1), [])):
            client = enter(relay, room, **want)
            assert catch_up(client) == list(given), want
            if client.history.what == LIVE:
                assert (client.history.first, client.history.last) == (1, 10)


def test_a_time_is_the_relays():
    """Clause 9.2."""
    with Relay(state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 3)
        time.sleep(0.05)
        middle = int(time.time() * 1000)
        time.sleep(0.05)
        say(a, 3, 3)
        assert catch_up(enter(relay, room, want=SINCE, from_=middle)) == [
            4, 5, 6]


def test_the_past_joins_the_present_without_a_gap():
    """Clause 9.4: while others send as fast as they can."""
    with Relay("--rate-messages=0", "--rate-bytes=0", state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 200, bytes(3000))
        stop = threading.Event()

        def send():
            at = 200
            while not stop.is_set():
                say(a, at, 20, bytes(500))
                at += 20

        thread = threading.Thread(target=send)
        thread.start()
        try:
            for _ in range(10):
                client = enter(relay, room, want=AFTER)
                given = catch_up(client)
                assert len(given) >= 200
                assert client.live.last == given[-1]
                for number in range(given[-1] + 1, given[-1] + 41):
                    m = client.expect_any(("DELIVER",), WAIT)
                    assert m.sequence == number, (m.sequence, number)
                client.close()
        finally:
            stop.set()
            thread.join()


def test_all_survives_a_restart():
    """Clauses 9.1 and 9.6."""
    room, device = Room(), Device()
    with tempfile.TemporaryDirectory() as folder:
        with Relay(state=folder) as relay:
            a = relay.enter(room, device)
            say(a, 0, 5)
            era = enter(relay, room).history.era
        with Relay(state=folder) as relay:
            a = relay.enter(room, device)
            assert a.history.era == era
            say(a, 5, 1)
            assert everything(relay, room) == [(device.chain, i)
                                               for i in range(6)]


def test_a_message_sent_again_is_acknowledged_and_handed_on_once():
    """Clause 9.7."""
    with tempfile.TemporaryDirectory() as folder:
        room, device = Room(), Device()
        for again in range(2):
            with Relay(state=folder) as relay:
                a, b = relay.enter_all(room, [device, Device()])
                say(a, 0, 5)
                say(a, 3, 3 + again)  # 3 and 4 again, then new ones
                numbers = []
                while not numbers or numbers[-1] < 6 + again:
                    numbers.append(b.expect_any(("DELIVER",), WAIT).sequence)
                b.expect_nothing(0.1)
                assert numbers == ([1, 2, 3, 4, 5, 6], [7])[again]
                assert len(everything(relay, room)) == 6 + again


def test_one_senders_words_do_not_count_for_another():
    """Clause 9.7: the sender is part of what makes a message."""
    with Relay(state=True) as relay:
        one, other = Device(), Device()
        other.chain = one.chain
        a, b = relay.enter_all(Room(), [one, other])
        say(a, 0, 1)
        b.expect("DELIVER", WAIT)
        say(b, 0, 1)
        assert a.expect("DELIVER", WAIT).sequence == 2


def test_older_messages_can_be_fetched():
    """Clause 9.5."""
    with Relay(state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 30)
        b = enter(relay, room)
        for first, count, given in ((1, 5, range(1, 6)),
                                    (28, 1000, range(28, 31)),
                                    (31, 5, []), (2**64 - 1, 9, [])):
            b.send("FETCH", from_=first, count=count)
            got = []
            while (m := b.expect_any(("DELIVER", "HISTORY"),
                                     WAIT)).type == "DELIVER":
                got.append(m.sequence)
            assert got == list(given)
            assert m.what == FETCHED
            if got:
                assert (m.first, m.last) == (got[0], got[-1])
            else:
                assert m.first == m.last + 1 or m.first > m.last
        a.expect_any(("PRESENCE",))
        a.say(30)
        assert b.expect("DELIVER", WAIT).sequence == 31


def test_two_fetches_at_once_are_a_fault():
    """Clause 9.5."""
    with Relay("--rate-bytes=0", state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 100, bytes(9000))
        b = enter(relay, room)
        b.send_raw(b"".join(b"\0\0\0\x0b\x0f" + bytes(7) + b"\1" + b"\0\x64"
                            for _ in range(2)))
        b.expect_error("WINDOW", skip=("DELIVER", "HISTORY"), timeout=WAIT)


def test_a_sender_does_not_get_his_own_back():
    """Clause 9.4."""
    with Relay(state=True) as relay:
        a = relay.enter(Room(), Device())
        say(a, 0, 3)
        a.expect_nothing(0.2)


def test_own_messages_within_the_catch_up_come_in_order_and_once():
    """Clause 9.4: what is sent before LIVE may come, what is sent after it
    does not."""
    with Relay("--rate-messages=0", "--rate-bytes=0", state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        for i in range(0, 400, 50):
            say(a, i, 50, bytes(10000))
        b = relay.connect(receive_buffer=4096)
        b.greet()
        b.join(room, Device(), want=AFTER)
        say_early(b, 20)
        given = catch_up(b)
        assert given[:400] == list(range(1, 401))
        assert set(given[400:]) <= set(range(401, 421)), given[400:]
        print("#", len(given) - 400, "own messages came")
        assert len(given) > 400, "none came: this shows nothing"
        for i in range(20, 23):
            b.say(i)
            b.expect("ACK", WAIT)
        a.say(400)  # its number shows that three were left out
        assert b.expect("DELIVER", WAIT).sequence == 424


def say_early(client, count):
    """Acknowledged while the catch-up is under way: what comes meanwhile is
    received later."""
    client.send_raw(sends(client, 0, count))
    early = []
    while (m := client.receive(WAIT)).type != "ACK" or m.up_to < count:
        early.append(m)
    client.early = early


def test_what_is_above_the_bound_of_a_room_is_forgotten():
    """Clause 9.10; also while somebody is there who knew the older ones."""
    with Relay("--history-room-messages=10", state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        say(a, 0, 10)
        assert catch_up(enter(relay, room, want=AFTER)) == list(range(1, 11))
        for i in range(10, 40):
            say(a, i, 1)
        late = enter(relay, room, want=AFTER)
        assert late.history.first == 31, late.history
        assert catch_up(late) == list(range(31, 41))


def test_a_clock_that_jumps_ahead_makes_nothing_old():
    room, ahead_ms = Room(), 40 * 86400000
    with tempfile.TemporaryDirectory() as folder, Clock() as clock:
        def relay(clock):
            return Relay("--history-age-s=3600", "--sandbox=off",
                         state=folder, env=clock.env)

        with relay(clock) as first:
            say(enter(first, room), 0, 10)
            clock.jump(realtime_ms=ahead_ms, monotonic_ms=120000)
            say(enter(first, room), 0, 1)
            first.wait_for_log("the clock jumped ahead by 34")
            assert len(everything(first, room)) == 11
        # One that starts has only the clock.
        with Clock() as clock:
            clock.jump(realtime_ms=ahead_ms)
            with relay(clock) as second:
                second.wait_for(lambda: len(everything(second, room)) == 1,
                                "the old messages to go")


def test_a_crowd_that_catches_up_costs_bounded_memory():
    """Clause 9.9: each of many wants much, and takes it late."""
    with Relay("--rate-messages=0", "--rate-bytes=0", state=True) as relay:
        room = Room()
        a = relay.enter(room, Device())
        for i in range(0, 2000, 20):
            say(a, i, 20, bytes(8000))  # 16 MB in all
        before = relay.memory_kib()
        crowd = []
        for _ in range(100):
            client = relay.connect(receive_buffer=4096)
            client.greet()
            client.join(room, Device(), want=AFTER)
            crowd.append(client)
        time.sleep(0.5)
        grown = relay.memory_kib() - before
        # 1.6 GB are wanted; sockets and queues hold a part of it.
        assert grown < 100 << 10 or relay.is_sanitized(), grown
        for client in crowd[:3]:
            assert len(catch_up(client)) == 2000


def lose(folder):
    for name in os.listdir(folder):
        if name.startswith("history.sqlite"):
            os.unlink(f"{folder}/{name}")


def test_who_comes_after_a_loss_is_not_kept_waiting():
    """The relay knows of three messages, the file of none."""
    with tempfile.TemporaryDirectory() as folder, \
            Relay(state=folder) as relay:
        room = Room()
        a = enter(relay, room)
        say(a, 0, 3)
        lose(folder)
        say(enter(relay, Room()), 0, 1)  # the file is made anew
        b = enter(relay, room, want=AFTER)
        assert b.history.what == BEGINS, b.history
        assert b.expect("HISTORY").what == LIVE
        say(a, 3, 1)
        assert b.expect("DELIVER").sequence == 4


def test_who_leaves_a_room_that_cannot_be_read_harms_nobody():
    """His message waits for the room's numbers, which never come."""
    with tempfile.TemporaryDirectory() as folder, \
            Relay(state=folder) as relay:
        lose(folder)
        with open(f"{folder}/history.sqlite", "w") as file:
            file.write("no database" * 1000)
        for _ in range(30):
            a = enter(relay, Room(), want=AFTER)
            assert a.history.what == UNREADABLE, a.history
            a.send_raw(sends(a, 0, 1) + b"\0\0\0\1\x0d")  # BYE
            a.close()
        b = relay.enter(Room(), Device())
        b.send("PING", token=1)
        b.expect("PONG")


def test_two_relays_cannot_share_a_folder():
    with tempfile.TemporaryDirectory() as folder:
        with Relay(state=folder):
            try:
                Relay(state=folder)
            except RuntimeError as error:
                assert "another process" in str(error), error
            else:
                raise AssertionError("it started")


def test_what_is_kept_is_sealed_and_nobody_elses_business():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        room, device = Room(), Device()
        with Relay(state=folder) as relay:
            a = relay.enter(room, device)
            say(a, 0, 1, b"what a relay sees is sealed")
            for name in os.listdir(folder):
                mode = os.stat(f"{folder}/{name}").st_mode
                assert mode & 0o77 == 0, (name, oct(mode))
        os.chmod(folder, 0o777)
        try:
            Relay(state=folder)
        except RuntimeError as error:
            assert "others can write" in str(error), error
        else:
            raise AssertionError("it started in a folder of everybody")


if __name__ == "__main__":
    pvx_tap.main(globals())
