#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The real client under TLS: by which key it knows a relay, and what it does
when somebody is between them."""
import contextlib
import re
import socket
import ssl
import tempfile
import threading

import pvx_tap
from pvx_client import Home, server_text
from pvx_people import People, tlv_of_room_file
from pvx_proxy import Proxy
from pvx_relay import Relay
from pvx_tls import TlsSocket, fingerprint_of, make_certificate
from pvx_wire import RelaySide

CERTIFICATE = 3  # field of a link, docs/spec/e2ee.md, clause 8.2


class Evil:
    """A TLS server with a key of its own. Keeps what clients say under TLS
    (`heard`), and hands it on to `relay` over TLS of its own."""

    def __init__(self, relay=None):
        self.relay = relay
        self.heard, self.shakes = b"", 0
        self.folder = tempfile.TemporaryDirectory()
        self.certificate = make_certificate(self.folder.name + "/evil.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        where = self.listener.getsockname()
        self.address = "127.0.0.1:%d" % where[1]
        self._start(self._serve)
        der = TlsSocket(socket.create_connection(where)).certificate()
        self.fingerprint = fingerprint_of(der)
        self.heard, self.shakes = b"", 0

    def _start(self, function, *arguments):
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = TlsSocket(self.listener.accept()[0],
                                   self.certificate)
            except (OSError, EOFError):
                if self.listener.fileno() < 0:
                    return
                continue
            self.shakes += 1
            relay = None
            if self.relay:
                relay = TlsSocket(socket.create_connection(
                    self.relay.addresses[0]))
                self._start(self._pump, relay, client, False)
            self._start(self._pump, client, relay, True)

    def _pump(self, source, to, is_heard):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if is_heard:
                    self.heard += data
                if to:
                    to.sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()


def relay_tls(**options):
    return Relay(tls=True, **options)


def fields(path):
    with open(path) as room:
        return tlv_of_room_file(room.read())


def test_a_room_has_the_key_of_its_relay_and_so_has_its_link():
    with relay_tls() as relay, People() as people:
        alice = people.new("alice").make_room(server_text(relay.addresses[0]))
        found = fields(alice.room)[CERTIFICATE].hex()
        assert "sha256:" + found == relay.fingerprint
        bob = people.new("bob").join(alice)
        assert fields(bob.room)[CERTIFICATE].hex() == found
        with bob.tail() as heard:
            alice.send("under TLS")
            heard.wait_message("under TLS")
            assert not heard.of("new-relay")  # the link said it


def test_who_has_no_link_with_a_key_remembers_the_first():
    with relay_tls() as relay, People() as people:
        where = server_text(relay.addresses[0])
        alice = people.new("alice").make_room("plain:" + where)
        assert CERTIFICATE not in fields(alice.room)
        with alice.tail(server=where) as tail:
            told = tail.of("new-relay")
            assert len(told) == 1 and relay.fingerprint in told[0]["text"]
        with alice.tail(server=where) as tail:
            assert not tail.of("new-relay")


def test_a_relay_with_another_key_is_refused_and_hears_nothing():
    with relay_tls() as relay, Evil() as other, People() as people:
        where = server_text(relay.addresses[0])
        alice = people.new("alice").make_room(where)
        done = alice.run("send", *alice.room_options(), "--server",
                         other.address, input="secret\n")
        assert done.returncode == 1, done
        for word in ("HAS ANOTHER KEY", "the invite link", other.fingerprint,
                     relay.fingerprint, "--fingerprint"):
            assert word in done.err, (word, done.err)
        assert other.shakes == 1 and other.heard == b""


class Road:
    """One address, at which now this relay is, now another."""

    def __enter__(self):
        self.proxy = Proxy(None, is_raw=True)
        self.address = self.proxy.address
        return self

    def leads_to(self, relay):
        self.proxy.relay_address = relay.addresses[0]

    def __exit__(self, *_):
        self.proxy.close()


def test_a_relay_that_changes_its_key_is_refused():
    """Without a link: the key that was seen before holds."""
    with People() as people, Road() as road, \
            tempfile.TemporaryDirectory() as one, \
            tempfile.TemporaryDirectory() as two:
        bob = people.new("bob").make_room("plain:" + road.address)
        for state, word in ((one, ""), (two, "showed before"), (one, "")):
            with relay_tls(state=state) as relay:
                road.leads_to(relay)
                done = bob.run("send", *bob.room_options(), "--server",
                               road.address, input="hello\n")
                assert done.returncode == (1 if word else 0), done
                assert word in done.err, done.err


def test_another_key_is_taken_when_the_user_says_so():
    with People() as people, Road() as road:
        with relay_tls() as relay:
            road.leads_to(relay)
            alice = people.new("alice").make_room(road.address)
        with relay_tls() as relay:
            road.leads_to(relay)
            done = alice.run("send", *alice.room_options(), input="no\n")
            assert done.returncode == 1 and "ANOTHER KEY" in done.err, done
            key = re.search("sha256:[0-9a-f]{64}", done.err).group(0)
            assert key == relay.fingerprint
            alice.send("yes", options=("--fingerprint", key))
            # A link with the new key, for everybody.
            link = alice.must("room", "link", "--fingerprint", key,
                              str(alice.room))
            bob = people.new("bob")
            bob.must("room", "join", str(bob.room), input=link)
            bob.send("hello")
            done = alice.run("send", *alice.room_options(), "--fingerprint",
                             "sha256:" + "0" * 64, input="no\n")
            assert done.returncode == 1 and "--fingerprint" in done.err, done
            done = alice.run("send", *alice.room_options(), "--fingerprint",
                             "md5:00", input="no\n")
            assert done.returncode == 2, done


def test_a_relay_known_by_its_key_is_not_talked_to_in_the_clear():
    with Relay(tls=False) as plain, relay_tls() as relay, \
            People() as people:
        clear = server_text(plain.addresses[0])
        assert clear.startswith("plain:")
        where = server_text(relay.addresses[0])
        alice = people.new("alice").make_room(where)
        done = alice.run("send", *alice.room_options(), "--server", clear,
                         input="no\n")
        assert done.returncode == 1 and "in the clear" in done.err, done
        bob = people.new("bob").make_room("plain:" + where)
        with bob.tail(server=where):
            pass  # it is known now
        done = bob.run("send", *bob.room_options(), input="no\n")
        assert done.returncode == 1 and "in the clear" in done.err, done
        # Who knows nobody may.
        carol = people.new("carol").make_room(clear)
        carol.send("yes")


def test_a_room_is_not_made_on_a_relay_that_does_not_answer():
    with People() as people, Evil() as other:
        alice = people.new("alice")
        done = alice.run("room", "new", "--server", "127.0.0.1:1",
                         str(alice.room))
        assert done.returncode == 1 and "--fingerprint" in done.err, done
        assert not alice.room.exists()
        key = "sha256:" + "ab" * 32
        alice.must("room", "new", "--server", "127.0.0.1:1", "--fingerprint",
                   key, str(alice.room))
        assert fields(alice.room)[CERTIFICATE] == b"\xab" * 32
        # With another key than it was given, the relay hears nothing.
        bob = people.new("bob")
        bob.must("room", "new", "--server", other.address, "--fingerprint",
                 key, str(bob.room))
        done = bob.run("send", *bob.room_options(), input="no\n")
        assert done.returncode == 1 and "ANOTHER KEY" in done.err, done
        assert other.heard == b""


def test_tls_to_a_plain_port_is_explained():
    with Relay(tls=False) as relay, People() as people:
        host, port = relay.addresses[0]
        alice = people.new("alice")
        done = alice.run("room", "new", "--server", f"{host}:{port}",
                         str(alice.room))
        assert done.returncode == 1 and "no TLS" in done.err, done
        assert f"plain:{host}:{port}" in done.err, done


def test_a_plain_client_on_a_tls_port_is_told():
    with relay_tls() as relay, People() as people:
        where = server_text(relay.addresses[0])
        alice = people.new("alice").make_room("plain:" + where)
        done = alice.run("send", *alice.room_options(), input="no\n")
        assert done.returncode == 1 and "speaks TLS only" in done.err, done


def test_an_admission_handed_on_opens_no_room():
    """A middle that the user trusted at first contact, docs/spec/chat-wire.md
    7.3: the relay refuses what was signed for the middle's TLS."""
    with relay_tls() as relay, Evil(relay) as middle, People() as people:
        alice = people.new("alice").make_room(
            "plain:" + server_text(relay.addresses[0]))
        done = alice.run("send", *alice.room_options(), "--server",
                         middle.address, input="no\n")
        assert done.returncode == 1, done
        assert "not admitted" in done.err, done.err
        assert len(middle.heard) > 229  # it was handed on
        relay.wait_for_log("the admission signature is wrong")


def test_the_client_signs_the_exporter():
    """By a relay of our own, which computes it another way."""
    with tempfile.TemporaryDirectory() as folder, People() as people, \
            socket.create_server(("127.0.0.1", 0)) as listener:
        path = make_certificate(folder + "/relay.pem", "p256")
        where = "127.0.0.1:%d" % listener.getsockname()[1]
        alice = people.new("alice")
        alice.must("room", "new", "--server", where, "--fingerprint",
                   "sha256:" + "0" * 64, str(alice.room))
        found = []

        def serve():
            side = RelaySide(TlsSocket(listener.accept()[0], path))
            assert len(side.exporter) == 32
            side.admit()  # checks the signatures
            found.append(side)

        thread = threading.Thread(target=serve)
        thread.start()
        with open(path) as pem:
            key = fingerprint_of(ssl.PEM_cert_to_DER_cert(
                pem.read().split("-----BEGIN PRIVATE")[0]))
        tail = alice.tail("--fingerprint", key, wait=False)
        thread.join(20)
        assert found
        tail.expect("connected")
        tail.close()
        found[0].close()


if __name__ == "__main__":
    pvx_tap.main(globals())
