#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay bench still works, and its generator notices what goes wrong."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading

import pvx_tap
from contestants import CONTESTANTS, Server

BUILD = pathlib.Path(os.environ["BENCH_BUILD"])
DELIVER = 6
SMALL = ("--ms=50", "--warm-ms=1", "--members=5", "--window=8", "--bytes=150")


def generate(protocol, port, *options):
    return subprocess.run(
        [BUILD / "tests/bench/relay/bench_relay",
         f"--protocol={protocol}", f"--port={port}", f"--pid={os.getpid()}", *SMALL, *options], capture_output=True,
        text=True, check=False)


def serve(name):
    contestant = next(c for c in CONTESTANTS if c.name == name)
    absence = contestant.absence(BUILD)
    if absence:
        raise pvx_tap.Skip(absence)
    folder = tempfile.TemporaryDirectory()
    return folder, Server(contestant, BUILD, pathlib.Path(folder.name))


def check_all_arrives(name, *options):
    folder, server = serve(name)
    with folder, server:
        secure = int("tls" in server.contestant.options)
        done = generate(server.contestant.protocol, server.port,
                        f"--tls={secure}", *options)
    assert done.returncode == 0, done.stderr
    sample = json.loads(done.stdout)
    # A busy machine may let nothing arrive in the measured 50 ms.
    assert sample["deliveries"] <= sample["checked"]
    assert sample["checked"]
    assert sample["checked"] % 4 == 0  # each message has four receivers


def test_everything_arrives_through_paravoxd():
    check_all_arrives("paravox")


def test_everything_arrives_through_the_ceiling():
    check_all_arrives("ceiling", "--rooms=3", "--senders=5")


def test_everything_arrives_at_a_generator_that_never_sleeps():
    check_all_arrives("ceiling", "--awake=1")


def test_everything_arrives_through_redis():
    check_all_arrives("redis", "--senders=2")


def test_everything_arrives_through_nats():
    check_all_arrives("nats", "--rooms=2", "--senders=5")


def test_everything_arrives_through_mosquitto():
    check_all_arrives("mosquitto", "--senders=2")


def test_everything_arrives_through_ngircd():
    check_all_arrives("ngircd", "--senders=2")


def test_everything_arrives_through_inspircd():
    check_all_arrives("inspircd", "--rooms=2", "--senders=5")


def test_everything_arrives_under_tls_through_paravoxd():
    check_all_arrives("paravox+tls", "--senders=2")


def test_everything_arrives_under_tls_through_redis():
    check_all_arrives("redis+tls", "--senders=2")


def test_everything_arrives_under_tls_through_nats():
    check_all_arrives("nats+tls", "--senders=2")


def test_everything_arrives_under_tls_through_mosquitto():
    check_all_arrives("mosquitto+tls", "--senders=2")


class Spoiler:
    """Between the generator and the ceiling: hands everything on, but treats
    the frames for the second client, from the tenth message on, with `spoil`:
    a list of frames in, those to hand on out."""

    def __init__(self, port, spoil):
        self.port = port
        self.spoil = spoil
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.is_spoiled = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        for number in range(5):
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            for pair in ((client, server, False),
                         (server, client, number == 1)):
                threading.Thread(target=self._hand_on, args=pair,
                                 daemon=True).start()

    def _hand_on(self, source, sink, is_victim):
        rest = b""
        try:
            while True:
                data = source.recv(1 << 16)
                if not data:
                    break
                if is_victim:
                    frames, rest = self._frames(rest + data)
                    data = b"".join(self._treat(frames))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def _frames(data):
        frames = []
        while len(data) >= 4:
            whole = 4 + struct.unpack(">I", data[:4])[0]
            if len(data) < whole:
                break
            frames.append(data[:whole])
            data = data[whole:]
        return frames, data

    def _treat(self, frames):
        self.count += sum(f[4] == DELIVER for f in frames)
        if self.is_spoiled or self.count < 10 or len(frames) < 2:
            return frames
        self.is_spoiled = True
        return self.spoil(frames)


def check_is_noticed(spoil, fault, *options):
    folder, server = serve("ceiling")
    with folder, server:
        spoiler = Spoiler(server.port, spoil)
        port = spoiler.listener.getsockname()[1]
        done = generate("ceiling", port, "--ms=2000", *options)
    assert spoiler.is_spoiled
    assert done.returncode == 1, done.stdout
    assert fault in done.stderr, done.stderr


def test_an_honest_detour_is_no_fault():
    folder, server = serve("ceiling")
    with folder, server:
        spoiler = Spoiler(server.port, list)
        done = generate("ceiling", spoiler.listener.getsockname()[1])
    assert done.returncode == 0, done.stderr


def test_a_lost_message_is_noticed():
    check_is_noticed(lambda frames: frames[1:], "lost")


def test_a_doubled_message_is_noticed():
    check_is_noticed(lambda frames: frames[:1] + frames, "doubled")


def test_two_swapped_messages_are_noticed():
    check_is_noticed(lambda frames: [frames[1], frames[0], *frames[2:]],
                     "out of order")


def test_a_changed_byte_is_noticed():
    def change(frames):
        last = bytearray(frames[0])
        last[-1] ^= 1
        return [bytes(last), *frames[1:]]
    check_is_noticed(change, "changed")


def test_a_message_that_never_comes_is_noticed():
    def swallow(frames):
        return []
    check_is_noticed(swallow, "", "--patience-ms=500")


if __name__ == "__main__":
    pvx_tap.main(globals())
