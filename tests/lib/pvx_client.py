# SPDX-License-Identifier: Apache-2.0
"""pvx_client - people in one room who sit at terminals.

    with Home(relay.addresses[0]) as home:      # a room on that relay
        alice, bob = home.person("alice"), home.person("bob")
        with bob.tail() as heard:
            alice.send("hello")
            heard.expect("message", body="hello")

What a person can do without a terminal is in pvx_people.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from pvx_relay import TLS
from pvx_people import PROGRAM, TIMEOUT, People, Person


def server_text(address):
    if isinstance(address, str):
        return address if ":" in address else "unix:" + address
    host, port = address
    plain = "" if getattr(address, "is_tls", TLS) else "plain:"
    return plain + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


class Home(People):
    """People who share one room file."""

    def __init__(self, address):
        super().__init__()
        self.path = str(self.folder)
        self.room = self.path + "/room"
        self.person("maker").make_room(server_text(address))

    def person(self, name):
        return Tenant(self, name)


class Tenant(Person):
    """Keeps his files where XDG variables say, and has a terminal."""

    def __init__(self, home, name):
        super().__init__(home, name + ".home")
        self.name = name
        self.env.update(XDG_CONFIG_HOME=f"{self.folder}/config",
                        XDG_STATE_HOME=f"{self.folder}/state")

    def terminal(self, *arguments, columns=80):
        terminal = Terminal(self, *arguments, columns=columns)
        self.people.running.append(terminal)
        return terminal

    def chat(self, *options, columns=80):
        return self.terminal("chat", *self.room_options(), *options,
                             columns=columns)


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

    def type_all(self, text):
        """Whatever the terminal's buffer holds; to be run in a thread."""
        data = text.encode()
        while data:
            data = data[os.write(self.fd, data):]

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
