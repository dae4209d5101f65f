#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay under a service manager: inherited sockets, the watchdog, and an
upgrade that refuses nobody."""
import concurrent.futures
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pvx_tap
from pvx_clock import Clock
from pvx_relay import PROGRAM, Relay
from pvx_wire import AFTER, Client, Device, Room

TIMEOUT = 60
# As a service manager does: descriptors from 3 on, and the child's own number.
START = """
import fcntl, os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
# Out of the way of 3 and above first: they may lie there.
fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for place, fd in enumerate(fds, 3):
    os.dup2(fd, place)
    os.set_inheritable(place, True)
os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=str(os.getpid()),
                  LISTEN_FDNAMES=sys.argv[2])
os.closerange(3 + len(fds), 256)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Activated(Relay):
    """A relay that gets listening sockets, each (name, socket)."""

    def __init__(self, sockets, *options, **more):
        fds = [s.fileno() for _, s in sockets]
        command = (sys.executable, "-c", START, ",".join(map(str, fds)),
                   ":".join(name for name, _ in sockets))
        super().__init__(*options, listen=None, command=command,
                         pass_fds=fds, **more)


def tcp_socket():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(128)
    return s


def unix_socket(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(128)
    return s


def ctl(path, *words):
    return subprocess.run([PROGRAM, "ctl", f"--admin={path}", *words],
                          capture_output=True, text=True, timeout=TIMEOUT)


def test_inherited_sockets_are_served_instead_of_options():
    with tempfile.TemporaryDirectory() as folder, tcp_socket() as tcp, \
            unix_socket(folder + "/clients") as unix:
        port = tcp.getsockname()[1]
        with Activated([("clients", tcp), ("x.socket", unix)],
                       "--listen=127.0.0.1:1", listeners=2) as relay:
            assert relay.lines == [f"listening on plain:127.0.0.1:{port}",
                                   f"listening on unix:{folder}/clients"]
            room = Room()
            a = relay.enter(room, Device(), number=0)
            relay.enter(room, Device(), number=1)
            a.expect("PRESENCE")
        # The manager's socket is still there, and its path too.
        assert os.path.exists(folder + "/clients")
        socket.create_connection(("127.0.0.1", port)).close()


def test_who_connects_before_the_relay_is_there_is_served():
    with tcp_socket() as tcp:
        early = Client.connect(tcp.getsockname())
        early.send("HELLO", magic=0x50565843, version_min=1, version_max=1)
        with Activated([("clients", tcp)]):
            early.expect("WELCOME", timeout=TIMEOUT)
            early.close()


def test_admin_and_metrics_may_be_inherited_too():
    with tempfile.TemporaryDirectory() as folder, tcp_socket() as tcp, \
            unix_socket(folder + "/admin") as admin, \
            unix_socket(folder + "/metrics") as metrics:
        with Activated([("clients", tcp), ("admin", admin),
                        ("metrics", metrics)]):
            assert "clients 0" in ctl(folder + "/admin", "stats").stdout
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(TIMEOUT)
                s.connect(folder + "/metrics")
                s.send(b"GET /health HTTP/1.0\r\n\r\n")
                assert b"200 OK" in s.recv(4096)
        assert os.path.exists(folder + "/admin")


def test_what_does_not_listen_is_refused():
    with socket.socket() as idle:
        try:
            with Activated([("clients", idle)]):
                raise AssertionError("serves a socket that does not listen")
        except RuntimeError as error:
            assert "that was passed on" in str(error), error


def test_the_watchdog_gets_signs_of_life_while_the_loop_turns():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(TIMEOUT)
            with Relay(env={"NOTIFY_SOCKET": path,
                            "WATCHDOG_USEC": "200000"}) as relay:
                assert manager.recv(100) == b"READY=1"
                for _ in range(5):
                    assert manager.recv(100) == b"WATCHDOG=1"
                relay.signal(signal.SIGSTOP)
                time.sleep(0.5)
                manager.setblocking(False)
                try:  # what came before it stopped
                    while manager.recv(100):
                        pass
                except BlockingIOError:
                    pass
                time.sleep(1)
                try:
                    late = manager.recv(100)
                except BlockingIOError:
                    late = None
                relay.signal(signal.SIGCONT)
                assert late is None


def test_without_a_watchdog_nothing_is_sent():
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            with Relay(env={"NOTIFY_SOCKET": path}):
                assert manager.recv(100) == b"READY=1"
                manager.settimeout(0.5)
                try:
                    raise AssertionError(manager.recv(100))
                except TimeoutError:
                    pass


class Knocker(threading.Thread):
    """Connects again and again; each must work, and be greeted or ended."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.is_over = False
        self.connects = self.greeted = 0
        self.failures = []
        self.start()

    def run(self):
        while not self.is_over:
            try:
                client = Client.connect(self.address)
            except OSError as error:
                self.failures.append(error)
                return
            self.connects += 1
            try:
                client.send("HELLO", magic=0x50565843, version_min=1,
                            version_max=1)
                if client.receive(TIMEOUT).type == "WELCOME":
                    self.greeted += 1
            except (OSError, AttributeError):
                pass  # it was let in, and the relay ended
            client.close()
            time.sleep(0.002)

    def end(self):
        self.is_over = True
        self.join()


class Successor(Relay):
    def stop(self):
        """Only the last one is asked to stop."""


def test_an_upgrade_refuses_nobody():
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        options = ("--listen=127.0.0.1:0", f"--listen=unix:{folder}/clients",
                   f"--admin={folder}/admin", "--takeover=on",
                   f"--metrics=unix:{folder}/metrics")
        relays = [Successor(*options, listen=None, listeners=2)]
        knockers = [Knocker(address) for address in relays[0].addresses]
        try:
            for _ in range(5):
                old = relays[-1]
                room = Room()
                a, b = old.enter_all(room, [Device(), Device()])
                before = [k.greeted for k in knockers]
                starting = pool.submit(Successor, *options, listen=None,
                                       listeners=2)
                for client in (a, b):
                    client.expect("BYE", timeout=TIMEOUT)
                    client.close()
                new = starting.result()
                relays.append(new)
                assert new.lines == old.lines
                assert old.wait(TIMEOUT) == 0, old.log_text()
                a, b = new.enter_all(room, [Device(), Device()])
                a.say(0)
                b.expect("DELIVER")
                a.close()
                b.close()
                new.wait_for(lambda: all(k.greeted > n + 10 for k, n in
                                         zip(knockers, before)), "clients")
            assert "clients" in ctl(folder + "/admin", "stats").stdout
        finally:
            for knocker in knockers:
                knocker.end()
            relays[-1].signal()
            relays[-1].wait(TIMEOUT)
            for relay in relays:
                relay.__exit__(Exception)
        for knocker in knockers:
            assert not knocker.failures, knocker.failures
            assert knocker.greeted > 50
        print("#", [k.connects for k in knockers], "connections")
        assert os.listdir(folder) == []


def say_all(client, generations):
    """Messages that are acknowledged."""
    done = getattr(client, "said", 0)
    for generation in generations:
        client.say(generation)
        done += 1
    while client.expect("ACK", timeout=TIMEOUT).up_to < done:
        pass
    client.said = done


def test_an_upgrade_keeps_the_history():
    """Of one relay at a time: the second opens it when the first has ended."""
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        options = (f"--admin={folder}/admin", "--takeover=on")
        where = {"listen": f"unix:{folder}/clients",
                 "state": folder + "/state"}
        room, device = Room(), Device()
        relays = [Successor(*options, **where)]
        try:
            for round_number in range(3):
                sender = relays[-1].enter(room, device)
                first = 10 * round_number
                say_all(sender, range(first, first + 10))
                starting = pool.submit(Successor, *options, **where)
                sender.expect("BYE", timeout=TIMEOUT)
                sender.close()
                relays.append(starting.result())
                assert relays[-2].wait(TIMEOUT) == 0
            late = relays[-1].greet()
            late.join(room, Device(), want=AFTER)
            numbers = []
            while (m := late.expect_any(("DELIVER", "HISTORY"), TIMEOUT)
                   ).type == "DELIVER":
                numbers.append(m.sequence)
            assert numbers == list(range(1, 31)), numbers
            late.close()
        finally:
            relays[-1].signal()
            relays[-1].wait(TIMEOUT)
            for relay in relays:
                relay.__exit__(Exception)


def test_a_successor_that_dies_changes_nothing():
    with tempfile.TemporaryDirectory() as folder:
        with Relay(f"--admin={folder}/admin") as relay:
            a, b = relay.enter_all(Room(), [Device(), Device()])
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(folder + "/admin")
                s.send(b"takeover\n")
                text, fds, _, _ = socket.recv_fds(s, 512, 10)
                assert text == b"ok\nplain\nadmin\n" and len(fds) == 2
                for fd in fds:
                    os.close(fd)
                again = ctl(folder + "/admin", "takeover")
                assert "takes over already" in again.stderr, again
            relay.wait_for_log("the successor gave up")
            a.say(0)
            b.expect("DELIVER")
            relay.enter(Room(), Device())
            with socket.socket(socket.AF_UNIX) as s:  # and once more
                s.connect(folder + "/admin")
                s.send(b"takeover\n")
                text, fds, _, _ = socket.recv_fds(s, 512, 10)
                for fd in fds:
                    os.close(fd)
                s.send(b"nonsense")
                relay.wait_for(lambda: relay.log_text().count(
                    "the successor gave up") == 2, "the second")
            relay.enter(Room(), Device())


def test_a_successor_that_hangs_does_not_block_the_next():
    with tempfile.TemporaryDirectory() as folder, Clock() as clock:
        with Relay(f"--admin={folder}/admin", "--sandbox=off",
                   env=clock.env) as relay, socket.socket(
                       socket.AF_UNIX) as hangs, socket.socket(
                           socket.AF_UNIX) as late:
            hangs.connect(folder + "/admin")
            hangs.send(b"takeover\n")
            for fd in socket.recv_fds(hangs, 512, 10)[1]:
                os.close(fd)
            assert "takes over already" in ctl(folder + "/admin",
                                               "takeover").stderr
            clock.jump(monotonic_ms=61000)
            ctl(folder + "/admin", "stats")  # it looks at its clock
            relay.wait_for_log("the successor is silent")
            hangs.settimeout(TIMEOUT)
            assert hangs.recv(1) == b""  # told, should it come to itself
            late.connect(folder + "/admin")
            late.send(b"takeover\n")
            text, fds, _, _ = socket.recv_fds(late, 512, 10)
            for fd in fds:
                os.close(fd)
            assert text.startswith(b"ok\n"), text
            relay.enter(Room(), Device())


def test_a_successor_that_cannot_start_changes_nothing():
    with tempfile.TemporaryDirectory() as folder:
        clients = f"--listen=unix:{folder}/clients"
        with Relay(clients, f"--admin={folder}/admin", listen=None) as relay:
            done = subprocess.run(
                [PROGRAM, clients, f"--admin={folder}/admin", "--takeover=on",
                 "--no-history", "--metrics=0.0.0.0:0"],
                capture_output=True, text=True, timeout=TIMEOUT)
            assert done.returncode == 1 and "this machine" in done.stderr
            relay.wait_for_log("the successor gave up")
            assert sorted(os.listdir(folder)) == ["admin", "clients"]
            relay.enter(Room(), Device())
            assert "clients 1" in ctl(folder + "/admin", "stats").stdout


def test_a_takeover_without_a_predecessor_is_a_start():
    with tempfile.TemporaryDirectory() as folder:
        with Relay(f"--admin={folder}/admin", "--takeover=on") as relay:
            relay.wait_for_log("there is no other relay")
            relay.enter(Room(), Device())


def test_a_takeover_needs_the_admin_socket():
    done = subprocess.run([PROGRAM, "--takeover=on"], capture_output=True,
                          text=True, timeout=TIMEOUT)
    assert done.returncode == 2 and "--admin" in done.stderr


if __name__ == "__main__":
    pvx_tap.main(globals())
