# SPDX-License-Identifier: Apache-2.0
"""pvx_people - real clients for a test: each person has a home of his own.

    with People() as people:
        alice = people.new("alice")
        alice.make_room(relay.address)
        bob = people.new("bob").join(alice)
        tail = bob.tail()
        alice.send("hello")
        tail.wait_message("hello")

The program is $PARAVOX; every wait is bounded.
"""
import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

from pvx_patience import PATIENCE_S

PROGRAM = os.environ.get("PARAVOX", "build/src/client/paravox")
TIMEOUT = PATIENCE_S


def tlv_of_room_file(text):
    """{type: value} of a room file (docs/spec/e2ee.md, clause 8)."""
    blob = text.strip().split(":", 1)[1]
    blob = base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))[:-8]
    fields = {}
    while blob:
        size = int.from_bytes(blob[1:3], "big")
        fields[blob[0]] = blob[3:3 + size]
        blob = blob[3 + size:]
    return fields


def is_sane(text):
    """Whether no sanitizer complains in what a program wrote."""
    return not re.search(r"runtime error|[A-Z]\w+Sanitizer", text)


class Reader:
    """A client that prints JSON; its events are collected as they come."""

    def __init__(self, person, arguments, stdin=subprocess.DEVNULL, env=None):
        self.events = []  # all of them
        self.read_up_to = 0  # what expect() has gone past
        self.changed = threading.Condition()
        self.errors = tempfile.TemporaryFile()
        self.is_finished = False
        self.process = subprocess.Popen(
            [*person.command, PROGRAM, *arguments], stdin=stdin,
            stdout=subprocess.PIPE, stderr=self.errors,
            env={**person.env, **(env or {})})
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        person.people.running.append(self)

    def _read(self):
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # killed in the middle of it
            event = json.loads(line)
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.is_finished = True
            self.changed.notify_all()

    def wait_until(self, predicate, timeout=TIMEOUT, what="the event"):
        """Wait until predicate(events) is true, and return that."""
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                found = predicate(self.events)
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0 or self.is_finished:
                    raise AssertionError(
                        f"{what} did not come; the last events: "
                        f"{self.events[-20:]}\n{self.error_text()}")
                self.changed.wait(left)

    def wait_for(self, kind, timeout=TIMEOUT, **fields):
        """Any event of that kind and with those fields, old or new."""
        def find(events):
            return next((e for e in events if is_like(e, kind, fields)), None)
        return self.wait_until(find, timeout, f"{kind} {fields}")

    def expect(self, kind, timeout=TIMEOUT, **fields):
        """The next such event behind the last one expected."""
        def find(events):
            while self.read_up_to < len(events):
                self.read_up_to += 1
                if is_like(events[self.read_up_to - 1], kind, fields):
                    return events[self.read_up_to - 1]
            return None
        return self.wait_until(find, timeout, f"another {kind} {fields}")

    def gather(self, seconds):
        """Whatever comes within that time."""
        time.sleep(seconds)
        return self.events

    def wait_message(self, body, timeout=TIMEOUT):
        return self.wait_for("message", timeout, body=body)

    def of(self, *kinds):
        with self.changed:
            return [e for e in self.events if e["event"] in kinds]

    def bodies(self):
        return [e["body"] for e in self.of("message")]

    def error_text(self):
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode()

    def wait(self, timeout=TIMEOUT):
        """The exit status, with all events read."""
        status = self.process.wait(timeout)
        self.thread.join(timeout)
        return status

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def close(self):
        """What is still running ends; no sanitizer may have complained."""
        if self.errors.closed:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        text = self.error_text()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        assert is_sane(text), text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT)
        self.close()


def is_like(event, kind, fields):
    return event["event"] == kind and all(
        event.get(k) == v for k, v in fields.items())


class Person:
    def __init__(self, people, name, command=()):
        self.people = people
        self.name = name
        self.command = command
        self.folder = people.folder / name
        self.folder.mkdir(exist_ok=True)
        self.room = people.room or self.folder / "a.room"
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("XDG_") and k != "JOURNAL_STREAM"}
        self.env.update(HOME=str(self.folder), PWD=str(self.folder),
                        LC_ALL="C.UTF-8", TERM="xterm")

    def run(self, *arguments, input=b"", timeout=60, env=None):
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run([*self.command, PROGRAM, *arguments],
                              input=input, capture_output=True,
                              env={**self.env, **(env or {})},
                              timeout=timeout)
        done.out = done.stdout.decode()
        done.err = done.stderr.decode(errors="replace")
        assert is_sane(done.err), done.err
        return done

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, (arguments, done.out, done.err)
        return done.out

    def make_room(self, address):
        self.must("room", "new", "--server", address, str(self.room))
        return self

    def join(self, other):
        link = other.must("room", "link", str(other.room))
        self.must("room", "join", str(self.room), input=link)
        return self

    def room_secret(self):
        return tlv_of_room_file(pathlib.Path(self.room).read_text())[2]

    def identity_seed(self):
        folder = self.env.get("XDG_CONFIG_HOME", self.folder / ".config")
        text = pathlib.Path(folder, "paravox/identity").read_text().strip()
        blob = text.split(":", 1)[1]
        return base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))[:32]

    def room_options(self, nick=True, room=None):
        options = ["--room", str(room or self.room)]
        return options + ["--nick", self.name] if nick else options

    def tail(self, *options, room=None, server=None, env=None, wait=True):
        where = ("--server", server) if server else ()
        reader = Reader(self, ("tail", *self.room_options(False, room),
                               "--json", *where, *options), env=env)
        if wait:
            reader.expect("connected")
        return reader

    def sender(self, *options, server=None, env=None):
        """`paravox send --json` whose standard input the test holds."""
        where = ("--server", server) if server else ()
        return Reader(self, ("send", *self.room_options(), "--json", *where,
                             *options), stdin=subprocess.PIPE, env=env)

    def send(self, *lines, options=(), env=None, timeout=60):
        """Send lines; they must all be acknowledged."""
        text = b"".join((line if isinstance(line, bytes) else line.encode())
                        + b"\n" for line in lines)
        return self.must("send", *self.room_options(), *options, input=text,
                         env=env, timeout=timeout)


class People:
    """A folder with a home for each; everything in it goes with it."""

    room = None  # each has his own file of it

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="paravox-test-")
        self.folder = pathlib.Path(self.kept.name)
        self.running = []

    def new(self, name, command=()):
        """`command` goes in front of every program that the person runs."""
        return Person(self, name, command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            for running in self.running:
                running.close()
        finally:
            for running in self.running:  # what the first fault left
                if hasattr(running, "process"):
                    running.process.kill()
            self.kept.cleanup()
