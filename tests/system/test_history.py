# SPDX-License-Identifier: Apache-2.0
"""People who were away get what was said, once; and look back further."""
import os
import signal
import tempfile
import threading

import pvx_tap
from pvx_client import Home, server_text
from pvx_patience import PATIENCE_S
from pvx_proxy import Proxy
from pvx_relay import Relay

DELIVER, HISTORY = 6, 14


def visit(person, *options, **fields):
    """Come, catch up, and leave: the reader with its events."""
    with person.tail(*options) as heard:
        heard.expect("caught-up", **fields)
        return heard


def test_who_was_away_gets_each_line_once_and_in_order():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            alice.send("heard live")
            heard.expect("message", body="heard live")
        alice.send("one", "two")
        alice.send("three")
        heard = visit(bob, messages=3)
        assert heard.bodies() == ["one", "two", "three"]
        assert [e["sequence"] for e in heard.of("message")] == [2, 3, 4]
        assert all(e["past"] for e in heard.of("message"))
        assert not heard.of("gap", "replayed", "refused", "chain-break")
        with bob.tail() as heard:
            alice.send("live again")
            heard.expect("message", body="live again", past=False)
            assert heard.bodies() == ["live again"]


def test_who_comes_first_hears_from_then_on_and_the_rest_when_asked():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        carol = home.person("carol")
        alice.send("before", "they came")
        with bob.tail() as heard:
            alice.send("now")
            heard.expect("message", body="now")
            assert heard.bodies() == ["now"]
        heard = visit(carol, "--since", "0", messages=3)
        assert heard.bodies() == ["before", "they came", "now"]


def test_what_was_had_is_shown_again_since_a_number_or_a_time():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            alice.send(*"abcd")
            heard.expect("message", body="d")
        alice.send("e")
        for since, wanted in (("2", "cde"), ("0", "abcd" + "e"),
                              ("1h", "abcde"), ("2000-01-01", "abcde")):
            heard = visit(bob, "--since", since)
            assert heard.bodies() == list(wanted), (since, heard.bodies())
            assert not heard.of("replayed", "refused", "late", "gap")
        assert visit(bob, "--since", "5").bodies() == []
        done = bob.run("tail", *bob.room_options(False), "--since", "soon")
        assert done.returncode == 2 and "--since" in done.err


def test_own_lines_are_no_news_and_sending_reads_nothing():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        visit_first = bob.tail()
        visit_first.expect("caught-up")
        visit_first.stop()
        alice.send("for bob")
        bob.send("by bob")  # would it take alice's line away?
        heard = visit(bob, messages=1)
        assert heard.bodies() == ["for bob"]
        assert not heard.of("replayed")


def test_own_lines_are_shown_when_the_past_is_asked_for():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        bob.send("by bob", "who never read")
        alice.send("by alice")
        heard = visit(bob, "--since", "0", messages=3)
        assert heard.bodies() == ["by bob", "who never read", "by alice"]
        assert not heard.of("replayed")
        assert visit(bob).bodies() == []


def test_a_history_that_is_gone_is_told():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(
            ) as other, Home("plain:127.0.0.1:1") as home:
        alice, bob = home.person("alice"), home.person("bob")
        with Relay(state=folder) as relay:
            where = "--server", server_text(relay.addresses[0])
            with bob.tail(*where) as heard:
                alice.send("old", options=where)
                heard.expect("message", body="old")
        with Relay(state=other) as relay:  # nothing is kept there
            where = "--server", server_text(relay.addresses[0])
            alice.send("new", options=where)
            heard = visit(bob, *where, messages=1)
            assert heard.bodies() == ["new"]
            assert heard.of("history-lost")


def test_what_was_not_kept_long_enough_is_told():
    with Relay("--history-room-messages=5") as relay, Home(
            relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        visit(bob)
        for i in range(4):
            alice.send(*(f"{i}/{j}" for j in range(5)))
        heard = visit(bob, messages=5)
        assert heard.of("expired")[0]["missing"] == 15
        assert heard.bodies() == [f"3/{j}" for j in range(5)]


def test_older_lines_come_when_the_user_looks_back():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        alice.send(*(f"line {i}" for i in range(20)))
        with bob.chat() as chat:
            chat.expect("connected")
            chat.enter("/back 5")
            for i in range(15, 20):
                chat.expect(f"alice: line {i}\\b")
            chat.expect("5 older messages")
            chat.enter("/back 100")
            for i in range(0, 15):
                chat.expect(f"alice: line {i}\\b")
            chat.expect("15 older messages")
            chat.enter("/back 1")
            chat.expect("nothing older")
            chat.enter("/back x")
            chat.expect("takes a number")
            # What was looked at is not taken for heard, and new lines come.
            alice.send("new")
            chat.expect("alice: new")
            assert b"came again" not in chat.output


def test_looking_back_at_once_waits_for_the_relay():
    gate = threading.Event()
    gate.set()

    def hook(proxy, link, side, frame):
        if side == "down" and frame[4] == HISTORY:
            gate.wait(PATIENCE_S)
        return [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            home.person("alice").send("said before")
            gate.clear()
            with home.person("bob").chat() as chat:
                chat.expect("connected")
                chat.enter("/back 5")
                chat.enter("/back 5")
                chat.expect("still coming")
                gate.set()
                chat.expect("alice: said before")
        proxy.close()


def test_without_a_history_looking_back_says_so():
    with Relay(state=False) as relay, Home(relay.addresses[0]) as home:
        with home.person("bob").chat() as chat:
            chat.expect("connected")
            chat.enter("/back 5")
            # Said at once, or when the relay has said that it keeps none.
            chat.expect("cannot be asked|nothing older")


def test_a_relay_that_gives_the_past_twice_shows_it_once():
    def hook(proxy, link, side, frame):
        return [frame, frame] if side == "down" and frame[4] == DELIVER \
            else [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            alice, bob = home.person("alice"), home.person("bob")
            visit(bob)
            alice.send(*"abc")
            assert visit(bob, messages=3).bodies() == list("abc")
            # Also what it is asked to show again.
            assert visit(bob, "--since", "0").bodies() == list("abc")
        proxy.close()


def test_a_relay_that_leaves_lines_out_of_the_past_is_noticed():
    count = [0]

    def hook(proxy, link, side, frame):
        if side == "down" and frame[4] == DELIVER:
            count[0] += 1
            if count[0] == 2:
                return []
        return [frame]

    with Relay() as relay:
        proxy = Proxy(relay.addresses[0], hook)
        with Home(("127.0.0.1", proxy.port)) as home:
            alice, bob = home.person("alice"), home.person("bob")
            visit(bob)
            alice.send(*"abc")
            heard = visit(bob)
            assert heard.bodies() == ["a", "c"]
            assert heard.of("gap")[0]["missing"] == 1
        proxy.close()


def test_a_relay_that_comes_back_gives_what_it_acknowledged():
    with tempfile.TemporaryDirectory() as folder, Home("plain:127.0.0.1:1") as home:
        alice, bob = home.person("alice"), home.person("bob")
        with Relay(state=folder) as first:
            host, port = first.addresses[0]
            where = "--server", f"plain:{host}:{port}"
            heard = bob.tail(*where)
            heard.expect("caught-up")
            heard.process.send_signal(signal.SIGSTOP)
            alice.send("acknowledged", options=where)
            first.signal(signal.SIGKILL)
            first.wait()
            first.stop = lambda: None
        heard.process.send_signal(signal.SIGCONT)
        with Relay(state=folder, listen=f"{host}:{port}"):
            heard.wait_message("acknowledged")
            alice.send("and on", options=where)
            heard.wait_message("and on")
            assert heard.bodies() == ["acknowledged", "and on"]
            heard.close()


if __name__ == "__main__":
    pvx_tap.main(globals())
