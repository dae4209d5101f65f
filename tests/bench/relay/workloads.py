# SPDX-License-Identifier: Apache-2.0
"""workloads - what the relay bench puts on each contestant, and its targets."""


class Workload:
    def __init__(self, name, title, *options, quick=False, target=None):
        self.name = name
        self.title = title
        self.options = options
        self.is_quick = quick
        self.target = target


def one_to(receivers, window):
    return (f"--members={receivers + 1}", "--senders=1", "--bytes=200",
            f"--window={window}")


WORKLOADS = [
    Workload("1x100-w256", "1 sender to 100, 200 B, window 256",
             *one_to(100, 256), quick=True, target=(2.5, "or", 0.7)),
    Workload("1x100-w64", "1 sender to 100, 200 B, window 64",
             *one_to(100, 64)),
    Workload("1x100-w1", "1 sender to 100, 200 B, window 1",
             *one_to(100, 1), quick=True, target="idle"),
    Workload("1x1000-w256", "1 sender to 1,000, 200 B, window 256",
             *one_to(1000, 256), target=(2.5, "or", 0.7)),
    Workload("1x1000-w64", "1 sender to 1,000, 200 B, window 64",
             *one_to(1000, 64)),
    Workload("1x1000-w1", "1 sender to 1,000, 200 B, window 1",
             *one_to(1000, 1), target="idle"),
    Workload("100x10", "100 rooms of 10, all send, 200 B, window 16",
             "--rooms=100", "--members=10", "--senders=10", "--bytes=200",
             "--window=16", quick=True, target=(1.4, "and", 0.7)),
    Workload("10x100-1k", "10 rooms of 100, 10 senders, 1 KiB, window 64",
             "--rooms=10", "--members=100", "--senders=10", "--bytes=1024",
             "--window=64", target=(2.5, "and", 0.7)),
    Workload("rate", "1 sender to 100, 200 B, 500 messages/s",
             *one_to(100, 4096), "--rate=500", quick=True),
]
