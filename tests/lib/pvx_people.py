# SPDX-License-Identifier: Apache-2.0
"""pvx_people - real clients for a test: each person has a home of his own.

    with People() as people:
        alice = people.new("alice")
        alice.make_room(relay.address)
        bob = people.new("bob").join(alice)
        tail = bob.tail()
        alice.send("hello")
        tail.wait_message("hello")

The programs are $PARAVOX and $PARAVOXD.
"""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PROGRAM = os.environ.get("PARAVOX", "build/src/client/paravox")


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


class Reader:
    """A client that prints JSON; its events are collected as they come."""

    def __init__(self, person, arguments, stdin=subprocess.DEVNULL, env=None):
        self.events = []
        self.changed = threading.Condition()
        self.errors = tempfile.TemporaryFile()
        self.is_finished = False
        self.process = subprocess.Popen(
            [*person.command, PROGRAM, *arguments], stdin=stdin,
            stdout=subprocess.PIPE, stderr=self.errors, env={**person.env, **(env or {})})
        person.people.processes.append(self.process)
        threading.Thread(target=self._read, daemon=True).start()

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

    def wait(self, predicate, timeout=20.0, what="the event"):
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
                        f"{self.events[-5:]}\n{self.error_text()}")
                self.changed.wait(left)

    def of(self, *kinds):
        with self.changed:
            return [e for e in self.events if e["event"] in kinds]

    def wait_for(self, kind, timeout=20.0, **fields):
        def find(events):
            for event in events:
                if event["event"] == kind and all(
                        event.get(k) == v for k, v in fields.items()):
                    return event
            return None
        return self.wait(find, timeout, f"{kind} {fields}")

    def wait_message(self, body, timeout=20.0):
        return self.wait_for("message", timeout, body=body)

    def bodies(self):
        return [e["body"] for e in self.of("message")]

    def error_text(self):
        return os.pread(self.errors.fileno(), 1 << 16, 0).decode()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(20)


class Person:
    def __init__(self, people, name, command):
        self.people = people
        self.name = name
        self.command = command
        self.home = people.folder / name
        self.home.mkdir()
        self.room = self.home / "a.room"
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("XDG_")}
        self.env.update(HOME=str(self.home), PWD=str(self.home))

    def run(self, *arguments, input="", timeout=60, env=None):
        return subprocess.run(
            [*self.command, PROGRAM, *arguments], input=input, text=True, timeout=timeout,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**self.env, **(env or {})})

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def make_room(self, address):
        self.must("room", "new", "--server", address, str(self.room))
        return self

    def join(self, other):
        link = other.must("room", "link", str(other.room))
        self.must("room", "join", str(self.room), input=link)
        return self

    def room_secret(self):
        return tlv_of_room_file(self.room.read_text())[2]

    def identity_seed(self):
        text = (self.home / ".config/paravox/identity").read_text().strip()
        blob = text.split(":", 1)[1]
        return base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))[:32]

    def tail(self, *options, server=None, env=None, is_connected=True):
        where = ("--server", server) if server else ()
        reader = Reader(self, ("tail", "--room", str(self.room), "--json",
                               *where, *options), env=env)
        if is_connected:
            reader.wait_for("connected")
        return reader

    def sender(self, *options, server=None, env=None):
        """`paravox send --json` whose standard input the test holds."""
        where = ("--server", server) if server else ()
        return Reader(self, ("send", "--room", str(self.room), "--nick",
                             self.name, "--json", *where, *options),
                      stdin=subprocess.PIPE, env=env)

    def send(self, *lines, options=(), env=None, timeout=60):
        return self.must("send", "--room", str(self.room), "--nick", self.name,
                         *options, input="".join(l + "\n" for l in lines),
                         env=env, timeout=timeout)


class People:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="paravox-test-"))
        self.processes = []

    def new(self, name, command=()):
        """`command` goes in front of every program that the person runs."""
        return Person(self, name, command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
