# SPDX-License-Identifier: Apache-2.0
"""test_crowd [MEMBERS SENDERS LINES] - many clients in one room, on hosts of
their own: the relay on one, the clients on two others, over IPv4 and IPv6.

Every sender sends its lines as fast as acknowledgements allow; every other
member prints every line exactly once, in order per sender; nobody is cut off.
"""
import sys
import threading
import time

import pvx_hosts
import pvx_tap
from pvx_people import People
from pvx_relay import Relay

MEMBERS, SENDERS, LINES = 12, 4, 25
JOIN_TIMEOUT = 120
READ_TIMEOUT = 600


def check(tail, names, own):
    per_sender = {name: [] for name in names}
    for body in tail.bodies():
        name, number = body.split(" ", 1)
        per_sender[name].append(int(number))
    for name, numbers in per_sender.items():
        assert numbers == list(range(LINES)), (
            f"{own} read of {name}: {numbers}")
    for kind in ("gap", "late", "refused", "replayed", "fork", "disconnected"):
        assert not tail.of(kind), (own, tail.of(kind)[:3])


def run(where):
    """`where(number)`: address of the relay and the command for a member."""
    with People() as people:
        address, command = where(0)
        first = people.new("m0", command).make_room(address)
        persons, tails = [first], []
        for number in range(1, MEMBERS):
            address, command = where(number)
            persons.append(people.new(f"m{number}", command).join(first))
        for number, person in enumerate(persons):
            tails.append(person.tail(server=where(number)[0],
                                     wait=False))
        for tail in tails:
            tail.wait_for("connected", JOIN_TIMEOUT)
        start = time.monotonic()
        lines = {p.name: [f"{p.name} {n}" for n in range(LINES)]
                 for p in persons[:SENDERS]}
        faults = []

        def send(number, person):
            try:
                person.send(*lines[person.name], timeout=READ_TIMEOUT,
                            options=("--server", where(number)[0]))
            except AssertionError as fault:
                faults.append(fault)

        threads = [threading.Thread(target=send, args=item)
                   for item in enumerate(persons[:SENDERS])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults, faults[0]
        sent = time.monotonic() - start
        for tail in tails:
            tail.wait_until(lambda events: sum(
                e["event"] == "message" for e in events) >= SENDERS * LINES,
                READ_TIMEOUT, "the last line")
        read = time.monotonic() - start
        for tail, person in zip(tails, persons):
            check(tail, list(lines), person.name)
        print(f"# {MEMBERS} members, {SENDERS} senders of {LINES} lines: all "
              f"acknowledged after {sent:.1f} s, all read after {read:.1f} s")


def test_every_member_reads_every_line_once_across_hosts():
    hosts = [pvx_hosts.Host(1), pvx_hosts.Host(2)]
    try:
        with Relay("--listen=0.0.0.0:7450", "--listen=[::]:7450", listen=None,
                   listeners=2, tls=True):
            run(lambda number: (
                (f"{hosts[0].gateway}:7450", hosts[0].command) if number % 2
                else (f"[{hosts[1].gateway6}]:7450", hosts[1].command)))
    finally:
        for host in hosts:
            host.close()


if __name__ == "__main__":
    pvx_hosts.enter()
    if len(sys.argv) == 4:
        MEMBERS, SENDERS, LINES = map(int, sys.argv[1:])
        del sys.argv[1:]
    pvx_tap.main(globals())
