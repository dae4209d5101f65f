# SPDX-License-Identifier: Apache-2.0
"""pvx_slow - rooms in which somebody is behind, for tests of the relay."""
import os
import time

from pvx_patience import PATIENCE_S
from pvx_wire import Device, Room, WireError

ANY_RATE = ("--rate-messages=0", "--rate-bytes=0")
# A small high-water mark and small socket buffers: full within moments.
SMALL = ANY_RATE + ("--high-water-bytes=16384",)
KIB = os.urandom(1024)


def answer(client, wanted, timeout=PATIENCE_S):
    """The next message of that type, as an honest client waits for it."""
    end = time.monotonic() + timeout
    while True:
        message = client.receive(max(end - time.monotonic(), 0.001))
        if message is None or message.type == "ERROR":
            raise WireError(f"wanted {wanted}, got {message}")
        if message.type == "PING":
            client.send("PONG", token=message.token)
        if message.type == wanted:
            return message


def slow_room(relay, others=1):
    """One that takes little from the network, and the others of his room."""
    room = Room()
    slow = relay.connect(receive_buffer=4096)
    slow.enter(room, Device())
    clients = [relay.enter(room, Device()) for _ in range(others)]
    for _ in clients:
        slow.expect("PRESENCE")
    return slow, *clients


def fill(sender, limit=4000):
    """Send with a window of 1 until ACKs stay away. How many were sent."""
    for i in range(limit):
        sender.say(i, KIB)
        try:
            answer(sender, "ACK", 0.5)
        except TimeoutError:
            return i + 1
    raise AssertionError("ACKs never stayed away")
