# SPDX-License-Identifier: Apache-2.0
"""The chat over /dev/crypto, which an emulator serves (tests/emulator)."""
import os
import pathlib
import subprocess
import termios

import pvx_tap
from pvx_client import Home, PROGRAM
from pvx_relay import Relay

EMULATOR = os.environ["PVX_EMULATOR"]
OPTION = ("--crypto", "cryptodev:/dev/crypto-test")


def with_device(person):
    """Give the person a node; the trace, and the file that takes it away."""
    trace = pathlib.Path(person.people.path, person.name + ".trace")
    gone = pathlib.Path(person.people.path, person.name + ".gone")
    person.env.update(LD_PRELOAD=EMULATOR, PVX_EMULATOR_TRACE=str(trace),
                      PVX_EMULATOR_GONE=str(gone),
                      PVX_EMULATOR_PATH="/dev/crypto-test",
                      ASAN_OPTIONS="verify_asan_link_order=0")
    return trace, gone


def calls(trace):
    return [line.split()[0] for line in trace.read_text().splitlines()
            if not line.startswith("#")]


def test_sealing_and_opening_take_three_ioctls_and_no_other():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        traces = [with_device(person)[0] for person in (alice, bob)]
        with bob.tail("--count", "2", *OPTION) as heard:
            alice.send("one", "two", options=OPTION)
            assert heard.wait() == 0
            assert heard.bodies() == ["one", "two"]
        for trace in traces:
            made = calls(trace)
            # Two sessions for a message, each opened, used once, closed.
            assert made.count("CIOCCRYPT") >= 4, made
            assert set(made) == {"CIOCGSESSION", "CIOCCRYPT", "CIOCFSESSION"}
            assert made.count("CIOCGSESSION") == made.count("CIOCFSESSION")


def test_both_providers_read_each_other():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with_device(alice)
        with bob.tail() as by_openssl, alice.tail(*OPTION) as by_device:
            alice.send("by the device", options=OPTION)
            by_openssl.expect("message", body="by the device")
            bob.send("by the library")
            by_device.expect("message", body="by the library")


def test_a_node_that_is_not_there_is_an_error():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            done = alice.run("send", *alice.room_options(), *OPTION,
                             input="not to be sent\n")
            assert done.returncode == 1
            assert "/dev/crypto-test" in done.err, done.err
            heard.gather(0.2)
            assert heard.bodies() == []


def test_a_node_that_computes_wrongly_is_not_used():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with_device(alice)
        with bob.tail() as heard:
            for what in ("cipher", "mac"):
                alice.env["PVX_EMULATOR_WRONG"] = what
                done = alice.run("send", *alice.room_options(), *OPTION,
                                 input="not to be sent\n")
                assert done.returncode == 1
                assert "it computes wrong answers" in done.err, done.err
            heard.gather(0.2)
            assert not [e for e in heard.events
                        if e["event"] not in ("connected", "caught-up")]
            del alice.env["PVX_EMULATOR_WRONG"]
            alice.send("the same node, when it is right", options=OPTION)
            heard.expect("message")


def test_send_stops_when_the_node_vanishes():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        _, gone = with_device(alice)
        with bob.tail() as heard:
            sending = subprocess.Popen(
                [PROGRAM, "send", *alice.room_options(), *OPTION],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.env)
            sending.stdin.write(b"before\n")
            sending.stdin.flush()
            heard.expect("message", body="before")
            gone.touch()
            _, err = sending.communicate(b"after\n", timeout=60)
            assert sending.returncode == 1
            assert b"the crypto provider cryptodev:/dev/crypto-test went " \
                b"away" in err, err
            heard.gather(0.3)
            assert heard.bodies() == ["before"]


def test_chat_stops_when_the_node_vanishes():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        _, gone = with_device(alice)
        for act in ("say", "hear"):
            gone.unlink(missing_ok=True)
            with alice.chat(*OPTION) as chat, bob.tail() as heard:
                chat.expect("connected")
                chat.enter("works")
                heard.expect("message", body="works")
                gone.touch()
                if act == "say":
                    chat.enter("no longer")
                else:
                    bob.send("who reads this?")
                chat.expect("the crypto provider .* went away")
                assert chat.wait() == 1
                assert chat.local_modes_at_end & termios.ECHO
                heard.gather(0.2)
                assert "no longer" not in heard.bodies()
                assert b"bob: who reads" not in chat.output


if __name__ == "__main__":
    pvx_tap.main(globals())
