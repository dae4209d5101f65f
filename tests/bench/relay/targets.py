# SPDX-License-Identifier: Apache-2.0
"""targets - what the relay is to reach in each workload, and whether it does.

Each yields lines for a workload `w`; ratios are taken round by round, and their
median decides.
"""
import statistics

from report import spread


def check(holds, text):
    return f"{'holds' if holds else 'MISSED'}: {text}"


def load(results, w, of_peer, joint, of_ceiling):
    """So many times the best peer and (or: either suffices) so much of the
    ceiling; once by deliveries/s, once by those of a second of server CPU."""
    for field, least, what in (("rate_out", False, "deliveries/s"),
                               ("cpu_ns", True, "deliveries/CPU s")):
        def ratio(other, field=field, least=least):
            if not other:
                return []
            r = results.ratios(w.name, "paravox", other, field)
            return [1 / x for x in r if x] if least else r

        peer = results.best_peer(w.name, field, least)
        by_peer, by_ceiling = ratio(peer), ratio("ceiling")
        if not by_ceiling:
            continue
        holds = statistics.median(by_ceiling) >= of_ceiling
        text = f"{spread(by_ceiling, 1, 2)} of the ceiling"
        if by_peer:
            enough = statistics.median(by_peer) >= of_peer
            holds = holds and enough if joint == "and" else holds or enough
            text += f", {spread(by_peer, 1, 2)} times {peer}"
        yield check(holds, f"{w.name}, {what}: {text}; wanted {of_peer} times "
                           f"the best peer {joint} {of_ceiling} of the "
                           "ceiling")


def idle(results, w, of_ceiling):
    cpu = results.ratios(w.name, "paravox", "ceiling", "cpu_ns")
    if cpu:
        yield check(statistics.median(cpu) <= of_ceiling,
                    f"{w.name}: {spread(cpu, 1, 2)} of the ceiling's CPU a "
                    f"delivery, wanted {of_ceiling}")
    best = min(results.names(w.name), default=None,
               key=lambda n: statistics.median(
                   results.values(w.name, n, "p99_us")))
    own = results.values(w.name, "paravox", "p99_us")
    if best and own:
        others = results.values(w.name, best, "p99_us")
        yield check(statistics.median(own) <= max(others),
                    f"{w.name}: p99 {spread(own)} us, the lowest is {best}'s "
                    f"{spread(others)}")


def stalled(results, w, without, of_rate, more_kib):
    rate = results.ratios(w.name, "paravox", "paravox", "rate_out", without)
    own = results.values(w.name, "paravox", "most_kib")
    if not rate:
        return
    yield check(statistics.median(rate) >= of_rate,
                f"{w.name}: {spread(rate, 1, 2)} of the rate without, wanted "
                f"{of_rate}")
    before = results.values(without, "paravox", "most_kib")
    more = statistics.median(own) - statistics.median(before)
    yield check(more <= more_kib, f"{w.name}: {more:,.0f} KiB more memory, "
                                  f"wanted {more_kib:,}")


def idle_memory(results, w, without, most):
    for name in results.names(w.name):
        user = results.values(w.name, name, "idle_user_bytes")
        kernel = results.values(w.name, name, "idle_kernel_bytes")
        text = (f"{w.name}: {name} takes {spread(user)} bytes of its own for "
                f"each, the kernel {spread(kernel)} for both ends")
        own = name.split("+")[0] == "paravox"
        yield check(statistics.median(user) <= most, text +
                    f", wanted {most}") if own else text
    cpu = results.ratios(w.name, "paravox", "paravox", "cpu_ns", without)
    if cpu:
        yield (f"{w.name}: a delivery takes {spread(cpu, 1, 2)} times the CPU "
               "that it takes without them")


def tls(results, w, of_peer):
    for field, least, what in (("rate_out", False, "deliveries/s"),
                               ("cpu_ns", True, "deliveries/CPU s")):
        peer = results.best_peer(w.name, field, least)
        if not peer or "paravox+tls" not in results.names(w.name):
            continue
        pair = (peer, "paravox+tls") if least else ("paravox+tls", peer)
        ratio = results.ratios(w.name, *pair, field)
        yield check(statistics.median(ratio) >= of_peer,
                    f"{w.name}, {what}: {spread(ratio, 1, 2)} times {peer}, "
                    f"wanted {of_peer}")


def history(results, w, of_rate):
    rate = results.ratios(w.name, "paravox+history", "paravox", "rate_out")
    if rate:
        yield check(statistics.median(rate) >= of_rate,
                    f"{w.name}: {spread(rate, 1, 2)} of the rate without, "
                    f"wanted {of_rate}")


def history_rate(results, w, least):
    rate = results.values(w.name, "paravox+history", "rate_out")
    if rate:
        yield check(statistics.median(rate) >= least,
                    f"{w.name}: {spread(rate)} acknowledged messages/s, "
                    f"wanted {least:,}")
