# SPDX-License-Identifier: Apache-2.0
"""pvx_storm - clients that come, are cut off and come again all at once, and
what they said is kept once each."""
import selectors
import socket

from pvx_disk import everything
from pvx_wire import (CODES, MAGIC, MESSAGES, VERSION, Device, Room, decode,
                      encode, envelope, join_fields, reset)

ROOM_OF_STORM = 25
# What a client that behaves like this may be told; it comes again.
MEANT = {CODES["TIMEOUT"], CODES["SLOW"]}
NUMBER_OF = {name: row[0] for name, row in MESSAGES.items()}


class Guest:
    """One of a storm: joins, says what it has to say, and reads on."""

    def __init__(self, world, room):
        self.world, self.room, self.device = world, room, Device()
        self.acked = self.wanted = self.base = 0
        self.sock = None
        self.tries = 0

    def connect(self):
        self.buffer = bytearray()
        self.welcome = None
        self.has_joined = False
        self.tries += 1
        assert self.tries < 100, "a storm cannot get in"
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.connect_ex(self.world.relay.addresses[0])
        self.world.selector.register(self.sock, selectors.EVENT_WRITE, self)

    def leave(self, end):
        self.world.selector.unregister(self.sock)
        end(self.sock)
        self.sock = None

    def send(self, data):
        assert self.sock.send(data) == len(data)

    def begin(self):
        self.send(encode("HELLO", magic=MAGIC, version_min=VERSION,
                         version_max=VERSION))
        self.world.selector.modify(self.sock, selectors.EVENT_READ, self)

    def take(self, kind, body):
        if kind == NUMBER_OF["WELCOME"]:
            self.welcome = decode(kind, body)
            self.welcome.exporter = b""
            self.send(encode("JOIN", **join_fields(self.room, self.device,
                                                   self.welcome)))
        elif kind == NUMBER_OF["HISTORY"]:
            self.has_joined = True
            self.base = self.acked
            for generation in range(self.acked, self.wanted):
                self.send(encode("SEND", envelope=envelope(self.device,
                                                           generation)))
        elif kind == NUMBER_OF["ACK"]:
            self.acked = self.base + decode(kind, body).up_to
        elif kind == NUMBER_OF["PING"]:
            self.send(encode("PONG", token=decode(kind, body).token))
        elif kind == NUMBER_OF["ERROR"]:
            assert decode(kind, body).code in MEANT, decode(kind, body)
        else:
            assert kind != NUMBER_OF["REFUSED"], decode(kind, body)

    def read(self):
        """Whether the connection goes on."""
        data = self.sock.recv(1 << 16)
        self.buffer += data
        at = 0
        while len(self.buffer) - at >= 5:
            end = at + 4 + int.from_bytes(self.buffer[at:at + 4], "big")
            if len(self.buffer) < end:
                break
            self.take(self.buffer[at + 4], bytes(self.buffer[at + 5:end]))
            at = end
        del self.buffer[:at]
        return bool(data)

    def serve(self):
        try:
            if self.world.selector.get_key(self.sock).events & selectors.EVENT_WRITE:
                self.begin()
                return
            goes_on = self.read()
        except OSError:
            goes_on = False
        if not goes_on:
            self.leave(socket.socket.close)
            if not self.is_done():
                self.connect()

    def is_done(self):
        return self.acked >= self.wanted


class Storm:
    """All come; all are cut off at once, and are back at once; all go."""

    def __init__(self, world, count):
        rooms = [Room() for _ in range(count // ROOM_OF_STORM + 1)]
        self.guests = [Guest(world, rooms[i // ROOM_OF_STORM])
                       for i in range(count)]
        self.rooms = rooms
        self.rounds = 0
        self.go_on()

    def go_on(self):
        """To the next round, when all are done with this one."""
        if self.rounds == 3 or not all(g.is_done() for g in self.guests):
            return
        self.rounds += 1
        for guest in self.guests:
            if guest.sock:
                guest.leave(reset)
        for guest in self.guests:
            if self.rounds < 3:
                guest.wanted += 1
                guest.connect()

    def is_over(self):
        return self.rounds == 3

    def check(self, relay):
        for room in self.rooms:
            found = everything(relay, room)
            assert len(found) == len(set(found)), "a message is there twice"
            for guest in self.guests:
                own = [g for chain, g in found if chain == guest.device.chain]
                assert guest.room is not room or own == [0, 1], own
