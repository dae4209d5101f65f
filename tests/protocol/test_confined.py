#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All that a relay does once it serves, done in its sandbox: each call that it
makes is on its list."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pvx_tap
from pvx_relay import PROGRAM, Relay
from pvx_wire import Device, Room

TIMEOUT = 60


def status(relay):
    text = pathlib.Path(f"/proc/{relay.pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\t(\S*)", text, re.M))


def test_a_relay_is_confined_when_it_serves_and_not_when_told():
    with Relay() as relay:
        if relay.is_sanitized():
            raise pvx_tap.Skip("a sanitizer has no sandbox")
        now = status(relay)
        assert now["Seccomp"] == "2" and now["NoNewPrivs"] == "1"
        assert int(now["CapEff"], 16) == 0
        if os.geteuid():  # undumpable: its files in /proc are root's
            assert os.stat(f"/proc/{relay.pid}/mem").st_uid == 0
    with Relay("--sandbox=off") as relay:
        now = status(relay)
        assert now["Seccomp"] != "2" or status_of_self() == "2"


def status_of_self():
    text = pathlib.Path("/proc/self/status").read_text()
    return re.search(r"^Seccomp:\t(\d)", text, re.M).group(1)


def test_everything_that_it_does_is_on_its_list():
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "relay.conf")
        config.write_text(f"""[paravoxd]
admin = {folder}/admin
bans = {folder}/bans
metrics = unix:{folder}/metrics
log-format = json
listen = 127.0.0.1:0
listen = unix:{folder}/clients
state = {folder}/state
""")

        def ctl(*words):
            return subprocess.run(
                [PROGRAM, "ctl", f"--admin={folder}/admin", *words],
                capture_output=True, text=True, timeout=TIMEOUT, check=True)

        room, device, other = Room(), Device(), Device()
        with Relay(f"--config={config}", "--log-level=debug", listen=None,
                   listeners=2, state=folder + "/state") as relay:
            a, b = relay.enter_all(room, [device, other])
            for i in range(300):
                a.say(i, bytes(4000))
                b.expect("DELIVER", timeout=TIMEOUT)
            ctl("stats")
            ctl("ban", other.key.hex()[:16])
            b.expect_error("REMOVED")
            ctl("unban", other.key.hex()[:16])
            late = relay.enter(room, Device(), number=1)
            late.say(0)
            subprocess.run(["/usr/bin/python3", "-c", """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
s.send(b"GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert b"200 OK" in s.recv(4096)
""", f"{folder}/metrics"], check=True, timeout=TIMEOUT)
            config.write_text(config.read_text() + "max-clients = 20000\n")
            relay.signal(signal.SIGHUP)
            relay.wait_for_log("reload: done")
            for client in relay.clients:
                client.close()
            ctl("drain", "0")
            assert relay.wait(TIMEOUT) == 0, relay.log_text()[-2000:]
        left = sorted(os.listdir(folder))
        assert left == ["bans", "relay.conf", "state"], left


if __name__ == "__main__":
    pvx_tap.main(globals())
