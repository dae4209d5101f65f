#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_faults [--long] [SEED...] - schedules of faults, each made by its seed.

Members of two rooms send and receive, in the clear and under TLS, while clients
stall, reset, leave connections half open, come back all at once, and the
relay's clocks jump. In the end the relay must serve as if nothing had been:
what was acknowledged is in the history once and in order, the members have the
same transcript, and nothing is left of all those connections. --long: 24
schedules, with storms of 2,000 clients. A number runs that schedule alone.
"""
import array
import fcntl
import functools
import os
import random
import resource
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time

import pvx_tap
from pvx_clock import Clock
from pvx_disk import everything
from pvx_managed import Managed
from pvx_patience import PATIENCE_S
from pvx_storm import MEANT, Storm
from pvx_wire import (AFTER, MAGIC, MESSAGES, UNREADABLE, VERSION, Client,
                      Device, Room, WireError, encode, envelope_fields, reset,
                      sends)

SHORT = {"seeds": (1, 2), "seconds": 0.7, "faults": 8, "storm": 60}
LONG = {"seeds": range(1, 25), "seconds": 4, "faults": 24, "storm": 2000}
MEMBERS = 4      # of each room
BURST = 10       # messages in one go
LIMITS = ("--high-water-bytes=65536", "--hard-bound-bytes=1048576",
          "--progress-timeout-ms=3000", "--handshake-timeout-ms=60000",
          "--history-age-s=0", "--history-room-bytes=0",
          "--history-room-messages=0", "--max-clients=10000", "--sandbox=off")
DAY_MS = 86400000


class Member:
    """Sends numbered messages and keeps what it was given."""

    def __init__(self, world, room, name, where, small):
        self.world, self.room, self.name = world, room, name
        self.where, self.small = where, small
        self.device = Device()
        self.transcript = {}  # sequence: (chain, generation)
        self.era = self.last = 0
        self.acked = self.sent = self.base = 0
        self.is_sending = True
        self.stalled_until = 0
        self.client = None
        self.connects = 0

    def connect(self):
        """As often as it takes: a jump of the clock may cut it off."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.client = Client.connect(
                    self.world.relay.addresses[self.where],
                    receive_buffer=4096 if self.small else None)
                self.client.greet()
                self.client.join(self.room, self.device, want=AFTER,
                                 era=self.era, from_=self.last)
                break
            except (OSError, EOFError, WireError):
                assert time.monotonic() < end, "cannot come back"
                self.client.close()
        self.connects += 1
        self.base = self.sent = self.acked
        self.era = self.client.history.era
        self.take(self.client.history)
        self.world.selector.register(self.client, selectors.EVENT_READ, self)
        while self.client.early:
            self.take(self.client.early.pop(0))
        self.take_all(b"")
        self.go_on()

    def leave(self, end=reset):
        """The connection ends as `end` does it with its socket."""
        self.listen(True)
        self.world.selector.unregister(self.client)
        end(self.client.sock)
        self.client = None

    def stall(self, seconds):
        self.listen(False)
        self.stalled_until = time.monotonic() + seconds

    def listen(self, is_on):
        """Whether what comes is read."""
        if is_on and self.stalled_until:
            self.world.selector.register(self.client, selectors.EVENT_READ,
                                         self)
            self.stalled_until = 0
        elif not is_on and not self.stalled_until:
            self.world.selector.unregister(self.client)

    def take(self, m):
        if m.type == "DELIVER":
            assert m.sequence > self.last, (m.sequence, self.last)
            self.last = m.sequence
            fields = envelope_fields(m.envelope)
            self.transcript[m.sequence] = (fields["chain"],
                                           fields["generation"])
        elif m.type == "ACK":
            self.acked = self.base + m.up_to
        elif m.type == "PING":
            self.pong(m.token)
        elif m.type == "ERROR":
            assert m.code in MEANT, m
        elif m.type == "HISTORY":
            assert m.what != UNREADABLE, f"{self.name} is not given its past"
        else:
            assert m.type in ("PRESENCE", "PONG"), m

    def pong(self, token):
        try:
            self.client.send("PONG", token=token)
        except OSError:
            pass  # it has said its last word; or the end will be read

    def read(self):
        """What has come; whether the connection goes on."""
        self.client.sock.settimeout(5)
        try:
            data = self.client.sock.recv(1 << 16)
        except TimeoutError:  # half a record of TLS
            return True
        except OSError:
            data = b""
        self.take_all(data)
        return bool(data)

    def take_all(self, data):
        """All that is here: select() tells only of what comes."""
        while getattr(self.client.sock, "opened", b""):
            data += self.client.sock.recv(1 << 16)
        self.client.buffer += data
        while (m := self.client._take()) is not None:
            self.take(m)

    def serve(self):
        if not self.read():
            self.leave()
            self.connect()
            return
        self.go_on()

    def go_on(self):
        try:
            if self.is_sending and self.sent - self.acked < BURST:
                size = self.world.rng.choice((6, 200, 200, 3000, 20000))
                count = BURST if size <= 3000 else 1
                self.client.send_raw(sends(self.client, self.sent, count,
                                           bytes(size)))
                self.sent += count
        except OSError:
            pass  # the end will be read

    def lacks(self, found):
        """The numbers of what others said and this one was not given."""
        return [number for number, (chain, _) in enumerate(found, 1)
                if number not in self.transcript
                and chain != self.device.chain]

    def describe(self):
        unread = array.array("i", [0])
        fcntl.ioctl(self.client.fileno(), termios.FIONREAD, unread)
        is_tls = self.world.relay.addresses[self.where].is_tls
        return (f"{self.name}: {self.sent} sent, {self.acked} acknowledged, "
                f"{len(self.transcript)} given up to {self.last}, "
                f"{self.connects} connections, "
                f"{'TLS' if is_tls else 'plain'}"
                f"{', small' * self.small}"
                f"{', stalled' * bool(self.stalled_until)}; unread: "
                f"{unread[0]} in the kernel, "
                f"{len(getattr(self.client.sock, 'opened', b''))} opened, "
                f"{len(self.client.buffer)} of a frame")


class World:
    """A relay, its clients, and what happens to them."""

    def __init__(self, relay, clock, rng, size):
        self.relay, self.clock, self.rng, self.size = relay, clock, rng, size
        self.selector = selectors.DefaultSelector()
        self.left = []  # sockets that nobody serves any more
        self.storms = []
        rooms = [Room(), Room()]
        self.members = [Member(self, room, f"{name}{i}", i % 2,
                               rng.random() < 0.4)
                        for name, room in zip("ab", rooms)
                        for i in range(MEMBERS)]
        self.rooms = rooms

    # --- faults: what is done to one member, by numbers of the schedule

    def stall(self, member, amount):
        member.stall(2 * amount)

    def reset(self, member, amount):
        member.leave()
        member.connect()

    def half_open(self, member, amount):
        """It comes back, and its old connection stands there."""
        member.leave(self.left.append)
        member.connect()

    def half_closed(self, member, amount):
        """It has said its last word, and hears the rest."""
        member.listen(True)
        try:
            member.client.half_close()
        except OSError:
            pass  # the relay was first
        while member.read():
            pass
        member.leave()
        member.connect()

    def half_said(self, member, amount):
        """Strangers who begin, and never end: HELLO, JOIN, TLS."""
        for where in (0, 1):
            client = socket.create_connection(
                self.relay.addresses[where][:2])
            hello = encode("HELLO", magic=MAGIC, version_min=VERSION,
                           version_max=VERSION)
            whole = hello + encode("JOIN", **{
                name: bytes(size) if isinstance(size, int) else 0
                for name, size in MESSAGES["JOIN"][1]})
            if where:
                whole = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
            client.sendall(whole[:int(amount * len(whole))])
            self.left.append(client)

    def clock_jump(self, member, amount):
        day = int(amount * 30 * DAY_MS)
        self.clock.jump(
            realtime_ms=self.rng.choice((-day, -1000, 1000, day)),
            monotonic_ms=self.rng.choice((0, 1000, 45000, 100000, day)))

    def stand_still(self, member, amount):
        """The machine stops, and goes on."""
        self.relay.signal(signal.SIGSTOP)
        time.sleep(amount / 4)
        self.relay.signal(signal.SIGCONT)

    def storm(self, member, amount):
        self.storms.append(Storm(self, self.size["storm"]))

    FAULTS = (stall, reset, half_open, half_closed, half_said, clock_jump,
              stand_still)

    def schedule(self):
        """[(second, fault, member, amount)]: all of it from the seed."""
        rng, seconds = self.rng, self.size["seconds"]
        plan = [(rng.uniform(0, seconds), rng.choice(self.FAULTS),
                 rng.choice(self.members), rng.random())
                for _ in range(self.size["faults"])]
        plan.append((rng.uniform(0, seconds / 2), World.storm, None, 1))
        # One of each kind at least that a storm alone has not.
        plan += [(rng.uniform(0, seconds), fault, rng.choice(self.members),
                  rng.random()) for fault in (World.clock_jump, World.stall)]
        return sorted(plan, key=lambda row: row[0])

    # --- the course of things

    def turn(self):
        now = time.monotonic()
        for member in self.members:
            if member.stalled_until and member.stalled_until < now:
                member.listen(True)
        for key, _ in self.selector.select(0.02):
            if key.fd in self.selector.get_map():
                key.data.serve()
        for storm in self.storms:
            storm.go_on()

    def until(self, is_so, what, found=None):
        """`found`: what the members of a room should have."""
        end = time.monotonic() + 2 * PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, (
                f"waited in vain: {what}\n{self.describe(found or {})}")
            self.turn()

    def describe(self, found):
        """How it stands, for whoever reads why a test failed."""
        lines = []
        for member in self.members:
            lines.append(member.describe())
            said = found.get(member.room, [])
            if lack := member.lacks(said):
                chain, generation = said[lack[0] - 1]
                sender = next((m.name for m in self.members
                               if m.device.chain == chain), "a stranger")
                lines.append(f"  lacks {len(lack)} of {len(said)}, from "
                             f"{lack[0]} ({sender}'s {generation}) to "
                             f"{lack[-1]}")
        lines += ["the relay:", self.relay.log_text()[-3000:]]
        try:
            lines.append(self.relay.ctl("stats"))
        except (AssertionError, subprocess.TimeoutExpired) as error:
            lines.append(f"no statistics: {error}")
        return "\n".join(lines)

    def play(self):
        for member in self.members:
            member.connect()
        plan = self.schedule()
        begin = time.monotonic()
        for second, fault, member, amount in plan:
            self.until(lambda s=second: time.monotonic() - begin >= s, "time")
            fault(self, member, amount)
        self.until(lambda: all(s.is_over() for s in self.storms), "a storm")
        for member in self.members:
            member.is_sending = False
        return ", ".join(f"{second:.1f} {fault.__name__}"
                         for second, fault, _, _ in plan)

    def check(self):
        """What is there in the end; how much."""
        count = 0
        self.until(lambda: all(m.sent == m.acked for m in self.members),
                   "acknowledgements")
        for room in self.rooms:
            found = everything(self.relay, room, is_whole=True)
            members = [m for m in self.members if m.room is room]
            assert len(found) == len(set(found)), "a message is there twice"
            self.until(lambda f=found, ms=members: not any(m.lacks(f)
                                                           for m in ms),
                       "the same transcript for all", {room: found})
            said = dict(enumerate(found, 1))
            for member in members:
                own = [g for chain, g in found
                       if chain == member.device.chain]
                assert own == list(range(len(own))), "out of order"
                assert len(own) >= member.acked, (
                    f"{member.acked} acknowledged, {len(own)} kept")
                for number, what in member.transcript.items():
                    assert said.setdefault(number, what) == what, (
                        "another transcript")
            count += len(found)
        for storm in self.storms:
            storm.check(self.relay)
        return count

    def end(self):
        """Nothing is left of them: those who stand there are cut off."""
        for member in self.members:
            member.leave(lambda sock: sock.close())
        self.relay.wait_for(self.is_empty, "the end of all connections")
        for sock in self.left:
            sock.close()
        self.selector.close()

    def is_empty(self):
        self.clock.jump(monotonic_ms=40000)
        return self.relay.stats()["connections"] == 0


def descriptors(relay):
    return len(os.listdir(f"/proc/{relay.pid}/fd"))


def play(seed, size):
    print(f"# seed {seed}", flush=True)
    with Clock() as clock, Managed(
            "--listen=127.0.0.1:0", *LIMITS, tls=True, listeners=2,
            listen="plain:127.0.0.1:0", env=clock.env, state=True,
            log_level="info") as relay:
        room = Room()
        for client in relay.enter_all(room, [Device(), Device()]):
            client.say(0)
            client.expect_any(("ACK",))
            client.close()
        everything(relay, room)  # all files are open now
        relay.wait_for(lambda: relay.stats()["connections"] == 0, "nobody")
        before = descriptors(relay)
        world = World(relay, clock, random.Random(seed), size)
        print("#", world.play(), flush=True)
        count = world.check()
        world.end()
        relay.wait_for(lambda: descriptors(relay) == before,
                       f"{before} descriptors")
        a, b = relay.enter_all(Room(), [Device(), Device()])
        a.say(0)
        b.expect("DELIVER")
        print(f"# {count} messages,",
              sum(m.connects for m in world.members), "connections of",
              len(world.members), "members,",
              sum(g.tries for s in world.storms for g in s.guests),
              "of guests", flush=True)


def schedules(arguments):
    """A test for each seed."""
    size = LONG if "--long" in arguments else SHORT
    seeds = [int(a) for a in arguments if a.isdigit()] or size["seeds"]
    return {f"test_schedule_{seed}_leaves_no_trace":
            functools.partial(play, seed, size) for seed in seeds}


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    tests = schedules(sys.argv[1:])
    del sys.argv[1:]
    pvx_tap.main(tests)
