#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay under TLS: its key, who is refused, what a handshake may cost."""
import os
import pathlib
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time

import pvx_tap
from pvx_relay import PROGRAM, Relay
from pvx_tls import TlsSocket, fingerprint_of, make_certificate
from pvx_wire import CODES, MAGIC, Client, Device, Room, join_fields

BAD_STARTS = [  # of a TLS record, and then nothing that is TLS
    b"", b"\x16", b"\x16\x03", b"\x16\x03\x01\x40\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]


def connect(relay):
    return socket.create_connection(relay.addresses[0], timeout=60)


def shaken(relay, **options):
    """A client's socket under TLS."""
    return TlsSocket(connect(relay), **options)


def goes_on(a, b, generation):
    """The room of these two works."""
    a.say(generation)
    b.expect("DELIVER", timeout=60)


def run(*options, **more):
    return subprocess.run([PROGRAM, "--listen=127.0.0.1:0", *options],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, **more)


def test_makes_a_key_at_the_first_start_and_keeps_it():
    with tempfile.TemporaryDirectory() as folder:
        state = folder + "/new/state"
        with Relay(tls=True, state=state) as relay:
            first = relay.fingerprint
            assert fingerprint_of(shaken(relay).certificate()) == first
        made = os.stat(state + "/tls.pem")
        assert stat.S_IMODE(made.st_mode) == 0o600
        with Relay(tls=True, state=state) as relay:
            assert relay.fingerprint == first
        with Relay(tls=True) as other:
            assert other.fingerprint != first


def test_the_state_is_where_the_service_manager_says():
    with tempfile.TemporaryDirectory() as folder:
        relay = subprocess.Popen(
            [PROGRAM, "--listen=127.0.0.1:0"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "STATE_DIRECTORY": folder + ":/nonexistent"})
        assert relay.stdout.readline().startswith(b"fingerprint sha256:")
        relay.terminate()
        assert relay.wait(20) == 0
        relay.stdout.close()
        assert "tls.pem" in os.listdir(folder)


def test_a_folder_that_others_can_write_to_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        done = run("--state=" + folder)
        assert done.returncode == 1 and "chmod go-w" in done.stderr, done


def test_takes_a_certificate_and_a_key_that_are_given():
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("rsa", "p256"):
            path = make_certificate(f"{folder}/{kind}.pem", kind)
            for more in ([], [f"--tls-key={path}.key"]):
                with Relay("--tls-cert=" + path, *more, tls=True) as relay:
                    assert fingerprint_of(
                        shaken(relay).certificate()) == relay.fingerprint
                    a, b = relay.enter_all(Room(), [Device(), Device()])
                    goes_on(a, b, 0)


def test_a_certificate_that_cannot_be_used_is_named():
    with tempfile.TemporaryDirectory() as folder:
        good = make_certificate(folder + "/good.pem")
        other = make_certificate(folder + "/other.pem")
        encrypted = folder + "/encrypted.key"
        subprocess.run(["openssl", "pkey", "-in", good + ".key", "-aes256",
                        "-passout", "pass:x", "-out", encrypted], check=True)
        os.chmod(encrypted, 0o600)
        for options, words in (
                ([f"--tls-cert={folder}/none"], "/none: No such file"),
                (["--tls-cert=" + PROGRAM], "no certificate in PEM"),
                (["--tls-cert=" + good, f"--tls-key={other}.key"],
                 "not that of the certificate"),
                (["--tls-cert=" + good, f"--tls-key={encrypted}"],
                 "without a passphrase")):
            done = run(*options)
            assert done.returncode == 1 and words in done.stderr, done
        done = run("--tls-key=" + good)
        assert done.returncode == 2 and "--tls-cert" in done.stderr, done


def test_a_key_that_others_can_read_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        path = make_certificate(folder + "/relay.pem")
        os.chmod(path, 0o644)
        done = run("--tls-cert=" + path, "--state=" + folder)
        assert done.returncode == 1 and "chmod 600" in done.stderr, done
        os.chmod(path, 0o640)  # as in /etc/ssl/private
        with Relay("--tls-cert=" + path, tls=True) as relay:
            relay.enter(Room(), Device())


def test_in_the_clear_only_loopback_or_what_is_asked_for():
    for address in ("0.0.0.0:0", ":0"):
        done = run("--no-tls", "--listen=" + address)
        assert done.returncode == 1 and "plain:" + address in done.stderr, done
    with Relay("--listen=plain:0.0.0.0:0", "--listen=127.0.0.1:0",
               listen=None, tls=True, listeners=2) as relay:
        assert [a.is_tls for a in relay.addresses] == [False, True]
        room = Room()
        a = relay.enter(room, Device(), number=0)
        b = relay.enter(room, Device(), number=1)
        goes_on(a, b, 0)


def test_older_tls_is_refused():
    with Relay(tls=True) as relay:
        try:
            shaken(relay, version=ssl.TLSVersion.TLSv1_2)
            raise AssertionError("TLS 1.2 is spoken")
        except ssl.SSLError as why:
            assert "PROTOCOL_VERSION" in str(why), why
        relay.wait_for_log("unsupported protocol")


def test_another_protocol_beneath_is_refused():
    """Clause 10.4."""
    with Relay(tls=True) as relay:
        try:
            shaken(relay, alpn=("h2", "http/1.1"))
            raise AssertionError("HTTP is spoken")
        except ssl.SSLError as why:
            assert "no application protocol" in str(why), why
        assert shaken(relay).object.selected_alpn_protocol() == "paravox"


def test_nothing_is_resumed():
    """Clause 10.2."""
    with Relay(tls=True) as relay:
        client = Client(shaken(relay))
        client.greet()  # a ticket would have come with it
        assert not client.sock.object.session.has_ticket
        client.close()


def test_a_plain_client_is_told_that_the_port_is_for_tls():
    """Clause 10.5."""
    with Relay(tls=True) as relay:
        client = Client(connect(relay))
        client.send("HELLO", magic=MAGIC, version_min=1, version_max=1)
        error = client.expect_error("TLS")
        assert "TLS" in error.text
        client = Client(connect(relay))
        client.send_raw(b"GET / HTTP/1.1\r\n\r\n")
        client.expect_error("TLS")
        relay.wait_for_log("that is HTTP")


def test_a_full_relay_says_so_under_tls():
    with Relay("--max-clients=1", tls=True) as relay:
        relay.enter(Room(), Device())
        Client(shaken(relay)).expect_error("FULL")


class Middle:
    """A relay in the middle with a certificate of its own: passes everything
    on between a client's TLS and its own TLS to the relay."""

    def __init__(self, relay, certificate):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.relay = relay
        self.certificate = certificate
        self.passed = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        client = TlsSocket(self.listener.accept()[0], self.certificate)
        relay = TlsSocket(connect(self.relay))
        pair = ((client, relay), (relay, client))
        threads = [threading.Thread(target=self._pump, args=ends, daemon=True)
                   for ends in pair]
        for thread in threads:
            thread.start()

    def _pump(self, source, to):
        while data := source.recv(1 << 16):
            self.passed += len(data)
            to.sendall(data)


def test_admission_handed_on_to_another_tls_connection_is_refused():
    """Clause 7.3."""
    with Relay(tls=True) as relay, tempfile.TemporaryDirectory() as folder:
        middle = Middle(relay, make_certificate(folder + "/evil.pem"))
        client = Client(TlsSocket(socket.create_connection(
            middle.listener.getsockname())))
        room, device = Room(), Device()
        client.greet()
        client.send("JOIN", **join_fields(room, device, client.welcome))
        assert client.expect("ERROR").code == CODES["ADMISSION"]
        assert middle.passed > 229  # it was handed on
        middle.listener.close()
        # With the exporter of the middle's own connection it would do.
        assert relay.enter(room, device).roster == [device.key]


def test_ten_megabytes_that_are_no_tls():
    with Relay(tls=True) as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        before = relay.memory_kib()
        for i, start in enumerate(BAD_STARTS):
            sock = connect(relay)
            try:
                sock.sendall(start)
                for _ in range(10):
                    sock.sendall(os.urandom(1 << 20))
            except (ConnectionError, socket.timeout):
                pass  # cut off while sending
            sock.close()
            goes_on(a, b, i)
        if not relay.is_sanitized():
            assert relay.memory_kib() - before < 8192


def test_a_spoilt_record_breaks_only_its_own_connection():
    with Relay(tls=True) as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        bad = relay.greet()
        bad.sock.sock.sendall(b"\x17\x03\x03\x00\x20" + os.urandom(32))
        try:
            bad.expect_end()
            raise AssertionError("it was not told")
        except ssl.SSLError as why:
            assert "BAD_RECORD_MAC" in str(why), why
        relay.wait_for_log("bad record mac")
        goes_on(a, b, 0)


def test_a_handshake_that_trickles_is_timed_out():
    """Clauses 4.6, 10.6."""
    with Relay("--handshake-timeout-ms=1000", tls=True) as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        slow = connect(relay)
        start = time.monotonic()
        try:
            for byte in b"\x16\x03\x01\x02\x00" + bytes(500):
                slow.sendall(bytes([byte]))
                time.sleep(0.05)
            raise AssertionError("it may go on for ever")
        except ConnectionError:
            pass
        assert time.monotonic() - start >= 0.9
        goes_on(a, b, 0)


def test_handshakes_that_stand_still_keep_nobody_out():
    """Clause 10.6: more of them than there is room for."""
    with Relay(tls=True) as relay:
        a, b = relay.enter_all(Room(), [Device(), Device()])
        held = [connect(relay) for _ in range(300)]
        for sock in held:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        goes_on(a, b, 0)
        sock = connect(relay)
        sock.settimeout(60)
        late = Client(TlsSocket(sock))
        late.enter(Room(), Device())
        late.close()
        relay.wait_for_log("others want its place")
        goes_on(a, b, 1)
        for sock in held:
            sock.close()


def test_a_crowd_that_comes_at_once_gets_in():
    with Relay("--handshake-timeout-ms=300000", tls=True) as relay:
        socks = [connect(relay) for _ in range(100)]
        threads = []
        clients = []

        def enter(sock):
            client = Client(TlsSocket(sock))
            client.enter(Room(), Device())
            clients.append(client)

        for sock in socks:
            sock.settimeout(300)
            threads.append(threading.Thread(target=enter, args=(sock,)))
            threads[-1].start()
        for thread in threads:
            thread.join(100)
        assert len(clients) == 100
        for client in clients:
            client.close()


def test_a_new_certificate_is_for_who_comes_later():
    with tempfile.TemporaryDirectory() as folder, \
            tempfile.TemporaryDirectory() as state:
        with Relay(tls=True, state=state) as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            fresh = make_certificate(folder + "/fresh.pem")
            os.replace(fresh, state + "/tls.pem")
            relay.signal(signal.SIGHUP)
            relay.wait_for_log("the fingerprint is")
            certificate = shaken(relay).certificate()
            assert fingerprint_of(certificate) != relay.fingerprint
            assert fingerprint_of(certificate) in relay.log_text()
            goes_on(a, b, 0)
            # One that cannot be used changes nothing.
            pathlib.Path(state, "tls.pem").write_text("spoilt")
            relay.signal(signal.SIGHUP)
            relay.wait_for_log("no certificate in PEM")
            assert shaken(relay).certificate() == certificate
            goes_on(a, b, 1)


if __name__ == "__main__":
    pvx_tap.main(globals())
