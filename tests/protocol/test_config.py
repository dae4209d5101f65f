#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay's configuration file: the same options, checked and read again."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

import pvx_tap
from pvx_relay import PROGRAM, Relay
from pvx_wire import Device, Room

LISTEN = "listen = 127.0.0.1:0\n"


class Config:
    """A file of options in a folder that goes with it."""

    def __init__(self, text):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name, "relay.conf")
        self.write(text)

    def write(self, text, section="[paravoxd]\n"):
        """As editors do: another file takes the name."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(section + text)
        os.rename(fresh, self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def check(text, *options, section="[paravoxd]\n"):
    with Config("") as config:
        config.write(text, section)
        return subprocess.run(
            [PROGRAM, f"--config={config.path}", "--check-config", *options],
            capture_output=True, text=True, timeout=60)


def reload(relay, what="reload: "):
    before = relay.log_text().count(what)
    relay.signal(signal.SIGHUP)
    relay.wait_for(lambda: relay.log_text().count(what) > before, what)


def test_a_file_has_the_options_of_the_command_line():
    with Config(LISTEN + "max-clients = 1 ; one\n# another\n\n"
                "name = relay of the file\n") as config:
        with Relay(f"--config={config.path}", listen=None) as relay:
            assert relay.greet().welcome.name == "relay of the file"
            relay.connect().expect_error("FULL")


def test_the_command_line_has_the_last_word():
    with Config("listen = 127.0.0.1:1\nname = file\n") as config:
        with Relay(f"--config={config.path}", "--name=line") as relay:
            assert len(relay.lines) == 1
            assert relay.greet().welcome.name == "line"


def test_several_sockets_stand_below_each_other():
    with Config(LISTEN + LISTEN) as config:
        with Relay(f"--config={config.path}", listen=None,
                   listeners=2) as relay:
            relay.enter(Room(), Device(), number=1)


def test_a_right_file_is_right():
    done = check(LISTEN + "max-clients = 5\n")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_faults_are_named_with_their_place():
    for text, line, fault in (
            ("max-clients = 0\n", 2, "takes 1 to 1000000"),
            ("\n\nno-such-thing = 1\n", 4, "no-such-thing: no such option"),
            ("help = yes\n", 2, "help: only on the command line"),
            ("config = other\n", 2, "config: only on the command line"),
            ("max-clients\n", 2, "neither [SECTION]"),
            ("[other]\nmax-clients = 1\n", 3, "other: no such section"),
            ("name = " + "x" * 5000 + "\n", 2, "too long"),
            ("listen = localhost\n", 2, "takes"),
            ("log-level = loud\n", 2, "takes error|warning|info|debug")):
        done = check(text)
        assert done.returncode == 2, (text, done.returncode)
        assert f"relay.conf:{line}: " in done.stderr, (text, done.stderr)
        assert fault in done.stderr, (text, done.stderr)
    done = check("max-clients = 1\n", section="")
    assert done.returncode == 2, done.returncode
    assert ("max-clients: before any section; options are in [paravoxd]"
            in done.stderr), done.stderr


def test_all_faults_of_a_file_are_named():
    done = check("max-clients = 0\nname =\nlisten = 127.0.0.1:0\n")
    assert "relay.conf:2:" in done.stderr and "relay.conf:3:" in done.stderr
    assert "relay.conf:4:" not in done.stderr


def test_options_that_disagree_are_told_between_file_and_line():
    done = check("idle-timeout-ms = 20000\n", "--ping-interval-ms=20000")
    assert done.returncode == 2 and "idle-timeout-ms" in done.stderr
    done = check("idle-timeout-ms = 20001\n", "--ping-interval-ms=20000")
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_not_there_is_an_error():
    done = subprocess.run([PROGRAM, "--config=/nonexistent/relay.conf"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "/nonexistent/relay.conf" in done.stderr


def test_a_reload_changes_limits_and_drops_nobody():
    with Config(LISTEN + "max-clients = 2\n") as config:
        with Relay(f"--config={config.path}", listen=None) as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            relay.connect().expect_error("FULL")
            config.write(LISTEN + "max-clients = 3\n")
            relay.connect().expect_error("FULL")
            reload(relay)
            relay.enter(Room(), Device())
            config.write(LISTEN + "max-clients = 1\n")
            reload(relay)
            relay.connect().expect_error("FULL")
            a.say(0)
            b.expect("DELIVER")


def test_a_reload_changes_the_log_level():
    with Config("log-level = debug\n") as config:
        with Relay(f"--config={config.path}", log_level=None) as relay:
            relay.greet()
            relay.wait_for_log("client 1: connected")
            config.write("log-level = info\n")
            reload(relay, "reload: done")
            relay.greet()
            config.write("log-level = debug\n")
            reload(relay, "reload: done")
            relay.greet()
            relay.wait_for_log("client 3: connected")
            assert "client 2: connected" not in relay.log_text()


def test_a_reload_of_a_wrong_file_changes_nothing():
    with Config(LISTEN + "max-clients = 1\n") as config:
        with Relay(f"--config={config.path}", listen=None) as relay:
            a = relay.enter(Room(), Device())
            config.write(LISTEN + "max-clients = 2\nname = \n")
            reload(relay, "all stays as it was")
            relay.connect().expect_error("FULL")
            os.unlink(config.path)
            reload(relay, "all stays as it was")
            a.send("PING", token=7)
            a.expect("PONG")


def test_a_reload_names_what_holds_from_the_next_start_on():
    with Config(LISTEN + "name = before\n") as config:
        with Relay(f"--config={config.path}", listen=None) as relay:
            config.write("listen = 127.0.0.1:1\nname = after\n"
                         "metrics = 127.0.0.1:1\n"
                         "window-messages = 7\nping-interval-ms = 60000\n")
            reload(relay, "reload: done")
            text = relay.log_text()
            for name in ("listen", "metrics", "name", "window-messages",
                         "ping-interval-ms"):
                assert f"reload: {name} holds from the next" in text, name
            welcome = relay.greet().welcome
            assert welcome.name == "before"
            assert (welcome.window_messages, welcome.ping_interval_ms) == (
                256, 30000)
            assert "max-clients holds" not in text


def test_the_service_manager_hears_of_a_reload():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(60)
            with Relay(env={"NOTIFY_SOCKET": path}) as relay:
                assert manager.recv(100) == b"READY=1"
                relay.signal(signal.SIGHUP)
                first, second = manager.recv(100).split(b"\n")
                assert first == b"RELOADING=1"
                assert second.startswith(b"MONOTONIC_USEC=")
                assert manager.recv(100) == b"READY=1"


if __name__ == "__main__":
    pvx_tap.main(globals())
