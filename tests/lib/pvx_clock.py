# SPDX-License-Identifier: Apache-2.0
"""pvx_clock - a relay whose clocks a test can let jump.

    with Clock() as clock:
        with Relay("--sandbox=off", env=clock.env) as relay:
            clock.jump(realtime_ms=-3600000)
            clock.jump(monotonic_ms=60000)      # never backwards
"""
import os
import struct
import tempfile

PRELOAD = os.environ.get("PVX_CLOCK_PRELOAD", "build/tests/clock/clock.so")


class Clock:
    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="pvx-clock-")
        self.realtime_ms = self.monotonic_ms = 0
        self.env = {"LD_PRELOAD": PRELOAD, "PVX_CLOCK": self.file.name,
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self._write()

    def _write(self):
        os.pwrite(self.file.fileno(), struct.pack(
            "=qq", self.realtime_ms, self.monotonic_ms), 0)

    def jump(self, realtime_ms=0, monotonic_ms=0):
        assert monotonic_ms >= 0, "no kernel does that"
        self.realtime_ms += realtime_ms
        self.monotonic_ms += monotonic_ms
        self._write()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
