# SPDX-License-Identifier: Apache-2.0
"""ending - SIGTERM, SIGHUP and SIGINT end a program that starts others.

How it works: the first of them raises SystemExit in the main thread, not
before what holds() it is over; those that follow are not heard, so that all
can be closed. The first may have come in the middle of a close(): what must
be closed at any rate is given to atexit too.
"""
import contextlib
import signal
import threading

SIGNALS = signal.SIGTERM, signal.SIGHUP, signal.SIGINT


class Ending:
    def __init__(self):
        self.number = None
        self.holders = 0
        self.is_begun = False

    def begin(self):
        if self.number and not self.holders and not self.is_begun:
            self.is_begun = True
            raise SystemExit(128 + self.number)

    def on_signal(self, number, frame):
        self.number = self.number or number
        self.begin()


_ending = Ending()


def by_signals():
    for number in SIGNALS:
        signal.signal(number, _ending.on_signal)


@contextlib.contextmanager
def holds():
    """What is done within is done to its end. Other threads are not ended by
    signals anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ending.holders += 1
    try:
        yield
    finally:
        _ending.holders -= 1
        _ending.begin()
