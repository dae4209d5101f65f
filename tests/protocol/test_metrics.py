#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the relay tells monitoring, and what its log does not tell anybody."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

import pvx_tap
from pvx_relay import PROGRAM, Relay
from pvx_wire import Device, Room

TIMEOUT = 60


class Monitored(Relay):
    """A relay with metrics and an admin socket."""

    def __init__(self, *options, **more):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name + "/metrics"
        self.admin = self.folder.name + "/admin"
        super().__init__(f"--metrics=unix:{self.path}",
                         f"--admin={self.admin}", *options, **more)

    def ask(self, path, method="GET", **more):
        """Status, headers, text."""
        connection = http.client.HTTPConnection("relay", timeout=TIMEOUT)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(TIMEOUT)
        connection.sock.connect(self.path)
        connection.request(method, path, **more)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def metrics(self):
        text = self.ask("/metrics")[2]
        return {name: int(value) for name, value in
                re.findall(r"^(\w+(?:\{[^}]*\})?) (\d+)$", text, re.M)}

    def ctl(self, *words):
        return subprocess.run(
            [PROGRAM, "ctl", f"--admin={self.admin}", *words],
            capture_output=True, text=True, timeout=TIMEOUT, check=True)

    def __exit__(self, *reason):
        try:
            super().__exit__(*reason)
        finally:
            self.folder.cleanup()


def test_metrics_are_in_prometheus_format():
    with Monitored() as relay:
        status, headers, text = relay.ask("/metrics")
        assert status == 200
        assert headers["Content-Type"] == "text/plain; version=0.0.4"
        described = set()
        for line in text.splitlines():
            if line.startswith("# HELP ") or line.startswith("# TYPE "):
                described.add(line.split()[2])
                continue
            name = re.fullmatch(r"(\w+)(\{\w+=\"\w+\"\})? \d+", line)
            assert name, line
            assert name.group(1) in described, line
        assert len(described) >= 15 and text.endswith("\n")


def test_metrics_count_what_happens():
    with Monitored() as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        for i in range(5):
            a.say(i)
            b.expect("DELIVER")
        a.say(5, sender=bytes(32))
        a.expect("REFUSED", skip=("ACK",))
        bad = relay.connect()
        bad.send_raw(b"\xff" * 50)
        bad.expect_error("TOO_LARGE")
        found = relay.metrics()
        assert found['paravoxd_refused_total{code="sender"}'] == 1
        assert found["paravoxd_clients"] == 2
        assert found["paravoxd_rooms"] == 1
        assert found["paravoxd_messages_total"] == 5
        assert found["paravoxd_deliveries_total"] == 5
        assert found["paravoxd_connections_total"] == 3
        assert found['paravoxd_ends_total{code="too_large"}'] == 1
        assert found['paravoxd_ends_total{code="admission"}'] == 0


def test_health_follows_a_drain():
    with Monitored() as relay:
        client = relay.enter(Room(), Device())
        assert relay.ask("/health")[::2] == (200, "ok\n")
        relay.ctl("drain", "3600")
        assert relay.ask("/health")[::2] == (503, "draining\n")
        assert relay.metrics()["paravoxd_draining"] == 1
        client.send("PING", token=1)
        client.expect("PONG")
        relay.ctl("drain", "0")
        client.expect("BYE")
        client.close()
        assert relay.wait(TIMEOUT) == 0


def test_other_requests_are_refused():
    with Monitored() as relay:
        assert relay.ask("/")[0] == 404
        assert relay.ask("/metrics/x")[0] == 404
        assert relay.ask("/metrics", "DELETE")[0] == 405
        assert relay.ask("/metrics", "HEAD")[0] == 200
        try:
            relay.ask("/metrics", "POST", body="x" * 100000)
        except (http.client.HTTPException, OSError):
            pass
        assert relay.ask("/metrics")[0] == 200


def test_slow_readers_of_metrics_hold_nothing_up():
    with Monitored() as relay:
        held = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for s in held:
            s.connect(relay.path)
            s.send(b"GET /metr")
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.say(0)
        b.expect("DELIVER")
        for s in held:
            s.close()
        assert relay.ask("/health")[0] == 200


def test_metrics_on_loopback():
    with Relay("--metrics=127.0.0.1:0") as relay:
        relay.wait_for_log("metrics on 127.0.0.1:")
        port = int(re.search(r"metrics on 127.0.0.1:(\d+)",
                             relay.log_text()).group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port,
                                                timeout=TIMEOUT)
        for path in ("/health", "/metrics"):  # on one connection
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read()
        connection.close()


def test_metrics_are_for_this_machine_only():
    done = subprocess.run([PROGRAM, "--listen=127.0.0.1:0",
                           "--metrics=0.0.0.0:0"], capture_output=True,
                          text=True, timeout=TIMEOUT)
    assert done.returncode == 1 and "this machine only" in done.stderr


def test_neither_log_nor_metrics_hold_content_keys_or_rooms():
    """All that an operator sees, of a relay to which much happens; the search
    is shown to find what it looks for where that may be."""
    room, device, other = Room(), Device(), Device()
    marker = b"a marker in what is sealed"
    with Monitored("--log-format=json") as relay:
        a, b = relay.enter_all(room, [device, other])
        a.say(0, marker)
        delivered = b.expect("DELIVER")
        a.say(1, sender=other.key)
        a.expect("REFUSED", skip=("ACK",))
        bad = relay.connect()
        bad.send_raw(b"\xff" * 50)
        bad.expect_error("TOO_LARGE")
        relay.signal(signal.SIGHUP)
        relay.wait_for_log("reload: done")
        shown = relay.ctl("rooms", room.id.hex()[:8]).stdout
        relay.ctl("ban", other.key.hex()[:16])
        b.expect_error("REMOVED")
        try:
            relay.greet().join(room, other)
        except Exception as error:
            assert "14" in str(error)
        relay.wait_for_log("a device was banned")
        metrics = relay.ask("/metrics")[2]
        log = relay.log_text()
        nonces = [a.welcome.nonce, b.welcome.nonce]
    for line in log.splitlines():
        assert set(json.loads(line)) == {"time", "program", "level",
                                         "message"}, line

    def finds(text, secret):
        return any(secret.hex()[i:i + 12] in text.lower()
                   for i in range(0, 2 * len(secret) - 12))

    assert marker in delivered.envelope
    assert finds(shown, device.key) and finds(shown, other.key)
    for secret in (room.id, room.admission_key, device.key, other.key,
                   device.chain, marker, *nonces):
        assert not finds(log, secret) and not finds(metrics, secret)
    assert "marker" not in log + metrics
    assert room.id.hex()[:8] in shown
    assert room.id.hex()[:8] not in log + metrics


if __name__ == "__main__":
    pvx_tap.main(globals())
