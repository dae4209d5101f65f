#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes against the relay, by the clauses of docs/spec/chat-wire.md:
receivers that are cut off, and those that are not."""
import signal
import socket
import threading
import time

import pvx_tap
from pvx_relay import Relay, readable
from pvx_slow import ANY_RATE, KIB, SMALL, answer, fill, slow_room
from pvx_wire import CODES, Device, Room, WireError, sends


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


def was_told(client, code):
    """Whether that is how its stream ends."""
    try:
        while (message := client.receive()) is not None:
            if message.type == "ERROR":
                return message.code == CODES[code]
    except (TimeoutError, WireError):
        pass
    return False


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
        # Who was cut off long ago is not waited for any more (clause 4.8).
        assert any(was_told(client, "SLOW") for client in stalled)


if __name__ == "__main__":
    pvx_tap.main(globals())
