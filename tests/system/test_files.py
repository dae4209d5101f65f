# SPDX-License-Identifier: Apache-2.0
"""Rooms, links, identities: what is kept in files, and what is refused."""
import os
import re
import stat
import subprocess

import pvx_tap
from pvx_client import Home, PROGRAM
from pvx_relay import Relay

NOWHERE = ("127.0.0.1", 1)
# In the clear: nobody is asked for a key.
PASSPHRASE = ("room", "passphrase", "--server", "plain:127.0.0.1:1")


def test_room_and_identity_files_are_private():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        first = alice.run("id")
        assert first.returncode == 0, first.err
        assert re.fullmatch(r"([0-9a-f]{4} ){9}[0-9a-f]{4}\n", first.out)
        assert alice.run("id").out == first.out
        assert home.person("bob").run("id").out != first.out
        identity = alice.env["XDG_CONFIG_HOME"] + "/paravox/identity"
        for path in (home.room, identity):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_room_file_open_to_others_is_refused():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        assert alice.run("room", "link", home.room).returncode == 0
        os.chmod(home.room, 0o640)
        for command in (["room", "link", home.room],
                        ["send", *alice.room_options()],
                        ["tail", *alice.room_options(False)]):
            done = alice.run(*command)
            assert done.returncode == 1
            assert "chmod 600" in done.err, done.err


def test_a_folder_that_others_can_write_to_is_refused():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        assert alice.run("id").returncode == 0
        for folder in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            folder = alice.env[folder] + "/paravox"
            for mode in (0o720, 0o702):
                os.chmod(folder, mode)
                done = alice.run("send", *alice.room_options())
                assert done.returncode == 1
                assert "chmod go-w" in done.err, done.err
            os.chmod(folder, 0o755)  # to read it is no harm
        done = alice.run("send", *alice.room_options())
        assert "chmod" not in done.err, done.err


def test_a_state_that_was_lost_is_told():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        assert alice.run("id").returncode == 0
        done = alice.run("send", *alice.room_options())
        assert "nothing is remembered" not in done.err, done.err
        state = alice.env["XDG_STATE_HOME"] + "/paravox/state.sqlite"
        for end in ("", "-wal", "-shm"):
            os.unlink(state + end)
        done = alice.run("send", *alice.room_options())
        assert "nothing is remembered" in done.err, done.err
        with open(state, "r+b") as damaged:
            damaged.truncate(3000)
        for end in ("-wal", "-shm"):
            os.unlink(state + end)
        done = alice.run("send", *alice.room_options())
        assert done.returncode == 1
        assert "the state is damaged" in done.err, done.err


def test_an_invite_link_makes_the_same_room():
    with Home(NOWHERE) as home:
        alice, bob = home.person("alice"), home.person("bob")
        link = alice.run("room", "link", home.room).out
        assert link.startswith("paravox1:")
        other = home.path + "/joined"
        done = bob.run("room", "join", other, input=link)
        assert done.returncode == 0, done.err
        with open(home.room) as one, open(other) as two:
            assert one.read() == two.read()
        done = bob.run("room", "join", other, input=link)
        assert done.returncode == 1 and "already" in done.err, done.err


def test_a_link_in_argv_is_refused_with_the_reason():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        link = alice.run("room", "link", home.room).out.strip()
        for arguments in (["room", "join", home.path + "/x", link],
                          ["room", "join", link],
                          ["chat", "--room", link, "--nick", "a"],
                          ["chat", "--room=" + link, "--nick", "a"]):
            done = alice.run(*arguments, input=link)
            assert done.returncode == 2, arguments
            assert "every process of this machine" in done.err, done.err
            assert link not in done.err + done.out
        assert not os.path.exists(home.path + "/x")


def test_a_damaged_link_makes_no_room():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        link = alice.run("room", "link", home.room).out.strip()
        for bad in (link[:-1], link[:20] + "A" + link[21:] + "A", "x", ""):
            done = alice.run("room", "join", home.path + "/bad", input=bad)
            assert done.returncode == 1 and done.err, bad
        assert not os.path.exists(home.path + "/bad")


def test_a_generated_passphrase_opens_the_room():
    with Home(NOWHERE) as home:
        alice, bob = home.person("alice"), home.person("bob")
        room = home.path + "/phrase"
        done = alice.run(*PASSPHRASE, room)
        assert done.returncode == 0, done.err
        phrase = done.out.strip()
        # 20 characters of 32: 100 bits.
        assert re.fullmatch(r"([a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}",
                            phrase), phrase
        assert phrase not in open(room).read()
        link = alice.run("room", "link", room).out
        joined = home.path + "/phrase2"
        done = bob.run("room", "join", joined, input=link + phrase + "\n")
        assert done.returncode == 0, done.err
        assert open(joined).read() == open(room).read()
        # Not only the link opens it.
        other = home.path + "/phrase3"
        done = bob.run("room", "join", other, input=link + phrase[:-1] + "\n")
        assert done.returncode == 0, done.err
        assert open(other).read() != open(room).read()


def test_an_own_passphrase_is_read_from_stdin_and_not_too_short():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        room = home.path + "/own"
        done = alice.run(*PASSPHRASE, "--own", room, input="short\n")
        assert done.returncode == 1 and "guessed" in done.err, done.err
        done = alice.run(*PASSPHRASE, "--own", room,
                         input="correct horse battery\n")
        assert done.returncode == 0, done.err
        assert done.out == ""


def test_both_of_a_pair_see_one_safety_number():
    with Relay() as relay, Home(relay.addresses[0]) as home:
        alice, bob = home.person("alice"), home.person("bob")
        eve = home.person("eve")
        with alice.tail("--count", "3") as one, bob.tail() as two:
            bob.send("from bob")
            one.expect("message")
            alice.send("from alice")
            two.expect("message", body="from alice")
            eve.send("from eve")
            one.wait()
        numbers = []
        for person, nick in ((alice, "bob"), (bob, "alice"), (alice, "eve")):
            done = person.run("id", "verify", "--room", home.room, nick)
            assert done.returncode == 0, done.err
            numbers.append("".join(re.findall(r"\b\d{5}\b", done.out)))
        assert len(numbers[0]) == 60
        assert numbers[0] == numbers[1] != numbers[2]
        done = alice.run("id", "verify", "--room", home.room, "nobody")
        assert done.returncode == 1 and "nobody" in done.err


def test_clear_errors_for_what_nobody_can_run():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        for arguments, words in (
                (["chat"], "--room FILE is missing"),
                (["send", "--room", home.room], "--nick NAME is missing"),
                (["send", "--room", home.room, "--nick", "a\033[2J"],
                 "--nick"),
                (["tail", "--room", home.room, "--count", "0"], "--count 0:"),
                (["tail", "--room", home.room, "--since", "soon"],
                 "--since soon:"),
                (["tail", "--room", home.room, "--server", "here"],
                 "--server here:"),
                (["tail", "--room", home.room, "--fingerprint", "x:y"],
                 "--fingerprint x:y:"),
                (["room", "new", "--server", "here", "x.room"],
                 "--server here:"),
                (["tail", "--room", "no.room"], "paravox room new makes one"),
                (["room", "link", "a.room", "b.room"],
                 '"b.room" is too many: this command takes FILE'),
                (["tail", "--room", home.room, "--nick", "x"],
                 "--nick is not an option here"),
                (["send", "--room", home.room, "--nick", "a", "--crypto",
                  "rot13"], "rot13"),
                (["dance"], "no command"),
                (["room"], "room join")):
            done = alice.run(*arguments)
            assert done.returncode in (1, 2), arguments
            assert words in done.err, done.err
            assert "\033" not in done.err


def test_a_room_file_is_made_in_a_folder_and_never_replaced():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        for name, words in ((home.room, "already, and was left alone"),
                            (home.room + "/x", "Not a directory"),
                            (str(alice.folder / "none/x"), "is not there")):
            before = open(home.room).read()
            done = alice.run("room", "new", "--server", PASSPHRASE[-1], name)
            assert done.returncode == 1 and name in done.err, done.err
            assert words in done.err, done.err
            assert open(home.room).read() == before


def test_without_a_home_it_says_so():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        nothing = {"XDG_STATE_HOME": "", "XDG_CONFIG_HOME": ""}
        done = alice.run("id", env={"HOME": "", **nothing})
        assert done.returncode == 1
        assert "HOME is not set" in done.err, done.err
        done = alice.run("id", env={"HOME": "/proc", **nothing})
        assert "/proc/.local/state/paravox" in done.err, done.err


def test_without_locked_memory_it_says_how_to_get_some():
    with open(PROGRAM, "rb") as program:
        if b"__asan_init" in program.read():
            raise pvx_tap.Skip("AddressSanitizer makes mlock(2) do nothing")
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        alice.command = ("prlimit", "--memlock=0:0")
        if os.geteuid() == 0:  # who may lock without a limit
            alice.command += ("setpriv", "--bounding-set=-ipc_lock",
                              "--inh-caps=-ipc_lock")
        done = alice.run("id")
        assert done.returncode == 1 and "ulimit -l" in done.err, done.err
        assert not done.out


def test_a_full_standard_output_is_a_failure():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        alice.must("id")
        for arguments in (["id"], ["--help"], ["--version"],
                          ["room", "link", home.room]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, *arguments], stdout=full,
                                      stderr=subprocess.PIPE, env=alice.env)
            assert done.returncode == 1, arguments
            assert b"No space left" in done.stderr, done.stderr


def test_help_lists_every_command():
    with Home(NOWHERE) as home:
        alice = home.person("alice")
        text = alice.run("--help").out
        for name in ("room new", "room passphrase", "room link", "room join",
                     "id", "id verify", "chat", "send", "tail"):
            assert f"\n  {name} " in text, name
            own = alice.run(*name.split(), "--help")
            assert own.returncode == 0
            assert own.out.startswith(f"usage: paravox {name}")
        group = alice.run("room", "--help")
        assert group.returncode == 0 and not group.err
        assert group.out.count("\n  paravox room ") == 4


if __name__ == "__main__":
    pvx_tap.main(globals())
