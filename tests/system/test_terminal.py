# SPDX-License-Identifier: Apache-2.0
"""paravox chat on a pseudo-terminal."""
import base64
import os
import re
import signal
import socket
import termios
import threading
import time

import paravox_e2ee as e2ee
import pvx_tap
from pvx_client import Home
from pvx_people import TIMEOUT, tlv_of_room_file
from pvx_proxy import Proxy
from pvx_relay import Relay
from pvx_wire import MESSAGES, frame

LEAVE = 4  # docs/spec/e2ee.md, clause 6.3

# What the client itself writes to move the cursor (xterm).
OWN_SEQUENCES = re.compile(
    rb"\033\[[0-9]*[ABCDGHJKPX@]|\033\[\?(?:2004|7)[hl]|\033\[[0-9;]*m|"
    rb"\033\[4[hl]|\r|\n|\b")


def test_two_people_chat():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        with home.person("alice").chat() as alice:
            alice.expect("connected")
            with home.person("bob").chat() as bob:
                bob.expect("alice is new to you")
                alice.expect("bob is here")
                alice.enter("hello Bob, 日本")
                bob.expect(r"\d\d:\d\d:\d\d alice: hello Bob, 日本\r\n")
                alice.expect(r"\d\d:\d\d:\d\d alice: hello Bob, 日本\r\n")
                bob.enter("hello Alice")
                alice.expect(r" bob: hello Alice\r\n")
                bob.enter("/quit")
                assert bob.wait() == 0
            alice.expect("bob leaves")


def test_what_comes_is_above_the_line_that_is_typed():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        with home.person("alice").chat() as alice:
            alice.expect("connected")
            alice.type("half a li")
            alice.expect("half a li")
            home.person("bob").send("in between")
            alice.expect(r"bob: in between\r\n")
            alice.expect("alice> half a li")
            alice.enter("ne")
            alice.expect(r"alice: half a line\r\n")


def test_a_paste_of_several_lines_is_one_message():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            alice.expect("connected")
            alice.type("look: \033[200~one\rtwo\033[2J\r  three\r\033[201~")
            alice.gather(0.2)
            assert not heard.bodies()
            alice.type("\r")
            text = "look: one\ntwo\ufffd[2J\n  three"
            assert heard.expect("message")["body"] == text
            alice.expect(r"one\r\n         two.*\r\n           three\r\n")


def test_a_paste_that_is_too_long_is_not_cut_but_refused():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            alice.expect("connected")
            # Blanks of no width would make it short enough to be sent.
            alice.type("\033[200~" + 30000 * "\u200b" + "tail\033[201~")
            alice.expect("! not pasted: it is longer than 65536 bytes\r\n")
            alice.enter("still here")
            assert heard.expect("message")["body"] == "still here"


def test_lines_typed_faster_than_the_relay_takes_them_are_all_sent():
    count = 4300  # more than wait for the relay
    with Relay("--rate-messages=0") as relay, Home(relay.addresses[0]) as home:
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            alice.expect("connected")
            heard.expect("new-member")
            os.kill(relay.process.pid, signal.SIGSTOP)
            typing = threading.Thread(target=alice.type_all, args=(
                "".join(f"{i}\r" for i in range(count)),))
            typing.start()
            try:
                alice.expect("alice: 4090\r\n")
                alice.gather(0.2)
            finally:
                os.kill(relay.process.pid, signal.SIGCONT)
            alice.expect(f"alice: {count - 1}\r\n")
            typing.join()
            heard.wait_message(f"{count - 1}")
            assert heard.bodies() == [str(i) for i in range(count)]
            assert b"not sent" not in alice.output


def test_escape_sequences_of_a_member_do_not_reach_the_terminal():
    hostile = (b"A\033]0;title\007B\033[2JC\xc2\x9b31mD\x9bE\033P1$r\033\\F"
               b"\xe2\x80\xaeG\x08\x08H\rI\x0eJ")
    with Relay() as relay, Home(relay.addresses[0]) as home:
        with home.person("alice").chat() as alice:
            alice.expect("connected")
            home.person("mallory").send(hostile, "the end")
            alice.expect("mallory: the end")
            shown = OWN_SEQUENCES.sub(b"", alice.gather(0.2))
            # Positive control: the harmless part of it is there.
            assert b"title" in shown and b"[2JC" in shown, shown
            assert not re.search(rb"[\x00-\x1f\x7f]", shown), shown
            text = shown.decode()  # valid UTF-8
            assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]",
                                 text), text


class Mallory:
    """A member whose client is his own: he seals what he likes."""

    def __init__(self, home, proxy):
        blob = open(home.room).read().strip().split(":", 1)[1]
        blob = base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))
        while blob[0] != 2:  # the secret; docs/spec/e2ee.md, clause 8
            blob = blob[3 + int.from_bytes(blob[1:3], "big"):]
        self.room = e2ee.Room(blob[3:35])
        self.identity = e2ee.Identity(os.urandom(32))
        self.chain = os.urandom(32)
        self.generation = 0
        self.link = bytes(32)
        self.proxy = proxy

    def say(self, nick, text, connection=0):
        envelope = e2ee.seal(
            self.room, self.identity, self.chain, self.generation,
            os.urandom(16), self.link, int(time.time() * 1000), e2ee.TEXT,
            nick, text)
        self.generation += 1
        self.link = e2ee.link_of(envelope)
        body = b"\6" + bytes(8) + envelope
        self.proxy.links[connection].send(
            "down", len(body).to_bytes(4, "big") + body)


def test_a_nick_cannot_act_on_the_terminal_or_pass_for_another():
    with Relay() as relay:
        proxy = Proxy(relay.addresses[0])
        with Home(("127.0.0.1", proxy.port)) as home:
            with home.person("alice").chat() as alice:
                alice.expect("connected")
                mallory = Mallory(home, proxy)
                mallory.say(b"\033[2Jm\xc2\x9b1m\xe2\x80\xaea\n", b"one")
                alice.expect("\ufffd\\[2Jm\ufffd1m\ufffda: one")
                # With Bob's nick, after Bob was seen: loud.
                home.person("bob").send("I am Bob")
                alice.expect("bob: I am Bob")
                for nick in (b"bob", b"Bo\xe2\x80\x8bb"):
                    mallory.say(nick, b"I am Bob too")
                    alice.expect("WARNING: two members are called")
                    alice.expect(r"(\w{4} ){9}\w{4}\r\n.*one known before")
                    alice.expect("I am Bob too")
                shown = OWN_SEQUENCES.sub(b"", alice.gather(0.2)).decode()
                assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]",
                                     shown), shown
        proxy.close()


def test_a_member_cannot_forge_a_line_by_wrapping():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        with home.person("alice").chat(columns=60) as alice:
            alice.expect("connected")
            alice.gather(0.1)
            home.person("mallory").send(
                "x".ljust(60 - len("00:00:00 mallory: ")) +
                "12:00:00 bob: I am mallory")
            alice.expect("I am mallory")
            for line in alice.output.decode().splitlines():
                assert not re.match("12:00:00 bob", line), line
                assert len(line) < 120, line


def test_a_reason_to_leave_forges_no_line_either():
    insider = e2ee.Identity(b"\x66" * 32)
    with Relay() as relay, Home(relay.addresses[0]) as home:
        room = e2ee.Room(tlv_of_room_file(open(home.room).read())[2])
        envelope = e2ee.seal(
            room, insider, b"\x07" * 32, 0, bytes(16), bytes(32),
            int(time.time() * 1000), LEAVE, b"eve",
            b"x".ljust(60 - len("00:00:00 * eve leaves: ")) +
            b"12:00:00 bob: I am eve")

        def add(proxy, link, side, piece):
            return ([piece, frame(MESSAGES["DELIVER"][0],
                                  bytes(8) + envelope)]
                    if piece[4] == MESSAGES["JOINED"][0] else [piece])

        proxy = Proxy(relay.addresses[0], add)
        options = ("--server", proxy.address)
        for run in (home.person("alice").chat(*options, columns=60),
                    home.person("carl").terminal(
                        "tail", *home.person("carl").room_options(False),
                        *options, columns=60)):
            run.expect("I am eve")
            # Broken by us, behind an indent, and not by the terminal.
            assert re.search(rb"\n {9}12:00:00 bob: I am eve", run.output)
            run.close()
        proxy.close()


def test_commands_answer_and_unknown_ones_are_not_sent():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            heard.expect("new-member", nick="alice")
            bob.send("hello")
            alice.expect("bob: hello")
            for typed, answer in (
                    ("/help", r"/verify NICK"),
                    ("/who", r"alice \(you\)"),
                    ("/verify bob", r"safety number  \d{5} \d{5}"),
                    ("/verify bob ok", r"\n  verified"),
                    ("/verify zoe", "nobody called zoe"),
                    ("/nick", "/nick needs a NAME"),
                    ("/nick a:b", "a:b is no nick"),
                    ("/back x", "to 1000, and not x"),
                    ("/dance on", r"no command /dance, and nothing"),
                    ("/nick al", r"al> ")):
                alice.enter(typed)
                alice.expect(answer)
            alice.enter("//etc")
            heard.expect("message", body="/etc")
            assert [e["nick"] for e in heard.events
                    if e["event"] == "message"] == ["bob", "al"]
            assert any(e["event"] == "nick-changed" and e["nick"] == "al"
                       and e["other_nick"] == "alice" for e in heard.events)


def leaves_well(alice):
    assert alice.wait() == 0, alice.output
    assert alice.output.endswith(b"\033[?2004l"), alice.output[-80:]


def test_ctrl_c_and_ctrl_d_leave_and_restore_the_terminal():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        for key in ("\x03", "\x04"):
            with home.person("alice").chat() as alice:
                before = termios.ECHO | termios.ICANON
                assert alice.local_modes() & before == before
                alice.expect("connected")
                alice.gather(0.1)
                assert alice.local_modes() & before == 0
                alice.type(key)
                end = time.monotonic() + TIMEOUT
                while alice.local_modes() & before != before:
                    assert time.monotonic() < end
                    alice.gather(0.05)
                leaves_well(alice)


def test_lines_typed_offline_go_out_once():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with Relay(listen=f"127.0.0.1:{port}") as relay, \
            Home(("127.0.0.1", port)) as home:
        relay.stop = lambda: None  # it is not to end well
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            # She waits for Bob when she is back, so she must know of him.
            alice.expect(r"1 other is here|device \w+ came")
            # And he, from where on he is to hear her.
            heard.expect("caught-up")
            relay.signal(signal.SIGKILL)
            relay.wait()
            alice.expect("not connected")
            alice.expect(r"\(offline\) alice> ")
            alice.enter("typed offline")
            alice.expect("alice: typed offline")
            time.sleep(0.1)
            with Relay(listen=f"127.0.0.1:{port}"):
                heard.expect("message", body="typed offline")
                alice.expect("connected")
                alice.enter("back again")
                heard.expect("message", body="back again")
                heard.gather(0.2)
                assert heard.bodies() == ["typed offline", "back again"]


def test_a_resize_keeps_the_line():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        with home.person("alice").chat(columns=80) as alice:
            alice.expect("connected")
            alice.type("0123456789" * 6)
            alice.expect("0123456789" * 6)
            alice.resize(40)
            alice.expect("alice> 0123456789")
            alice.enter("!")
            alice.gather(0.3)
            alice.enter("/who")
            alice.expect("alice \\(you\\)")


def test_keys_edit_the_line():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        bob = home.person("bob")
        with home.person("alice").chat() as alice, bob.tail() as heard:
            alice.expect("connected")
            alice.type("wörld\x01hello \x05!")
            alice.type("\033[D\033[D\x7fl")  # left, left, rub out, again
            alice.type("\r")
            assert heard.expect("message")["body"] == "hello wörld!"
            alice.type("\033[A\r")  # the line before
            assert heard.expect("message")["body"] == "hello wörld!"


def test_a_typed_passphrase_is_not_shown_and_must_come_twice():
    with Home(("127.0.0.1", 1)) as home:
        alice = home.person("alice")
        room = home.path + "/own"
        for again, status in (("correct horse batteri", 1),
                              ("correct horse battery", 0)):
            with alice.terminal("room", "passphrase", "--own", "--server",
                                "plain:127.0.0.1:1", room) as terminal:
                terminal.expect("Passphrase of the room: ")
                terminal.enter("correct horse battery")
                terminal.expect("The same again: ")
                terminal.enter(again)
                assert terminal.wait() == status, terminal.output
                assert b"horse" not in terminal.output
                assert terminal.local_modes_at_end & termios.ECHO
            assert (status == 1) == (b"differ" in terminal.output)


def test_ctrl_c_at_a_question_restores_the_terminal():
    with Home(("127.0.0.1", 1)) as home:
        with home.person("bob").terminal(
                "room", "join", home.path + "/joined") as terminal:
            terminal.expect("Invite link")
            terminal.type("paravox1:half")
            assert not terminal.local_modes() & termios.ECHO
            terminal.type("\x03")
            assert terminal.wait() == 1
            assert terminal.local_modes_at_end & termios.ECHO
            assert b"half" not in terminal.output


def test_a_member_is_marked_as_verified_on_a_yes():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        with alice.tail("--count", "1") as heard:
            bob.send("hello")
            heard.wait()
        for answer, verified in (("n", "no"), ("y", "no"), (None, "yes")):
            with alice.terminal("id", "verify", "--room", home.room,
                                "bob") as terminal:
                terminal.expect("verified       " + verified)
                if answer:
                    terminal.expect(r"\[y/N\]")
                    terminal.enter(answer)
                assert terminal.wait() == 0
        with alice.tail() as heard:
            bob.send("again")
            assert heard.expect("message")["verified"] is True


if __name__ == "__main__":
    pvx_tap.main(globals())
