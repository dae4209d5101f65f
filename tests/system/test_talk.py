# SPDX-License-Identifier: Apache-2.0
"""People send, read, lose the relay and find it again."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pvx_tap
from pvx_client import Home, PROGRAM
from pvx_proxy import Proxy
from pvx_relay import Relay
from pvx_wire import JOINED, RelaySide


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def test_two_people_talk_both_ways():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with alice.tail() as to_alice, bob.tail() as to_bob:
            alice.send("hello bob", "Grüße, 日本")
            bob.send("hello alice")
            said = to_bob.expect("message", nick="alice", body="hello bob")
            again = to_bob.expect("message", body="Grüße, 日本")
            to_alice.expect("message", nick="bob", body="hello alice")
            fingerprint = alice.run("id").out.strip()
            assert said["fingerprint"] == fingerprint
            assert said["chain"] == again["chain"]
            assert (said["generation"], again["generation"]) == (0, 1)


def test_own_other_process_reads_along():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice = home.person("alice")
        with alice.tail() as heard:
            alice.send("to myself")
            assert heard.expect("message", body="to myself")["own"] is True


def test_one_identity_talks_from_two_machines_at_once():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, twin = home.person("alice"), home.person("twin")
        alice.must("id")
        shutil.copytree(alice.env["XDG_CONFIG_HOME"],
                        twin.env["XDG_CONFIG_HOME"])
        twin.name = "alice"
        with home.person("bob").tail() as heard, twin.tail() as own:
            for i in range(4):
                (twin if i % 2 else alice).send(f"{i}")
            for reader in heard, own:
                reader.wait_message("3")
                assert reader.bodies() == list("0123")
                assert not reader.of("gap", "late", "fork", "chain-break",
                                     "replayed", "refused", "nick-taken",
                                     "identity-changed"), reader.events
            assert len(heard.of("new-member")) == 1
            assert all(e["own"] for e in own.of("message"))


def test_tail_ends_after_count():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail("--count", "2") as heard:
            alice.send("one", "two", "three")
            assert heard.wait() == 0
            assert heard.bodies() == ["one", "two"]


def test_tail_prints_lines_for_people():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        tail = subprocess.Popen(
            [PROGRAM, "tail", *bob.room_options(False), "--count", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bob.env)
        tail.stderr.readline()  # the new identity
        tail.stderr.readline()  # connected
        alice.send("hello")
        out, _ = tail.communicate(timeout=60)
        assert out.endswith(b" alice: hello\n"), out


def test_a_last_line_without_newline_is_sent_and_empty_ones_are_not():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail("--count", "2") as heard:
            done = alice.run("send", *alice.room_options(), input="a\n\nb")
            assert done.returncode == 0, done.err
            heard.wait()
            assert heard.bodies() == ["a", "b"]


def test_longest_line_is_sent_and_a_longer_one_refused():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail("--count", "1") as heard:
            done = alice.run("send", *alice.room_options(),
                             input="x" * 49152 + "\n" + "y" * 49153 + "\nz\n")
            assert done.returncode == 1
            assert "line 2 was not sent" in done.err, done.err
            heard.wait()
            assert heard.bodies() == ["x" * 49152]


def test_many_lines_at_once_are_all_sent():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        lines = [str(number) for number in range(6000)]
        with bob.tail("--count", "6000") as heard:
            sending = threading.Thread(target=alice.send, args=lines)
            sending.start()
            assert heard.wait() == 0
            sending.join()
            assert heard.bodies() == lines


def test_tail_ends_when_told_to_although_nobody_reads_it():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            for _ in range(4):  # more than a pipe holds
                alice.send("x" * 40000)
            time.sleep(0.3)
            heard.process.terminate()
            assert heard.process.wait(20) == 0


def test_send_without_a_relay_fails_at_once():
    with Home(("127.0.0.1", free_port())) as home:
        begin = time.monotonic()
        alice = home.person("alice")
        done = alice.run("send", *alice.room_options(), input="lost\n")
        assert done.returncode == 1
        assert "refused" in done.err, done.err
        assert time.monotonic() - begin < 20


def test_send_fails_when_the_relay_dies():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice = home.person("alice")
        sending = subprocess.Popen(
            [PROGRAM, "send", *alice.room_options(), "--wait", "1", "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=alice.env)
        sending.stdin.write(b"arrives\n")
        sending.stdin.flush()
        line = b"{}"
        while b'"acked"' not in line:
            assert line, "no acknowledgement"
            line = sending.stdout.readline()
        relay.signal(signal.SIGKILL)
        relay.wait()
        sending.stdin.write(b"does not\n")
        _, err = sending.communicate(timeout=60)
        assert sending.returncode == 1
        assert b"not acknowledged: 1 of the 2 messages" in err, err
        relay.stop = lambda: None  # it was not to end well


def test_a_lost_relay_is_found_again_and_lines_come_once():
    port = free_port()
    where = f"127.0.0.1:{port}"
    with Relay(listen=where) as first, Home(("127.0.0.1", port)) as home:
        first.stop = lambda: None  # it is not to end well
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            sending = subprocess.Popen(
                [PROGRAM, "send", *alice.room_options()],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.env)
            sending.stdin.write(b"before\n")
            sending.stdin.flush()
            heard.expect("message", body="before")
            first.signal(signal.SIGKILL)
            first.wait()
            heard.expect("disconnected")
            sending.stdin.write(b"while it was away\n")
            sending.stdin.flush()
            time.sleep(0.2)
            with Relay(listen=where):
                heard.expect("message", body="while it was away")
                _, err = sending.communicate(b"after\n", timeout=60)
                assert sending.returncode == 0, err
                heard.expect("message", body="after")
                heard.gather(0.2)
                assert heard.bodies() == ["before", "while it was away",
                                          "after"]
                names = {e["event"] for e in heard.events}
                assert not names & {"gap", "refused", "replayed"}, names


def send_again(keeps_history, check):
    sends = []

    def hook(proxy, link, side, frame):
        if side == "up" and frame[4] == 5:  # SEND
            sends.append(frame)
        if side == "down" and frame[4] == 7 and link.number == 1:  # ACK
            link.close()  # after the relay has handed the message on
            return []
        return [frame]

    with Relay(state=keeps_history) as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            alice, bob = home.person("alice"), home.person("bob")
            with bob.tail() as heard:
                alice.send("once")
                heard.expect("message", body="once")
                check(alice, heard)
                assert heard.bodies() == ["once"]
                assert sends[0] == sends[1]
        proxy.close()


def test_an_unacknowledged_line_is_sent_again_with_the_same_bytes():
    send_again(False, lambda alice, heard: heard.expect("replayed", count=1))


def test_a_line_sent_again_is_kept_and_handed_on_once():
    def check(alice, heard):
        heard.expect("gone")
        assert not heard.of("replayed"), heard.events

    send_again(True, check)


def test_a_wrong_room_is_refused_for_good():
    def hook(proxy, link, side, frame):
        if side == "up" and frame[4] == 3:  # JOIN with a spoiled signature
            frame = frame[:-18] + bytes([frame[-18] ^ 1]) + frame[-17:]
        return [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            bob = home.person("bob")
            done = bob.run("tail", *bob.room_options(False))
            assert done.returncode == 1
            assert "not admitted" in done.err, done.err
        proxy.close()


def test_what_is_no_relay_is_told_apart():
    listener = socket.create_server(("127.0.0.1", 0))
    with Home(listener.getsockname()) as home:
        alice = home.person("alice")
        sending = subprocess.Popen(
            [PROGRAM, "send", *alice.room_options()],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.env)
        sending.stdin.write(b"hello?\n")
        sending.stdin.flush()
        connection, _ = listener.accept()
        connection.sendall(b"220 mail.example ESMTP\r\n")
        _, err = sending.communicate(timeout=60)
        connection.close()
        assert sending.returncode == 1
        assert b"no relay of Paravox" in err, err
    listener.close()


def test_ipv6_and_local_sockets_work():
    with Home("unix:/nowhere") as home:
        path = home.path + "/relay.sock"
        with Relay("--listen=unix:" + path, listen=None):
            alice, bob = home.person("alice"), home.person("bob")
            server = ("--server", "unix:" + path)
            with bob.tail(*server) as heard:
                alice.send("local", options=server)
                heard.expect("message", body="local")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # no IPv6 here; the rest has been shown
    with Relay(listen="[::1]:0") as relay, Home(relay.addresses[0]) as home:
        home.person("alice").send("over IPv6")


def test_every_address_of_a_name_is_tried():
    with Relay() as relay:  # on 127.0.0.1; "localhost" may be ::1 first
        with Home(("localhost", relay.addresses[0][1])) as home:
            home.person("alice").send("found")


def test_a_relay_that_went_silent_is_left():
    listener = socket.create_server(("127.0.0.1", 0))
    with Home(listener.getsockname()) as home:
        bob = home.person("bob")
        heard = bob.tail(wait=False)
        first = RelaySide(listener.accept()[0])
        first.admit(ping_interval_ms=1000)
        heard.expect("connected")
        first.expect("PING", skip=())  # the client asks before it leaves
        heard.expect("disconnected")
        second = RelaySide(listener.accept()[0])
        second.admit()
        heard.expect("connected")
        heard.close()
        first.close()
        second.close()
        heard.errors = open(os.devnull, "rb")
    listener.close()


def test_after_a_reconnect_lines_wait_for_who_was_there():
    listener = socket.create_server(("127.0.0.1", 0))
    friend = bytes(range(32))
    with Home(listener.getsockname()) as home:
        alice = home.person("alice")
        sending = subprocess.Popen(
            [PROGRAM, "send", *alice.room_options()],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.env)
        first = RelaySide(listener.accept()[0])
        first.admit([friend])
        sending.stdin.write(b"one\n")
        sending.stdin.flush()
        lost = first.expect("SEND")
        first.close()
        second = RelaySide(listener.accept()[0])
        second.admit()  # the friend is not back yet
        sending.stdin.write(b"two\n")
        sending.stdin.flush()
        second.expect_nothing(0.5)
        second.send("PRESENCE", what=JOINED, device_key=friend)
        assert second.expect("SEND").envelope == lost.envelope
        second.expect("SEND")
        second.send("ACK", up_to=2)
        _, err = sending.communicate(timeout=60)
        assert sending.returncode == 0, err
        second.close()
    listener.close()


def test_an_impossible_acknowledgement_ends_the_connection():
    listener = socket.create_server(("127.0.0.1", 0))
    with Home(listener.getsockname()) as home:
        heard = home.person("bob").tail(wait=False)
        relay = RelaySide(listener.accept()[0])
        relay.admit()
        relay.send("ACK", up_to=1)
        event = heard.expect("disconnected")
        assert "never sent" in event["reason"], event
        relay.close()
    listener.close()


def test_a_relay_that_names_a_crowd_of_ghosts_is_left():
    listener = socket.create_server(("127.0.0.1", 0))
    with Home(listener.getsockname()) as home:
        heard = home.person("bob").tail(wait=False)
        relay = RelaySide(listener.accept()[0])
        members = [number.to_bytes(32, "big") for number in range(65536)]
        try:
            relay.admit(members)
        except OSError:
            pass  # it did not wait for the end
        event = heard.expect("stopped")
        assert "too many" in event["reason"], event
        relay.close()
    listener.close()


def test_a_replay_after_a_restart_is_refused():
    captured = []

    def hook(proxy, link, side, frame):
        if side == "down" and frame[4] == 6:  # DELIVER
            captured.append(frame)
        return [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            alice, bob = home.person("alice"), home.person("bob")
            with bob.tail("--count", "1") as heard:
                alice.send("only once")
                assert heard.wait() == 0
            with bob.tail() as heard:  # a new process
                proxy.links[-1].send("down", captured[0])
                heard.expect("replayed", nick="alice")
                assert heard.bodies() == []
                # Positive control: what is new comes through.
                alice.send("new")
                heard.expect("message", body="new")
        proxy.close()


def test_our_own_message_back_after_a_restart_is_refused():
    captured = []

    def hook(proxy, link, side, frame):
        if side == "up" and frame[4] == 5:
            captured.append(frame[5:])
        return [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            alice = home.person("alice")
            alice.send("mine")
            with alice.tail() as heard:
                body = b"\6" + bytes(8) + captured[0]
                proxy.links[-1].send(
                    "down", len(body).to_bytes(4, "big") + body)
                heard.expect("replayed")
                assert heard.bodies() == []
        proxy.close()


def test_chat_from_a_pipe_loses_no_line():
    lines = [f"line {i}" for i in range(5000)]  # more than an outbox holds
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard, tempfile.TemporaryFile() as typed:
            typed.write("\n".join(lines).encode())
            typed.seek(0)
            talking = subprocess.Popen(
                [PROGRAM, "chat", *alice.room_options()], stdin=typed,
                stdout=subprocess.DEVNULL, env=alice.env)
            while talking.poll() is None:
                heard.gather(0.1)
            assert talking.returncode == 0
            heard.expect("leaves")
            assert heard.bodies() == lines


def test_chat_from_a_pipe_fails_when_a_line_cannot_be_sent():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice = home.person("alice")
        for bad in (b"x" * 49153, b"a\0b"):
            done = alice.run("chat", *alice.room_options(),
                             input=b"one\n" + bad + b"\ntwo\n")
            assert done.returncode == 1, done.out


if __name__ == "__main__":
    pvx_tap.main(globals())
