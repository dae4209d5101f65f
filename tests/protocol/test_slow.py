#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
receivers that are behind, and who waits for them."""
import os
import signal
import socket
import tempfile
import threading
import time

import pvx_tap
from pvx_relay import Relay, readable
from pvx_wire import (CODES, Device, Room, WireError, encode, join_fields,
                      sends)

ANY_RATE = ("--rate-messages=0", "--rate-bytes=0")
# A small high-water mark and small socket buffers: full within moments.
SMALL = ANY_RATE + ("--high-water-bytes=16384",)
KIB = os.urandom(1024)


def answer(client, wanted, timeout=5.0):
    """The next message of that type, as an honest client waits for it."""
    end = time.monotonic() + timeout
    while True:
        message = client.receive(max(end - time.monotonic(), 0.001))
        if message is None or message.type == "ERROR":
            raise WireError(f"wanted {wanted}, got {message}")
        if message.type == "PING":
            client.send("PONG", token=message.token)
        if message.type == wanted:
            return message


def slow_room(relay, others=1):
    """One that takes little from the network, and the others of his room."""
    room = Room()
    slow = relay.connect(receive_buffer=4096)
    slow.enter(room, Device())
    clients = [relay.enter(room, Device()) for _ in range(others)]
    for _ in clients:
        slow.expect("PRESENCE")
    return slow, *clients


def fill(sender, limit=4000):
    """Send with a window of 1 until ACKs stay away. How many were sent."""
    for i in range(limit):
        sender.say(i, KIB)
        try:
            answer(sender, "ACK", 0.5)
        except TimeoutError:
            return i + 1
    raise AssertionError("ACKs never stayed away")


def test_acks_wait_for_a_receiver_that_is_behind():
    """Clause 5.5."""
    with Relay(*SMALL) as relay:
        slow, a = slow_room(relay)
        sent = fill(a)
        for i in range(sent):  # now it reads
            slow.expect("DELIVER")
        assert a.expect("ACK").up_to == sent
        a.say(sent)
        assert a.expect("ACK").up_to == sent + 1


def test_reading_waits_for_a_receiver_that_is_behind():
    """Clause 5.5."""
    with Relay(*SMALL) as relay:
        slow, a, b = slow_room(relay, 2)
        sent = fill(a)
        b.say(0)  # an innocent third
        b.send("PING", token=9)
        for _ in range(sent):
            b.expect("DELIVER")
        # Either it was read before, and waits for its ACK, or it was not
        # read; the second PING is not read for certain.
        try:
            b.expect("PONG", 0.3)
        except TimeoutError:
            pass
        b.send("PING", token=10)
        assert not readable(b, 0.3)
        for _ in range(sent + 1):
            slow.expect("DELIVER")
        assert b.expect("PONG", skip=("ACK", "PONG")).token in (9, 10)


def test_a_limited_sender_in_a_slow_room_is_read_again():
    """Clauses 5.5, 5.7."""
    with Relay("--high-water-bytes=16384", "--rate-messages=20",
               "--burst-messages=10") as relay:
        room = Room()
        slow = relay.connect(receive_buffer=65536)
        slow.enter(room, Device())
        a, b = relay.enter(room, Device()), relay.enter(room, Device())
        a.send_raw(sends(a, 0, 14))  # owes 4, so 0.2 s
        time.sleep(0.05)
        a.send_raw(sends(a, 14, 2))  # not read for now
        time.sleep(0.05)
        b.send_raw(sends(b, 0, 9, bytes(60000)))  # the room stops too
        end = time.monotonic() + 0.6
        read = 0
        while time.monotonic() < end:  # a reads, so it is not behind
            try:
                read += a.receive(0.05).type == "DELIVER"
            except TimeoutError:
                pass
        try:
            while answer(b, "ACK", 0.1).up_to < 9:
                pass
            raise AssertionError("the room does not wait")
        except TimeoutError:
            pass
        for client in (a, b):
            client.send("PING", token=1)
        # All are read again, at the same time: each one is a receiver too.
        wanted = {slow: {"DELIVER": 16 + 9},
                  a: {"DELIVER": 9 - read, "PONG": 1}, b: {"PONG": 1}}
        wanted = {client: {kind: n for kind, n in left.items() if n}
                  for client, left in wanted.items()}
        end = time.monotonic() + 8
        while any(wanted.values()):
            assert time.monotonic() < end, list(wanted.values())
            for client, left in wanted.items():
                if not left or not (client.buffer or readable(client, 0.01)):
                    continue
                try:
                    kind = client.receive(0.01).type
                except TimeoutError:
                    continue
                if kind in left:
                    left[kind] -= 1
                    if not left[kind]:
                        del left[kind]


def test_another_room_does_not_wait():
    """Clause 5.5."""
    with Relay(*SMALL) as relay:
        slow, a = slow_room(relay)
        c, d = relay.enter_all(Room(), [Device(), Device()])
        fill(a)
        c.say(0)
        d.expect("DELIVER")
        c.expect("ACK")


def crowd(relay, slow_pause, senders=6, count=300):
    """Honest senders, and one reader that takes its time. All must get all,
    in order."""
    slow, *clients = slow_room(relay, senders)
    failures = []
    got = {}

    def read(client, pause):
        seen = got[client] = {}
        acked = sent = 0
        device = client.device
        wanted = count * (senders if client is slow else senders - 1)
        is_sender = client is not slow
        try:
            while sum(map(len, seen.values())) < wanted or \
                    (is_sender and acked < count):
                while is_sender and sent < count and sent - acked < 32:
                    client.say(sent, KIB)
                    sent += 1
                message = client.receive(20)
                if message is None or message.type in ("ERROR", "BYE"):
                    raise WireError(f"cut off: {message}")
                if message.type == "ACK":
                    acked = message.up_to
                elif message.type == "DELIVER":
                    e = message.envelope
                    seen.setdefault(e[8:40], []).append(
                        int.from_bytes(e[72:80], "big"))
                    time.sleep(pause)
            assert device.key not in seen
            for numbers in seen.values():
                assert numbers == list(range(count))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(c, 0)) for c in clients]
    threads.append(threading.Thread(target=read, args=(slow, slow_pause)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_an_honest_crowd_with_a_slow_reader_loses_nobody():
    """Clause 5.5."""
    # The limits leave no slack but the delayed ACKs: 1.8 MiB pass through a
    # queue that may hold 512.
    with Relay(*SMALL, "--hard-bound-bytes=524288",
               "--progress-timeout-ms=3000") as relay:
        crowd(relay, 0.0005)


def test_a_reader_that_stalls_is_cut_off_after_the_progress_timeout():
    """Clause 5.6."""
    with Relay(*SMALL, "--progress-timeout-ms=700") as relay:
        slow, a, b = slow_room(relay, 2)
        a.expect("PRESENCE")
        sent = 0
        start = last_ack = time.monotonic()
        while time.monotonic() - last_ack < 0.3:
            a.say(sent, KIB)
            sent += 1
            try:
                a.expect("ACK", 0.35)
                last_ack = time.monotonic()
            except TimeoutError:
                pass
        # Everybody waits now; nobody is cut off before the time.
        ack = a.expect("ACK", 3, skip=("PRESENCE", "PING"))
        took = time.monotonic() - last_ack
        assert ack.up_to == sent
        assert 0.5 < took < 5, took
        for _ in range(sent):
            b.expect("DELIVER")
        assert b.expect("PRESENCE").device_key == slow.device.key
        # What was on its way is whole, and the reason is the last word.
        try:
            last = slow.receive()
            while last is not None and last.type != "ERROR":
                last = slow.receive()
        except WireError as error:
            raise AssertionError("garbled") from error
        assert last is not None and last.code == CODES["SLOW"]
        assert time.monotonic() - start < 20


def test_a_reader_that_moves_is_not_cut_off():
    """Clause 5.6."""
    with Relay(*SMALL, "--progress-timeout-ms=1000") as relay:
        slow, a = slow_room(relay)
        sent = fill(a)
        total = 0
        start = time.monotonic()
        while time.monotonic() - start < 2.2:
            for _ in range(min(12, sent - total)):
                slow.expect("DELIVER")
                total += 1
            time.sleep(0.1)
        while total < sent:
            slow.expect("DELIVER")
            total += 1
        slow.send("PING", token=1)
        slow.expect("PONG")


def test_a_reader_that_holds_its_room_up_for_too_long_is_cut_off():
    """Clause 5.6."""
    with Relay(*SMALL, "--progress-timeout-ms=1000",
               "--room-patience-ms=1500") as relay:
        slow, a = slow_room(relay)
        sent = fill(a)
        start = time.monotonic()
        while not readable(a, 0.1):  # it moves, but never enough
            assert time.monotonic() - start < 10
            slow.buffer += slow.sock.recv(4096)
        relay.wait_for_log("held its room up")
        assert a.expect("PRESENCE").device_key == slow.device.key
        assert a.expect("ACK").up_to == sent


def test_a_room_is_held_up_shorter_the_second_time():
    """Clause 5.6."""
    with Relay(*SMALL, "--progress-timeout-ms=1800") as relay:
        room, device = Room(), Device()
        a = relay.enter(room, Device())
        gaps = []
        sent = 0
        for _ in range(2):
            deaf = relay.connect(receive_buffer=4096)
            deaf.enter(room, device)
            gap = 0
            while relay.log_text().count("no progress") == len(gaps):
                start = time.monotonic()
                a.say(sent, KIB)
                sent += 1
                a.expect("ACK", skip=("PRESENCE", "PING"))
                gap = max(gap, time.monotonic() - start)
            gaps.append(gap)
        assert gaps[0] > 1.2 > gaps[1], gaps


def test_a_reader_whose_ping_is_far_behind_is_not_cut_off():
    """Clause 5.9."""
    with Relay(*SMALL, "--ping-interval-ms=200",
               "--idle-timeout-ms=1500") as relay:
        slow, a = slow_room(relay)
        sent = fill(a)
        assert sent > 200, sent  # so that it takes long to come to a PING
        total = 0
        start = time.monotonic()
        while total < sent:
            answer(slow, "DELIVER")
            total += 1
            if time.monotonic() - start < 3 and total % 6 == 0:
                time.sleep(0.1)
                while readable(a, 0):
                    if a.receive().type == "PING":
                        a.send("PONG", token=0)
        assert time.monotonic() - start > 2
        slow.send("PING", token=1)
        answer(slow, "PONG")


def test_a_reader_at_its_hard_bound_is_cut_off():
    """Clause 5.6."""
    with Relay(*ANY_RATE, "--high-water-bytes=65536",
               "--hard-bound-bytes=65536") as relay:
        slow, a = slow_room(relay)
        relay.signal(signal.SIGSTOP)
        a.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        a.send_raw(sends(a, 0, 6, bytes(60000)))
        relay.signal(signal.SIGCONT)
        for i in range(6, 100):
            a.say(i, bytes(60000))
            message = a.expect("ACK", skip=("PRESENCE",))
            if "hard bound" in relay.log_text():
                break
        relay.wait_for_log("hard bound")
        assert message.type == "ACK"


def test_who_pings_and_does_not_read_is_not_read():
    """Clause 5.5."""
    with Relay(*SMALL) as relay:
        a = relay.connect(receive_buffer=4096)
        a.enter(Room(), Device())
        pings = b"".join(encode("PING", token=i) for i in range(10000))
        a.sock.settimeout(1)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += a.sock.send(pings)
        except socket.timeout:
            pass
        assert sent < 32 << 20, "it was read on and on"
        assert relay.memory_kib() < 65536


def test_who_joins_while_behind_does_not_stop_his_room_for_ever():
    """Clause 5.5."""
    with tempfile.TemporaryDirectory() as folder:
        with Relay(*ANY_RATE, "--high-water-bytes=1024",
                   listen=f"unix:{folder}/relay") as relay:
            room = Room()
            a = relay.enter(room, Device())
            late = relay.greet()
            join = encode("JOIN", **join_fields(room, Device(), late.welcome))
            relay.signal(signal.SIGSTOP)  # so that one read finds it all
            late.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            late.send_raw(13000 * encode("PING", token=1) + join)
            relay.signal(signal.SIGCONT)
            a.expect("PRESENCE")
            a.say(0)
            a.expect_nothing(0.2)  # late is behind with his PONGs
            for _ in range(13000):
                late.expect("PONG")
            late.expect("JOINED")
            late.expect("DELIVER")
            assert a.expect("ACK").up_to == 1


def test_many_rooms_that_stall_do_not_take_all_memory():
    """Clause 5.6."""
    with Relay(*ANY_RATE, "--memory-bytes=4000000") as relay:
        late, busy = slow_room(relay)  # behind, but it moves
        before = relay.memory_kib()
        busy.send_raw(sends(busy, 0, 10, bytes(60000)))
        stop = threading.Event()

        def move():
            while not stop.wait(0.02):
                if readable(late, 0):
                    late.buffer += late.sock.recv(1000)

        thread = threading.Thread(target=move)
        thread.start()
        stalled = []
        try:
            while len(stalled) < 20:
                slow, sender = slow_room(relay)
                stalled.append(slow)
                sender.expect_nothing(0.2)
                sender.send_raw(sends(sender, 0, 16, bytes(60000)))
            relay.wait_for_log("memory is short")
        finally:
            stop.set()
            thread.join()
        took = relay.memory_kib() - before
        assert took < 14000 or relay.is_sanitized(), took
        for _ in range(10):
            late.expect("DELIVER")
        late.send("PING", token=1)
        late.expect("PONG")
        last = stalled[0].receive()
        while last is not None and last.type != "ERROR":
            last = stalled[0].receive()
        assert last is not None and last.code == CODES["SLOW"]


def test_waiting_for_a_slow_room_is_no_silence():
    """Clause 5.9."""
    with Relay(*SMALL, "--ping-interval-ms=100",
               "--idle-timeout-ms=300") as relay:
        slow, a = slow_room(relay)
        stop = threading.Event()

        def live():  # alive, though it does not read
            while not stop.wait(0.05):
                slow.send("PONG", token=0)

        thread = threading.Thread(target=live)
        thread.start()
        try:
            sent = fill(a)
            end = time.monotonic() + 0.8
            while time.monotonic() < end:
                answer(a, "PING")
            for _ in range(sent):
                slow.expect("DELIVER")
            assert answer(a, "ACK").up_to == sent
        finally:
            stop.set()
            thread.join()


if __name__ == "__main__":
    pvx_tap.main(globals())
