# SPDX-License-Identifier: Apache-2.0
"""targets - what the relay is to reach in each workload, and whether it does.

Each yields verdicts for a workload `w`; ratios are taken round by round, and
their median decides. Where the generator had no time left, wall time measures
the generator: then it is told, and CPU time decides.
"""
import collections
import statistics

from report import BUSY_MOST, spread


class Verdict(collections.namedtuple("Verdict", "holds target text")):
    """`holds` is None for what no target is about."""
    __slots__ = ()

    @property
    def word(self):
        return {True: "met", False: "MISSED", None: "told"}[self.holds]

    def __str__(self):
        return f"{self.word}: {self.target}: {self.text}"


CELL = 1.03  # the histogram's step
BY = (("rate_out", False, "wall time"), ("cpu_ns", True, "CPU"))


def is_full(results, w, *names):
    """Whether the generator could do no more."""
    return any(statistics.median(results.values(w.name, n, "own_busy")) >
               BUSY_MOST for n in names if n in results.names(w.name))


def more_is_better(results, w, own, other, field, least):
    """Ratios by round that are above 1 when `own` is the better one."""
    if not other:
        return []
    a, b = (other, own) if least else (own, other)
    return results.ratios(w.name, a, b, field)


def load(results, w, of_peer, joint, of_ceiling):
    """So many times the best peer and (or: either suffices) so much of the
    ceiling, by deliveries/s and by those of a second of server CPU."""
    for field, least, by in BY:
        peer = results.best_peer(w.name, field, least)
        by_peer = more_is_better(results, w, "paravox", peer, field, least)
        by_ceiling = more_is_better(results, w, "paravox", "ceiling", field,
                                    least)
        if not by_ceiling:
            continue
        holds = statistics.median(by_ceiling) >= of_ceiling
        text = f"{spread(by_ceiling, 1, 2)} of the ceiling"
        if by_peer:
            enough = statistics.median(by_peer) >= of_peer
            holds = holds and enough if joint == "and" else holds or enough
            text += f", {spread(by_peer, 1, 2)} times {peer}"
        text += (f"; wanted {of_peer} times the best peer {joint} "
                 f"{of_ceiling} of the ceiling")
        if not least and is_full(results, w, "paravox", "ceiling"):
            holds = None
            text += "; the generator was full"
        yield Verdict(holds, f"{w.name}, {by}", text)


def quiet(results, w, of_ceiling, is_judged):
    cpu = results.ratios(w.name, "paravox", "ceiling", "cpu_ns")
    if cpu:
        holds = statistics.median(cpu) <= of_ceiling
        yield Verdict(holds if is_judged else None, f"{w.name}, CPU",
                      f"{spread(cpu, 1, 2)} of the ceiling's for a delivery; "
                      f"wanted {of_ceiling}")
    best = min(results.names(w.name), default=None,
               key=lambda n: statistics.median(
                   results.values(w.name, n, "p99_us")))
    own = results.values(w.name, "paravox", "p99_us")
    if best and own:
        others = results.values(w.name, best, "p99_us")
        holds = statistics.median(own) <= CELL * max(others)
        yield Verdict(holds if is_judged else None, f"{w.name}, p99",
                      f"{spread(own)} us; the lowest is {best}'s "
                      f"{spread(others)}")


def stalled(results, w, without, of_rate, more_kib):
    """One who never reads: what he costs the others, in rate and in delay, is
    within what two like samples differ by, and the relay holds no more than
    his queue."""
    rate = results.ratios(w.name, "paravox", "paravox", "rate_out", without)
    if not rate:
        return
    yield Verdict(statistics.median(rate) >= of_rate, f"{w.name}, rate",
                  f"{spread(rate, 1, 2)} of that without; wanted {of_rate}")
    late = results.ratios(w.name, "paravox", "paravox", "p99_us", without)
    yield Verdict(statistics.median(late) <= 1 / of_rate, f"{w.name}, p99",
                  f"{spread(late, 1, 2)} of that without; wanted "
                  f"{1 / of_rate:.2f}")
    own = results.values(w.name, "paravox", "most_kib")
    others = results.values(without, "paravox", "most_kib")
    more = statistics.median(own) - statistics.median(others)
    yield Verdict(more <= more_kib, f"{w.name}, memory",
                  f"{more:,.0f} KiB more; his queue's bound and the buffers: "
                  f"{more_kib:,}")


def idle(results, w, without, most, of_cpu):
    """Bytes for each who does nothing, and what a delivery beside them costs
    by what it costs without them."""
    for name in results.names(w.name):
        user = results.values(w.name, name, "idle_user_bytes")
        kernel = results.values(w.name, name, "idle_kernel_bytes")
        text = (f"{spread(user)} bytes of its own for each, the kernel's "
                f"{spread(kernel)} for both ends")
        if name.split("+")[0] == "paravox":
            yield Verdict(statistics.median(user) <= most,
                          f"{w.name}, memory", f"{text}; wanted {most:,}")
        else:
            yield Verdict(None, f"{w.name}, memory of {name}", text)
    for name in ("paravox", "ceiling"):
        cpu = results.ratios(w.name, name, name, "cpu_ns", without)
        if cpu:
            own = name == "paravox"
            yield Verdict(
                statistics.median(cpu) <= of_cpu if own else None,
                f"{w.name}, wake-up" + ("" if own else f" of {name}"),
                f"a delivery takes {spread(cpu, 1, 2)} times the CPU that it "
                "takes without them" + (f"; wanted {of_cpu}" if own else ""))


def tls(results, w, of_peer):
    for field, least, by in BY:
        peer = results.best_peer(w.name, field, least)
        ratio = more_is_better(results, w, "paravox+tls", peer, field, least)
        if not ratio:
            continue
        holds = statistics.median(ratio) >= of_peer
        text = f"{spread(ratio, 1, 2)} times {peer}; wanted {of_peer}"
        if not least and is_full(results, w, "paravox+tls"):
            holds = holds or None
            text += "; the generator was full"
        yield Verdict(holds, f"{w.name}, {by}", text)


def history(results, w, of_rate):
    rate = results.ratios(w.name, "paravox+history", "paravox", "rate_out")
    if rate:
        yield Verdict(statistics.median(rate) >= of_rate, w.name,
                      f"{spread(rate, 1, 2)} of the rate without; wanted "
                      f"{of_rate}")


def history_rate(results, w, least):
    rate = results.values(w.name, "paravox+history", "rate_out")
    if rate:
        yield Verdict(statistics.median(rate) >= least, w.name,
                      f"{spread(rate)} acknowledged messages/s; wanted "
                      f"{least:,}")
