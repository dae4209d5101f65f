# SPDX-License-Identifier: Apache-2.0
"""workloads - what the relay bench puts on each contestant, and its targets.

A target is a function of targets.py and its numbers.
"""
import targets

PLAIN = ("paravox", "ceiling", "redis", "nats", "mosquitto", "ngircd",
         "inspircd")
NO_IRC = PLAIN[:5]
TLS = ("paravox+tls", "redis+tls", "nats+tls", "mosquitto+tls")


class Workload:
    """`rooms` of `members`, of whom `senders` send `size` bytes with `window`
    messages not yet with everybody; the rest as bench_relay calls it."""

    def __init__(self, name, title, rooms=1, members=101, senders=1, size=200,
                 window=256, who=PLAIN, rounds=1000, quick=False, target=None,
                 **more):
        self.name = name
        self.title = title
        self.size = size
        self.clients = rooms * members + more.get("idle", 0)
        self.options = [f"--{k}={v}" for k, v in {
            "rooms": rooms, "members": members, "senders": senders,
            "bytes": size, "window": window, **more}.items()]
        self.who = who
        self.rounds = rounds
        self.is_quick = quick
        self.has_disk = any("history" in name for name in who)
        self.target = target

    def judge(self, results):
        """Verdicts: whether the target holds."""
        if not self.target:
            return []
        function, *numbers = self.target
        return function(results, self, *numbers)


OR = (targets.load, 2.5, "or", 0.7)
AND = (targets.load, 2.5, "and", 0.7)


def stalled_by(without):
    """9 MiB: the hard bound of a queue is 8."""
    return (targets.stalled, without, 0.9, 9 << 10)


WORKLOADS = [
    Workload("1x100-w256", "1 sender to 100, 200 B, window 256", quick=True,
             target=OR),
    Workload("1x100-w64", "1 sender to 100, 200 B, window 64", window=64,
             rounds=3),
    Workload("1x100-w1", "1 sender to 100, 200 B, window 1, a generator that "
             "never sleeps", window=1, awake=1, quick=True,
             target=(targets.quiet, 1.1, True)),
    Workload("1x100-w1-asleep", "1 sender to 100, 200 B, window 1, a generator "
             "that must be woken", window=1, target=(targets.quiet, 1.1, False)),
    Workload("1x1000-w256", "1 sender to 1,000, 200 B, window 256",
             members=1001, target=OR),
    Workload("1x1000-w64", "1 sender to 1,000, 200 B, window 64",
             members=1001, window=64, rounds=3),
    Workload("1x1000-w1", "1 sender to 1,000, 200 B, window 1", members=1001,
             window=1, rounds=3),
    Workload("100x10", "100 rooms of 10, all send, 200 B, window 16",
             rooms=100, members=10, senders=10, window=16, quick=True,
             target=(targets.load, 1.4, "and", 0.7)),
    Workload("10x100-1k", "10 rooms of 100, 10 senders, 1 KiB, window 64",
             rooms=10, members=100, senders=10, size=1024, window=64,
             target=AND),
    Workload("rate", "1 sender to 100, 200 B, 500 messages/s", window=4096,
             rate=500, rounds=3),
    Workload("stalled", "1 sender to 100, 200 B, window 256, and one more who "
             "never reads", members=102, stalled=1, who=("paravox",),
             quick=True, target=stalled_by("1x100-w256")),
    Workload("rate-1k", "1 sender to 100, 1 KiB, 2,000 messages/s",
             size=1024, window=4096, rate=2000, who=("paravox",), quick=True),
    Workload("rate-1k-stalled", "1 sender to 100, 1 KiB, 2,000 messages/s, "
             "and one more who never reads", members=102, stalled=1, size=1024,
             window=4096, rate=2000, who=("paravox",), quick=True,
             target=stalled_by("rate-1k")),
    Workload("idle", "1 sender to 100, 200 B, window 1, beside 10,000 who do "
             "nothing", window=1, awake=1, idle=10000, who=NO_IRC, rounds=5,
             target=(targets.idle, "1x100-w1", 2048, 1.1)),
    Workload("tls-1x100-w256", "1 sender to 100, 200 B, window 256, TLS 1.3",
             who=TLS, quick=True, target=(targets.tls, 2)),
    Workload("tls-1x1000-w256", "1 sender to 1,000, 200 B, window 256, TLS "
             "1.3", members=1001, who=TLS, target=(targets.tls, 2)),
    Workload("tls-100x10", "100 rooms of 10, all send, 200 B, window 16, TLS "
             "1.3", rooms=100, members=10, senders=10, window=16, who=TLS,
             target=(targets.tls, 2)),
    Workload("tls-idle", "1 sender to 100, 200 B, window 1, TLS 1.3, beside "
             "10,000 who do nothing", window=1, idle=10000, rounds=1,
             who=("paravox+tls", "mosquitto+tls"),
             target=(targets.idle, "1x100-w1", 18 << 10, 1.1)),
    Workload("history-1x100", "1 sender to 100, 200 B, window 256, each "
             "message on the disk before its ACK",
             who=("paravox", "paravox+history"), quick=True,
             target=(targets.history, 0.5)),
    Workload("history-100x1", "100 rooms of 1 sender and 1 receiver, 200 B, "
             "window 64, each message on the disk before its ACK", rooms=100,
             members=2, window=64, who=("paravox", "paravox+history"),
             target=(targets.history_rate, 20000)),
]
