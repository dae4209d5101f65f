#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay from its start to its end: addresses, options, limits, signals."""
import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import pvx_tap
from pvx_namespace import unshare
from pvx_relay import PROGRAM, TLS, Relay
from pvx_wire import Client, Device, Room

PLAIN = "" if TLS else "plain:"  # before an address in what it prints
# Bring loopback up, with or without IPv6, and become the relay.
LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
if sys.argv[1] == "no":
    for where in ("all", "default", "lo"):
        path = f"/proc/sys/net/ipv6/conf/{where}/disable_ipv6"
        if os.path.exists(path):
            open(path, "w").write("1")
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
s.close()
os.execv(sys.argv[2], sys.argv[2:])
"""


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def namespace(ipv6):
    """A command in front of the relay: a network of its own."""
    command = (*unshare("net"), sys.executable, "-c", LOOPBACK_UP, ipv6)
    if subprocess.run([*command, "/bin/true"], capture_output=True).returncode:
        raise pvx_tap.Skip("no user and network namespaces here")
    return command


def run(*options, **more):
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True,
                          timeout=60, **more)


def test_serves_ipv4_and_ipv6():
    if not has_ipv6():
        raise pvx_tap.Skip("no IPv6 here")
    with Relay("--listen=[::1]:0", listeners=2) as relay:
        assert relay.lines[0].startswith(f"listening on {PLAIN}127.0.0.1:")
        assert relay.lines[1].startswith(f"listening on {PLAIN}[::1]:")
        room = Room()
        a = relay.enter(room, Device(), number=0)
        b = relay.enter(room, Device(), number=1)
        a.expect("PRESENCE")
        b.say(0)
        a.expect("DELIVER")


def test_port_zero_takes_a_free_one_each():
    with Relay() as one, Relay() as other:
        assert one.addresses[0][1] != other.addresses[0][1] != 0


def test_the_default_is_port_7450_on_both_loopbacks():
    command = namespace("yes")
    listeners = 2 if has_ipv6() else 1
    with Relay(listen=None, listeners=listeners, command=command) as relay:
        assert relay.lines == [f"listening on {PLAIN}127.0.0.1:7450",
                               f"listening on {PLAIN}[::1]:7450"][:listeners]


def test_starts_where_there_is_no_ipv6():
    with Relay(listen=None, command=namespace("no")) as relay:
        assert relay.lines == [f"listening on {PLAIN}127.0.0.1:7450"]
        relay.wait_for_log("no IPv6")


def test_an_ipv6_address_that_is_asked_for_and_missing_is_an_error():
    done = subprocess.run([*namespace("no"), PROGRAM, "--listen=[::1]:0"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "[::1]:0" in done.stderr


def test_a_port_that_is_taken_is_an_error():
    with Relay() as relay:
        done = run("--listen=127.0.0.1:%d" % relay.addresses[0][1])
        assert done.returncode == 1 and "in use" in done.stderr


def test_a_unix_socket_serves_and_is_removed_at_the_end():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/relay"
        with Relay(listen="unix:" + path) as relay:
            assert relay.lines == ["listening on unix:" + path]
            a, b = relay.enter_all(Room(), [Device(), Device()])
            a.say(0)
            b.expect("DELIVER")
            assert stat.S_ISSOCK(os.stat(path).st_mode)
        assert not os.path.exists(path)


def test_a_stale_unix_socket_is_replaced():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/relay"
        with Relay(listen="unix:" + path) as relay:
            relay.signal(signal.SIGKILL)
            relay.wait()
            assert os.path.exists(path)
            with Relay(listen="unix:" + path) as again:
                again.enter(Room(), Device())
            relay.stop = lambda: None


def test_a_unix_socket_that_is_served_is_not_taken_over():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/relay"
        with Relay(listen="unix:" + path) as relay:
            done = run("--listen=unix:" + path)
            assert done.returncode == 1 and "in use" in done.stderr
            relay.enter(Room(), Device())


def test_a_file_that_is_no_socket_is_left_alone():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "precious")
        path.write_text("keep me")
        done = run(f"--listen=unix:{path}")
        assert done.returncode == 1 and str(path) in done.stderr
        assert path.read_text() == "keep me"


def test_wrong_options_are_named():
    for option in ("--listen=nonsense", "--listen=::1:7450",
                   "--listen=127.0.0.1:70000", "--listen=127.0.0.1:x",
                   "--listen=unix:", "--listen=unix:" + "x" * 108,
                   "--listen=plain:x", "--metrics=localhost",
                   "--max-clients=0", "--max-clients=-1", "--max-clients=1x",
                   "--max-clients=", "--log-level=loud", "--no-such-thing",
                   "-x", "stray", "--help=yes", "--max-clients",
                   "--window-bytes=1", "--name=", "--name=caf\u00e9",
                   "--hard-bound-bytes=2048", "--idle-timeout-ms=100",
                   "--rate-bytes=99999999999999999999"):
        done = run(option)
        assert done.returncode == 2, (option, done.returncode)
        assert option.split("=")[0] in done.stderr, done.stderr


def test_help_names_every_option_and_its_default():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    page = (pathlib.Path(__file__).parents[2] /
            "docs/man/paravoxd.8").read_text()
    options = [line.split("=")[0].strip() for line in done.stdout.splitlines()
               if line.startswith("  --")]
    assert len(options) >= 18
    for option in options:
        assert "Fl -" + option[2:] in page, option + " is not in the manual"
    assert "(1048576)" in done.stdout


def test_version_is_printed():
    assert run("--version").stdout.startswith("paravoxd 0.")


def test_the_client_above_the_limit_is_told_and_nobody_else_suffers():
    with Relay("--max-clients=2") as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        relay.connect().expect_error("FULL")
        third = relay.connect()
        third.send("HELLO", magic=0x50565843, version_min=1, version_max=1)
        third.expect_error("FULL")
        a.say(0)
        b.expect("DELIVER")
        b.send("BYE")
        b.expect_end()
        b.close()
        a.expect("PRESENCE", skip=("ACK",))
        relay.enter(Room(), Device())


def test_running_out_of_descriptors_does_not_spin_or_end_the_relay():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))

    with Relay(before=few) as relay:
        held = [socket.create_connection(relay.addresses[0])
                for _ in range(40)]
        relay.wait_for_log("cannot accept")
        before = relay.cpu_seconds()
        time.sleep(0.5)
        assert relay.cpu_seconds() - before < 0.2
        for client in held:
            client.close()
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.say(0)
        b.expect("DELIVER")


def stops(number):
    with Relay() as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        for i in range(50):
            a.say(i)
        for i in range(50):
            b.expect("DELIVER")
        greeted = relay.greet()
        start = time.monotonic()
        relay.signal(number)
        a.expect("BYE", skip=("ACK",))
        for client in (b, greeted):
            client.expect("BYE")
        for client in (a, b, greeted):
            client.expect_end()
            client.close()
        assert relay.wait() == 0
        assert time.monotonic() - start < 2


def test_sigterm_says_bye_to_all_and_stops():
    stops(signal.SIGTERM)


def test_sigint_says_bye_to_all_and_stops():
    stops(signal.SIGINT)


def test_a_client_that_does_not_read_does_not_hold_up_the_stop():
    with Relay("--rate-messages=0", "--rate-bytes=0") as relay:
        room = Room()
        deaf = relay.connect(receive_buffer=4096)
        deaf.enter(room, Device())
        a = relay.enter(room, Device())
        for i in range(100):
            a.say(i, bytes(8000))
            a.expect("ACK")
        start = time.monotonic()
        relay.signal()
        assert relay.wait() == 0
        assert time.monotonic() - start < 20


def test_the_service_manager_is_told():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(5)
            with Relay(env={"NOTIFY_SOCKET": path}) as relay:
                assert manager.recv(100) == b"READY=1"
                Client.connect(relay.addresses[0]).close()
            assert manager.recv(100) == b"STOPPING=1"


def test_clients_cannot_fill_the_log():
    with Relay("--log-level=info") as relay:
        start = time.monotonic()
        for _ in range(150):
            bad = relay.connect()
            bad.send_raw(b"GET / HTTP/1.1\r\n")
            bad.expect_error("TOO_LARGE")
            bad.close()
        most = 102 + time.monotonic() - start
        assert 100 <= relay.log_text().count("HTTP") <= most
        time.sleep(1.1)
        relay.connect().send_raw(b"SSH-2.0-x\r\n")
        relay.wait_for_log("SSH")
        assert "lines like the next were left out" in relay.log_text()


def test_the_log_holds_no_room_no_key_and_no_content():
    room, device, other = Room(), Device(), Device()
    marker = b"a marker in what is sealed"
    with Relay() as relay:
        a, b = relay.enter_all(room, [device, other])
        a.say(0, marker)
        b.expect("DELIVER")
        a.say(1, sender=other.key)
        a.expect("REFUSED", skip=("ACK",))
        bad = relay.connect()
        bad.send_raw(b"\xff" * 50)
        bad.expect_error("TOO_LARGE")
        relay.wait_for_log("refused")  # it logs, and this much
        text = relay.log_text()
    assert "127.0.0.1" in text  # of the listening line, not of a client
    for secret in (room.id, room.admission_key, device.key, other.key, marker,
                   a.welcome.nonce):
        assert secret.hex()[:12] not in text.lower()
    assert "marker" not in text


if __name__ == "__main__":
    pvx_tap.main(globals())
