#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
receivers that are behind, and who waits for them."""
import signal
import socket
import tempfile
import threading
import time

import pvx_tap
from pvx_relay import Relay, readable
from pvx_slow import ANY_RATE, KIB, SMALL, answer, fill, slow_room
from pvx_wire import Device, Room, WireError, encode, join_fields, sends


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
    with Relay(*SMALL, "--hard-bound-bytes=524288", "--room-grace-ms=60000",
               "--progress-timeout-ms=3000") as relay:
        crowd(relay, 0.0005)


def test_a_room_goes_on_without_one_who_takes_nothing():
    """Clause 5.5: and he has missed nothing when he comes back."""
    count = 1000
    with Relay(*SMALL, "--room-grace-ms=100") as relay:
        slow, a, b, c = slow_room(relay, 3)
        for i in range(count):
            a.say(i, KIB)
            answer(a, "ACK", 30)
            answer(b, "DELIVER", 30)
            answer(c, "DELIVER", 30)
        relay.wait_for_log("goes on without it")
        for i in range(count):
            envelope = answer(slow, "DELIVER", 30).envelope
            assert int.from_bytes(envelope[72:80], "big") == i


def test_a_room_waits_while_many_take_nothing():
    """Clause 5.5: more than a quarter of it."""
    with Relay(*SMALL, "--room-grace-ms=100") as relay:
        slow, a, b = slow_room(relay, 2)
        fill(a)
        time.sleep(0.5)
        try:
            answer(a, "ACK", 0.5)
        except TimeoutError:
            return
        raise AssertionError("the room went on")


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
