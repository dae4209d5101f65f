# SPDX-License-Identifier: Apache-2.0
"""pvx_relay - start the real relay for a test, and stop it with the test.

    with Relay("--max-clients=2") as relay:
        alice = relay.enter(room, Device())

The program is $PARAVOXD. With PVX_TLS=1 in the environment its TCP ports speak
TLS, and so do these clients.
"""
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

from pvx_patience import PATIENCE_S
from pvx_wire import Client

PROGRAM = os.environ.get("PARAVOXD", "build/src/relay/paravoxd")


TLS = os.environ.get("PVX_TLS") == "1"


class Address(tuple):
    """(host, port), and whether TLS is spoken there."""
    is_tls = TLS


class Relay:
    def __init__(self, *options, listeners=1, listen="127.0.0.1:0", env=None,
                 before=None, command=(), log_level="debug", state=None,
                 pass_fds=(), tls=TLS):
        """`listen=None`: the options say where. `listeners`: how many lines
        to wait for. `before` runs in the child; `command` goes in front.
        `state`: the folder of its files; True: one of its own, which goes
        with it; False: it keeps no history. None is True with $PVX_HISTORY
        set, else False."""
        if listen:
            options = (f"--listen={listen}",) + options
        if log_level:
            options = (f"--log-level={log_level}",) + options
        self.state = None
        if state is None:
            state = bool(os.environ.get("PVX_HISTORY"))
        if state is True:
            self.state = tempfile.TemporaryDirectory(prefix="paravoxd-test-")
            state = self.state.name
        elif not state:  # of its key
            self.state = tempfile.TemporaryDirectory(prefix="paravoxd-test-")
            options = ("--no-history", f"--state={self.state.name}") + options
        if state:
            options = (f"--state={state}",) + options
        self.log = tempfile.TemporaryFile()
        if not tls:
            options = ("--no-tls",) + options
        self.fingerprint = None
        self.process = subprocess.Popen(
            [*command, PROGRAM, *options],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, **(env or {})}, preexec_fn=before,
            pass_fds=pass_fds)
        self.pid = self.process.pid
        self.clients = []
        self.lines, self.addresses = [], []
        try:
            self._wait_for_lines(listeners)
        except BaseException:  # nobody will call __exit__()
            self._end()
            raise

    def _wait_for_lines(self, count):
        while len(self.lines) < count:
            line = self.process.stdout.readline().rstrip("\n")
            if line.startswith("fingerprint "):
                self.fingerprint = line.split()[1]
                continue
            if not line:
                self.wait()
                raise RuntimeError("no relay: " + self.log_text())
            self.addresses.append(self._address(line))
            self.lines.append(line)

    @staticmethod
    def _address(line):
        assert line.startswith("listening on "), line
        where = line[len("listening on "):]
        if where.startswith("unix:"):
            return where[len("unix:"):]
        host, port = where.removeprefix("plain:").rsplit(":", 1)
        address = Address((host.strip("[]"), int(port)))
        address.is_tls = not where.startswith("plain:")
        return address

    def connect(self, number=0, **options):
        client = Client.connect(self.addresses[number], **options)
        self.clients.append(client)
        return client

    def greet(self, **options):
        client = self.connect(**options)
        client.greet()
        return client

    def enter(self, room, device, **options):
        client = self.connect(**options)
        client.enter(room, device)
        return client

    def enter_all(self, room, devices):
        """All of them, with the PRESENCE of who came later read away."""
        clients = []
        for device in devices:
            client = self.enter(room, device)
            for other in clients:
                other.expect("PRESENCE")
            clients.append(client)
        return clients

    def log_text(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def wait_for(self, is_so, what, timeout=PATIENCE_S):
        end = time.monotonic() + timeout
        while not is_so():
            assert time.monotonic() < end, f"waited in vain: {what}"
            time.sleep(0.01)

    def wait_for_log(self, text):
        self.wait_for(lambda: text in self.log_text(), f"{text!r} in the log")

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def is_sanitized(self):
        """AddressSanitizer keeps what was freed: memory says nothing."""
        return b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = fields.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE_S):
        return self.process.wait(timeout)

    def stop(self):
        """Ask it to stop; it must do so cleanly."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.signal()
        status = self.wait()
        text = self.log_text()
        assert status == 0, f"exit status {status}: {text[-3000:]}"
        assert "runtime error" not in text, text[-3000:]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self._end()

    def _end(self):
        """Nothing of it is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()
        if self.state:
            self.state.cleanup()
        for client in self.clients:
            client.close()


def readable(client, seconds):
    return bool(select.select([client.sock], [], [], seconds)[0])
