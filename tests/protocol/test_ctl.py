#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay's operator: the admin socket, paravoxd ctl, room limits, bans."""
import os
import pathlib
import socket
import stat
import subprocess
import tempfile
import time

import pvx_tap
from pvx_managed import Managed
from pvx_relay import PROGRAM, Relay
from pvx_wire import Device, Room


def test_the_socket_is_its_owners_alone():
    with Managed() as relay:
        assert stat.S_IMODE(os.stat(relay.admin).st_mode) == 0o600
    assert not os.path.exists(relay.admin)


def test_another_user_is_turned_away():
    if os.geteuid() != 0:
        raise pvx_tap.Skip("only root can be another user too")
    with Managed() as relay:
        os.chmod(relay.folder.name, 0o755)
        os.chmod(relay.admin, 0o666)  # then the peer's user must do
        assert "clients 0" in relay.ctl("stats")
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "/usr/bin/python3", "-c", "import socket, sys\n"
             "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
             "try:\n s.send(b'stats\\n'); sys.stdout.buffer.write("
             "s.recv(100))\nexcept OSError:\n pass", relay.admin],
            capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout == b""
        relay.wait_for_log("a stranger was turned away")


def test_stats_count_what_happens():
    with Managed() as relay:
        before = relay.stats()
        a, b, c = relay.enter_all(Room(), [Device() for _ in range(3)])
        for i in range(5):
            a.say(i)
            b.expect("DELIVER")
        after = relay.stats()
        gained = {name: after[name] - before[name] for name in after}
        assert gained["clients"] == gained["joins_total"] == 3
        assert gained["rooms"] == 1
        assert gained["messages_total"] == 5
        assert gained["deliveries_total"] == 10
        assert gained["message_bytes_total"] >= 5 * 138
        assert gained["read_bytes_total"] > gained["message_bytes_total"]
        assert gained["written_bytes_total"] > gained["message_bytes_total"]


def test_rooms_are_shown_by_a_shortened_id_only():
    room, other = Room(), Room()
    devices = [Device(), Device()]
    with Managed() as relay:
        relay.enter_all(room, devices)
        relay.enter(room, devices[0])
        relay.enter(other, Device())
        lines = relay.ctl("rooms").splitlines()
        assert sorted(lines) == sorted([
            f"{room.id.hex()[:8]} 2 devices, 3 connections",
            f"{other.id.hex()[:8]} 1 devices, 1 connections"]), lines
        text = relay.ctl("rooms", room.id.hex()[:8])
        assert text.splitlines()[1:] == [
            f"  {devices[0].key.hex()[:16]} 2",
            f"  {devices[1].key.hex()[:16]} 1"], text
        for whole in (room.id, other.id, devices[0].key, devices[1].key):
            assert whole.hex()[:17] not in text + "".join(lines)


def test_kick_ends_all_connections_of_a_device():
    room, alice, bob = Room(), Device(), Device()
    with Managed() as relay:
        a, b = relay.enter_all(room, [alice, bob])
        again = relay.enter(room, alice)
        assert "2 connections" in relay.ctl("kick", alice.key.hex()[:12])
        a.expect_error("REMOVED")
        again.expect_error("REMOVED")
        b.expect("PRESENCE")
        b.send("PING", token=1)
        b.expect("PONG")
        relay.enter(room, alice)


def test_a_banned_device_does_not_come_again_until_it_is_unbanned():
    room, alice, bob = Room(), Device(), Device()
    digits = alice.key.hex()[:8]
    with Managed() as relay:
        a, b = relay.enter_all(room, [alice, bob])
        relay.ctl("ban", digits)
        a.expect_error("REMOVED")
        b.expect("PRESENCE")
        for _ in range(2):
            client = relay.greet()
            try:
                client.join(room, alice)
                raise AssertionError("a banned device has entered")
            except Exception as error:
                assert "ERROR" in str(error) and "14" in str(error), error
        b.expect_nothing()
        assert relay.ctl("bans") == alice.key.hex()[:16] + "\n"
        assert relay.stats()["refused_banned_total"] == 2
        relay.ctl("unban", digits)
        relay.enter(room, alice)
        assert relay.ctl("bans") == ""


def test_bans_outlive_the_relay():
    room, alice = Room(), Device()
    with Managed() as relay:
        relay.ctl("ban", alice.key.hex())  # who is not here
        with Relay(f"--bans={relay.bans}") as second:
            client = second.greet()
            try:
                client.join(room, alice)
                raise AssertionError("a banned device has entered")
            except Exception as error:
                assert "14" in str(error), error
        assert stat.S_IMODE(os.stat(relay.bans).st_mode) == 0o600


def test_wrong_commands_are_refused():
    a, b = Device(), Device()
    while b.key[0] != a.key[0]:
        b = Device()
    with Managed() as relay:
        relay.enter_all(Room(), [a, b])
        for words, why in (
                (("dance",), "no such command"),
                (("kick",), "an operand is missing"),
                (("kick", a.key.hex()[:7]), "8 to 64"),
                (("kick", "zz" * 8), "8 to 64"),
                (("kick", "00" * 32), "no such device"),
                (("unban", a.key.hex()), "no such device"),
                (("stats", "now"), "too many operands"),
                (("rooms", "aa", "bb"), "too many operands"),
                (("drain", "soon"), "0 to 86400")):
            assert why in relay.ctl(*words, status=1), words
        relay.ctl("ban", a.key.hex())
        assert "banned already" in relay.ctl("ban", a.key.hex(), status=1)


def test_ctl_says_what_is_wrong_with_its_usage():
    def run(*words):
        return subprocess.run([PROGRAM, "ctl", *words], capture_output=True,
                              text=True, timeout=60)
    assert run().returncode == 2
    assert run("--no-such", "stats").returncode == 2
    assert run("--admin=", "stats").returncode == 2
    assert run("stats\nkick").returncode == 2
    assert run("--admin=/nonexistent", "stats").returncode == 1
    assert "/nonexistent" in run("--admin=/nonexistent", "stats").stderr
    page = (pathlib.Path(__file__).parents[2] /
            "docs/man/paravoxd.8").read_text()
    commands = run("--help").stdout.split("commands:\n")[1]
    names = [line.split()[0] for line in commands.splitlines()
             if line[2] != " "]
    assert len(names) == 7
    for name in names:
        assert f".It Cm {name}" in page, name


def raw(relay, *parts):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(relay.admin)
        for part in parts:
            s.sendall(part)
            time.sleep(0.02)
        try:
            return s.recv(1 << 16)
        except ConnectionResetError:
            return b""


def test_any_bytes_at_the_socket_harm_nobody():
    with Managed() as relay:
        assert raw(relay, b"sta", b"ts\n").startswith(b"ok\nclients 0\n")
        assert raw(relay, b"\n") == b"error: no such command\n"
        assert raw(relay, b"\xff\x01\n") == b"error: no such command\n"
        assert raw(relay, b"x" * 2048) == b""
        assert raw(relay, b"stats\0\n") == b""  # after a while
        idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for s in idle:
            s.connect(relay.admin)
        relay.enter(Room(), Device())
        for s in idle:
            s.close()
        assert "clients 1" in relay.ctl("stats")


def test_drain_sends_all_away_over_the_time_and_stops():
    room = Room()
    with Managed() as relay:
        clients = relay.enter_all(room, [Device() for _ in range(10)])
        start = time.monotonic()
        relay.ctl("drain", "2")
        try:
            relay.connect()
            raise AssertionError("a drained relay takes clients")
        except ConnectionRefusedError:
            pass
        ends = []
        for client in clients:
            client.expect("BYE", timeout=60, skip=("PRESENCE",))
            ends.append(time.monotonic() - start)
            client.expect_end()
            client.close()
        assert relay.wait(60) == 0
        assert ends == sorted(ends)
        # Not all at once: what is evenly spread takes a good part of it.
        assert ends[-1] - ends[0] > 0.5, ends
        assert "drained" in relay.log_text()


def test_a_drain_can_be_hurried():
    with Managed() as relay:
        client = relay.enter(Room(), Device())
        relay.ctl("drain", "3600")
        assert "draining 1" in relay.ctl("stats")
        client.send("PING", token=1)
        client.expect("PONG")
        relay.ctl("drain", "0")
        client.expect("BYE")
        client.expect_end()
        client.close()
        assert relay.wait(60) == 0


def test_rooms_have_limits():
    with Managed("--max-rooms=1", "--max-room-clients=2") as relay:
        room = Room()
        a, b = relay.enter_all(room, [Device(), Device()])
        for where in (room, Room()):
            client = relay.greet()
            try:
                client.join(where, Device())
                raise AssertionError("entered above a limit")
            except Exception as error:
                assert "'code': 6" in str(error), error
        assert relay.stats()["refused_room_total"] == 2
        a.say(0)
        b.expect("DELIVER")
        b.send("BYE")
        b.expect_end()
        b.close()
        a.expect("PRESENCE", skip=("ACK",))
        relay.enter(room, Device())


if __name__ == "__main__":
    pvx_tap.main(globals())
