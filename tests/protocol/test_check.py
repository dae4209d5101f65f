#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""paravoxd check finds what is wrong with a store, and puts it right."""
import os
import sqlite3
import subprocess
import tempfile

import pvx_tap
from pvx_disk import everything
from pvx_relay import PROGRAM, Relay
from pvx_wire import Device, Room, sends

COUNT = 20


class Store:
    """A relay's folder with a room of 20 messages by one sender."""

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="paravoxd-test-")
        self.folder = self.kept.name
        self.room, self.device = Room(), Device()
        with Relay(state=self.folder) as relay:
            client = relay.enter(self.room, self.device)
            client.send_raw(sends(client, 0, COUNT))
            while client.expect_any(("ACK",), 60).up_to < COUNT:
                pass
            self.era = relay.enter(self.room, Device()).history.era

    def spoil(self, sql):
        with sqlite3.connect(self.folder + "/history.sqlite") as db:
            assert db.execute(sql).rowcount != 0, "nothing was spoilt"
        db.close()

    def check(self, *options):
        return subprocess.run(
            [PROGRAM, "check", f"--state={self.folder}", *options],
            capture_output=True, text=True, timeout=60)

    def generations(self):
        with Relay(state=self.folder) as relay:
            found = everything(relay, self.room)
            self.era_now = relay.enter(self.room, Device()).history.era
        return [generation for _, generation in found]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kept.cleanup()


def found_and_repaired(sql, words, generations, has_new_era):
    with Store() as store:
        store.spoil(sql)
        for _ in range(2):  # looking changes nothing
            done = store.check()
            assert done.returncode == 1, done.stdout + done.stderr
            assert words in done.stdout, done.stdout
        done = store.check("--repair=on")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "put right" in done.stdout
        done = store.check()
        assert done.returncode == 0, done.stdout
        assert words not in done.stdout
        assert store.generations() == generations
        assert (store.era_now != store.era) == has_new_era


def test_a_sound_store_is_found_sound():
    with Store() as store:
        done = store.check()
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{COUNT} messages in 1 rooms" in done.stdout
        assert store.generations() == list(range(COUNT))


def test_a_hole_in_the_numbers_is_closed_in_a_new_era():
    found_and_repaired(
        "DELETE FROM message WHERE generation = 7", "not in a row",
        [i for i in range(COUNT) if i != 7], True)


def test_what_is_no_message_is_dropped():
    found_and_repaired(
        "UPDATE message SET envelope = x'00' WHERE generation = 3",
        "no messages", [i for i in range(COUNT) if i != 3], True)


def test_a_message_under_anothers_name_is_dropped():
    found_and_repaired(
        "UPDATE message SET generation = 999 WHERE generation = 19",
        "no messages", list(range(19)), True)


def test_a_wrong_count_is_corrected():
    found_and_repaired("UPDATE room SET bytes = 5", "counted wrongly",
                       list(range(COUNT)), False)


def test_what_belongs_to_nothing_is_dropped():
    found_and_repaired(
        "INSERT INTO chain (room, sender, id) VALUES (1, x'00', x'00')",
        "chains without messages", list(range(COUNT)), False)


def test_a_store_that_is_served_is_left_alone():
    with Store() as store, Relay(state=store.folder):
        done = store.check("--repair=on")
        assert done.returncode == 1
        assert "another process" in done.stderr, done.stderr


def test_damaged_pages_are_told_and_not_stumbled_over():
    with Store() as store:
        path = store.folder + "/history.sqlite"
        size = os.path.getsize(path)
        for at in range(4096, size, 4096):
            with open(path, "r+b") as file:
                file.seek(at)
                before = file.read(64)
                file.seek(at)
                file.write(b"\xa5" * 64)
            done = store.check()
            assert done.returncode == 1, (at, done.stdout)
            assert done.stdout or done.stderr
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(before)
        assert store.check().returncode == 0


def test_no_store_is_told():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([PROGRAM, "check", "--state=" + folder],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "No such file" in done.stderr
        done = subprocess.run([PROGRAM, "check", "--mend"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 2


if __name__ == "__main__":
    pvx_tap.main(globals())
