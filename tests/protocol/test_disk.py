#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, fails, or cannot be written to: docs/spec/chat-wire.md,
clause 9.8."""
import errno
import os
import signal
import threading
import time

import pvx_tap
from pvx_disk import Disk, everything
from pvx_relay import Relay
from pvx_wire import AFTER, CODES, LEFT, LIVE, Device, Room, sends

WAIT = 60


def say(client, generation):
    """One message, and what became of it: None, or the relay's reason."""
    client.say(generation)
    reason = None
    while True:
        message = client.expect_any(("ACK", "REFUSED"), WAIT)
        if message.type == "ACK":
            return reason
        assert message.code == CODES["STORE"], message
        reason = message.text


def fails_and_recovers(kind, number, wanted):
    room, device = Room(), Device()
    with Disk() as disk:
        with disk.relay() as relay:
            a, b = relay.enter_all(room, [device, Device()])
            for i in range(3):
                assert say(a, i) is None
                b.expect("DELIVER", WAIT)
            disk.fault(kind, number)
            for i in range(3, 6):
                assert wanted in say(a, i), i
            b.expect_nothing(0.2)  # nobody got what was refused
            # What is there can be had all the while.
            assert len(everything(relay, room)) == 3
            a.send("PING", token=1)
            a.expect_any(("PONG",), WAIT)
            disk.heal()
            for i in range(6, 9):
                assert say(a, i) is None
                delivered = b.expect_any(("DELIVER",), WAIT)
                assert delivered.sequence == i - 2, delivered
            text = relay.log_text()
            assert text.count("messages are refused: ") == 1, text
            assert "messages are kept again" in text
        kept = [(device.chain, i) for i in (0, 1, 2, 6, 7, 8)]
        with Relay(state=disk.folder) as relay:
            assert everything(relay, room) == kept
        with Relay(state=disk.snapshot) as relay:
            assert everything(relay, room) == kept


def test_a_sync_that_fails_refuses_and_loses_nothing():
    fails_and_recovers("sync", errno.EIO, "disk fails")


def test_a_full_disk_refuses_and_loses_nothing():
    fails_and_recovers("write", errno.ENOSPC, "disk is full")


def test_a_disk_that_cannot_be_written_refuses_and_loses_nothing():
    fails_and_recovers("write", errno.EROFS, "relay's disk")


def test_what_was_refused_is_gone_after_a_crash_behind_it():
    """The log has the frames of the transaction whose sync failed: the next
    one writes over them."""
    room, device = Room(), Device()
    with Disk() as disk:
        relay = disk.relay()
        a = relay.enter(room, device)
        assert say(a, 0) is None
        disk.fault("sync", errno.EIO)
        assert "disk fails" in say(a, 1)
        disk.heal()
        assert say(a, 2) is None
        relay.process.send_signal(signal.SIGKILL)
        relay.wait()
        with Relay(state=disk.folder) as again:
            assert everything(again, room) == [(device.chain, 0),
                                               (device.chain, 2)]


def test_a_slow_disk_gathers_what_waits_into_one_sync():
    room = Room()
    with Disk() as disk:
        with disk.relay("--rate-messages=0") as relay:
            clients = [relay.enter(Room(), Device()) for _ in range(20)]
            clients += relay.enter_all(room, [Device()])
            disk.fault("slow", 300)
            begin = disk.sync_count()
            for client in clients:
                for i in range(10):
                    client.send_raw(sends(client, i, 1))
            for client in clients:
                while client.expect("ACK", WAIT).up_to < 10:
                    pass
            # 210 messages in 210 reads.
            assert disk.sync_count() - begin < 40


def test_what_waits_for_a_slow_disk_is_bounded():
    """Above 32 MiB nobody is read until half of it is on the disk."""
    count, size = 16, 62000  # a window of 1 MB
    with Disk() as disk:
        with disk.relay("--rate-messages=0", "--rate-bytes=0") as relay:
            clients = [relay.enter(Room(), Device()) for _ in range(80)]
            before = relay.memory_kib()
            disk.fault("slow", 1500)
            threads = [threading.Thread(
                target=client.send_raw,
                args=(sends(client, 0, count, bytes(size)),))
                for client in clients]
            for thread in threads:
                thread.start()
            peak, end = 0, time.monotonic() + 1
            while time.monotonic() < end:
                peak = max(peak, relay.memory_kib() - before)
                time.sleep(0.02)
            disk.heal()
            for thread in threads:
                thread.join()
            for client in clients:
                while client.expect("ACK", WAIT).up_to < count:
                    pass
            # 80 MB want to be kept. Beyond the bound: a read of each.
            assert peak < 70 << 10 or relay.is_sanitized(), peak
            assert peak > 10 << 10, "nothing waited"
            print(f"# {peak} KiB at most")


def test_nothing_is_acknowledged_before_the_sync_ends():
    with Disk() as disk:
        with disk.relay() as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            disk.fault("slow", 1000)
            a.say(0)
            a.expect_nothing(0.5)
            b.expect_nothing(0.01)
            a.send("PING", token=1)  # the loop does not wait for the disk
            a.expect("PONG", 0.4 * 10)
            a.expect("ACK", WAIT)
            b.expect("DELIVER", WAIT)


def test_who_leaves_is_gone_behind_his_last_message():
    """Clause 5.8: the message waits for the disk, and his leaving for it."""
    with Disk() as disk:
        with disk.relay() as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            disk.fault("slow", 500)
            for i in range(3):
                a.say(i)
            a.send("BYE")
            for i in range(3):
                assert b.expect("DELIVER", WAIT).sequence == i + 1
            left = b.expect("PRESENCE", WAIT)
            assert left.what == LEFT and left.device_key == a.device.key


def test_who_comes_back_before_his_last_message_never_left():
    with Disk() as disk:
        with disk.relay() as relay:
            room = Room()
            a, b = relay.enter_all(room, [Device(), Device()])
            disk.fault("slow", 1000)
            a.say(0)
            a.send("BYE")
            a.close()
            again = relay.enter(room, a.device)
            assert sorted(again.roster) == sorted((a.device.key,
                                                   b.device.key))
            assert b.expect("DELIVER", WAIT).sequence == 1
            disk.heal()
            again.say(1)
            assert b.expect("DELIVER", WAIT).sequence == 2
            again.close()
            left = b.expect("PRESENCE", WAIT)
            assert left.what == LEFT and left.device_key == a.device.key


def test_who_leaves_behind_a_message_that_is_refused_has_left():
    with Disk() as disk:
        with disk.relay() as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            disk.fault("sync", errno.EIO)
            a.say(0)
            a.send("BYE")
            left = b.expect("PRESENCE", WAIT)
            assert left.what == LEFT and left.device_key == a.device.key
            disk.heal()


def test_a_relay_with_a_broken_store_says_so_and_does_not_start():
    with Disk() as disk:
        path = disk.folder + "/history.sqlite"
        with open(path, "wb") as file:
            file.write(b"this is no database" * 1000)
        os.chmod(path, 0o600)
        try:
            Relay(state=disk.folder)
        except RuntimeError as error:
            assert "damaged" in str(error), error
        else:
            raise AssertionError("it started")


def test_a_store_that_is_taken_away_is_made_again():
    room, device = Room(), Device()
    with Disk() as disk:
        with Relay(state=disk.folder) as relay:
            a = relay.enter(room, device)
            assert say(a, 0) is None
            for name in os.listdir(disk.folder):
                if name.startswith("history.sqlite"):
                    os.unlink(f"{disk.folder}/{name}")
            assert say(a, 1) is None
            client = relay.connect()
            client.greet()
            client.join(room, Device(), want=AFTER)
            assert client.history.first == 2, client.history
            assert client.expect("DELIVER", WAIT).sequence == 2
            assert client.expect("HISTORY", WAIT).what == LIVE


if __name__ == "__main__":
    pvx_tap.main(globals())
