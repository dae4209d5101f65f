# SPDX-License-Identifier: Apache-2.0
"""pvx_client - people who use the real paravox, each with a home of his own.

    with Home(relay.addresses[0]) as home:      # a room on that relay
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            alice.send("hello")
            heard.expect("message", body="hello")

Programs are $PARAVOX; every wait is bounded.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

PROGRAM = os.environ.get("PARAVOX", "build/src/client/paravox")
TIMEOUT = 15.0


def server_text(address):
    if isinstance(address, str):
        return address if ":" in address else "unix:" + address
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Home:
    """A folder with a room file; everything in it goes with it."""

    def __init__(self, address):
        self.folder = tempfile.TemporaryDirectory(prefix="paravox-test-")
        self.path = self.folder.name
        self.room = self.path + "/room"
        self.running = []
        made = self.person("maker").run(
            "room", "new", "--server", server_text(address), self.room)
        assert made.returncode == 0, made.stderr

    def person(self, name):
        return Person(self, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for running in self.running:
            running.close()
        self.folder.cleanup()


class Person:
    def __init__(self, home, name):
        self.home = home
        self.name = name
        folder = f"{home.path}/{name}.home"
        self.env = {**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8",
                    "TERM": "xterm", "XDG_CONFIG_HOME": folder + "/config",
                    "XDG_STATE_HOME": folder + "/state"}
        self.env.pop("JOURNAL_STREAM", None)
        os.makedirs(folder, exist_ok=True)

    def run(self, *arguments, input=b"", timeout=TIMEOUT):
        if isinstance(input, str):
            input = input.encode()
        done = subprocess.run([PROGRAM, *arguments], input=input,
                              capture_output=True, env=self.env,
                              timeout=timeout)
        done.out = done.stdout.decode()
        done.err = done.stderr.decode(errors="replace")
        assert "runtime error" not in done.err, done.err
        assert "AddressSanitizer" not in done.err, done.err
        return done

    def room_options(self, nick=True, room=None):
        options = ["--room", room or self.home.room]
        return options + ["--nick", self.name] if nick else options

    def send(self, *lines, options=(), timeout=TIMEOUT):
        """Send lines; they must all be acknowledged."""
        text = b"".join((line if isinstance(line, bytes) else line.encode())
                        + b"\n" for line in lines)
        done = self.run("send", *self.room_options(), *options, input=text,
                        timeout=timeout)
        assert done.returncode == 0, done.err
        return done

    def tail(self, *options, room=None, wait=True):
        tail = Tail(self, *options, room=room)
        self.home.running.append(tail)
        if wait:
            tail.expect("connected")
        return tail

    def terminal(self, *arguments, columns=80):
        terminal = Terminal(self, *arguments, columns=columns)
        self.home.running.append(terminal)
        return terminal

    def chat(self, *options, columns=80):
        return self.terminal("chat", *self.room_options(), *options,
                             columns=columns)


class Tail:
    """paravox tail --json, as a list of events that grows."""

    def __init__(self, person, *options, room=None):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, "tail", *person.room_options(False, room), "--json",
             *options], stdout=subprocess.PIPE, stderr=self.errors,
            stdin=subprocess.DEVNULL, env=person.env)
        self.events = []  # all of them
        self.read_up_to = 0  # what expect() has gone past
        self.pending = b""

    def err(self):
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode()

    def _read(self, timeout):
        """Some more events; False at the end of the output."""
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        *lines, self.pending = (self.pending + data).split(b"\n")
        self.events += [json.loads(line) for line in lines]
        return bool(data)

    def expect(self, name, timeout=TIMEOUT, **members):
        """The next event of that name and with those members; what is
        between stays in `events`."""
        end = time.monotonic() + timeout
        while True:
            while self.read_up_to < len(self.events):
                event = self.events[self.read_up_to]
                self.read_up_to += 1
                if event["event"] == name and all(
                        event.get(k) == v for k, v in members.items()):
                    return event
            left = end - time.monotonic()
            assert left > 0, (f"no {name} {members} within {timeout} s in "
                              f"{self.events[-20:]} {self.err()[-500:]}")
            assert self._read(left), f"ended: {self.events} {self.err()}"

    def gather(self, seconds):
        """Whatever comes within that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left):
            pass
        return self.events

    def bodies(self):
        return [e["body"] for e in self.events if e["event"] == "message"]

    def wait(self, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        while self._read(max(0, end - time.monotonic())):
            assert time.monotonic() < end, "tail does not end"
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT)
        self.process.stdout.close()
        text = self.err()
        self.errors.close()
        assert "runtime error" not in text and "Sanitizer" not in text, text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self.errors = tempfile.TemporaryFile()


class Terminal:
    """A program of ours on a terminal of its own."""

    def __init__(self, person, *arguments, columns=80):
        self.output = b""  # everything that was ever written to the terminal
        self.seen = 0      # what expect() has gone past
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM, [PROGRAM, *arguments], person.env)
        self.resize(columns)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    def enter(self, text):
        self.type(text)
        self.type("\r")

    def _read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # the other side of a pty is gone
            data = b""
        self.output += data
        return bool(data)

    def expect(self, pattern, timeout=TIMEOUT):
        """Wait until the regular expression is found behind the last one."""
        if isinstance(pattern, str):
            pattern = pattern.encode()
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.output[self.seen:])):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.output[-2000:]!r}"
            assert self._read(left) or re.search(
                pattern, self.output[self.seen:]), (
                f"ended without {pattern!r}: {self.output[-2000:]!r}")
        self.seen += found.end()
        return found

    def gather(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left):
            pass
        return self.output

    def local_modes(self):
        return termios.tcgetattr(self.fd)[3]

    def wait(self, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        while self._read(0.05):
            assert time.monotonic() < end, "the program does not end"
        self.local_modes_at_end = self.local_modes()
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(
                os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -signal.SIGKILL
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        assert b"runtime error" not in self.output, self.output[-3000:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
